"""A bubble of text beside the thing that it speaks of, with an arrow to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.theme.theme import Theme
from studio.theme.tokens import CONTROL_HEIGHT, GRID, RADIUS
from studio.widgets.basics import label

ARROW = 10  # px, its length and half its width
_WIDTH = 340

Edge = Literal["top", "bottom", "left", "right"]


@dataclass(frozen=True)
class Placement:
    """Where a bubble's body lies, and where on which edge its arrow begins; no edge: it has none."""

    body: QRect
    edge: Edge | None = None
    at: int = 0
    """px from the body's top or left corner."""


def place_bubble(size: QSize, target: QRect, area: QRect) -> Placement:
    """Place a bubble in an area, below, above, right or left of a target that may lie in it or outside.

    The first side is taken on which the bubble fits and the middle of the target is level with it. Where there is none,
    as beside what fills the area or what is not there, it stays in the area's lower left corner.
    """
    width, height, gap = size.width(), size.height(), ARROW + GRID // 2
    inner = area.adjusted(ARROW, ARROW, -ARROW, -ARROW)
    right, bottom = inner.left() + inner.width() - width, inner.top() + inner.height() - height
    middle = target.center()
    x = min(max(middle.x() - width // 2, inner.left()), right)
    y = min(max(middle.y() - height // 2, inner.top()), bottom)
    below = max(target.bottom() + gap, inner.top())
    above = min(target.top() - gap - height, bottom)
    beside_right = max(target.right() + gap, inner.left())
    beside_left = min(target.left() - gap - width, right)
    corner = RADIUS + ARROW
    if not target.isEmpty():
        if x + corner <= middle.x() <= x + width - corner:
            if below <= bottom:
                return Placement(QRect(x, below, width, height), "top", middle.x() - x)
            if above >= inner.top():
                return Placement(QRect(x, above, width, height), "bottom", middle.x() - x)
        if y + corner <= middle.y() <= y + height - corner:
            if beside_right <= right:
                return Placement(QRect(beside_right, y, width, height), "left", middle.y() - y)
            if beside_left >= inner.left():
                return Placement(QRect(beside_left, y, width, height), "right", middle.y() - y)
    return Placement(QRect(inner.left(), max(bottom, inner.top()), width, height))


class Bubble(QWidget):
    """One step of several: a title, a text, and Back, Next and Skip. Tab stays in it; a click elsewhere leaves it."""

    next_asked = Signal()
    back_asked = Signal()
    skip_asked = Signal()

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self._theme = theme
        self._placement = Placement(QRect())
        self._said: tuple[str, str, int, int] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.title = label("", "title", wrap=True)
        self.text = label("", wrap=True)
        self.count = label(look="small")
        self.skip = QPushButton("Skip the tour")
        self.skip.setProperty("look", "link")
        self.back = QPushButton("Back")
        self.back.setFixedHeight(CONTROL_HEIGHT + GRID)
        self.next = QPushButton("Next")
        self.next.setProperty("look", "primary")
        for button, asked in ((self.skip, self.skip_asked), (self.back, self.back_asked), (self.next, self.next_asked)):
            button.clicked.connect(asked)
            button.installEventFilter(self)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.count)
        row.addWidget(self.skip)
        row.addStretch(1)
        row.addWidget(self.back)
        row.addWidget(self.next)
        layout = QVBoxLayout(self)
        edge = ARROW + 2 * GRID
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(GRID)
        layout.addWidget(self.title)
        layout.addWidget(self.text, 1)
        layout.addSpacing(GRID)
        layout.addLayout(row)
        theme.changed.connect(self.update)

    def say(self, title: str, text: str, place: int, count: int) -> None:
        """Show step `place` of `count`, counted from 0."""
        if (title, text, place, count) == self._said:
            return
        self._said = (title, text, place, count)
        self.title.setText(title)
        self.text.setText(text)
        self.count.setText(f"{place + 1} of {count}")
        last = place == count - 1
        self.back.setEnabled(place > 0)
        self.skip.setVisible(not last)
        self.next.setText("Done" if last else "Next")
        self.setAccessibleName(f"Tour, step {place + 1} of {count}: {title}")
        self.setAccessibleDescription(text)
        self.next.setAccessibleDescription(f"{title}. {text}")  # read aloud when it gets the focus

    def point_at(self, target: QRect, area: QRect) -> None:
        """Stand beside a target; it and the area to stay in are given in the parent's coordinates."""
        layout = self.layout()
        assert layout is not None
        width = _WIDTH + 2 * ARROW
        size = QSize(_WIDTH, layout.heightForWidth(width) - 2 * ARROW)
        placement = place_bubble(size, target, area)
        if placement != self._placement:
            self._placement = placement
            self.setGeometry(placement.body.adjusted(-ARROW, -ARROW, ARROW, ARROW))
            self.update()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go round among the buttons."""
        buttons = [button for button in (self.next, self.skip, self.back) if button.isVisible() and button.isEnabled()]
        if not buttons:  # hidden meanwhile; an exception here would end the program
            return super().focusNextPrevChild(forward)
        focused = self.focusWidget()
        place = buttons.index(focused) if focused in buttons else -1
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        buttons[(place + (1 if forward else -1)) % len(buttons)].setFocus(reason)
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrows go through the steps, Enter press a button, and Esc skip the rest."""
        if isinstance(event, QKeyEvent) and isinstance(watched, QPushButton):
            asked = {
                Qt.Key.Key_Right: self.next.click,
                Qt.Key.Key_Left: self.back.click,
                Qt.Key.Key_Return: watched.click,
                Qt.Key.Key_Enter: watched.click,
                Qt.Key.Key_Escape: self.skip_asked.emit,
            }.get(Qt.Key(event.key()))
            if asked is not None and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
                if event.type() == QEvent.Type.KeyPress:
                    asked()
                    return True
                if event.type() == QEvent.Type.ShortcutOverride:  # before the window's shortcuts
                    event.accept()
                    return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card and its arrow as one outline."""
        c = self._theme.colours
        body = QRectF(self.rect().adjusted(ARROW, ARROW, -ARROW, -ARROW)).adjusted(0.5, 0.5, -0.5, -0.5)
        outline = QPainterPath()
        outline.addRoundedRect(body, RADIUS, RADIUS)
        at = ARROW + self._placement.at
        corners = {
            "top": ((at, 0), (at - ARROW, ARROW + 1), (at + ARROW, ARROW + 1)),
            "bottom": ((at, self.height()), (at - ARROW, body.bottom()), (at + ARROW, body.bottom())),
            "left": ((0, at), (ARROW + 1, at - ARROW), (ARROW + 1, at + ARROW)),
            "right": ((self.width(), at), (body.right(), at - ARROW), (body.right(), at + ARROW)),
        }
        if self._placement.edge is not None:
            arrow = QPainterPath()
            arrow.addPolygon(QPolygonF([QPointF(*corner) for corner in corners[self._placement.edge]]))
            arrow.closeSubpath()
            outline = outline.united(arrow)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(outline, QColor(c.raised))
        painter.strokePath(outline, QPen(QColor(c.line), 1))
