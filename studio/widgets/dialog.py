"""Dialogs that never are larger than the screen, whatever the text size."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QScrollArea, QVBoxLayout, QWidget

from studio.widgets.basics import ANY_SIZE

_FRAME = QSize(16, 40)
"""What a window manager draws around a window, about."""


class Dialog(QDialog):
    """A dialog whose content scrolls where the screen is too small for it."""

    def showEvent(self, event: QShowEvent) -> None:
        """Fit onto the screen before anything is seen."""
        fit_to(self, self.screen().availableGeometry().size() - _FRAME)
        super().showEvent(event)


def fit_to(dialog: QDialog, room: QSize) -> None:
    """Make a dialog no larger than the room there is; where its layout needs more than that, it scrolls."""
    layout = dialog.layout()
    if layout is None:
        return
    needed = layout.totalMinimumSize().expandedTo(dialog.minimumSize())
    if layout.hasHeightForWidth():
        needed.setHeight(max(needed.height(), layout.totalHeightForWidth(max(needed.width(), dialog.width()))))
    if needed.width() > room.width() or needed.height() > room.height():
        content = QWidget()
        content.setLayout(layout)  # which takes it, and all that is in it, away from the dialog
        content.setMinimumSize(needed)
        area = QScrollArea()
        area.setProperty("look", "fitted")
        area.setAccessibleName(dialog.windowTitle())
        area.setWidgetResizable(True)
        area.setWidget(content)
        if any(part.focusPolicy() & Qt.FocusPolicy.TabFocus for part in content.findChildren(QWidget)):
            area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # else the arrow keys scroll it
        outer = QVBoxLayout(dialog)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        dialog.setMinimumSize(0, 0)
        dialog.setMaximumSize(ANY_SIZE, ANY_SIZE)
        bar = area.verticalScrollBar().sizeHint().width() + 2
        dialog.resize((needed + QSize(bar, 0)).expandedTo(dialog.size()).boundedTo(room))
    else:
        # Qt opens a dialog too low for a text that wraps, and lets what has a fixed size overlap.
        dialog.resize(dialog.size().expandedTo(needed).boundedTo(room))
