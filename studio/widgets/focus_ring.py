"""Widgets that paint themselves, and with them the ring that shows that the keys go to them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget


def paint_ring(widget: QWidget, painter: QPainter, colour: str) -> None:
    """Paint the ring along a widget's edge where it has the focus. Qt repaints what gets or loses it."""
    if widget.hasFocus():
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colour), 1))
        painter.drawRect(QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5))


class RingedWidget(QWidget):
    """A painted widget that takes keys. Its `paintEvent` calls `paint_ring` last."""

    def __init__(self, name: str) -> None:
        """`name`: for screen readers."""
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(name)
