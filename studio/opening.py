"""The application, and the files that the system hands to it while it runs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication


class Application(QApplication):
    """Tells which files the system asks it to open: on macOS a double click arrives so, and not as an argument."""

    file_asked = Signal(Path)

    def event(self, event: QEvent) -> bool:
        """Take what names a file; the rest is Qt's."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self.file_asked.emit(Path(event.file()))
            return True
        return super().event(event)
