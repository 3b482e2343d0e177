"""What can be undone, in a file that the next start reads, also after a crash: deletions, tags, and changes of forms.

Each is data alone, of which the window makes the step again. What was taken back before cannot be done again after a
restart, and what was typed into a prompt is undone letter by letter only until the studio ends.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ddmi_core.support.paths import user_data
from studio.state.form import GenerateForm
from studio.state.session import read_json, write_kept

log = logging.getLogger(__name__)

Tags = tuple[str, ...]


class Deletion(BaseModel):
    """Items were deleted: undo brings them back from the trash. ``items`` are their ids."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["delete"] = "delete"
    items: tuple[str, ...] = Field(min_length=1)


class TagChange(BaseModel):
    """Items, by their ids, were given tags in place of those before. ``room``: the one that it was done in, if one."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["tags"] = "tags"
    room: str = ""
    before: dict[str, Tags]
    after: dict[str, Tags]


class FormChange(BaseModel):
    """A room's form was changed at once: undo brings ``form`` back. ``text`` says by what, such as "recipe"."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["form"] = "form"
    text: str
    domain: str
    form: GenerateForm


KeptStep = Deletion | TagChange | FormChange
_STEP: TypeAdapter[KeptStep] = TypeAdapter(Annotated[KeptStep, Field(discriminator="kind")])
_STEPS: TypeAdapter[list[KeptStep]] = TypeAdapter(list[KeptStep])


def steps_file() -> Path:
    """Where the steps of this person lie."""
    return user_data() / "undo.json"


def read_steps(path: Path) -> list[KeptStep]:
    """The steps in a file, the last one at the end. Those that cannot be read are left out."""
    content = read_json(path)
    steps: list[KeptStep] = []
    for one in content if isinstance(content, list) else []:
        try:
            steps.append(_STEP.validate_python(one))
        except ValidationError as error:
            log.warning("a step in %s cannot be read: %s", path, error)
    return steps


def write_steps(steps: Sequence[KeptStep], path: Path) -> bool:
    """Write steps, the last one at the end. Whether that was possible."""
    return write_kept(_STEPS.dump_json(list(steps), indent=2).decode(), path)
