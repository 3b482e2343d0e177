"""What a stage shows its signals on."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from studio.theme.tokens import Colours


class Canvas(QWidget):
    """A widget that draws a signal in a theme's colours."""

    seen_axes: ClassVar[int] = 3
    """How many of a signal's axes are seen at a time, the first ones."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self.resting_cursor = Qt.CursorShape.ArrowCursor
        """What the pointer is while the mouse does nothing."""

    @abstractmethod
    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""

    def on_screen(self, points: Float[np.ndarray, "n d"]) -> list[QPointF | None]:
        """Where points of the signal are seen, in its coordinates; None where they are not, as here by default."""
        return [None] * len(points)

    def point_at(self, place: QPointF) -> tuple[float, ...] | None:
        """Where in the signal a place of the widget is, in its coordinates; None beside it, as by default."""
        return None

    @abstractmethod
    def screenshot(self) -> QImage:
        """The view as it stands.

        Raises:
            DDMIError: it cannot be drawn on this system.
        """
