"""A chart of amplitudes over frequencies, both logarithmic: which scale carries which detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from studio.theme.theme import Theme
from studio.theme.tokens import FONT_SMALL, GRID

_HEIGHT = 128
_DECADES = 3


@dataclass(frozen=True, eq=False)
class Curve:
    """One line: its name, colour, and relative amplitudes (0..1) at frequencies from 1 on."""

    name: str
    colour: str
    frequencies: Float32[np.ndarray, " n"]
    amplitudes: Float32[np.ndarray, " n"]


class SpectrumChart(QWidget):
    """Draws curves; the largest amplitude is at the top, a thousandth of it at the bottom."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._curves: Sequence[Curve] = ()
        self.setFixedHeight(_HEIGHT)
        self.setAccessibleName("Spectra of the basis fields")
        theme.changed.connect(self.update)

    def show_curves(self, curves: Sequence[Curve]) -> None:
        """Show other curves."""
        self._curves = curves
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame, a line per octave and decade, and the curves."""
        c = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPixelSize(FONT_SMALL)
        painter.setFont(font)
        plot = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -2.5 * GRID)
        highest = max((float(curve.frequencies[-1]) for curve in self._curves), default=2.0)
        octaves = max(1.0, float(np.log2(highest)))
        for octave in range(int(octaves) + 1):
            x = plot.left() + plot.width() * octave / octaves
            painter.setPen(QPen(QColor(c.line), 1))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
            painter.setPen(QColor(c.muted))
            box = QRectF(min(max(x - 20, 0), self.width() - 40), plot.bottom() + 2, 40, 2 * GRID)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(2**octave))
        painter.setPen(QPen(QColor(c.line), 1))
        for decade in range(_DECADES + 1):
            y = plot.top() + plot.height() * decade / _DECADES
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        for curve in self._curves:
            x = plot.left() + plot.width() * np.log2(curve.frequencies) / octaves
            decades = -np.log10(np.maximum(curve.amplitudes, 10.0**-_DECADES))
            y = plot.top() + plot.height() * decades / _DECADES
            painter.setPen(QPen(QColor(curve.colour), 2))
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]))
