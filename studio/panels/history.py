"""The history: everything in the library of the room that the person is in, newest first."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from studio.actions import Actions
from studio.facts import Words
from studio.panels.history_bar import HistoryBar
from studio.panels.history_model import HistoryModel
from studio.panels.history_view import ItemsView
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import label, styled

_OF_ONE = (
    "recipe",
    "repeat",
    "more_like_this",
    "change_part",
    "draw_after",
    "export",
    "add_to_sequence",
    "copy_files",
    "copy_prompt",
    "star",
    "tags",
    "delete",
)
_OF_SEVERAL = ("repeat", "export", "copy_files", "sheet", "compare_items", "star", "tags", "delete")
_Select = QItemSelectionModel.SelectionFlag


class HistoryPanel(QWidget):
    """The strip with what stands over it; its menu offers the history actions."""

    chosen = Signal(object)
    """An item, to be shown."""
    recipe_asked = Signal(object)
    """An item that was double clicked, to have its recipe brought back."""

    dragged = Signal(list)
    """Items that are being dragged."""

    selection_changed = Signal()
    """Other items are selected, or another one is on the stage."""

    def __init__(self, state: AppState, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._state = state
        self._actions = actions
        self._noun = "signal"
        styled(self, "panel")
        self.model = HistoryModel(state, self)
        self.view = ItemsView(theme)
        self.view.setModel(self.model)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.doubleClicked.connect(lambda index: self.recipe_asked.emit(self.model.item(index.row())))
        self.view.selectionModel().currentChanged.connect(self._on_current)
        self.view.selectionModel().selectionChanged.connect(self._on_selection)
        self.view.drag_begun.connect(lambda: self.dragged.emit(self._marked()))
        actions.on_toggled("history_grid", self.view.show_as_grid)
        actions.on("select_all", self.view.selectAll)
        actions.give_scope("history", self.view)
        self.bar = HistoryBar(self.model, actions, theme)
        self.bar.left.connect(self._leave_search)

        self._empty = label("", "muted", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._all = QPushButton("Show all")
        self._all.setProperty("look", "link")
        self._all.clicked.connect(self._show_all)
        self._nothing = QWidget()
        column = QVBoxLayout(self._nothing)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch(1)
        column.addWidget(self._empty)
        column.addWidget(self._all, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID + GRID // 2, GRID, GRID, GRID // 2)
        layout.setSpacing(GRID // 2)
        layout.addWidget(self.bar)
        layout.addWidget(self.view, 1)
        layout.addWidget(self._nothing, 1)

        self.model.rowsInserted.connect(self._on_rows)
        self.model.rowsRemoved.connect(self._on_rows)
        self.model.modelReset.connect(self._on_rows)
        self.model.narrowed.connect(self.view.go_to_begin)
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
            self.view.selectionModel().setCurrentIndex(self.model.index(row), _Select.ClearAndSelect)

    def selected(self) -> list[Item]:
        """What is to be starred, exported or deleted: the items that are selected, or the one on the stage."""
        marked = self._marked()
        if len(marked) > 1 and self.view.isVisible():
            return marked
        return [self._state.shown] if self._state.shown is not None else []

    def _marked(self) -> list[Item]:
        """What is selected in the list, in its order."""
        rows = sorted(index.row() for index in self.view.selectedIndexes())
        return [item for row in rows if (item := self.model.item(row)) is not None]

    def let_go(self) -> None:
        """Select nothing, so that no item after another is opened while many are taken away."""
        self.view.selectionModel().clear()

    def _on_selection(self) -> None:
        """Say how much is selected. What is on the stage is always a part of it, or nobody would know what counts."""
        selection, rows = self.view.selectionModel(), self.view.selectedIndexes()
        if rows and not selection.isSelected(selection.currentIndex()):
            selection.setCurrentIndex(min(rows, key=QModelIndex.row), _Select.NoUpdate)
        self.bar.show_selected(len(rows))
        self.selection_changed.emit()

    def _go_to(self, row: int) -> None:
        """Make the item in a row the current one, and the only one selected unless it is selected with others."""
        selection, index = self.view.selectionModel(), self.model.index(row)
        if index != selection.currentIndex():
            selection.setCurrentIndex(
                index, _Select.NoUpdate if selection.isSelected(index) else _Select.ClearAndSelect
            )

    def _on_current(self, current: QModelIndex, previous: QModelIndex) -> None:
        item = self.model.item(current.row())
        shown = self._state.shown
        if item is not None and (shown is None or item.id != shown.id):
            self.chosen.emit(item)

    def _on_shown(self, item: Item | None) -> None:
        self.view.show_as_on_stage(item.id if item is not None else "")
        row = self.model.row_of(item)
        if row >= 0:
            self._go_to(row)
            self.view.scrollTo(self.model.index(row))
        else:
            self.let_go()

    def _on_rows(self) -> None:
        count = self.model.rowCount()
        self.view.setVisible(count > 0)
        self._nothing.setVisible(count == 0)
        self._all.setVisible(self.model.total() > 0)
        self._empty.setText(self._why_nothing())
        if (row := self.model.row_of(self._state.shown)) >= 0:
            self._go_to(row)
        self._on_selection()  # Qt says nothing of what a new list takes away

    def _why_nothing(self) -> str:
        """Why nothing is listed."""
        if not self.model.total():
            return f"{self._noun.capitalize()}s that you generate are kept here, with their whole recipe."
        typed = self.model.filter.typed.strip()
        if typed:
            return f"Nothing here fits “{typed}”."
        return "Nothing is starred yet." if self.model.filter.starred else "Nothing here fits the filter."

    def _show_all(self) -> None:
        """List all again, and go on there: the button goes, and Qt would choose whatever comes next in the window."""
        self.bar.show_all()
        self._leave_search()

    def _leave_search(self) -> None:
        """Go on among what was found."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self.view.currentIndex().isValid() and self.model.rowCount():
            self._go_to(0)

    def _open_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if not index.isValid():
            return
        if index not in self.view.selectedIndexes():
            self.view.selectionModel().setCurrentIndex(index, _Select.ClearAndSelect)
        several = len(self.selected()) > 1
        menu = QMenu(self)
        menu.setToolTipsVisible(True)  # which say why something cannot be done
        for name in _OF_SEVERAL if several else _OF_ONE:
            if name == "delete":
                menu.addSeparator()
            menu.addAction(self._actions[name])
        if not several:
            menu.setDefaultAction(self._actions["recipe"])  # what a double click does
        menu.exec(self.view.viewport().mapToGlobal(place))
        menu.deleteLater()
