"""What the ruler says, and how long a shape is made that has no units."""

from __future__ import annotations

from PySide6.QtCore import Signal

from studio.actions import Actions
from studio.panels.export_fields import longest_box
from studio.rooms.shapes.bar import Bar
from studio.state.lengths import Lengths
from studio.state.ruler import Ruler
from studio.theme.theme import Theme
from studio.widgets.basics import ElidedLabel, label

_BOX = 120  # px
_ASKED = ("Click a point of the shape", "Click the other end", "")


class RulerBar(Bar):
    """Shown while one measures. `rescaled` says that the longest side has another length now."""

    rescaled = Signal()

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__(theme, actions["ruler"])
        self.said = ElidedLabel()
        self.said.setAccessibleName("Length")
        self.longest = longest_box()
        self.longest.setFixedWidth(_BOX)
        self.longest.setKeyboardTracking(False)
        self.longest.valueChanged.connect(lambda _length: self.rescaled.emit())
        self.row.addWidget(self.said, 1)
        self.row.addWidget(label("Longest side", "muted"))
        self.row.addWidget(self.longest)
        self._end()

    def say(self, ruler: Ruler, lengths: Lengths) -> None:
        """Say how long the ruler is, or what to click."""
        if ruler.parts is None:
            self.said.setText(f"{_ASKED[len(ruler.ends)]}  ·  in {lengths.told_in}")
            return
        parts = "  ".join(
            f"{axis} {lengths.said(part, bare=True)}" for axis, part in zip("xyz", ruler.parts, strict=True)
        )
        self.said.setText(f"{lengths.said(ruler.length)}  ·  {parts}  ·  in {lengths.told_in}")
