"""The prompt box: several lines, growing with its text up to a limit."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFocusEvent

from studio.theme.tokens import GRID
from studio.widgets.text_edit import TextEdit

_MIN_LINES, _MAX_LINES = 4, 9


class PromptEdit(TextEdit):
    """The prompt. `edited` carries it, without white space around it."""

    edited = Signal(str)

    def __init__(self, placeholder: str) -> None:
        super().__init__("Prompt", placeholder)
        self.textChanged.connect(self._on_text)
        self._fit()

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
