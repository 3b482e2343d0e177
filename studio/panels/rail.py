"""The rail of rooms at the window's left edge."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QToolButton, QVBoxLayout, QWidget

from studio.theme.theme import Theme
from studio.theme.tokens import GRID, RAIL_WIDTH
from studio.widgets.basics import styled

_BELOW = Qt.ToolButtonStyle.ToolButtonTextUnderIcon
_ALONE = Qt.ToolButtonStyle.ToolButtonIconOnly
_ROOM, _SMALL_ROOM = 68, 44  # px for a room with its name and without, at least


class Rail(QWidget):
    """One button per room, icon above label. `chosen` carries the room's place."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        styled(self, "panel")
        self.setFixedWidth(RAIL_WIDTH)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.chosen)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(GRID, GRID, GRID, GRID)
        self._layout.setSpacing(GRID // 2)
        self._layout.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the names out where there is no room for them."""
        super().resizeEvent(event)
        buttons = self._group.buttons()
        style = _ALONE if event.size().height() < len(buttons) * _ROOM else _BELOW
        for button in buttons:
            button.setToolButtonStyle(style)  # type: ignore[attr-defined]

    def add(self, title: str, icon: str, tip: str) -> None:
        """Add a room below the others."""
        button = QToolButton()
        button.setText(title)
        button.setToolTip(tip)
        button.setToolButtonStyle(_BELOW)
        button.setAccessibleName(title)
        button.setIconSize(QSize(24, 24))
        button.setCheckable(True)
        button.setProperty("look", "room")
        button.setFixedWidth(RAIL_WIDTH - 2 * GRID)
        self._theme.bind_icon(button, icon)
        place = len(self._group.buttons())
        self._group.addButton(button, place)
        self._layout.insertWidget(place, button)
        self.setMinimumHeight((place + 1) * _SMALL_ROOM)

    def button(self, place: int) -> QAbstractButton:
        """The button of a room."""
        return self._group.button(place)

    def select(self, place: int) -> None:
        """Mark a room as the one shown. Tab goes to it, the arrow keys from there to the others."""
        chosen = self._group.button(place)
        chosen.setChecked(True)
        for button in self._group.buttons():
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus if button is chosen else Qt.FocusPolicy.NoFocus)
