"""The files of tags, written in a thread: thousands of them would hold the window up for seconds."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject, Signal

from ddmi_core.support.errors import DataError
from studio.state.library import Item, Library


class TagFiles(QObject):
    """Writes the tags of items into their folders. Call :meth:`shutdown` before the library is closed."""

    failed = Signal(str)
    """Some could not be written; what to tell the person."""

    def __init__(self, library: Library) -> None:
        super().__init__()
        self._library = library
        self._writer = ThreadPoolExecutor(1, "tags")  # one after the other: what was asked for last counts

    def write(self, items: Sequence[Item]) -> None:
        """Write the tags that items have."""
        if items:
            self._writer.submit(self._write, items)

    def shutdown(self) -> None:
        """Write what is still to be written, and end the thread."""
        self._writer.shutdown()

    def _write(self, items: Sequence[Item]) -> None:
        try:
            self._library.write_tags(items)
        except DataError as error:
            self.failed.emit(str(error))
