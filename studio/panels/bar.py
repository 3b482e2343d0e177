"""A row below a canvas that belongs to one way to look at it, and leaves with that."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.theme.theme import Theme
from studio.theme.tokens import GRID, STRIP_HEIGHT
from studio.widgets.basics import icon_button, label, line, styled


class Bar(QWidget):
    """Begins with the name of an action that is on while it is shown, and ends with a button that turns it off."""

    def __init__(self, theme: Theme, action: QAction) -> None:
        super().__init__()
        styled(self, "panel")
        self.setFixedHeight(STRIP_HEIGHT)
        self._row = QHBoxLayout()
        self._row.setSpacing(GRID)
        self.close_button = icon_button(theme, "close", f"Leave: {action.text()}")
        self.close_button.clicked.connect(lambda: action.setChecked(False))
        whole = QHBoxLayout()
        whole.setContentsMargins(2 * GRID, 0, GRID, 0)
        whole.setSpacing(GRID)
        whole.addWidget(label(action.text(), "muted"))
        whole.addLayout(self._row, 1)
        whole.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(line())
        layout.addLayout(whole, 1)
        self.hide()

    def put(self, part: QWidget, stretch: int = 0) -> None:
        """Put another part into the row."""
        self._row.addWidget(part, stretch)
