"""How the bar looks that parts a canvas, and what says what is on its sides."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from studio.theme.tokens import FONT_SMALL, GRID, RADIUS, Colours


def paint_bar(painter: QPainter, colours: Colours, x: float, height: float, left: str, right: str) -> None:
    """Paint the bar at x with its grip, and in words what is left and right of it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colours.stage), 3))
    painter.drawLine(QLineF(x, 0, x, height))
    painter.setPen(QPen(QColor(colours.accent), 1.5))
    painter.drawLine(QLineF(x, 0, x, height))
    painter.setBrush(QColor(colours.accent))
    painter.setPen(QPen(QColor(colours.stage), 1.5))
    painter.drawRoundedRect(QRectF(x - 4, height / 2 - 18, 8, 36), 4, 4)
    font = painter.font()
    font.setPixelSize(FONT_SMALL)
    painter.setFont(font)
    for text, on_left in ((left, True), (right, False)):
        width = painter.fontMetrics().horizontalAdvance(text) + 2 * GRID
        box = QRectF(x - width - GRID if on_left else x + GRID, GRID, width, 3 * GRID)
        ground = QColor(colours.panel)
        ground.setAlpha(230)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, RADIUS, RADIUS)
        painter.setPen(QColor(colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
