"""The page of the settings where the keys of every action can be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.actions import Actions, shown_keys
from studio.facts import ActionSpec, RoomFacts, Words
from studio.keymap import normal
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import icon_button, label

_ID_ROLE = Qt.ItemDataRole.UserRole
_KEYS_COLUMN = 2
_LIST_HEIGHT = 22 * GRID
_PROBLEM_LINES = 2


class ShortcutsPage(QWidget):
    """Lists the actions with their keys. New keys are pressed into one of two fields, and count at once.

    `changed`: the keymap of the actions is different now.
    """

    changed = Signal()

    def __init__(self, actions: Actions, theme: Theme, rooms: Sequence[RoomFacts], words: Words) -> None:
        """`rooms`: all there are. `words`: those of the room that the person is in."""
        super().__init__()
        self._actions, self._keymap = actions, actions.keymap
        self._rooms, self._words = {room.words.domain: room for room in rooms}, words
        self._question: Callable[[], object] | None = None  # what is done if the person agrees
        self._asked_about: list[str] = []
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by name, place or keys")
        self.search.setAccessibleName("Search actions")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Actions and their keys")
        self.list.setHeaderLabels(["Action", "Where", "Keys"])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setMinimumHeight(_LIST_HEIGHT)
        self.list.setAllColumnsShowFocus(True)
        self.list.setTabKeyNavigation(False)
        header = self.list.header()
        header.setSectionsClickable(False)
        header.setStretchLastSection(True)
        self._rows = {
            spec.id: QTreeWidgetItem([self._text(spec), self._place(spec), ""]) for spec in self._keymap.specs
        }
        for name, row in self._rows.items():
            row.setData(0, _ID_ROLE, name)
            self.list.addTopLevelItem(row)
        for column in range(_KEYS_COLUMN):
            self.list.resizeColumnToContents(column)
        self.list.currentItemChanged.connect(self._on_choice)

        self.chosen = label("", "heading")
        self.fields: list[QKeySequenceEdit] = [QKeySequenceEdit(), QKeySequenceEdit()]
        self.removes = [icon_button(theme, "close", "Remove these keys", role="muted", side=16) for _ in self.fields]
        for field, remove in zip(self.fields, self.removes, strict=True):
            field.setMaximumSequenceLength(1)
            field.editingFinished.connect(partial(self._on_pressed, field))
            remove.clicked.connect(partial(self._remove, field))
        self.list.itemActivated.connect(lambda *_: self.fields[0].setFocus(Qt.FocusReason.OtherFocusReason))
        self.reset = QPushButton("Reset")
        self.reset.setToolTip("Give this action its usual keys back")
        self.reset.clicked.connect(self._reset)
        self.reset_all = QPushButton("Reset all…")
        self.reset_all.setToolTip("Give every action its usual keys back")
        self.reset_all.clicked.connect(self._ask_reset_all)
        self.problem = label("", wrap=True)
        self.problem.setMinimumHeight(_PROBLEM_LINES * self.problem.fontMetrics().lineSpacing())
        self.agree, self.leave = QPushButton("Yes"), QPushButton("No")
        self.agree.clicked.connect(self._agree)
        self.leave.clicked.connect(self._show_chosen)
        self._lay_out()
        self._show_keys()
        self.choose(self._keymap.specs[0].id)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        grid.addWidget(label("Press new keys", "muted"), 0, 0)
        for column, (field, remove) in enumerate(zip(self.fields, self.removes, strict=True), start=1):
            both = QHBoxLayout()
            both.setSpacing(GRID // 2)
            both.addWidget(field, 1)
            both.addWidget(remove)
            grid.addLayout(both, 0, column)
        grid.addWidget(self.reset, 0, len(self.fields) + 1)
        answer = QHBoxLayout()
        answer.setSpacing(GRID)
        answer.addWidget(self.problem, 1)
        for button in (self.leave, self.agree, self.reset_all):
            answer.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2 * GRID, 0, 0)
        layout.setSpacing(GRID + GRID // 2)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.chosen)
        layout.addLayout(grid)
        layout.addLayout(answer)

    def choose(self, name: str) -> None:
        """Choose an action."""
        self.search.clear()
        self.list.setCurrentItem(self._rows[name])

    def name(self) -> str:
        """The chosen action."""
        row = self.list.currentItem()
        return str(row.data(0, _ID_ROLE)) if row is not None else self._keymap.specs[0].id

    # What is shown

    def _text(self, spec: ActionSpec) -> str:
        words = self._rooms[spec.room].words if spec.room else self._words
        return words.put_into(spec.text).rstrip("…")

    def _place(self, spec: ActionSpec) -> str:
        if spec.scope == "history":
            return "History"
        if not spec.room:
            return "Everywhere"
        return self._rooms[spec.room].title + ("" if spec.scope == "window" else ", on the stage")

    def _show_keys(self) -> None:
        """Write the keys into the list, in bold where they are the person's own."""
        for name, row in self._rows.items():
            keys = dict.fromkeys(map(shown_keys, self._keymap.keys(name)))
            row.setText(_KEYS_COLUMN, "   ".join(keys))
            font = row.font(_KEYS_COLUMN)
            font.setBold(name in self._keymap.own)
            row.setFont(_KEYS_COLUMN, font)
        self.reset_all.setEnabled(bool(self._keymap.own))

    def _filter(self, typed: str) -> None:
        wanted = typed.lower().split()
        shown: list[QTreeWidgetItem] = []
        for row in self._rows.values():
            text = " ".join(row.text(column) for column in range(_KEYS_COLUMN + 1)).lower()
            row.setHidden(not all(word in text for word in wanted))
            if not row.isHidden():
                shown.append(row)
        if shown and self.list.currentItem() not in shown:
            self.list.setCurrentItem(shown[0])

    def _on_choice(self) -> None:
        if self.list.currentItem() is not None:
            self._show_chosen()

    def _show_chosen(self) -> None:
        """Show the chosen action's keys as they count, and forget what was pressed and not agreed to."""
        name = self.name()
        text = self._rows[name].text(0)
        self._say("")
        self.chosen.setText(text)
        keys = [*self._keymap.keys(name), "", ""]
        for place, which in enumerate(("keys", "other keys")):
            field, remove = self.fields[place], self.removes[place]
            field.setKeySequence(QKeySequence(keys[place]))
            field.setAccessibleName(f"{which.capitalize()} of {text}")
            remove.setEnabled(bool(keys[place]))
            remove.setAccessibleName(f"Remove the {which} of {text}")
        self.reset.setEnabled(name in self._keymap.own)

    def _say(self, text: str, question: Callable[[], object] | None = None) -> None:
        """Tell something, or ask whether to do something."""
        self._question, self._asked_about = question, []
        self.problem.setText(text)
        for button in (self.agree, self.leave):
            button.setVisible(question is not None)

    # What is asked

    def _keys(self) -> list[str]:
        """The keys in the fields."""
        return [field.keySequence().toString() for field in self.fields if not field.keySequence().isEmpty()]

    def _remove(self, field: QKeySequenceEdit) -> None:
        field.clear()
        self._change(self.name(), self._keys())

    def _on_pressed(self, field: QKeySequenceEdit) -> None:
        """Take the keys in the fields, unless somebody else has them."""
        if field.keySequence().isEmpty():  # nothing but Ctrl or the like was pressed
            self._show_chosen()
            return
        name, keys = self.name(), self._keys()
        if keys == self._asked_about:
            return  # the field lost the focus to the question about it
        taken = [(one, spec) for one in keys for spec in self._keymap.users(name, one)]
        if not taken:
            self._change(name, keys)
            return
        used = "; ".join(f"{shown_keys(one)} is already used by “{self._text(spec)}”" for one, spec in taken)
        self._say(f"{used}. Replace {'it' if len(taken) == 1 else 'them'}?", partial(self._change, name, keys))
        self._asked_about = keys
        self.agree.setFocus()

    def _agree(self) -> None:
        if self._question is not None:
            self._question()
            self.list.setFocus()

    def _change(self, name: str, keys: Sequence[str]) -> None:
        if list(keys) != list(map(normal, self._keymap.keys(name))):
            self._tell(self._keymap.change(name, keys))

    def _reset(self) -> None:
        self._tell(self._keymap.reset(self.name()))

    def _ask_reset_all(self) -> None:
        self._say("Give every action its usual keys back?", self._reset_everything)
        self.agree.setFocus()

    def _reset_everything(self) -> None:
        self._keymap.reset_all()
        self._tell(())

    def _tell(self, losers: Sequence[ActionSpec]) -> None:
        """Say that the keys have changed, and who has lost some."""
        self._actions.take_keys()
        self._show_keys()
        self._show_chosen()
        if losers:
            self.problem.setText("Keys taken from " + ", ".join(f"“{self._text(spec)}”" for spec in losers) + ".")
        self.changed.emit()
