"""The palette: every room and every action that can be done now, found by typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio.actions import Actions, shown_keys
from studio.facts import Words
from studio.state.finding import Findable, found
from studio.theme.tokens import CONTROL_HEIGHT, GRID
from studio.widgets.basics import label, line

_WIDTH = 560
_ROWS = 10
_TOP = 10 * GRID
_MOVES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -_ROWS, Qt.Key.Key_PageDown: _ROWS}


@dataclass(frozen=True)
class Entry(Findable):
    """What can be chosen. `state` says how it stands now, such as that it is on; empty: nothing to say."""

    do: Callable[[], object]
    state: str = ""
    keys: str = ""


class Palette(QDialog):
    """Type a few letters, choose with the arrows, Enter does it; Esc closes. Its size stays, whatever is found."""

    def __init__(
        self, actions: Actions, words: Words, rooms: Sequence[Entry] = (), parent: QWidget | None = None
    ) -> None:
        """`rooms`: where one can go."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("look", "popup")
        self._entries = list(rooms)
        for spec in actions.keymap.specs_in(words.domain):
            action = actions[spec.id]
            if action.isEnabled() and spec.id != "palette":
                self._entries.append(_entry(action, words.put_into(spec.section), spec.also))
        self.search = QLineEdit()
        self.search.setPlaceholderText("What do you want to do?")
        self.search.setAccessibleName("Search rooms and actions")
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self.do)
        self.search.installEventFilter(self)
        self.rows = QListWidget()
        self.rows.setAccessibleName("Rooms and actions")
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.itemClicked.connect(lambda _row: self.do())
        self.nothing = label("Nothing that can be done now is called that.", "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._answer = QStackedWidget()
        self._answer.addWidget(self.rows)
        self._answer.addWidget(self.nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.search)
        layout.addWidget(line())
        layout.addWidget(self._answer)
        self._fill("")

    def open_over(self, window: QWidget) -> None:
        """Show near the top of a window, in its middle."""
        width = min(_WIDTH, window.width() - 2 * GRID)
        rows = min(_ROWS, (window.height() - _TOP - 3 * CONTROL_HEIGHT) // CONTROL_HEIGHT)
        self._answer.setFixedHeight(rows * CONTROL_HEIGHT)
        self.setFixedSize(width, self.sizeHint().height())
        self.move(window.mapToGlobal(QPoint((window.width() - width) // 2, _TOP)))
        self.show()
        self.search.setFocus()

    def entries(self) -> list[Entry]:
        """What is found, best first."""
        return [self.rows.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.rows.count())]

    def chosen(self) -> Entry | None:
        """What Enter does."""
        row = self.rows.currentItem()
        return None if row is None else row.data(Qt.ItemDataRole.UserRole)

    def do(self) -> None:
        """Do what is chosen."""
        entry = self.chosen()
        if entry is not None:
            self.close()
            # Not before the key has been dealt with: an action may open a dialog, and this one is gone meanwhile
            QTimer.singleShot(0, entry.do)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrows choose while the cursor stays in the text."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = _MOVES.get(Qt.Key(event.key()))
            if step is not None:
                last = self.rows.count() - 1
                self.rows.setCurrentRow(min(max(self.rows.currentRow() + step, 0), last))
                return True
        return super().eventFilter(watched, event)

    def _fill(self, typed: str) -> None:
        self.rows.clear()
        for entry in found(typed, self._entries):
            row = QListWidgetItem()
            row.setSizeHint(QSize(0, CONTROL_HEIGHT))
            row.setData(Qt.ItemDataRole.UserRole, entry)
            row.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.place}: {entry.text}")
            self.rows.addItem(row)
            self.rows.setItemWidget(row, _row(entry))
        self.rows.setCurrentRow(0)
        self._answer.setCurrentWidget(self.rows if self.rows.count() else self.nothing)


def _entry(action: QAction, section: str, also: str) -> Entry:
    """An action as it stands."""
    return Entry(
        action.text().rstrip("…"),
        section,
        also,
        do=action.trigger,
        state="on" if action.isChecked() else "",
        keys=action.shortcut().toString(),
    )


def _row(entry: Entry) -> QWidget:
    """What an entry is called, where it belongs, how it stands, and its shortcut."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(GRID, 0, GRID, 0)
    layout.setSpacing(GRID)
    layout.addWidget(label(entry.text))
    layout.addWidget(label(f"{entry.place}, {entry.state}" if entry.state else entry.place, "small"))
    layout.addStretch(1)
    if entry.keys:
        layout.addWidget(label(shown_keys(entry.keys), "key"), 0, Qt.AlignmentFlag.AlignVCenter)
    return row
