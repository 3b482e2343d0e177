"""The palette: every action that can be done now, found by typing."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from studio.actions import Actions, Words, actions_in, shown_keys
from studio.theme.tokens import CONTROL_HEIGHT, GRID
from studio.widgets.basics import label, line

_WIDTH = 560
_ROWS = 10
_TOP = 10 * GRID
_MOVES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -_ROWS, Qt.Key.Key_PageDown: _ROWS}


class Palette(QDialog):
    """Type a few letters, choose with the arrows, Enter does it; Esc closes."""

    def __init__(self, actions: Actions, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("look", "popup")
        self._found: list[tuple[str, QAction]] = []
        for spec in actions_in(words.domain):
            action = actions[spec.id]
            if action.isEnabled() and spec.id != "palette":
                self._found.append((words.put_into(spec.section), action))
        self.search = QLineEdit()
        self.search.setPlaceholderText("What do you want to do?")
        self.search.setAccessibleName("Search actions")
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self.do)
        self.search.installEventFilter(self)
        self.rows = QListWidget()
        self.rows.setAccessibleName("Actions")
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.itemClicked.connect(lambda _row: self.do())
        self.nothing = label("Nothing is called that.", "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.search)
        layout.addWidget(line())
        layout.addWidget(self.rows)
        layout.addWidget(self.nothing)
        self._fill("")

    def open_over(self, window: QWidget) -> None:
        """Show near the top of a window, in its middle."""
        width = min(_WIDTH, window.width() - 2 * GRID)
        rows = min(_ROWS, (window.height() - _TOP - 3 * CONTROL_HEIGHT) // CONTROL_HEIGHT)
        self.setFixedWidth(width)
        for part in (self.rows, self.nothing):
            part.setFixedHeight(rows * CONTROL_HEIGHT)
        self.move(window.mapToGlobal(QPoint((window.width() - width) // 2, _TOP)))
        self.show()
        self.search.setFocus()

    def do(self) -> None:
        """Do what is chosen."""
        if self.rows.count():
            action: QAction = self.rows.currentItem().data(Qt.ItemDataRole.UserRole)
            self.close()
            # Not before the key has been dealt with: an action may open a dialog, and this one is gone meanwhile
            QTimer.singleShot(0, action.trigger)

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
        wanted = typed.lower().split()
        self.rows.clear()
        for section, action in self._found:
            text = action.text().rstrip("…")
            if all(word in f"{section} {text}".lower() for word in wanted):
                row = QListWidgetItem()
                row.setSizeHint(QSize(0, CONTROL_HEIGHT))
                row.setData(Qt.ItemDataRole.UserRole, action)
                row.setData(Qt.ItemDataRole.AccessibleTextRole, f"{section}: {text}")
                self.rows.addItem(row)
                self.rows.setItemWidget(row, _row(section, text, action))
        self.rows.setCurrentRow(0)
        self.rows.setVisible(self.rows.count() > 0)
        self.nothing.setVisible(self.rows.count() == 0)


def _row(section: str, text: str, action: QAction) -> QWidget:
    """What an action is called, where it belongs, whether it is on, and its shortcut."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(GRID, 0, GRID, 0)
    layout.setSpacing(GRID)
    layout.addWidget(label(text))
    layout.addWidget(label(section if not action.isChecked() else f"{section}, on", "small"))
    layout.addStretch(1)
    keys = action.shortcut().toString()
    if keys:
        layout.addWidget(label(shown_keys(keys), "key"), 0, Qt.AlignmentFlag.AlignVCenter)
    return row
