"""Where a shape is cut: across which axis, how far along it, and which side of the cut is seen."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSlider

from ddmi_core.rendering.sections import Axis, Section
from studio.actions import Actions
from studio.panels.bar import Bar
from studio.theme.theme import Theme
from studio.widgets.basics import action_button, label

_AXES: tuple[Axis, ...] = (0, 1, 2)
_NAMES = "xyz"
_STEPS = 1000
_PAGE = 50
_FIGURE_WIDTH = 64  # px


class SectionBar(Bar):
    """Shown while there is a section. `changed` says that it is another one now, or none."""

    changed = Signal()

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__(theme, actions["section"])
        self._actions = actions
        self._axis: Axis = 0
        self.place = QSlider(Qt.Orientation.Horizontal)
        self.place.setRange(0, _STEPS)
        self.place.setValue(_STEPS // 2)
        self.place.setPageStep(_PAGE)
        self.place.setSingleStep(_PAGE // 10)
        self.place.setAccessibleName("Where the cut is")
        self.place.setToolTip("Move the cut along its axis")
        self.place.valueChanged.connect(lambda _place: self.changed.emit())
        self.figure = label("", "small")
        self.figure.setMinimumWidth(_FIGURE_WIDTH)  # so that the slider stays where it is
        self.figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for axis in _AXES:
            self.put(action_button(actions[f"section_{_NAMES[axis]}"]))
            actions.on(f"section_{_NAMES[axis]}", partial(self._cut_across, axis))
        actions["section_x"].setChecked(True)
        self.put(self.place, 1)
        self.put(self.figure)
        self.put(action_button(actions["section_flip"]))
        actions.on_toggled("section", lambda _on: self.changed.emit())
        actions.on_toggled("section_flip", lambda _on: self._turn_on())

    @property
    def section(self) -> Section | None:
        """What is cut; None where nothing is."""
        if not self._actions["section"].isChecked():
            return None
        return Section(self._axis, self.place.value() / _STEPS, self._actions["section_flip"].isChecked())

    def say_place(self, words: str) -> None:
        """Say how far along its axis the cut is."""
        self.figure.setText(words)
        self.figure.setToolTip(f"How far the cut is from the low end of {_NAMES[self._axis]}")

    def _cut_across(self, axis: Axis) -> None:
        self._axis = axis
        self._turn_on()

    def _turn_on(self) -> None:
        """Cut, or cut otherwise."""
        if self._actions["section"].isChecked():
            self.changed.emit()
        else:
            self._actions["section"].setChecked(True)
