"""The library's trash as the window sees it: how much is in it, and how it is emptied without holding anything up."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QObject, Signal

from ddmi_core.support.errors import DataError
from studio.engine.lanes import Lane
from studio.state.library import Library


class Trash(QObject):
    """Looks at files and removes them in a thread. Call :meth:`shutdown` before the library is closed."""

    measured = Signal(object)
    """TrashContent, as it is now."""
    brought_back = Signal()
    """What was in it is in the history again."""

    def __init__(self, library: Library) -> None:
        super().__init__()
        self._library = library
        self._lane = Lane("trash")
        self._lane.submit(library.remove_emptied)  # what an earlier start did not get to

    def measure(self) -> None:
        """Find out how much is in it."""
        self._lane.submit(lambda: self.measured.emit(self._library.trash_content()))

    def empty(self) -> int:
        """Delete all of it for good; return how many items there were."""
        return self._empty(None)

    def empty_older_than(self, days: int) -> int:
        """Delete for good what has been in it for longer than that; 0 days: nothing. Return how many items."""
        return self._empty(datetime.now(UTC) - timedelta(days=days)) if days else 0

    def bring_back(self) -> int:
        """Bring all of it back into the history, but what cannot be moved; return how many items."""
        count = 0
        for item in self._library.items(deleted=True):
            with suppress(DataError):
                self._library.restore(item)
                count += 1
        self.brought_back.emit()
        self.measure()
        return count

    def shutdown(self, timeout: float = 2.0) -> bool:
        """End the thread within ``timeout`` seconds; whether it has ended."""
        self._lane.stop()
        return self._lane.join(timeout)

    def _empty(self, before: datetime | None) -> int:
        count = self._library.empty_trash(before)
        self._lane.submit(self._library.remove_emptied)
        self.measure()
        return count
