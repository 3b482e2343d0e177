"""The prompt box: several lines, growing with its text up to a limit."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QPlainTextEdit

from studio.theme.tokens import GRID

_MIN_LINES, _MAX_LINES = 4, 9


class PromptEdit(QPlainTextEdit):
    """Plain text alone: formatting and pictures are dropped when pasted, Tab leaves the box."""

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
