"""How variations at a glance look: a grid of sketches, one of them chosen, some of them marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.panels.history_model import Index
from studio.theme.icons import icon_pixmap
from studio.theme.theme import Theme
from studio.theme.tokens import GRID, RADIUS

_GAP = GRID // 2  # px, around a picture
_MARK = 24  # px, of what is clicked to mark one
_LEAST = 2 * _GAP + 2 * _MARK  # px, of a place
_LEAVES = Qt.Key.Key_Escape
_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
"""How many places to the right and below each arrow leads."""
_CELL_ROLE = Qt.ItemDataRole.UserRole


@dataclass
class Cell:
    """A place: a seed, its sketch as soon as that is drawn, and whether it is marked to be kept."""

    seed: int
    picture: QPixmap
    marked: bool = False


class Cells(QAbstractListModel):
    """The places, in their order."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._cells: list[Cell] = []

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._cells)

    def begin(self, seeds: Sequence[int]) -> None:
        """Have an empty place for each seed."""
        self.beginResetModel()
        self._cells = [Cell(seed, QPixmap()) for seed in seeds]
        self.endResetModel()

    def put(self, row: int, picture: QPixmap) -> None:
        """Show a sketch in its place."""
        self._cells[row].picture = picture
        self.dataChanged.emit(self.index(row), self.index(row))

    def toggle(self, row: int) -> None:
        """Mark one that is not marked, or the other way round."""
        self._cells[row].marked ^= True
        self.dataChanged.emit(self.index(row), self.index(row))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many there are."""
        return 0 if parent.isValid() else len(self._cells)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a place is called, its tool tip, or the place itself."""
        if not index.isValid():
            return None
        cell = self._cells[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            parts = [f"Variation {index.row() + 1}", f"seed {cell.seed}"]
            parts += ["not drawn yet"] * cell.picture.isNull() + ["marked"] * cell.marked
            return ", ".join(parts)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"Seed {cell.seed}\nDouble click: make it in full and keep it\nSpace, or its corner: mark it"
        return cell if role == _CELL_ROLE else None


class _Delegate(QStyledItemDelegate):
    """Paints a sketch, a ring around the chosen one, and a tick in the corner of those that are marked."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.side = 0
        """Of a place, in px."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """A square."""
        return QSize(self.side, self.side)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one place."""
        cell, colours = index.data(_CELL_ROLE), self._theme.colours
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        place = _picture_in(option.rect)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(place), RADIUS, RADIUS)
        painter.fillPath(outline, QColor(colours.panel))
        painter.setClipPath(outline)
        painter.drawPixmap(place, cell.picture)
        painter.setClipping(False)
        if chosen or hovered:
            painter.setPen(QPen(QColor(colours.accent if chosen else colours.muted), 2))
            painter.drawRoundedRect(QRectF(place), RADIUS, RADIUS)
        if cell.marked or hovered:
            corner = _corner_of(option.rect)
            painter.setPen(QPen(QColor(colours.accent if cell.marked else colours.muted), 1.5))
            painter.setBrush(QColor(colours.accent if cell.marked else colours.panel))
            painter.drawEllipse(QRectF(corner).adjusted(2, 2, -2, -2))
            if cell.marked:
                painter.drawPixmap(corner.adjusted(5, 5, -5, -5), icon_pixmap("check", colours.on_accent, 2 * _MARK))
        painter.restore()


class VariationsView(QListView):
    """All places at once, as large as there is room.

    A click and the arrows choose one; Space, a click on its corner, and one with Ctrl mark it.
    """

    kept = Signal()
    """What is marked, or the chosen one, is to be made in full."""
    chosen_kept = Signal()
    """The chosen one is, whatever is marked."""
    left = Signal()
    """The stage is wanted back."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.cells, self._delegate = Cells(self), _Delegate(theme, self)
        self.setModel(self.cells)
        self.setItemDelegate(self._delegate)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Variations")
        theme.changed.connect(self.viewport().update)

    def begin(self, seeds: Sequence[int]) -> None:
        """Have an empty place for each seed, and choose the first one."""
        self.cells.begin(seeds)
        self._fill()
        self.setCurrentIndex(self.cells.index(0))

    def picture_side(self) -> int:
        """How large a picture is, in px of the screen."""
        return max(1, round((self._delegate.side - 2 * _GAP) * self.devicePixelRatioF()))

    def _layout(self) -> tuple[int, int]:
        """How large a place can be, in px of the window, and with how many of them beside each other."""
        room, count = self._room(), max(1, self.cells.rowCount())
        sides = ((min(room.width() // n, room.height() // ceil(count / n)), n) for n in range(1, count + 1))
        side, beside = max(sides)
        return max(side, _LEAST), beside

    def _room(self) -> QSize:
        """What the places may take. Qt begins another row where there is no point to spare beside one."""
        return self.contentsRect().size() - QSize(2, 2)

    def _fill(self) -> None:
        """Lay the places out in the middle of what room there is, as large as they can be."""
        room = self._room()
        side, beside = self._layout()
        below = ceil(max(1, self.cells.rowCount()) / beside)
        left, top = max(0, room.width() - beside * side) // 2, max(0, room.height() - below * side) // 2
        self._delegate.side = side
        self.setViewportMargins(left, top, left, 0)
        self.doItemsLayout()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the room."""
        super().resizeEvent(event)
        self._fill()

    def event(self, event: QEvent) -> bool:
        """Take Esc before the window does, which would cancel with it what was started last."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and event.key() == _LEAVES:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep, mark or leave; else move."""
        match event.key():
            case key if key == _LEAVES:
                self.left.emit()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.kept.emit()
            case Qt.Key.Key_Space:
                self.cells.toggle(self.currentIndex().row())
            case key if key in _STEPS:
                self._move(*_STEPS[Qt.Key(key)])
            case _:
                super().keyPressEvent(event)

    def _move(self, right: int, below: int) -> None:
        """Choose another one, so many places to the right and below; none where there is none."""
        beside, row = self._layout()[1], self.currentIndex().row()
        if 0 <= row % beside + right < beside and 0 <= (other := row + right + below * beside) < self.cells.rowCount():
            self.setCurrentIndex(self.cells.index(other))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose what is under the mouse; in its corner, or with Ctrl, mark it too."""
        super().mousePressEvent(event)
        if self._marks(event):
            self.cells.toggle(self.indexAt(event.position().toPoint()).row())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Keep what is under the mouse."""
        if self._marks(event):
            self.cells.toggle(self.indexAt(event.position().toPoint()).row())
        elif event.button() == Qt.MouseButton.LeftButton and self.indexAt(event.position().toPoint()).isValid():
            self.chosen_kept.emit()

    def _marks(self, event: QMouseEvent) -> bool:
        """Whether a click is for the mark of a place."""
        at = event.position().toPoint()
        index = self.indexAt(at)
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return False
        with_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        return with_ctrl or _corner_of(self.visualRect(index)).contains(at)


def _picture_in(place: QRect) -> QRect:
    return place.adjusted(_GAP, _GAP, -_GAP, -_GAP)


def _corner_of(place: QRect) -> QRect:
    """Where one clicks to mark a place."""
    picture = _picture_in(place)
    return QRect(picture.right() - _MARK - _GAP, picture.top() + _GAP, _MARK, _MARK)
