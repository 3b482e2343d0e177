"""Tags: short names that a person gives items of the history, to find them by."""

from __future__ import annotations

import json
from collections.abc import Iterable

MAX_TAG = 40
"""Characters of a tag."""


def tag_name(typed: str) -> str:
    """A tag as it is kept: one line, no # before it, and short. Empty if nothing is left."""
    return " ".join(typed.split()).lstrip("# ")[:MAX_TAG].rstrip()


def as_tags(names: Iterable[str]) -> tuple[str, ...]:
    """Names as the tags of an item: each once, as it is written first, in the order of the alphabet."""
    kept: dict[str, str] = {}
    for name in map(tag_name, names):
        if name:
            kept.setdefault(name.casefold(), name)
    return tuple(kept[key] for key in sorted(kept))


def retagged(tags: Iterable[str], *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> tuple[str, ...]:
    """Tags with some more and some less."""
    gone = {name.casefold() for name in as_tags(remove)}
    return as_tags([*(name for name in tags if name.casefold() not in gone), *add])


def tags_to_json(tags: tuple[str, ...]) -> str:
    """Tags as they are stored; nothing for none."""
    return json.dumps(tags, ensure_ascii=False) if tags else ""


def tags_from_json(text: str) -> tuple[str, ...] | None:
    """The tags that were stored so, or None if the text is something else."""
    try:
        names = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return None
    return as_tags(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else None
