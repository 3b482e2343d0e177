"""A ruler over a canvas: a line with ticks, how long it is, and the clicks that put its ends."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QWidget

from studio.state.lengths import Lengths
from studio.state.ruler import Ruler, ticks
from studio.theme.theme import Theme
from studio.theme.tokens import FONT_SMALL, GRID, RADIUS, Colours
from studio.widgets.canvas import Canvas

_APART = 64.0  # px at least from a number to the next
_MOST_NUMBERS = 100  # however far one zooms in
_END, _LARGE, _SMALL = 8.0, 6.0, 3.0  # px, half of the length of a tick
_DOT = 3.5
_GROUND_ALPHA = 225
_NOWHERE = QPointF(-1e6, -1e6)


class RulerOverlay(QWidget):
    """Lies over a canvas and draws a ruler there; the mouse does not notice it.

    While it `picks`, a click on the canvas that is no drag emits `picked` with what the canvas shows there.
    """

    picked = Signal(tuple)

    def __init__(self, canvas: Canvas, theme: Theme) -> None:
        super().__init__(canvas)
        self._canvas, self._theme = canvas, theme
        self._ruler: tuple[Ruler, Lengths] | None = None
        self._picks, self._pressed_at = False, _NOWHERE
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        canvas.installEventFilter(self)

    def show_ruler(self, ruler: Ruler, lengths: Lengths) -> None:
        """Draw another ruler, with what its lengths are told in; nothing of one without ends."""
        self._ruler = (ruler, lengths) if ruler.ends else None
        self.setGeometry(self._canvas.rect())
        self.setVisible(self._ruler is not None)
        self.update()

    @property
    def picks(self) -> bool:
        """Whether clicks pick points."""
        return self._picks

    @picks.setter
    def picks(self, on: bool) -> None:
        self._picks, self._pressed_at = on, _NOWHERE
        self._canvas.resting_cursor = Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor
        self._canvas.setCursor(self._canvas.resting_cursor)

    def painted_on(self, picture: QImage) -> QImage:
        """Return a picture of the canvas with the ruler on it."""
        if self._ruler is not None:
            picture = picture.copy()
            painter = QPainter(picture)
            _paint_ruler(painter, self._canvas, *self._ruler, self._theme.colours)
            painter.end()
        return picture

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the canvas, and tell clicks from drags."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._canvas.rect())
        elif self._picks and isinstance(event, QMouseEvent):
            return self._is_taken(event)
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ruler; the canvas has it drawn anew wherever it is drawn itself."""
        if self._ruler is not None:
            _paint_ruler(QPainter(self), self._canvas, *self._ruler, self._theme.colours)

    def _is_taken(self, event: QMouseEvent) -> bool:
        """Whether the canvas is not to hear of what the mouse does."""
        moved = (event.position() - self._pressed_at).manhattanLength()
        may_be_click = moved < QApplication.startDragDistance()
        match event.type():
            case QEvent.Type.MouseButtonPress | QEvent.Type.MouseButtonDblClick:
                self._pressed_at = event.position() if event.button() == Qt.MouseButton.LeftButton else _NOWHERE
                return event.type() == QEvent.Type.MouseButtonDblClick  # another click, then
            case QEvent.Type.MouseMove if event.buttons():
                if may_be_click:
                    return True
                self._pressed_at = _NOWHERE  # nor is it one, if it comes back
            case QEvent.Type.MouseButtonRelease if may_be_click and event.button() == Qt.MouseButton.LeftButton:
                self._pressed_at = _NOWHERE
                if (found := self._canvas.point_at(event.position())) is not None:
                    self.picked.emit(found)
        return False


def _paint_ruler(painter: QPainter, canvas: Canvas, ruler: Ruler, lengths: Lengths, colours: Colours) -> None:
    """Paint what there is of a ruler where the canvas shows it; nothing of what lies behind the camera."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    font = painter.font()
    font.setPixelSize(FONT_SMALL)
    painter.setFont(font)
    ends = np.array(ruler.ends)
    places = [place for place in canvas.on_screen(ends) if place is not None]
    if len(places) == 2:
        _paint_line(painter, canvas, ends, QLineF(*places), lengths, colours)
        _paint_words(painter, QLineF(*places), lengths.said(ruler.length), colours)
    else:
        painter.setPen(QPen(QColor(colours.shadow), 1.5))
        painter.setBrush(QColor(colours.star))
        for place in places:
            painter.drawEllipse(place, _DOT, _DOT)
    painter.restore()


def _paint_line(
    painter: QPainter, canvas: Canvas, ends: np.ndarray, line: QLineF, lengths: Lengths, colours: Colours
) -> None:
    """Paint the line and its ticks; these stand at their lengths in space, so that nearer ones are wider apart."""
    aside = _aside(line)
    told = float(np.linalg.norm(ends[1] - ends[0])) * lengths.unit
    marks = ticks(told, min(int(line.length() // _APART), _MOST_NUMBERS))
    places = canvas.on_screen(np.array([ends[0] + mark.share * (ends[1] - ends[0]) for mark in marks] or [ends[0]]))
    lines = [line, *(QLineF(end - aside * _END, end + aside * _END) for end in (line.p1(), line.p2()))]
    for mark, place in zip(marks, places, strict=False):
        if place is not None and mark.share > 0:
            half = _SMALL if mark.length is None else _LARGE
            lines.append(QLineF(place - aside * half, place + aside * half))
            if mark.length is not None and QLineF(place, line.p2()).length() > _APART / 2:
                _paint_card(painter, place - aside * (_END + GRID), f"{mark.length:g}", colours, small=True)
    for colour, width in ((colours.shadow, 3.5), (colours.star, 1.5)):
        painter.setPen(QPen(QColor(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLines(lines)


def _paint_words(painter: QPainter, line: QLineF, words: str, colours: Colours) -> None:
    """Paint how long it is beside the middle of the line, on the side without numbers."""
    _paint_card(painter, line.center() + _aside(line) * (_END + 2 * GRID), words, colours)


def _paint_card(painter: QPainter, near: QPointF, words: str, colours: Colours, *, small: bool = False) -> None:
    """Paint words on a card around a place."""
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(words) + (GRID if small else 2 * GRID), metrics.height()
    box = QRectF(near.x() - width / 2, near.y() - height / 2, width, height)
    if not small:
        box.adjust(0, -GRID / 2, 0, GRID / 2)
    ground = QColor(colours.panel)
    ground.setAlpha(_GROUND_ALPHA)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, RADIUS, RADIUS)
    painter.setPen(QColor(colours.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def _aside(line: QLineF) -> QPointF:
    """A step of one pixel across a line, downwards or to the right."""
    length = math.hypot(line.dx(), line.dy())
    if length == 0:
        return QPointF(0.0, 1.0)
    step = QPointF(-line.dy() / length, line.dx() / length)
    return step if (step.y(), step.x()) > (0.0, 0.0) else -step
