"""The outline of a box in the coordinates of a signal, over the canvas that shows it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.theme.theme import Theme
from studio.widgets.canvas import Canvas

Spans = Sequence[tuple[float, float]]
"""From where to where along each axis."""


def paint_box(painter: QPainter, canvas: Canvas, spans: Spans, colour: str) -> None:
    """Draw the edges of a box, dashed."""
    corners = np.array(list(itertools.product(*spans)))
    places = canvas.on_screen(corners)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), 1.0, Qt.PenStyle.DashLine))
    # Of all corners, counted by one bit for each axis, two have an edge in common that differ in one of them
    for a, b in itertools.combinations(range(len(corners)), 2):
        first, last = places[a], places[b]
        if (a ^ b).bit_count() == 1 and first is not None and last is not None and first != last:
            painter.drawLine(first, last)


class PartFrame(QWidget):
    """Lies over a canvas and outlines a part of what that shows, if any; the mouse does not notice it."""

    def __init__(self, canvas: Canvas, theme: Theme) -> None:
        super().__init__(canvas)
        self._canvas, self._theme = canvas, theme
        self._part: Spans | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        canvas.installEventFilter(self)

    def outline(self, part: Spans | None) -> None:
        """Outline another part, or none."""
        self._part = part
        self.setGeometry(self._canvas.rect())
        self.setVisible(part is not None)
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the canvas."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._canvas.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the outline; the canvas has it drawn anew wherever it is drawn itself."""
        if self._part is not None:
            paint_box(QPainter(self), self._canvas, self._part, self._theme.colours.accent)
