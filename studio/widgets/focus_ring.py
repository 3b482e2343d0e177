"""Widgets that paint themselves, and with them the ring that shows that the keys go to them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget


def paint_ring(widget: QWidget, painter: QPainter, colour: str) -> None:
    """Paint the ring along a widget's edge where it has the focus."""
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

    def paint_ring(self, painter: QPainter, colour: str) -> None:
        """Paint the ring where the widget has the focus."""
        paint_ring(self, painter, colour)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the ring."""
        super().focusOutEvent(event)
        self.update()
