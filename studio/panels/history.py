"""The history strip: everything in the library of the room that the person is in, newest first."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from studio.actions import Actions
from studio.facts import Words
from studio.panels.fidelity import figures, made_of_file
from studio.panels.inspector import item_title
from studio.state.app_state import AppState
from studio.state.byte_cache import ByteCache
from studio.state.library import Item
from studio.state.memory import MemoryBudget
from studio.theme.icons import icon_pixmap
from studio.theme.theme import Theme
from studio.theme.tokens import FONT_SMALL, GRID, RADIUS, THUMBNAIL
from studio.widgets.basics import icon_button, label, plain_tip, styled

_ITEM_ROLE = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """The items of the room as a list model, newest first; thumbnails are read when first painted."""

    def __init__(self, state: AppState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = state.library
        self._domain: str | None = state.domain
        self._starred_only = False
        self._items: list[Item] = []
        self._pixmaps: ByteCache[str, QPixmap] = ByteCache(MemoryBudget().thumbnails, _bytes)
        state.domain_changed.connect(self._on_domain)
        self._library.added.connect(self._on_added)
        self._library.changed.connect(self._on_changed)
        self._library.removed.connect(self._on_removed)
        self.reload()

    def reload(self) -> None:
        """Read the list anew."""
        self.beginResetModel()
        self._items = self._library.items(domain=self._domain, starred_only=self._starred_only)
        self.endResetModel()

    def set_memory(self, budget: int) -> None:
        """Keep so many bytes of thumbnails."""
        self._pixmaps.budget = budget

    def set_starred_only(self, on: bool) -> None:
        """List the starred items alone, or all."""
        self._starred_only = on
        self.reload()

    def items(self) -> list[Item]:
        """What is listed, newest first."""
        return list(self._items)

    def item(self, row: int) -> Item | None:
        """The item in a row."""
        return self._items[row] if 0 <= row < len(self._items) else None

    def row_of(self, item: Item | None) -> int:
        """The row of an item, or -1."""
        ids = [one.id for one in self._items]
        return ids.index(item.id) if item is not None and item.id in ids else -1

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """How many items there are."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The title, the tool tip, the thumbnail, or the item itself."""
        item = self.item(index.row())
        if item is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{item_title(item)}, seed {item.recipe.seed}"
        if role == Qt.ItemDataRole.ToolTipRole:
            title = item_title(item)
            title = title if len(title) <= 240 else title[:239] + "…"
            made = item.created.astimezone().strftime("%d %B %Y, %H:%M")
            if item.recipe.fit is not None:
                of_file = made_of_file(item.recipe.fit, item.recipe.model)
                return plain_tip(f"{title}\n{of_file}, {made}\n{figures(item.recipe.fit)}")
            if item.recipe.source is not None:
                return plain_tip(f"{title}\nReconstructed, {made}")
            return plain_tip(f"{title}\nSeed {item.recipe.seed}  ·  {made}")
        if role == Qt.ItemDataRole.DecorationRole:
            return self._pixmap(item)
        if role == _ITEM_ROLE:
            return item
        return None

    def _pixmap(self, item: Item) -> QPixmap:
        pixmap = self._pixmaps.get(item.id)
        if pixmap is None:
            pixmap = QPixmap(str(item.thumbnail))
            self._pixmaps.put(item.id, pixmap)
        return pixmap

    def _on_domain(self, domain: str) -> None:
        self._domain = domain
        self.reload()

    def _on_added(self, item: Item) -> None:
        if self._domain not in (None, item.recipe.domain) or (self._starred_only and not item.starred):
            return
        row = next((i for i, one in enumerate(self._items) if one.id < item.id), len(self._items))
        self.beginInsertRows(QModelIndex(), row, row)
        self._items.insert(row, item)
        self.endInsertRows()

    def _on_changed(self, item: Item) -> None:
        row = self.row_of(item)
        if row >= 0:
            self._items[row] = item
            self._pixmaps.remove(item.id)  # its file may have come only now
            self.dataChanged.emit(self.index(row), self.index(row))

    def _on_removed(self, item: Item) -> None:
        row = self.row_of(item)
        if row >= 0:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._items[row]
            self._pixmaps.remove(item.id)
            self.endRemoveRows()


def _bytes(pixmap: QPixmap) -> int:
    return pixmap.width() * pixmap.height() * pixmap.depth() // 8


class _Delegate(QStyledItemDelegate):
    """Paints a thumbnail with rounded corners, its seed, its star, and a ring around the one on the stage."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown_id = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """A square and a gap to the next one."""
        return QSize(THUMBNAIL + GRID, THUMBNAIL + GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one item."""
        c = self._theme.colours
        item: Item = index.data(_ITEM_ROLE)
        pixmap: QPixmap = index.data(Qt.ItemDataRole.DecorationRole)
        rect = QRect(option.rect.left() + GRID // 2, option.rect.top() + GRID // 2, THUMBNAIL, THUMBNAIL)
        path = QPainterPath()
        path.addRoundedRect(QRectF(rect), RADIUS, RADIUS)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setClipPath(path)
        painter.fillRect(rect, QColor(c.stage))
        if not pixmap.isNull():
            painter.drawPixmap(rect, pixmap)
        shade = QRect(rect.left(), rect.bottom() - 19, rect.width(), 20)
        painter.fillRect(shade, QColor(10, 12, 16, 150))
        font = painter.font()
        font.setPixelSize(FONT_SMALL - 1)
        painter.setFont(font)
        painter.setPen(QColor("#e6e8eb"))  # on the dark shade in both themes
        text = item_title(item) if item.recipe.source is not None else str(item.recipe.seed)
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width() - 12)
        painter.drawText(shade.adjusted(6, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        if item.starred:
            side = 16
            star = icon_pixmap("star-filled", c.star, side * 2)
            painter.drawPixmap(QRect(rect.right() - side - 3, rect.top() + 4, side, side), star)
        painter.setClipping(False)
        state = option.state
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
        painter.restore()


class _Strip(QListView):
    """One row that the wheel scrolls sideways."""

    def wheelEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        """Scroll along the strip whichever way the wheel turns."""
        delta = event.angleDelta().x() or event.angleDelta().y()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - delta)
        event.accept()


class HistoryPanel(QWidget):
    """The strip with its heading; its menu offers the history actions."""

    chosen = Signal(object)
    """An item, to be shown."""
    recipe_asked = Signal(object)
    """An item that was double clicked, to have its recipe brought back."""

    def __init__(self, state: AppState, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._state = state
        self._actions = actions
        self._noun = "signal"
        styled(self, "panel")
        self.model = HistoryModel(state, self)
        self.view = _Strip()
        self.view.setModel(self.model)
        self._delegate = _Delegate(theme, self.view)
        self.view.setItemDelegate(self._delegate)
        self.view.setFlow(QListView.Flow.LeftToRight)
        self.view.setWrapping(False)
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.setAccessibleName("History")
        self.view.setFixedHeight(THUMBNAIL + GRID + 12)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.doubleClicked.connect(lambda index: self.recipe_asked.emit(self.model.item(index.row())))
        self.view.selectionModel().currentChanged.connect(self._on_current)
        actions.give_scope("history", self.view)

        self._empty = label("", "muted", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._count = label(look="small")
        self.starred = icon_button(theme, "star", "Show the starred ones only", look="tiny", side=16)
        self.starred.setCheckable(True)
        self.starred.toggled.connect(self._on_starred_only)
        heading = QHBoxLayout()
        heading.setContentsMargins(GRID // 2, 0, GRID, 0)
        heading.setSpacing(GRID)
        heading.addWidget(label("History", "heading"))
        heading.addWidget(self._count)
        heading.addStretch(1)
        heading.addWidget(self.starred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID + GRID // 2, GRID, GRID, GRID // 2)
        layout.setSpacing(GRID // 2)
        layout.addLayout(heading)
        layout.addWidget(self.view)
        layout.addWidget(self._empty, 1)

        self.model.rowsInserted.connect(self._on_rows)
        self.model.rowsRemoved.connect(self._on_rows)
        self.model.modelReset.connect(self._on_rows)
        theme.changed.connect(self.view.viewport().update)
        state.shown_changed.connect(self._on_shown)
        self._on_rows()
        self._on_shown(state.shown)

    def enter(self, words: Words) -> None:
        """Speak as a room does."""
        self._noun = words.noun
        self._on_rows()

    def step(self, rows: int) -> None:
        """Choose the item that many places to the right of the one on the stage (negative: left)."""
        row = self.model.row_of(self._state.shown)
        row = 0 if row < 0 else min(max(row + rows, 0), self.model.rowCount() - 1)
        if self.model.item(row) is not None:
            self.view.setCurrentIndex(self.model.index(row))

    def _on_current(self, current: QModelIndex, previous: QModelIndex) -> None:
        item = self.model.item(current.row())
        shown = self._state.shown
        if item is not None and (shown is None or item.id != shown.id):
            self.chosen.emit(item)

    def _on_shown(self, item: Item | None) -> None:
        self._delegate.shown_id = item.id if item is not None else ""
        row = self.model.row_of(item)
        if row >= 0:
            index = self.model.index(row)
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index)
        else:
            self.view.setCurrentIndex(QModelIndex())
        self.view.viewport().update()

    def _on_rows(self) -> None:
        count = self.model.rowCount()
        self.view.setVisible(count > 0)
        self._empty.setVisible(count == 0)
        starred_only = self.starred.isChecked()
        self._empty.setText(
            "Nothing is starred yet."
            if starred_only
            else f"{self._noun.capitalize()}s that you generate are kept here, with their whole recipe."
        )
        self._count.setText(f"{count:,}" if count else "")
        if self.model.row_of(self._state.shown) >= 0:
            self.view.setCurrentIndex(self.model.index(self.model.row_of(self._state.shown)))

    def _on_starred_only(self, on: bool) -> None:
        self.model.set_starred_only(on)

    def _open_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if not index.isValid():
            return
        self.view.setCurrentIndex(index)
        menu = QMenu(self)
        for name in ("recipe", "export", "add_to_sequence", "copy_prompt", "star", "delete"):
            if name == "delete":
                menu.addSeparator()
            menu.addAction(self._actions[name])
        menu.setDefaultAction(self._actions["recipe"])  # what a double click does
        menu.exec(self.view.viewport().mapToGlobal(place))
        menu.deleteLater()
