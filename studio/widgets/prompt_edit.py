"""The prompt box: several lines, growing with its text up to a limit."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPlainTextEdit

from studio.theme.tokens import GRID

_MIN_LINES, _MAX_LINES = 4, 9


class PromptEdit(QPlainTextEdit):
    """Plain text alone: formatting and pictures are dropped when pasted, Tab leaves the box.

    Undo takes back what was typed; where nothing was, it is the window's to take back what was done there.
    """

    edited = Signal(str)

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName("Prompt")
        self.setTabChangesFocus(True)
        self.textChanged.connect(self._on_text)
        self._fit()

    def describe(self, placeholder: str) -> None:
        """Show another placeholder; Qt by itself draws only every other one at once."""
        self.setPlaceholderText(placeholder)
        self.viewport().update()

    def text(self) -> str:
        """The prompt without white space around it."""
        return self.toPlainText().strip()

    def set_text(self, text: str) -> None:
        """Show another prompt, the cursor at its end."""
        if text != self.text():
            self.setPlainText(text)
            cursor = self.textCursor()
            cursor.movePosition(cursor.MoveOperation.End)
            self.setTextCursor(cursor)

    def forget_typing(self) -> None:
        """Leave the next undo to the window: the form was replaced since the last key."""
        self.document().clearUndoRedoStacks()

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

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Keep the cursor in view."""
        super().focusInEvent(event)
        self.ensureCursorVisible()

    def _on_text(self) -> None:
        self._fit()
        self.edited.emit(self.text())

    def _fit(self) -> None:
        lines = min(max(self.document().size().height(), _MIN_LINES), _MAX_LINES)
        self.setFixedHeight(round(lines * self.fontMetrics().lineSpacing()) + 3 * GRID)
