"""A spotlight on a part of a window: everything else is dimmed, and stays usable."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.theme.theme import Theme
from studio.theme.tokens import GRID, RADIUS

_DIMMED = 0.5  # opacity
_RING = 2  # px


def place_in(window: QWidget, part: QWidget, rect: QRect | None = None) -> QRect:
    """Where what is visible of a part, or of a rectangle in it, lies in its window; empty where nothing is."""
    seen = part.visibleRegion().boundingRect() if part.isVisible() else QRect()
    if rect is not None:
        seen = seen.intersected(rect)
    return seen.translated(part.mapTo(window, QPoint())) if not seen.isEmpty() else QRect()


class Spotlight(QWidget):
    """Dims its parent but for what is lit, with a ring around that. The mouse goes through to what is below."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lit = QRect()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        theme.changed.connect(self.update)

    def light(self, lit: QRect) -> None:
        """Cover the parent anew, and light a rectangle of it; an empty one: nothing."""
        parent = self.parentWidget()
        assert parent is not None
        self.setGeometry(parent.rect())
        if lit != self._lit:
            self._lit = QRect(lit)
            self.update()

    @property
    def lit(self) -> QRect:
        """What is lit, in the parent's coordinates."""
        return QRect(self._lit)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dark, and the ring."""
        c = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dark = QPainterPath()
        dark.addRect(QRectF(self.rect()))
        hole = QPainterPath()
        if not self._lit.isEmpty():
            hole.addRoundedRect(QRectF(self._lit), RADIUS, RADIUS)
        shade = QColor(c.shadow)
        shade.setAlphaF(_DIMMED)
        painter.fillPath(dark - hole, shade)
        painter.strokePath(hole, QPen(QColor(c.accent), _RING))


def lit_around(part: QRect, window: QRect) -> QRect:
    """What is lit for a part of a window: a margin more, but not beyond the edge, where the ring would be lost."""
    if part.isEmpty():
        return QRect()
    margin = GRID // 2
    return part.adjusted(-margin, -margin, margin, margin).intersected(window.adjusted(_RING, _RING, -_RING, -_RING))
