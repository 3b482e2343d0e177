"""What is asked when the view of a shape is saved as a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from PySide6.QtWidgets import QCheckBox, QGridLayout, QPushButton, QVBoxLayout, QWidget

from studio.state.export_choice import Choice
from studio.theme.tokens import GRID
from studio.widgets.basics import decision, figure_box, label
from studio.widgets.dialog import Dialog

MIN_WIDTH, MAX_WIDTH = 64, 8192
_WIDTH = 420


@dataclass(frozen=True)
class ScreenshotChoice(Choice):
    """What the dialog remembers."""

    KEPT_AS: ClassVar[str] = "screenshot"

    transparent: bool = False


class ScreenshotDialog(Dialog):
    """Asks how large the picture is to be, and whether with its background.

    Args:
        width: pixels across the view as it is on the screen, which the dialog begins with.
        height_of: how many pixels high a picture of some width is.
        choice: that of the last time.
        parent: the window.
    """

    def __init__(
        self, width: int, height_of: Callable[[int], int], choice: ScreenshotChoice, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save a screenshot")
        self.setFixedWidth(_WIDTH)
        self._height_of = height_of
        self.width_box = figure_box("Width", MIN_WIDTH, MAX_WIDTH, width, " px")
        self.width_box.setGroupSeparatorShown(True)
        self.width_box.valueChanged.connect(self._say_size)
        self.size_note = label("", "muted")
        self.transparent = QCheckBox("Transparent background")
        self.transparent.setToolTip("The shape and its shadow alone, to be laid over something else")
        self.transparent.setChecked(choice.transparent)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        grid.addWidget(label("Width", "muted"), 0, 0)
        grid.addWidget(self.width_box, 0, 1)
        grid.addWidget(self.size_note, 1, 1)
        grid.addWidget(self.transparent, 2, 1)
        save = QPushButton("Save…")
        save.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addLayout(grid)
        layout.addLayout(decision(self, save))
        self._say_size(width)

    def choice(self) -> ScreenshotChoice:
        """What to remember for the next time."""
        return ScreenshotChoice(transparent=self.transparent.isChecked())

    def _say_size(self, width: int) -> None:
        self.size_note.setText(f"{width:,} × {self._height_of(width):,} px, as the view stands")
