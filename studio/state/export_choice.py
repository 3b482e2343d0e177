"""What an export dialog remembers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Choice:
    """What every dialog remembers: the format, and what its kind of signals adds to it.

    How fine the last file was (`FINENESS`), and what else was meant for it alone, is remembered too, but a dialog does
    not begin with it: a sketch must not make sketches of all that follows.
    """

    KEPT_AS: ClassVar[str]
    """The group of the settings where it is kept."""
    FINENESS: ClassVar[tuple[str, ...]] = ()

    suffix: str = ""

    def afresh(self) -> Self:
        """The same with the usual fineness."""
        usual: dict[str, Any] = {field.name: field.default for field in fields(self) if field.name in self.FINENESS}
        return replace(self, **usual)
