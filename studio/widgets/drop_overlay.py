"""What is said while files are dragged over the window: what will become of them when they are let go of."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.theme.theme import Theme
from studio.theme.tokens import GRID, RADIUS
from studio.widgets.basics import breakable, label, styled

_DIMMED = 0.75  # opacity
_WIDTH = 520  # px
_FRAME = 2  # px


class DropOverlay(QWidget):
    """Covers its parent, so that nothing in there takes the files, with a frame and a card that says what they become.

    Drops go to the parent.
    """

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_possible = True
        self.title = label("", "title", wrap=True)
        self.text = label("", "muted", wrap=True)
        for part in (self.title, self.text):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._card = QWidget(self)
        styled(self._card, "card")
        self._column = column = QVBoxLayout(self._card)
        column.setContentsMargins(4 * GRID, 3 * GRID, 4 * GRID, 3 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self.title)
        column.addWidget(self.text)
        self.hide()

    def say(self, title: str, lines: Sequence[str], *, possible: bool) -> None:
        """Cover the parent and say what will happen. `possible`: something will be done with the files."""
        parent = self.parentWidget()
        assert parent is not None
        self._is_possible = possible
        self.title.setText(title)
        self.text.setText("\n".join(map(breakable, lines)))
        self.setGeometry(parent.rect())
        width = min(_WIDTH, parent.width() - 4 * GRID)
        card = QRect(0, 0, width, self._column.heightForWidth(width))
        card.moveCenter(self.rect().center())
        self._card.setGeometry(card)
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dim what is below, and draw the frame."""
        c = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shade = QColor(c.stage)
        shade.setAlphaF(_DIMMED)
        painter.fillRect(self.rect(), shade)
        pen = QPen(QColor(c.accent if self._is_possible else c.error), _FRAME, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(GRID, GRID, -GRID, -GRID), RADIUS, RADIUS)
