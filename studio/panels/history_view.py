"""How the history looks: each item as its thumbnail, with what it is called below."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from studio.panels.history_model import ITEM_ROLE, Index
from studio.panels.inspector import item_title
from studio.state.library import Item
from studio.theme.icons import icon_pixmap
from studio.theme.theme import Theme
from studio.theme.tokens import FONT_SMALL, GRID, LARGE_THUMBNAIL, RADIUS, THUMBNAIL
from studio.widgets.basics import ANY_SIZE

_CAPTION = 18  # px
_SHADE = 20  # px, of the seed over the thumbnail
_STAR, _TAG = 16, 18  # px
_MARK = QColor("#e6e8eb")
"""On a dark shade in both themes."""
_DARK = QColor(10, 12, 16, 150)
STRIP_HEIGHT = THUMBNAIL + _CAPTION + GRID + 12
"""Of one row, with the scroll bar below it. px."""


class ItemDelegate(QStyledItemDelegate):
    """Paints a thumbnail with its seed, its star and a mark if it has tags, and its prompt below.

    What is on the stage has a ring.
    """

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown_id = ""
        self.large = False
        """Whether there is room for a larger thumbnail and a second line below it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """A square with what is written below it, and a gap to the next one."""
        side, lines = (LARGE_THUMBNAIL, 2) if self.large else (THUMBNAIL, 1)
        return QSize(side + GRID, side + lines * _CAPTION + GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one item."""
        item: Item = index.data(ITEM_ROLE)
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        cell = option.rect.adjusted(GRID // 2, GRID // 2, -GRID // 2, -GRID // 2)
        picture = QRect(cell.left(), cell.top(), cell.width(), cell.width())
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        font = painter.font()
        font.setPixelSize(FONT_SMALL - 1)
        painter.setFont(font)
        if selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.colours.accent_soft))
            painter.drawRoundedRect(QRectF(option.rect).adjusted(0, 0, 0, -2), RADIUS, RADIUS)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint_picture(painter, picture, item, index.data(Qt.ItemDataRole.DecorationRole))
        self._paint_caption(painter, cell.adjusted(0, picture.height(), 0, 0), item, selected)
        self._paint_rings(painter, picture, item, state)
        painter.restore()

    def _paint_picture(self, painter: QPainter, rect: QRect, item: Item, pixmap: QPixmap) -> None:
        path = QPainterPath()
        path.addRoundedRect(QRectF(rect), RADIUS, RADIUS)
        painter.setClipPath(path)
        painter.fillRect(rect, QColor(self._theme.colours.stage))
        if not pixmap.isNull():
            painter.drawPixmap(rect, pixmap)
        if item.recipe.source is None:
            shade = QRect(rect.left(), rect.bottom() - _SHADE + 1, rect.width(), _SHADE)
            painter.fillRect(shade, _DARK)
            painter.setPen(_MARK)
            _draw_line(painter, shade.adjusted(6, 0, -6, 0), str(item.recipe.seed))
        if item.starred:
            star = icon_pixmap("star-filled", self._theme.colours.star, _STAR * 2)
            painter.drawPixmap(QRect(rect.right() - _STAR - 3, rect.top() + 4, _STAR, _STAR), star)
        if item.tags:
            place = QRect(rect.left() + 4, rect.top() + 4, _TAG, _TAG)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_DARK)
            painter.drawRoundedRect(place, RADIUS - 2, RADIUS - 2)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPixmap(place.adjusted(2, 2, -2, -2), icon_pixmap("tag", _MARK.name(), (_TAG - 4) * 2))
        painter.setClipping(False)

    def _paint_caption(self, painter: QPainter, rect: QRect, item: Item, selected: bool) -> None:
        c = self._theme.colours
        painter.setPen(QColor(c.text if selected or item.id == self.shown_id else c.muted))
        _draw_line(painter, QRect(rect.left() + 2, rect.top() + 2, rect.width() - 4, _CAPTION - 2), item_title(item))
        if self.large:
            painter.setPen(QColor(c.muted))
            facts = f"{item.recipe.model}  ·  {item.created.astimezone():%d %b %Y}"
            facts = f"{', '.join(item.tags)}  ·  {facts}" if item.tags else facts
            _draw_line(painter, rect.adjusted(2, _CAPTION, -2, 0), facts)

    def _paint_rings(self, painter: QPainter, rect: QRect, item: Item, state: QStyle.StateFlag) -> None:
        c = self._theme.colours
        ring = ""
        if item.id == self.shown_id:
            ring = c.accent
        elif state & QStyle.StateFlag.State_MouseOver:
            ring = c.muted
        if ring:
            painter.setPen(QPen(QColor(ring), 2))
            painter.drawRoundedRect(QRectF(rect).adjusted(-1, -1, 1, 1), RADIUS + 1, RADIUS + 1)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(c.text), 1, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(QRectF(rect).adjusted(3, 3, -3, -3), RADIUS - 2, RADIUS - 2)


class ItemsView(QListView):
    """A strip, one row that the wheel scrolls sideways; or a grid of as many rows as there are."""

    drag_begun = Signal()
    """What is selected is being dragged."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.items = ItemDelegate(theme, self)
        self.setItemDelegate(self.items)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragEnabled(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("History")
        self.show_as_grid(False)
        theme.changed.connect(self.viewport().update)

    def show_as_grid(self, on: bool) -> None:
        """Be a grid, or a strip. What was in view stays in view."""
        never, if_needed = Qt.ScrollBarPolicy.ScrollBarAlwaysOff, Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self.items.large = on
        self.setWrapping(on)
        self.setVerticalScrollBarPolicy(if_needed if on else never)
        self.setHorizontalScrollBarPolicy(never if on else if_needed)
        self.setMinimumHeight(STRIP_HEIGHT)
        self.setMaximumHeight(ANY_SIZE if on else STRIP_HEIGHT)
        self.scheduleDelayedItemsLayout()
        QTimer.singleShot(0, self, lambda: self.scrollTo(self.currentIndex()))  # once it is laid out anew

    def show_as_on_stage(self, item_id: str) -> None:
        """Put the ring around the item of that id, or none."""
        self.items.shown_id = item_id
        self.viewport().update()

    def go_to_begin(self) -> None:
        """Scroll to the newest item."""
        self.horizontalScrollBar().setValue(0)
        self.verticalScrollBar().setValue(0)

    def startDrag(self, supported: Qt.DropAction) -> None:
        """Leave to others what is dragged."""
        self.drag_begun.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll along the strip whichever way the wheel turns."""
        if self.isWrapping():
            super().wheelEvent(event)
            return
        delta = event.angleDelta().x() or event.angleDelta().y()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - delta)
        event.accept()


def _draw_line(painter: QPainter, rect: QRect, text: str) -> None:
    """Draw as much of a line of text as fits."""
    text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
