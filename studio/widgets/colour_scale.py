"""What colours on a surface mean: a bar of them, from a number to another."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from studio.theme.theme import Theme
from studio.theme.tokens import FONT_SMALL, GRID
from studio.widgets.shape_scene import mark_colours

_LEAST_SIZE = QSize(300, 52)
_BAR = 8  # px, its height
_RADIUS = 4


class ColourScale(QWidget):
    """Lies at the lower edge of another widget, in its middle. Says what is measured, and what both ends stand for."""

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self._theme, self._over = theme, over
        self._title, self._low, self._high = "", "", ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        font = self.font()
        font.setPixelSize(FONT_SMALL)
        self.setFont(font)
        self.hide()
        theme.changed.connect(self.update)
        over.installEventFilter(self)

    def say(self, title: str, low: str, high: str) -> None:
        """Show the scale with other words."""
        self._title, self._low, self._high = title, low, high
        self.setAccessibleName(f"{title}, from {low} to {high}")
        words = self.fontMetrics().horizontalAdvance(title)
        self.resize(_LEAST_SIZE.expandedTo(QSize(words + 4 * GRID, 0)))
        self._place()
        self.show()
        self.update()

    @property
    def title(self) -> str:
        """What is measured."""
        return self._title

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay where it belongs."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a card with the words, and the bar between them."""
        c = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(c.line))
        painter.setBrush(QColor(c.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
        inner = QRectF(self.rect()).adjusted(1.5 * GRID, GRID, -1.5 * GRID, -GRID)
        painter.setPen(QColor(c.text))
        painter.drawText(inner, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter, self._title)
        painter.setPen(QColor(c.muted))
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.drawText(inner, bottom | Qt.AlignmentFlag.AlignLeft, self._low)
        painter.drawText(inner, bottom | Qt.AlignmentFlag.AlignRight, self._high)
        words = painter.fontMetrics()
        left, right = (words.horizontalAdvance(word) + GRID for word in (self._low, self._high))
        middle = inner.bottom() - words.height() / 2
        bar = QRectF(inner.left() + left, middle - _BAR / 2, inner.width() - left - right, _BAR)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for place, colour in zip((0.0, 0.5, 1.0), mark_colours(c), strict=True):
            gradient.setColorAt(place, QColor(colour))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)

    def _place(self) -> None:
        width, height = self._over.width(), self._over.height()
        self.move((width - self.width()) // 2, height - self.height() - 2 * GRID)
