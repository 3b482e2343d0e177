"""The navigator: the whole picture in a corner of the viewer, and where in it the viewer looks."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.theme.tokens import GRID, Colours
from studio.widgets.deep_zoom.geometry import Look

_SIDE = 136  # px
_SMALLEST = 8  # px, of the frame


class Navigator(QWidget):
    """A click or a drag moves the look there: `chosen` carries canvas coordinates."""

    chosen = Signal(float, float)

    def __init__(self, colours: Colours, parent: QWidget) -> None:
        super().__init__(parent)
        self._colours = colours
        self._picture: QImage | None = None
        self._look: Look | None = None
        self.setFixedSize(QSize(_SIDE, _SIDE))
        self.setAccessibleName("Navigator")
        self.setToolTip("Click to look there")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        self._colours = colours
        self.update()

    def show_picture(self, picture: QImage | None) -> None:
        """Show another picture."""
        self._picture = picture
        self.update()

    def show_look(self, look: Look) -> None:
        """Show where the viewer looks."""
        self._look = look
        self.update()

    def frame(self) -> QRectF:
        """Where the viewer looks, in this widget; never too small to see."""
        if self._look is None:
            return QRectF()
        inner = self._inner()
        x0, y0, x1, y1 = self._look.region
        frame = QRectF(
            inner.left() + (x0 + 1) / 2 * inner.width(),
            inner.top() + (y0 + 1) / 2 * inner.height(),
            (x1 - x0) / 2 * inner.width(),
            (y1 - y0) / 2 * inner.height(),
        )
        middle = frame.center()
        frame.setSize(frame.size().expandedTo(QSize(_SMALLEST, _SMALLEST)))
        frame.moveCenter(middle)
        return frame

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture and the frame."""
        c = self._colours
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(QPen(QColor(c.line), 1))
        painter.setBrush(QColor(c.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), GRID // 2, GRID // 2)
        inner = self._inner()
        if self._picture is not None:
            painter.drawImage(inner, self._picture)
        frame = self.frame()
        outside = QColor(c.stage)
        outside.setAlpha(80)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(outside)
        for part in _around(inner, frame.intersected(inner)):
            painter.drawRect(part)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(c.accent), 1.5))
        painter.drawRect(frame)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Look there."""
        self._choose(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Look where the pointer goes."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event.position())

    def _inner(self) -> QRectF:
        return QRectF(self.rect()).adjusted(4, 4, -4, -4)

    def _choose(self, place: QPointF) -> None:
        inner = self._inner()
        x = 2 * (place.x() - inner.left()) / inner.width() - 1
        y = 2 * (place.y() - inner.top()) / inner.height() - 1
        self.chosen.emit(min(max(x, -1.0), 1.0), min(max(y, -1.0), 1.0))


def _around(outer: QRectF, hole: QRectF) -> list[QRectF]:
    """What lies around a hole in a rectangle."""
    return [
        QRectF(outer.left(), outer.top(), outer.width(), hole.top() - outer.top()),
        QRectF(outer.left(), hole.bottom(), outer.width(), outer.bottom() - hole.bottom()),
        QRectF(outer.left(), hole.top(), hole.left() - outer.left(), hole.height()),
        QRectF(hole.right(), hole.top(), outer.right() - hole.right(), hole.height()),
    ]
