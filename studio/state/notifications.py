"""The notifications: the one list where every message to the person goes, errors above all."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from psygnal import Signal

Level = Literal["info", "warning", "error"]

_KEPT = 100


@dataclass(frozen=True)
class Action:
    """A button on a notification, such as "Undo" or "Open folder"."""

    label: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Notification:
    """One message. ``details`` is for whoever wants to know more (a traceback)."""

    id: int
    level: Level
    text: str
    details: str = ""
    action: Action | None = None
    time: datetime = datetime.min


class Notifications:
    """The messages not dismissed yet, and all that was said. Saying the same again replaces the earlier message."""

    added = Signal(Notification)
    removed = Signal(Notification)
    said_changed = Signal()

    def __init__(self) -> None:
        self._list: list[Notification] = []
        self._said: list[Notification] = []
        self._read_to = 0
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._list)

    def list(self) -> list[Notification]:
        """The messages, oldest first."""
        return list(self._list)

    def said(self) -> tuple[Notification, ...]:
        """All that was said, oldest first, dismissed or not."""
        return tuple(self._said)

    @property
    def unread(self) -> int:
        """How many warnings and errors were said since :meth:`mark_read`."""
        return sum(one.id > self._read_to and one.level != "info" for one in self._said)

    def mark_read(self) -> None:
        """The person has looked through all that was said."""
        self._read_to = max((one.id for one in self._said), default=0)
        self.said_changed.emit()

    def notify(self, level: Level, text: str, *, details: str = "", action: Action | None = None) -> Notification:
        """Say something to the person."""
        for earlier in [one for one in self._list if (one.level, one.text) == (level, text)]:
            self.dismiss(earlier)
        if len(self._list) >= _KEPT:
            self.dismiss(self._list[0])
        notification = Notification(next(self._numbers), level, text, details, action, datetime.now())
        self._list.append(notification)
        others = [one for one in self._said if (one.level, one.text) != (level, text)]
        self._said = [*others, notification][-_KEPT:]
        self.added.emit(notification)
        self.said_changed.emit()
        return notification

    def info(self, text: str, *, action: Action | None = None) -> Notification:
        """Something went as asked, or is good to know."""
        return self.notify("info", text, action=action)

    def warning(self, text: str, *, action: Action | None = None) -> Notification:
        """Something is not as asked, but work goes on."""
        return self.notify("warning", text, action=action)

    def error(self, text: str, *, details: str = "", action: Action | None = None) -> Notification:
        """Something failed."""
        return self.notify("error", text, details=details, action=action)

    def withdraw(self, notification: Notification) -> None:
        """Take a message away whose button has nothing to do any longer; it stays readable without it."""
        self._said = [replace(one, action=None) if one.id == notification.id else one for one in self._said]
        self.dismiss(notification)
        self.said_changed.emit()

    def dismiss(self, notification: Notification) -> None:
        """Take a message away; it stays among what was said."""
        if notification in self._list:
            self._list.remove(notification)
            self.removed.emit(notification)

    def clear(self) -> None:
        """Take all messages away."""
        for notification in self.list():
            self.dismiss(notification)
