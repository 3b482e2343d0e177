"""A row below the viewport that belongs to one way to look at a shape, and leaves with it."""

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
        self._action = action
        styled(self, "panel")
        self.setFixedHeight(STRIP_HEIGHT)
        self.row = QHBoxLayout()
        self.row.setContentsMargins(2 * GRID, 0, GRID, 0)
        self.row.setSpacing(GRID)
        self.row.addWidget(label(action.text(), "muted"))
        self.close_button = icon_button(theme, "close", f"Leave: {action.text()}")
        self.close_button.clicked.connect(lambda: action.setChecked(False))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(line())
        layout.addLayout(self.row, 1)

    def _end(self) -> None:
        """Put the button at the end of the row."""
        self.row.addWidget(self.close_button)
