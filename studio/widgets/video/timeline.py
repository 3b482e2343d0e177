"""The timeline: thumbnails along it, a zoomable ruler, the playhead, in and out marks, and the base frames."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)

from studio.theme.tokens import FONT_SMALL, GRID, Colours
from studio.widgets.focus_ring import RingedWidget, paint_ring

RULER, THUMBNAILS = 22, 46  # px
_LARGEST_ZOOM = 200.0
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_LEAST_STEP_PX = 64


class Timeline(RingedWidget):
    """Shows a span of a clip; moments are seconds.

    Drag to move the playhead, turn the wheel to zoom around the pointer, with Shift to move along. Left and Right move
    the playhead by a hundredth of what is seen, Home and End go to the ends, + and - zoom.
    """

    sought = Signal(float)
    """The person puts the playhead at a second."""
    thumbnails_wanted = Signal(object, int)
    """Seconds of the thumbnails that the span needs, and their side in pixels."""
    looked = Signal()
    """Another span is seen, or the playhead is elsewhere."""

    def __init__(self, colours: Colours) -> None:
        super().__init__("Timeline")
        self._colours = colours
        self._seconds = 0.0
        self._position = 0.0
        self._range = (0.0, 0.0)
        self._marks: list[float] = []
        self._span = (0.0, 0.0)
        self._thumbnails: dict[float, QImage] = {}
        self._ask_soon = QTimer(self, singleShot=True, interval=120)
        self._ask_soon.timeout.connect(self._ask)
        self.setFixedHeight(RULER + THUMBNAILS + GRID // 2)

    @property
    def span(self) -> tuple[float, float]:
        """The seconds that are seen."""
        return self._span

    @property
    def position(self) -> float:
        """The playhead."""
        return self._position

    def show_clip(self, seconds: float, marks: Sequence[float]) -> None:
        """Show all of another clip; `marks` are the seconds of its base frames. 0 seconds: nothing."""
        self._seconds, self._marks, self._span = seconds, list(marks), (0.0, seconds)
        self._position, self._range = 0.0, (0.0, seconds)
        self._thumbnails.clear()
        self._ask_soon.start()
        self.looked.emit()
        self.update()

    def show_position(self, second: float) -> None:
        """Move the playhead; a span that it leaves follows it."""
        self._position = second
        start, stop = self._span
        if not start <= second <= stop:
            self.look(second - (stop - start) / 2, stop - start)
        self.looked.emit()
        self.update()

    def show_range(self, start: float, stop: float) -> None:
        """Show where playing begins and ends."""
        self._range = start, stop
        self.update()

    def add_thumbnail(self, second: float, image: QImage) -> None:
        """Take a thumbnail that was asked for."""
        self._thumbnails[second] = image
        self.update()

    def zoom(self, factor: float, around: float | None = None) -> None:
        """See less time, or more; what is at the second `around` (the playhead) stays where it is."""
        if self._seconds <= 0:
            return
        start, stop = self._span
        centre = self._position if around is None else around
        length = min(max((stop - start) / factor, self._seconds / _LARGEST_ZOOM), self._seconds)
        self.look(centre - (centre - start) * length / (stop - start), length)

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        self._colours = colours
        self.update()

    def x_of(self, second: float) -> float:
        """Where a second is, in pixels from the left."""
        start, stop = self._span
        return (second - start) / (stop - start) * self.width() if stop > start else 0.0

    def second_at(self, x: float) -> float:
        """The second at a place."""
        start, stop = self._span
        return min(max(start + x / max(1, self.width()) * (stop - start), 0.0), self._seconds)

    def look(self, start: float, length: float) -> None:
        """See so many seconds from a second on, or what is nearest to it."""
        length = min(length, self._seconds)
        start = min(max(start, 0.0), self._seconds - length)
        if (start, start + length) != self._span:
            self._span = (start, start + length)
            self._ask_soon.start()
            self.looked.emit()
            self.update()

    # Thumbnails

    def _places(self) -> list[float]:
        """The seconds in the middle of each thumbnail of the span."""
        count = max(1, math.ceil(self.width() / THUMBNAILS))
        start, stop = self._span
        width = (stop - start) * THUMBNAILS / max(1, self.width())
        return [start + (i + 0.5) * width for i in range(count) if start + i * width < self._seconds]

    def _ask(self) -> None:
        if self._seconds <= 0 or not self.isVisible():
            return
        places = [min(second, self._seconds) for second in self._places()]
        self._thumbnails = {second: image for second, image in self._thumbnails.items() if second in places}
        missing = [second for second in places if second not in self._thumbnails]
        if missing:
            self.thumbnails_wanted.emit(tuple(missing), round(THUMBNAILS * self.devicePixelRatioF()))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything; it is little."""
        c = self._colours
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(c.panel))
        if self._seconds <= 0:
            paint_ring(self, painter, c.accent)
            return
        for second in self._places():
            image = self._thumbnails.get(min(second, self._seconds))
            if image is not None:
                place = QRectF(self.x_of(second) - THUMBNAILS / 2, RULER, THUMBNAILS, THUMBNAILS)
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawImage(place, image)
        self._paint_range(painter)
        self._paint_ruler(painter)
        self._paint_marks(painter)
        self._paint_playhead(painter)
        paint_ring(self, painter, c.accent)

    def _paint_range(self, painter: QPainter) -> None:
        """Dim what is not played, and show the marks at its ends."""
        start, stop = self._range
        dim = QColor(self._colours.stage)
        dim.setAlpha(190)
        left, right = self.x_of(start), self.x_of(stop)
        painter.fillRect(QRectF(0, RULER, left, THUMBNAILS), dim)
        painter.fillRect(QRectF(right, RULER, self.width() - right, THUMBNAILS), dim)
        painter.setPen(QPen(QColor(self._colours.text), 2))
        for x, inwards, shown in ((left, 5, start > 0), (right, -5, stop < self._seconds)):
            if shown:
                painter.drawPolyline(
                    [
                        QPointF(x + inwards, RULER + 1),
                        QPointF(x, RULER + 1),
                        QPointF(x, RULER + THUMBNAILS - 1),
                        QPointF(x + inwards, RULER + THUMBNAILS - 1),
                    ]
                )

    def _paint_ruler(self, painter: QPainter) -> None:
        start, stop = self._span
        least = (stop - start) * _LEAST_STEP_PX / max(1, self.width())
        step = next((step for step in _STEPS if step >= least), _STEPS[-1])
        decimals = max(0, -math.floor(math.log10(step)))
        font = self.font()
        font.setPixelSize(FONT_SMALL)
        painter.setFont(font)
        painter.setPen(QColor(self._colours.muted))
        for number in range(math.floor(start / step), math.ceil(stop / step) + 1):
            x = self.x_of(number * step)
            painter.drawLine(QPointF(x, RULER - 6), QPointF(x, RULER))
            painter.drawText(QPointF(x + 4, RULER - 8), f"{number * step:.{decimals}f} s")

    def _paint_marks(self, painter: QPainter) -> None:
        """A dot for each frame that the model was given, or is trained to be."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colours.accent))
        for second in self._marks:
            painter.drawEllipse(QPointF(self.x_of(second), RULER + THUMBNAILS), 2, 2)

    def _paint_playhead(self, painter: QPainter) -> None:
        x = self.x_of(self._position)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._colours.accent), 1.5))
        painter.drawLine(QPointF(x, 4), QPointF(x, self.height()))
        painter.setBrush(QColor(self._colours.accent))
        painter.drawPolygon(QPolygonF([QPointF(x - 5, 0), QPointF(x + 5, 0), QPointF(x, 8)]))

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the playhead there."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the playhead."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event)

    def _seek(self, event: QMouseEvent) -> None:
        if self._seconds > 0:
            self.sought.emit(self.second_at(event.position().x()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer; with Shift, move along."""
        turns = (event.angleDelta().y() or event.angleDelta().x()) / 120
        start, stop = self._span
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.look(start - turns * (stop - start) / 8, stop - start)
        else:
            self.zoom(1.25**turns, self.second_at(event.position().x()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the playhead, or zoom."""
        start, stop = self._span
        small = (stop - start) / 100
        targets = {
            Qt.Key.Key_Left: self._position - small,
            Qt.Key.Key_Right: self._position + small,
            Qt.Key.Key_Home: self._range[0],
            Qt.Key.Key_End: self._range[1],
        }
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(1.5)
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom(1 / 1.5)
        elif self._seconds > 0 and (second := targets.get(Qt.Key(event.key()))) is not None:
            self.sought.emit(min(max(second, 0.0), self._seconds))
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other places need other thumbnails."""
        super().resizeEvent(event)
        self._ask_soon.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what came while nobody looked."""
        super().showEvent(event)
        self._ask_soon.start()
