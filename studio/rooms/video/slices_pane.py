"""Slices through a clip along time, beside the stage."""

from __future__ import annotations

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from studio.engine.work.clips import SlicesReady
from studio.theme.tokens import GRID
from studio.widgets.basics import label, styled
from studio.widgets.deep_zoom.images import to_image

SLICE_SIDE = 192  # px


class SlicesPane(QWidget):
    """Two pictures with time downwards: what passes along a horizontal line, and along a vertical one."""

    def __init__(self) -> None:
        super().__init__()
        styled(self, "panel")
        self.setFixedWidth(SLICE_SIDE + 2 * GRID)
        self.along_x, self.along_y = QLabel(), QLabel()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID // 2)
        for name, picture in (("x, time downwards", self.along_x), ("y, time downwards", self.along_y)):
            picture.setScaledContents(True)
            picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            picture.setAccessibleName(name)
            layout.addWidget(label(name, "small"))
            layout.addWidget(picture, 1)

    def show_slices(self, found: SlicesReady) -> None:
        """Show both."""
        self.along_x.setPixmap(QPixmap.fromImage(to_image(found.along_x)))
        self.along_y.setPixmap(QPixmap.fromImage(to_image(found.along_y)))

    def clear(self) -> None:
        """Show nothing."""
        self.along_x.clear()
        self.along_y.clear()
