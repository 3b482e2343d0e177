"""The sequence track beneath the timeline: a block for each clip, its transitions, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QIcon,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from studio.state.library import Item
from studio.state.sequence import Arrangement, Piece
from studio.theme.theme import Theme
from studio.theme.tokens import FONT_SMALL, GRID, RADIUS
from studio.widgets.basics import decimal_box, label, styled
from studio.widgets.focus_ring import RingedWidget, paint_ring
from studio.widgets.video.timeline import Timeline

BLOCK = 48  # px
EDGE = 7  # px from the end of a block that take hold of it
_THUMBNAIL = BLOCK - GRID
_STEP = 0.05  # s that a key trims
_LONGEST_TRANSITION = 60.0  # s
_HELP = (
    "Drag a clip to move it, or one of its ends to trim it.\n"
    "Keys: arrows choose, Alt + arrows move, Shift + arrows trim the end, Ctrl + arrows the beginning,\n"
    "Del removes, Ctrl + Z undoes."
)


@dataclass(frozen=True)
class _Drag:
    """What the mouse holds: a block or one of its ends, and how far it was taken, in pixels."""

    place: int
    part: Literal["block", "start", "stop"]
    origin: float
    by: float = 0.0


class SequenceTrack(RingedWidget):
    """Shows an arrangement along the time that a timeline above it shows, and lets it be rearranged.

    Itself it changes nothing: `changed` says what the person wants, and `show_arrangement` shows what there is.
    """

    changed = Signal(object)
    """The Arrangement that the person wants."""
    undo_asked = Signal()
    sought = Signal(float)
    """The person puts the playhead at a second."""

    def __init__(self, timeline: Timeline, theme: Theme, title: Callable[[Item], str]) -> None:
        """`title`: what a clip is called."""
        super().__init__("Sequence")
        self._timeline, self._theme, self._title = timeline, theme, title
        self._arrangement: Arrangement | None = None
        self._chosen = 0
        self._drag: _Drag | None = None
        self._thumbnails: dict[str, QPixmap] = {}
        timeline.looked.connect(self.update)
        self.setFixedHeight(BLOCK + GRID)
        self.setToolTip(_HELP)

    @property
    def arrangement(self) -> Arrangement | None:
        """What is shown."""
        return self._arrangement

    @property
    def chosen(self) -> int:
        """The place of the clip that the keys work on."""
        return self._chosen

    def show_arrangement(self, arrangement: Arrangement) -> None:
        """Show another arrangement."""
        self._arrangement, self._drag = arrangement, None
        ids = {piece.item.id: piece.item for piece in arrangement.pieces}
        self._thumbnails = {
            name: self._thumbnails.get(name) or QPixmap(str(item.thumbnail)) for name, item in ids.items()
        }
        self.choose(self._chosen)

    def choose(self, place: int) -> None:
        """Let the keys work on the clip at a place, or on the nearest one."""
        if self._arrangement is not None:
            count = len(self._arrangement.pieces)
            self._chosen = min(max(place, 0), count - 1)
            piece = self._arrangement.pieces[self._chosen]
            self.setAccessibleDescription(f"{self._chosen + 1} of {count}: {self._described(piece)}")
            self.update()

    def block(self, place: int) -> QRectF:
        """Where a clip's block is."""
        arrangement = self._arrangement
        assert arrangement is not None
        layout = arrangement.layout
        return self._block(layout.starts[place], layout.lengths[place])

    # What is done

    def _change(self, arrangement: Arrangement, chosen: int) -> None:
        self._chosen = chosen
        self.changed.emit(arrangement)

    def _move(self, to: int) -> None:
        if self._arrangement is not None and 0 <= to < len(self._arrangement.pieces) and to != self._chosen:
            self._change(self._arrangement.moved(self._chosen, to), to)

    def _trim(self, *, start: float = 0.0, stop: float = 0.0) -> None:
        if self._arrangement is not None:
            piece = self._arrangement.pieces[self._chosen]
            trimmed = self._arrangement.trimmed(
                self._chosen,
                start=piece.start + start if start else None,
                stop=piece.stop + stop if stop else None,
            )
            self._change(trimmed, self._chosen)
            self._seek_end("start" if start else "stop")

    def _seek_end(self, part: Literal["start", "stop"]) -> None:
        """Show the first moment, or the last, at which the chosen clip is seen alone."""
        assert self._arrangement is not None
        layout, chosen = self._arrangement.layout, self._chosen
        before, after = self._arrangement.transitions_of(chosen)
        start = layout.starts[chosen]
        self.sought.emit(start + before if part == "start" else start + layout.lengths[chosen] - after)

    def _remove(self) -> None:
        if self._arrangement is not None:
            self._change(self._arrangement.removed(self._chosen), self._chosen)

    # Dragging

    def _held(self, x: float) -> _Drag | None:
        """What there is to take hold of at a place: the nearest end of a block, else the uppermost block."""
        blocks = [self.block(place) for place in range(len(self._arrangement.pieces))] if self._arrangement else []
        ends: list[tuple[float, bool, _Drag]] = []
        for place, block in enumerate(blocks):
            reach = min(EDGE, block.width() / 4)
            outside = not block.left() <= x <= block.right()  # where two ends meet, the side of the pointer counts
            if abs(x - block.left()) <= reach:
                ends.append((abs(x - block.left()), outside, _Drag(place, "start", x)))
            if abs(x - block.right()) <= reach:
                ends.append((abs(x - block.right()), outside, _Drag(place, "stop", x)))
        if ends:
            return min(ends, key=lambda end: end[:2])[2]
        under = [place for place, block in enumerate(blocks) if block.left() <= x <= block.right()]
        return _Drag(under[-1], "block", x) if under else None

    def _dragged(self) -> Arrangement | None:
        """The arrangement as it would be if the mouse let go now."""
        arrangement, drag = self._arrangement, self._drag
        if arrangement is None or drag is None:
            return arrangement
        if drag.part == "block":
            return arrangement.moved(drag.place, self._target(arrangement, drag))
        piece, by = arrangement.pieces[drag.place], self._seconds(drag.by)
        if drag.part == "start":
            return arrangement.trimmed(drag.place, start=piece.start + by)
        return arrangement.trimmed(drag.place, stop=piece.stop + by)

    def _target(self, arrangement: Arrangement, drag: _Drag) -> int:
        """The place of a dragged block: after those whose middle it has passed."""
        middle = self.block(drag.place).center().x() + drag.by
        others = [place for place in range(len(arrangement.pieces)) if place != drag.place]
        return sum(self.block(place).center().x() < middle for place in others)

    def _seconds(self, pixels: float) -> float:
        start, stop = self._timeline.span
        return pixels / max(1, self.width()) * (stop - start)

    # Painting

    def _block(self, start: float, length: float) -> QRectF:
        left, right = self._timeline.x_of(start), self._timeline.x_of(start + length)
        return QRectF(left, GRID / 2, max(right - left, 2.0), BLOCK)

    def _described(self, piece: Piece) -> str:
        return f"{self._title(piece.item)}, {piece.start:.2f} to {piece.stop:.2f} s"

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything; it is little."""
        c = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(c.panel))
        if self._arrangement is None:
            return
        for place, block in enumerate(self._painted_blocks()):
            if self._drag is None or self._drag.part != "block" or place != self._drag.place:
                self._paint_block(painter, place, block)
        if self._drag is None:
            self._paint_transitions(painter)
        elif self._drag.part == "block":
            self._paint_move(painter, self._drag)
        painter.setPen(QPen(QColor(c.accent), 1.5))
        x = self._timeline.x_of(self._timeline.position)
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        paint_ring(self, painter, c.accent)

    def _painted_blocks(self) -> list[QRectF]:
        """The blocks as they are painted: one that is being trimmed keeps its other end where it was."""
        shown, drag = self._dragged(), self._drag
        assert shown is not None and self._arrangement is not None
        if drag is None or drag.part == "block":
            return [self.block(place) for place in range(len(shown.pieces))]
        blocks = [self.block(place) for place in range(len(shown.pieces))]
        old, new = self._arrangement.pieces[drag.place], shown.pieces[drag.place]
        start = self._arrangement.layout.starts[drag.place] + new.start - old.start
        blocks[drag.place] = self._block(start, new.length)
        return blocks

    def _paint_block(self, painter: QPainter, place: int, block: QRectF) -> None:
        c = self._theme.colours
        shown = self._dragged() if self._drag is not None and self._drag.part != "block" else self._arrangement
        assert shown is not None
        piece = shown.pieces[place]
        inner = block.adjusted(0.5, 0.5, -0.5, -0.5)
        path = QPainterPath()
        path.addRoundedRect(inner, RADIUS, RADIUS)
        chosen = place == self._chosen
        painter.fillPath(path, QColor(c.accent_soft if chosen else c.control))
        painter.save()
        painter.setClipPath(path)
        led_into, led_out = 0.0, 0.0
        if self._drag is None:  # else no transitions are painted
            led_into, led_out = (self._width(seconds) for seconds in shown.transitions_of(place))
        left = block.left() + led_into + GRID / 2
        thumbnail = self._thumbnails.get(piece.item.id)
        if thumbnail is not None and not thumbnail.isNull() and block.width() - led_into - led_out > _THUMBNAIL / 2:
            place_of = QRectF(left, block.top() + GRID / 2, _THUMBNAIL, _THUMBNAIL)
            painter.fillRect(place_of, QColor(c.stage))
            painter.drawPixmap(place_of.toRect(), thumbnail)
        font = self.font()
        font.setPixelSize(FONT_SMALL)
        painter.setFont(font)
        text = QRectF(left + _THUMBNAIL + GRID, block.top() + GRID / 2, 0, _THUMBNAIL / 2)
        text.setRight(block.right() - led_out - GRID)
        for line, colour, words in (
            (text, c.text, self._title(piece.item)),
            (text.translated(0, _THUMBNAIL / 2), c.muted, f"{piece.start:.2f} to {piece.stop:.2f} s"),
        ):
            if line.width() > 2 * GRID:
                painter.setPen(QColor(colour))
                fitting = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(line.width()))
                painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, fitting)
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(c.accent if chosen else c.disabled), 1.5 if chosen else 1))
        painter.drawPath(path)

    def _paint_transitions(self, painter: QPainter) -> None:
        """Where one clip leads into the next: the one sinks while the other rises."""
        assert self._arrangement is not None
        c, layout = self._theme.colours, self._arrangement.layout
        for overlap, start in zip(layout.overlaps, layout.starts[1:], strict=True):
            if overlap > 0:
                zone = self._block(start, overlap).adjusted(0.5, 0.5, -0.5, -0.5)
                painter.fillRect(zone, QColor(c.raised))
                painter.setPen(QPen(QColor(c.accent), 1.5))
                for left, right in ((zone.top(), zone.bottom()), (zone.bottom(), zone.top())):
                    way = QPainterPath(QPointF(zone.left(), left))
                    way.cubicTo(zone.center().x(), left, zone.center().x(), right, zone.right(), right)
                    painter.drawPath(way)
                painter.setPen(QPen(QColor(c.disabled), 1))
                painter.drawRect(zone)

    def _paint_move(self, painter: QPainter, drag: _Drag) -> None:
        """The block under the mouse, and where it would go."""
        assert self._arrangement is not None
        target = self._target(self._arrangement, drag)
        others = [self.block(place) for place in range(len(self._arrangement.pieces)) if place != drag.place]
        x = others[target].left() if target < len(others) else others[-1].right() if others else 0.0
        self._paint_block(painter, drag.place, self.block(drag.place).translated(drag.by, 0))
        if target != drag.place:
            painter.setPen(QPen(QColor(self._theme.colours.text), 2))
            x = min(max(x, 1.0), self.width() - 1.0)
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))

    def _width(self, seconds: float) -> float:
        return self._timeline.x_of(seconds) - self._timeline.x_of(0.0)

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a block or one of its ends."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._drag = self._held(event.position().x())
            if self._drag is not None:
                self.choose(self._drag.place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag it; or show what could be taken hold of."""
        x = event.position().x()
        if self._drag is None:
            held = self._held(x)
            ends = held is not None and held.part != "block"
            self.setCursor(Qt.CursorShape.SizeHorCursor if ends else Qt.CursorShape.ArrowCursor)
        elif self._drag.by or abs(x - self._drag.origin) >= QApplication.startDragDistance():
            self._drag = replace(self._drag, by=x - self._drag.origin)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go: what was dragged stays there; a mere click puts the playhead there."""
        drag, wanted = self._drag, self._dragged()
        self._drag = None
        if drag is not None and drag.by and self._arrangement is not None and wanted is not None:
            chosen = self._target(self._arrangement, drag) if drag.part == "block" else drag.place
            self._change(wanted, chosen)
            if drag.part != "block":
                self._seek_end(drag.part)
        elif drag is not None:
            self.sought.emit(self._timeline.second_at(event.position().x()))
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom or move along, as on the timeline."""
        self._timeline.wheelEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep the keys that have a meaning here from the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and self._meaning(event) is not None:  # type: ignore[arg-type]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose, move, trim or remove."""
        meaning = self._meaning(event)
        if meaning is None:
            super().keyPressEvent(event)
        else:
            meaning()

    def _meaning(self, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does here."""
        key, held, chosen = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier, self._chosen
        if self._drag is not None:
            return self._let_go if key == Qt.Key.Key_Escape else None
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            way = 1 if key == Qt.Key.Key_Right else -1
            meanings: dict[Qt.KeyboardModifier, Callable[[], object]] = {
                Qt.KeyboardModifier.NoModifier: lambda: self._go(chosen + way),
                Qt.KeyboardModifier.AltModifier: lambda: self._move(chosen + way),
                Qt.KeyboardModifier.ShiftModifier: lambda: self._trim(stop=way * _STEP),
                Qt.KeyboardModifier.ControlModifier: lambda: self._trim(start=way * _STEP),
            }
            return meanings.get(held)
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and held == Qt.KeyboardModifier.NoModifier:
            return self._remove
        if key == Qt.Key.Key_Z and held == Qt.KeyboardModifier.ControlModifier:
            return self.undo_asked.emit
        if key == Qt.Key.Key_Home:
            return lambda: self._go(0)
        if key == Qt.Key.Key_End:
            return lambda: self._go(len(self._arrangement.pieces) - 1 if self._arrangement is not None else 0)
        return None

    def _go(self, place: int) -> None:
        """Choose a clip, and put the playhead at its beginning."""
        self.choose(place)
        if self._arrangement is not None:
            self.sought.emit(self._arrangement.layout.starts[self._chosen])

    def _let_go(self) -> None:
        self._drag = None
        self.update()


class SequencePanel(QWidget):
    """The track, with a row above it: what there is, the transition, and buttons to add a clip and to begin anew."""

    changed = Signal(object)
    """The Arrangement that the person wants."""
    add_asked = Signal(object)
    """The item to put at the end."""

    def __init__(
        self,
        timeline: Timeline,
        theme: Theme,
        title: Callable[[Item], str],
        others: Callable[[], Sequence[Item]],
    ) -> None:
        """`title`: what a clip is called. `others`: the clips that can be added."""
        super().__init__()
        styled(self, "panel")
        self._title, self._others = title, others
        self.track = SequenceTrack(timeline, theme, title)
        self.track.changed.connect(self.changed)
        self.length = label(look="small")
        self.transition = decimal_box("Transition", 0, _LONGEST_TRANSITION, 0, " s")
        self.transition.setFixedWidth(88)
        self.transition.setToolTip("How long a clip leads into the next, through the latents between them; 0 cuts")
        self.transition.valueChanged.connect(self._on_transition)
        self.add = QPushButton("Add a clip")
        theme.bind_icon(self.add, "add")
        self.add.setToolTip("Put a clip of the history at the end")
        self.menu = QMenu(self.add)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.add.setMenu(self.menu)
        self.anew = QPushButton("Begin anew")
        self.anew.setToolTip("Keep only the chosen clip")
        self.anew.clicked.connect(self._begin_anew)
        row = QHBoxLayout()
        row.setContentsMargins(GRID + GRID // 2, GRID // 2, GRID, 0)
        row.setSpacing(GRID)
        row.addWidget(label("Sequence", "heading"))
        row.addWidget(self.length)
        row.addStretch(1)
        row.addWidget(label("Transition", "muted"))
        row.addWidget(self.transition)
        row.addSpacing(GRID)
        row.addWidget(self.anew)
        row.addWidget(self.add)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.track)

    def show_arrangement(self, arrangement: Arrangement) -> None:
        """Show another arrangement."""
        count = len(arrangement.pieces)
        self.track.show_arrangement(arrangement)
        self.transition.blockSignals(True)
        self.transition.setValue(arrangement.transition)
        self.transition.blockSignals(False)
        self.transition.setEnabled(count > 1)
        self.anew.setEnabled(count > 1)
        self.length.setText(f"{count} clip{'s' if count > 1 else ''}, {arrangement.layout.seconds:.2f} s")

    def _on_transition(self, seconds: float) -> None:
        if self.track.arrangement is not None:
            self.changed.emit(self.track.arrangement.with_transition(seconds))

    def _begin_anew(self) -> None:
        arrangement = self.track.arrangement
        if arrangement is not None:
            self.changed.emit(replace(arrangement, pieces=(arrangement.pieces[self.track.chosen],)))

    def _fill_menu(self) -> None:
        self.menu.clear()
        for item in self._others():
            action = self.menu.addAction(QIcon(str(item.thumbnail)), f"{self._title(item)}, seed {item.recipe.seed}")
            action.triggered.connect(lambda _checked=False, item=item: self.add_asked.emit(item))
