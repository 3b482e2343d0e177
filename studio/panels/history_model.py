"""The items that the history lists, as a list model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from textwrap import fill

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QPixmap

from studio.panels.fidelity import figures, made_of_file
from studio.panels.inspector import effort, item_title, origins
from studio.state.app_state import AppState
from studio.state.byte_cache import ByteCache
from studio.state.history_filter import HistoryFilter, ItemFinder
from studio.state.library import Item
from studio.state.memory import MemoryBudget
from studio.state.tags import as_tags
from studio.widgets.basics import plain_tip

ITEM_ROLE = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex
_READ_AT_ONCE = 8
"""Thumbnails between two looks at what else is to be done; each takes a millisecond or two."""
_MOST_WANTED = 1000
"""Thumbnails that wait to be read: more than can be seen at once. What was scrolled past before is given up."""
_LONG_TITLE, _TIP_WIDTH = 1200, 72  # characters


class HistoryModel(QAbstractListModel):
    """The items of the room that the person is in, or of all, that fit a filter; newest first.

    A thumbnail is read once it has been painted without: what is scrolled past quickly costs nothing.
    """

    counted = Signal()
    """There are more or fewer items, or of those more or fewer are listed."""

    narrowed = Signal()
    """The items that are listed begin with what was asked for just now."""

    def __init__(self, state: AppState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = state.library
        self._domain: str | None = state.domain
        self.all_rooms = False
        self.filter = HistoryFilter()
        self._finder = ItemFinder()
        self._all: list[Item] = []
        self._items: list[Item] = []
        self._pixmaps: ByteCache[str, QPixmap] = ByteCache(MemoryBudget().thumbnails, _bytes)
        self._wanted: dict[str, Item] = {}
        """Whose thumbnails are to be read, the one painted last at the end."""
        self._reading = QTimer(self, interval=0)
        self._reading.timeout.connect(self._read_thumbnails)
        state.domain_changed.connect(self._on_domain)
        self._library.added.connect(self._on_added)
        self._library.changed.connect(self._on_changed)
        self._library.removed.connect(self._on_removed)
        self.reload()

    def reload(self) -> None:
        """Read the list anew."""
        self._all = self._library.items(domain=None if self.all_rooms else self._domain)
        self._list()

    def show_all_rooms(self, on: bool) -> None:
        """List the items of all rooms, or of the one that the person is in."""
        self.all_rooms = on
        self.reload()

    def set_filter(self, **values: object) -> None:
        """Ask something else of the items."""
        before, self.filter = self.filter, replace(self.filter, **values)  # type: ignore[arg-type]
        self._list()
        if self.filter != before and not self.filter.fits_all:
            self.narrowed.emit()

    def _list(self) -> None:
        """List what fits."""
        self.beginResetModel()
        self._wanted.clear()
        self._items = self._fitting(self._all)
        self.endResetModel()
        self.counted.emit()

    def _fitting(self, items: Iterable[Item]) -> list[Item]:
        if self.filter.fits_all:
            return list(items)
        return list(filter(self._finder.test(self.filter, self._all), items))

    def set_memory(self, budget: int) -> None:
        """Keep so many bytes of thumbnails."""
        self._pixmaps.budget = budget

    def total(self) -> int:
        """How many items there are, whether they fit or not."""
        return len(self._all)

    def models(self) -> list[str]:
        """The names of the models that made the items."""
        return sorted({item.recipe.model for item in self._all}, key=str.lower)

    def tags(self) -> list[str]:
        """The tags that the items have."""
        return list(as_tags(tag for item in self._all for tag in item.tags))

    def items(self) -> list[Item]:
        """What is listed, newest first."""
        return list(self._items)

    def item(self, row: int) -> Item | None:
        """The item in a row."""
        return self._items[row] if 0 <= row < len(self._items) else None

    def row_of(self, item: Item | None) -> int:
        """The row of an item, or -1."""
        return -1 if item is None else _place(self._items, item)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many items there are."""
        return 0 if parent.isValid() else len(self._items)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Items can be dragged into other programs."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The title, the tool tip, the thumbnail, or the item itself."""
        item = self.item(index.row())
        if item is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{item_title(item)}, seed {item.recipe.seed}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(item)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._pixmap(item)
        if role == ITEM_ROLE:
            return item
        return None

    # Thumbnails

    def _pixmap(self, item: Item) -> QPixmap:
        """An item's thumbnail, which is empty until it has been read."""
        pixmap = self._pixmaps.get(item.id)
        if pixmap is not None:
            return pixmap
        self._wanted.pop(item.id, None)
        self._wanted[item.id] = item
        if len(self._wanted) > _MOST_WANTED:
            del self._wanted[next(iter(self._wanted))]
        self._reading.start()
        return QPixmap()

    def _read_thumbnails(self) -> None:
        """Read some of what was painted last."""
        for _ in range(min(_READ_AT_ONCE, len(self._wanted))):
            _, item = self._wanted.popitem()
            self._pixmaps.put(item.id, QPixmap(str(item.thumbnail)))
            if (row := self.row_of(item)) >= 0:
                self.dataChanged.emit(self.index(row), self.index(row), [Qt.ItemDataRole.DecorationRole])
        if not self._wanted:
            self._reading.stop()

    def _forget(self, item: Item) -> None:
        self._finder.forget(item)
        self._pixmaps.remove(item.id)
        self._wanted.pop(item.id, None)

    # From the state

    def _on_domain(self, domain: str) -> None:
        self._domain = domain
        if not self.all_rooms:
            self.filter = replace(self.filter, model="")  # no other room has it
            self.reload()

    def _on_added(self, item: Item) -> None:
        if not self.all_rooms and self._domain not in (None, item.recipe.domain):
            return
        if _place(self._all, item) < 0:
            self._all.insert(_rank(self._all, item), item)
        if self._fitting([item]):
            self._insert(item)
        self.counted.emit()

    def _insert(self, item: Item) -> None:
        row = _rank(self._items, item)
        self.beginInsertRows(QModelIndex(), row, row)
        self._items.insert(row, item)
        self.endInsertRows()

    def _on_changed(self, items: list[Item]) -> None:
        """Show items as they are now. They stay listed, though they may fit no longer: a star would take one away."""
        rows = []
        for item in items:
            self._forget(item)  # its thumbnail may have come only now, also where another room is shown
            place = _place(self._all, item)
            if place >= 0:
                self._all[place] = item
            row = self.row_of(item)
            if row >= 0:
                self._items[row] = item
                rows.append(row)
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))

    def _on_removed(self, item: Item) -> None:
        self._forget(item)
        place = _place(self._all, item)
        if place >= 0:
            del self._all[place]
        row = self.row_of(item)
        if row >= 0:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._items[row]
            self.endRemoveRows()
        self.counted.emit()


def _rank(items: list[Item], item: Item) -> int:
    """Where an item belongs among others, newest first."""
    lo, hi = 0, len(items)
    while lo < hi:
        middle = (lo + hi) // 2
        lo, hi = (middle + 1, hi) if items[middle].id > item.id else (lo, middle)
    return lo


def _place(items: list[Item], item: Item) -> int:
    """Where an item is among others, newest first, or -1."""
    rank = _rank(items, item)
    return rank if rank < len(items) and items[rank].id == item.id else -1


def _tip(item: Item) -> str:
    """The whole prompt, how it was made, and its tags."""
    recipe, title = item.recipe, item_title(item)
    title = title if len(title) <= _LONG_TITLE else title[: _LONG_TITLE - 1] + "…"
    made = item.created.astimezone().strftime("%d %B %Y, %H:%M")
    if recipe.fit is not None:
        facts = f"{made_of_file(recipe.fit, recipe.model)}, {made}\n{figures(recipe.fit)}"
    elif recipe.source is not None:
        facts = f"Reconstructed by {recipe.model}, {made}"
    else:
        origin = "".join(f"{one}\n" for one in origins(recipe))
        facts = f"Seed {recipe.seed}  ·  {recipe.model}  ·  {effort(recipe)}\n{origin}{made}"
    tags = "\n" + fill("Tags: " + ", ".join(item.tags), _TIP_WIDTH) if item.tags else ""
    return plain_tip(f"{fill(title, _TIP_WIDTH)}\n{facts}{tags}\nDrag it into another program, which gets a file")


def _bytes(pixmap: QPixmap) -> int:
    return pixmap.width() * pixmap.height() * pixmap.depth() // 8
