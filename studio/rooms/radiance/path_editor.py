"""The camera's path: key frames as small pictures that can be dragged, and when and how the camera goes on."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QGridLayout, QListWidget, QPushButton, QVBoxLayout, QWidget

from studio.state.camera_timeline import LONGEST, CameraTimeline
from studio.theme.tokens import GRID
from studio.widgets.basics import decimal_box, label

PICTURE = QSize(9 * GRID, 6 * GRID)
"""Of a key frame, in the screen's units."""
_EASINGS = (
    ("Flow through", "flowing", "Past the key frames without a halt"),
    ("Come to rest", "resting", "Set off slowly and come to rest at the next one"),
    ("Straight", "straight", "On a straight line, at one speed"),
)
_BUTTONS = (
    ("add", "Add", "Let the path go through where the camera is now"),
    ("update", "Update", "Put the key frame where the camera is now"),
    ("remove", "Remove", "Take the key frame out of the path"),
    ("clear", "Clear", "Take all of them out"),
    ("preview", "Play", "Go along the key frames"),
)
_FIELD_WIDTH = 14 * GRID
_SHOWN = 3  # key frames that are seen without scrolling


class PathEditor(QWidget):
    """Shows a `CameraTimeline`, and says what a person wants to be done with it.

    `asked` carries "add", "update", "remove", "preview" or "clear"; `chosen` the number of a key frame to go to;
    `reordered` the numbers in their new order; `retimed` the number, the seconds and the easing of one.
    """

    asked = Signal(str)
    chosen = Signal(int)
    reordered = Signal(list)
    retimed = Signal(int, float, str)

    def __init__(self) -> None:
        super().__init__()
        self.keys = QListWidget()
        self.keys.setAccessibleName("Key frames")
        self.keys.setIconSize(PICTURE)
        self.keys.setSpacing(2)
        self.keys.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.keys.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.keys.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.keys.setToolTip("Drag to change their order")
        self.keys.itemActivated.connect(lambda item: self.chosen.emit(self.keys.row(item)))
        self.keys.itemClicked.connect(lambda item: self.chosen.emit(self.keys.row(item)))
        self.keys.currentRowChanged.connect(lambda _row: self._show_times())
        # Later, since showing the new order while an entry is being dropped would take it away from under the drop
        self.keys.model().rowsMoved.connect(self._on_moved, Qt.ConnectionType.QueuedConnection)
        self.seconds = decimal_box("Seconds to the next key frame", 0.1, LONGEST, 2.0, " s", decimals=1)
        self.seconds.setKeyboardTracking(False)
        self.easing = QComboBox()
        self.easing.setAccessibleName("Way to the next key frame")
        for text, easing, tip in _EASINGS:
            self.easing.addItem(text, easing)
            self.easing.setItemData(self.easing.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        for field in (self.seconds, self.easing):  # the pane is no wider than it is
            field.setFixedWidth(_FIELD_WIDTH)
        self.seconds.valueChanged.connect(self._on_times)
        self.easing.activated.connect(self._on_times)
        self.buttons = {name: QPushButton(text) for name, text, _ in _BUTTONS}
        for name, _, tip in _BUTTONS:
            self.buttons[name].setToolTip(tip)
            self.buttons[name].clicked.connect(lambda _checked=False, serial=name: self.asked.emit(serial))
        self.length = label("", "small", wrap=True)
        self._timeline = CameraTimeline()
        self._lay_out()
        self.show_timeline(self._timeline)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        self._times = QWidget()
        times = QGridLayout(self._times)
        times.setContentsMargins(0, 0, 0, 0)
        times.setHorizontalSpacing(GRID)
        times.addWidget(label("To the next", "muted"), 0, 0)
        times.addWidget(self.seconds, 0, 1)
        times.addWidget(label("On the way", "muted"), 1, 0)
        times.addWidget(self.easing, 1, 1)
        buttons = QGridLayout()
        buttons.setSpacing(GRID)
        for place, button in enumerate(self.buttons.values()):
            buttons.addWidget(button, place // 2, place % 2)
        for part in (self.keys, self._times, self.length):
            column.addWidget(part)
        column.addLayout(buttons)

    def show_timeline(self, timeline: CameraTimeline, chosen: int | None = None) -> None:
        """Show key frames; the one chosen is marked, or the one that was, as far as it is there."""
        row = self.keys.currentRow() if chosen is None else chosen
        self._timeline = timeline
        count = len(timeline.keys)
        with QSignalBlocker(self.keys):
            self.keys.clear()
            for number, key in enumerate(timeline.keys):
                picture = QPixmap()
                picture.loadFromData(key.picture)
                last = number == count - 1
                self.keys.addItem(f"{number + 1}" if last else f"{number + 1}  ·  {key.seconds:.1f} s")
                entry = self.keys.item(number)
                icon = QIcon(picture)
                icon.addPixmap(picture, QIcon.Mode.Selected)  # as it is, not in the colour of what is selected
                entry.setIcon(icon)
                entry.setData(Qt.ItemDataRole.UserRole, number)
                entry.setData(Qt.ItemDataRole.AccessibleTextRole, f"Key frame {number + 1}")
            self.keys.setCurrentRow(min(row, count - 1))
        self.keys.setVisible(count > 0)
        self.keys.setFixedHeight(min(count, _SHOWN) * (PICTURE.height() + GRID) + GRID)
        for name, fewest in (("update", 1), ("remove", 1), ("clear", 1), ("preview", 2)):
            self.buttons[name].setEnabled(count >= fewest)
        self.length.setText(
            f"{count} key frames, {timeline.seconds:.1f} s"
            if count > 1
            else "Add where the camera is, move it, add again."
        )
        self._show_times()

    def chosen_key(self) -> int:
        """The number of the key frame that is marked in the list, or of the last one."""
        row = self.keys.currentRow()
        return row if row >= 0 else self.keys.count() - 1

    def _show_times(self) -> None:
        """Show how the camera goes on from the key frame that is marked; from the last one it does not."""
        number, keys = self.chosen_key(), self._timeline.keys
        self._times.setVisible(len(keys) > 1)
        self._times.setEnabled(0 <= number < len(keys) - 1)
        if 0 <= number < len(keys):
            with QSignalBlocker(self.seconds):
                self.seconds.setValue(keys[number].seconds)
            self.easing.setCurrentIndex(self.easing.findData(keys[number].easing))

    def _on_times(self) -> None:
        self.retimed.emit(self.chosen_key(), self.seconds.value(), self.easing.currentData())

    def _on_moved(self) -> None:
        self.reordered.emit([self.keys.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.keys.count())])
