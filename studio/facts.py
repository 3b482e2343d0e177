"""What a room is said to be and to offer, and what an action is: plain data, without Qt and torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ddmi_core.export.options import ExportOptions
from studio.state.parts import Side

Scope = Literal["window", "stage", "history"]
"""Where the keys of an action work: in the whole window, on the stage of its room, or in the history."""


@dataclass(frozen=True)
class Words:
    """How a room speaks of its signals, in menus, tips and messages."""

    domain: str
    noun: str
    """One signal, such as "shape"; its plural has an s."""
    source: str
    """What can be reconstructed, such as "mesh or point cloud"."""
    written_as: str
    """What it is exported as, such as "OBJ, GLB, PLY or STL"."""
    file: str
    """What kind of file an export is, such as "a mesh file"."""
    handed_as: str
    """What another program gets that one is dragged into, such as "a PNG of 1,024 pixels"."""

    def put_into(self, text: str) -> str:
        """Fill the places {noun}, {Noun}, {source}, {written_as} and {handed_as} of a text."""
        return text.format(
            noun=self.noun,
            Noun=self.noun.capitalize(),
            source=self.source,
            written_as=self.written_as,
            handed_as=self.handed_as,
        )


@dataclass(frozen=True)
class ActionSpec:
    """One action.

    `menu` is the menu that lists it, `A/B` for submenu B of A, empty for none; `section` groups menu and sheet.
    Actions that share a `choice` exclude each other. `room` is the domain in whose room alone it is there, which those
    that a room declares need not say. Texts may have places for a room's :class:`Words`. `also`: other words that
    people may look for it by.
    """

    id: str
    text: str
    section: str
    menu: str = ""
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    choice: str = ""
    scope: Scope = "window"
    room: str = ""
    also: str = ""


@dataclass(frozen=True)
class HandedOver:
    """The file that another program gets of a signal that is dragged into it: quick to write, of a usual fineness."""

    suffix: str
    options: ExportOptions


@dataclass(frozen=True)
class RoomFacts:
    """What is said and offered around a room's stage."""

    words: Words
    title: str
    icon: str
    tip: str
    """On the rail."""
    placeholder: str
    """In the empty prompt."""
    empty_title: str
    empty_text: str
    examples: tuple[str, ...]
    """Prompts to begin with."""
    export: type[ExportOptions]
    """What can be chosen about an export, and the formats that there are."""
    handed_over: HandedOver
    """What another program gets."""
    import_formats: tuple[str, ...]
    import_kind: str
    """What the files to import are called in the file dialog."""
    preset: str
    """Trains a model for the room."""
    guide: str
    """The file of the guide's page about it."""
    actions: tuple[ActionSpec, ...] = ()
    """What can be done there alone."""
    mouse: tuple[tuple[str, str], ...] = ()
    """What the mouse does on the stage, and how."""
    sides: tuple[Side, ...] = ()
    """From which a part that is drawn anew can be measured; the first one is usual."""
    preview_resolution: int = 64
    """Samples along an axis of the first view."""
    switches: tuple[str, ...] = ()
    """Checkable actions that are remembered between starts; all but those in `switches_off` begin checked."""
    switches_off: tuple[str, ...] = ()
    is_own: Callable[[Path], bool] | None = None
    """Whether a file to import is one of the room's, where the suffix alone does not say it."""
    import_names: tuple[str, ...] = ()
    """Of files that a folder may be brought in by, whatever their suffix, in this order."""
    recipe_formats: tuple[str, ...] = ()
    """Of exports that cannot be brought in as signals, but bring back their recipe."""
    fits_at_once: bool = False
    """Whether files are fitted, as closely as the person wants, and not encoded."""
    fits_afterwards: bool = False
    """Whether files are encoded, and then fitted while the person goes on."""
    fits_by_steps: bool = False
    """Whether a fit is learned step by step, so that it can be gone on with."""

    @property
    def axes(self) -> int:
        """How many coordinates its signals have."""
        return 1 + max(side.axis for side in self.sides)

    def takes(self, path: Path) -> bool:
        """Whether a file can be brought into the room."""
        by_kind = path.suffix.lower() in self.import_formats if self.is_own is None else self.is_own(path)
        return by_kind or path.name in self.import_names

    def own_actions(self) -> Iterable[ActionSpec]:
        """Its actions, as those of this room."""
        return (replace(spec, room=self.words.domain) for spec in self.actions)
