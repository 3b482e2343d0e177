"""The sheet of all shortcuts, made from the actions themselves."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from studio.actions import shown_keys
from studio.facts import RoomFacts
from studio.keymap import Keymap
from studio.theme.tokens import GRID
from studio.widgets.basics import label
from studio.widgets.dialog import Dialog

_COLUMNS = 3
_COLUMN_WIDTH = 360  # px


def sections(room: RoomFacts, keymap: Keymap) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Section, then its actions with their keys; only what has a shortcut in a room, in the order of the actions."""
    words, result = room.words, []
    for section, specs in groupby(keymap.specs_in(words.domain), key=lambda spec: words.put_into(spec.section)):
        rows = [
            (words.put_into(spec.text).rstrip("…"), list(dict.fromkeys(map(shown_keys, keys))))
            for spec in specs
            if (keys := keymap.keys(spec.id))
        ]
        if rows:
            result.append((section, rows))
    result.append(("Mouse", [(text, [keys]) for text, keys in room.mouse]))
    merged: dict[str, list[tuple[str, list[str]]]] = {}
    for section, rows in result:
        merged.setdefault(section, []).extend(rows)
    return list(merged.items())


class ShortcutSheet(Dialog):
    """Lists the shortcuts of a room; closes with Esc like any dialog."""

    def __init__(self, room: RoomFacts, keymap: Keymap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        most = min(_COLUMNS, max(1, self.screen().availableGeometry().width() // _COLUMN_WIDTH))
        columns = QHBoxLayout(self)
        columns.setContentsMargins(4 * GRID, 3 * GRID, 4 * GRID, 4 * GRID)
        columns.setSpacing(6 * GRID)
        everything = sections(room, keymap)
        heights = [len(rows) + 2 for _, rows in everything]
        limit = sum(heights) / most
        column, filled = self._column(columns), 0.0
        for (section, rows), height in zip(everything, heights, strict=True):
            if filled and filled + height / 2 > limit and columns.count() < most:
                column.addStretch(1)
                column, filled = self._column(columns), 0.0
            column.addWidget(label(section, "heading"))
            grid = QGridLayout()
            grid.setHorizontalSpacing(3 * GRID)
            grid.setVerticalSpacing(GRID // 2 + 2)
            grid.setColumnStretch(0, 1)
            for index, (text, keys) in enumerate(rows):
                grid.addWidget(label(text, "muted"), index, 0)
                caps = QHBoxLayout()
                caps.setSpacing(GRID // 2)
                caps.addStretch(1)
                for key in keys[:2]:
                    caps.addWidget(label(key, "key"), 0, Qt.AlignmentFlag.AlignRight)
                grid.addLayout(caps, index, 1)
            column.addLayout(grid)
            column.addSpacing(2 * GRID)
            filled += height
        column.addStretch(1)

    @staticmethod
    def _column(columns: QHBoxLayout) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(GRID)
        columns.addLayout(column, 1)
        return column
