"""The card of a model: what it was trained on, how, and under which licence."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from ddmi_core.model_card import is_licence
from ddmi_core.model_folder import ModelInfo
from studio.launcher import open_outside
from studio.state.notifications import Notifications
from studio.theme.documents import dress
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.dialog import Dialog

_SIZE = (680, 600)
_MARKDOWN = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML

_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")


class _Page(QTextBrowser):
    """Shows Markdown of unknown origin: no HTML, no pictures, and no link but into the web opens."""

    def __init__(self, text: str, theme: Theme, notifications: Notifications) -> None:
        super().__init__()
        self._notifications = notifications
        self.setOpenLinks(False)
        self.anchorClicked.connect(self._open)
        self.document().setMarkdown(_PICTURE.sub("", text), _MARKDOWN)
        self.document().setDocumentMargin(2 * GRID)
        dress(self.document(), theme.colours)
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Load nothing."""
        return None

    def show_licence(self) -> None:
        """Scroll to what it says of the licence, if it does."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and is_licence(block.text()):
                place = self.document().documentLayout().blockBoundingRect(block)
                self.verticalScrollBar().setValue(int(place.top()))
                return
            block = block.next()

    def _open(self, link: QUrl) -> None:
        if link.scheme() in ("http", "https"):
            open_outside(link, self._notifications)


class ModelCard(Dialog):
    """Shows a card, Markdown, to be read and copied; an empty one is none."""

    def __init__(
        self, model: ModelInfo, text: str, theme: Theme, notifications: Notifications, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Card of {model.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*_SIZE)
        self.text = _Page(text or "This model has no card.", theme, notifications)
        self.text.setAccessibleName("Model card")
        close = QPushButton("Close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(self.text, 1)
        layout.addLayout(buttons)

    def open_at_licence(self) -> None:
        """Show it, at what it says of the licence."""
        self.open()
        self.text.show_licence()  # how high the text is, is known only now
