"""A box for text of several lines."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPlainTextEdit


class TextEdit(QPlainTextEdit):
    """Plain text alone: formatting and pictures are dropped when pasted, Tab leaves the box.

    Undo takes back what was typed; where nothing was, it is the window's to take back what was done there.
    """

    def __init__(self, name: str, placeholder: str) -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)

    def describe(self, placeholder: str) -> None:
        """Show another placeholder; Qt by itself draws only every other one at once."""
        self.setPlaceholderText(placeholder)
        self.viewport().update()

    def event(self, event: QEvent) -> bool:
        """Keep undo and redo from the window only while there is something typed to take back."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            document, standard = self.document(), QKeySequence.StandardKey
            if (event.matches(standard.Undo) and not document.isUndoAvailable()) or (
                event.matches(standard.Redo) and not document.isRedoAvailable()
            ):
                event.ignore()
                return False
        return super().event(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Leave files to the window, which knows what to do with them."""
        return not source.hasUrls() and super().canInsertFromMimeData(source)
