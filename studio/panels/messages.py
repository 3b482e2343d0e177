"""All that was said to the person, to be read again after its message has gone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from studio.state.notifications import Notification, Notifications
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import breakable, label, line
from studio.widgets.dialog import Dialog
from studio.widgets.toasts import copy_details, level_sign, link

_WIDTH, _HEIGHT = 560, 420


class MessagesDialog(Dialog):
    """The messages of this session, newest first, with their buttons. Stays beside the work until it is closed."""

    def __init__(self, notifications: Notifications, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Messages")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(_WIDTH, _HEIGHT)
        self._notifications, self._theme = notifications, theme
        self._shown: tuple[Notification, ...] | None = None
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setAccessibleName("Messages")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addWidget(self._area)
        notifications.said_changed.connect(self._show_all)
        self._show_all()

    def _show_all(self) -> None:
        """List what was said, and take it for read."""
        said = self._notifications.said()
        if said != self._shown:
            self._shown = said
            content = QWidget()
            rows = QVBoxLayout(content)
            rows.setContentsMargins(GRID, GRID, 2 * GRID, GRID)
            rows.setSpacing(GRID)
            if not said:
                rows.addWidget(label("Nothing was said yet.", "muted"))
            for index, notification in enumerate(reversed(said)):
                if index:
                    rows.addWidget(line())
                rows.addWidget(self._row(notification))
            rows.addStretch(1)
            if (before := self._area.takeWidget()) is not None:
                before.deleteLater()  # not at once: one of its buttons may have brought us here
            self._area.setWidget(content)
        if self._notifications.unread:
            self._notifications.mark_read()

    def _row(self, notification: Notification) -> QWidget:
        row = QWidget()
        text = label(breakable(notification.text), wrap=True, selectable=True)
        beside = QVBoxLayout()
        beside.setSpacing(0)
        beside.addWidget(text)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(label(notification.time.strftime("%H:%M"), "small"))
        if (action := notification.action) is not None:
            button = link(action.label)
            button.clicked.connect(lambda: action.run())
            buttons.addWidget(button)
        if notification.details:
            buttons.addWidget(copy_details(notification.text, notification.details))
        buttons.addStretch(1)
        beside.addLayout(buttons)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(level_sign(self._theme, notification.level), 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(beside, 1)
        return row
