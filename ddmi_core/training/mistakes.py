"""What is wrong with a configuration, said with the line where it stands."""

import difflib
from collections.abc import Mapping
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

_MOST = 5  # mistakes that are told at once
_MOST_SETTINGS = 10_000  # far more than there are: what refers to itself again and again has no end

Place = tuple[int | str, ...]
"""Where a setting stands: ("stage1", "steps")."""


def lines_of(text: str) -> dict[Place, int]:
    """Return the line, from 1, on which every setting of a YAML text, as `parse_yaml` takes it, stands.

    Raises:
        ValueError: there is no end to the settings, as where one refers to others that refer to others.
    """
    lines: dict[Place, int] = {}

    def walk(node: yaml.Node | None, place: Place) -> None:
        if len(lines) > _MOST_SETTINGS:
            raise ValueError("it refers to itself without end")
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                lines[*place, str(key.value)] = key.start_mark.line + 1
                walk(value, (*place, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                lines[*place, index] = value.start_mark.line + 1
                walk(value, (*place, index))

    walk(yaml.compose(text, Loader=yaml.SafeLoader), ())
    return lines


def explained(error: ValidationError, schema: type[BaseModel], origin: str, lines: Mapping[Place, int]) -> str:
    """Return a sentence for each mistake, each with its line where that is known."""
    every = error.errors()
    places = [mistake["loc"] for mistake in every]
    # A list with a mistake in it also counts as too short: one word is enough
    found = [one for one in every if not any(one["loc"] == place[: len(one["loc"])] != place for place in places)]
    said = [_sentence(mistake, schema, lines) for mistake in found[:_MOST]]
    if len(found) > _MOST:
        said.append(f"And {len(found) - _MOST} more.")
    return f"{origin} has a mistake. " + " ".join(said) if len(found) == 1 else f"{origin}: " + " ".join(said)


def _sentence(mistake: Any, schema: type[BaseModel], lines: Mapping[Place, int]) -> str:
    place: Place = tuple(mistake["loc"])
    # A setting that is missing has no line, the section that it belongs to has
    line = next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), None)
    where = f"Line {line}, " if line is not None else ""
    name = ".".join(map(str, place)) or "the whole"
    if mistake["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), _fields(schema, place[:-1]), 1)
        hint = f"; did you mean {near[0]}?" if near else "."
        return f"{where}{name}: there is no such setting{hint}"
    if mistake["type"] == "missing":
        return f"{where}{name}: it is missing."
    given = mistake["input"]
    instead = f", not {given!r:.40}" if isinstance(given, str | int | float) else ""
    return f"{where}{name}: {mistake['msg'].replace('Input should', 'it should')}{instead}."


def _fields(schema: type[BaseModel], place: Place) -> list[str]:
    """Return the settings that there are in a section."""
    for part in place:
        field = schema.model_fields.get(str(part))
        inner = field.annotation if field is not None else None
        inner = next((one for one in get_args(inner) if one is not type(None)), inner)  # it may be left out
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            schema = inner
        elif not isinstance(part, int):
            return []
    return list(schema.model_fields)
