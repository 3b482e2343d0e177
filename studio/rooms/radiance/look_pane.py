"""The pane beside the radiance field: how it is looked at, and the camera's path."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QDoubleRangeSlider

from ddmi_core.rendering.view_settings import Crop, ViewSettings
from studio.rooms.radiance.path_editor import PathEditor
from studio.theme.tokens import GRID
from studio.widgets.basics import SliderField, decimal_box, label, line, styled
from studio.widgets.number_boxes import DecimalBox

Colour = tuple[int, int, int]

_WIDTH = 248
_FARTHEST = 20.0
_BACKGROUNDS: tuple[tuple[str, Colour | None], ...] = (
    ("Transparent", None),
    ("White", (255, 255, 255)),
    ("Black", (0, 0, 0)),
    ("Grey", (119, 119, 119)),
)
_OTHER = "Other colour…"


class LookPane(QScrollArea):
    """`settings` (but for the channel) and `fov` hold what is chosen; `changed` says that they have changed.

    `path` edits the camera's path.
    """

    changed = Signal()

    def __init__(self, fov: float) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedWidth(_WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        first = ViewSettings()
        self.fov_field = SliderField("Field of view in degrees", 5, 120)
        self.fov_field.set_value(fov)
        self.samples = SliderField("Samples along each ray", 32, 1024, step=32)
        self.samples.set_value(first.samples)
        self.near = _distance("Near", first.near)
        self.far = _distance("Far", _FARTHEST)
        self.background = QComboBox()
        self.background.setAccessibleName("Background")
        for name, colour in _BACKGROUNDS:
            self.background.addItem(name, colour)
        self.background.addItem(_OTHER)
        self.crop = [QDoubleRangeSlider(Qt.Orientation.Horizontal) for _ in range(3)]
        for axis, slider in zip("xyz", self.crop, strict=True):
            slider.setAccessibleName(f"Crop along {axis}")
            slider.setRange(-1.0, 1.0)
            slider.setSingleStep(0.02)
            slider.setValue((-1.0, 1.0))
            slider.valueChanged.connect(lambda _ends: self.changed.emit())
        self.uncrop = QPushButton("Show all")
        self.uncrop.clicked.connect(self._show_all)
        self.path = PathEditor()
        self._lay_out()
        self.fov_field.changed.connect(lambda _value: self.changed.emit())
        self.samples.changed.connect(lambda _value: self.changed.emit())
        for box in (self.near, self.far):
            box.valueChanged.connect(lambda _value: self.changed.emit())
        self.background.activated.connect(self._on_background)

    def _lay_out(self) -> None:
        inside = QWidget()
        styled(inside, "panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(2 * GRID, GRID + GRID // 2, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID // 2)
        distances = QGridLayout()
        distances.setHorizontalSpacing(GRID)
        distances.addWidget(label("Nothing nearer than", "muted"), 0, 0)
        distances.addWidget(self.near, 0, 1)
        distances.addWidget(label("Nothing beyond", "muted"), 1, 0)
        distances.addWidget(self.far, 1, 1)
        crop = QGridLayout()
        crop.setHorizontalSpacing(GRID)
        for row, (axis, slider) in enumerate(zip("xyz", self.crop, strict=True)):
            crop.addWidget(label(axis, "muted"), row, 0)
            crop.addWidget(slider, row, 1)
        heading = QHBoxLayout()
        heading.addWidget(label("Crop box", "muted"), 1)
        heading.addWidget(self.uncrop)
        for part in (
            label("Field of view", "muted"),
            self.fov_field,
            label("Samples along a ray", "muted"),
            self.samples,
        ):
            column.addWidget(part)
        column.addLayout(distances)
        column.addSpacing(GRID // 2)
        column.addWidget(label("Background", "muted"))
        column.addWidget(self.background)
        column.addSpacing(GRID // 2)
        column.addLayout(heading)
        column.addLayout(crop)
        column.addSpacing(GRID)
        column.addWidget(line())
        column.addSpacing(GRID // 2)
        column.addWidget(label("Camera path", "muted"))
        column.addWidget(self.path)
        column.addStretch(1)
        self.setWidget(inside)

    @property
    def fov(self) -> float:
        """The vertical field of view in degrees."""
        return float(self.fov_field.value())

    def settings(self) -> ViewSettings:
        """What is chosen, seen in colour."""
        near, far = self.near.value(), self.far.value()
        return ViewSettings(
            samples=int(self.samples.value()),
            near=min(near, far - 0.01) if far > 0 else 0.0,
            far=max(far, 0.01),
            crop=self._crop(),
            background=self.background.currentData(),
        )

    def _crop(self) -> Crop:
        """The box, never thinner than a hundredth."""
        lows = [min(float(slider.value()[0]), 0.99) for slider in self.crop]
        highs = [max(float(slider.value()[1]), low + 0.01) for low, slider in zip(lows, self.crop, strict=True)]
        return (lows[0], lows[1], lows[2], highs[0], highs[1], highs[2])

    def show_fov(self, fov: float) -> None:
        """Show the field of view of a camera that was moved from elsewhere; says nothing of it."""
        self.fov_field.blockSignals(True)
        self.fov_field.set_value(round(fov))
        self.fov_field.blockSignals(False)

    def _show_all(self) -> None:
        for slider in self.crop:
            slider.setValue((-1.0, 1.0))

    def _on_background(self) -> None:
        if self.background.currentText() == _OTHER:
            found = QColorDialog.getColor(QColor("white"), self, "Background")
            if not found.isValid():
                self.background.setCurrentIndex(0)
            else:
                place = self.background.count() - 1
                self.background.insertItem(place, found.name(), (found.red(), found.green(), found.blue()))
                self.background.setCurrentIndex(place)
        self.changed.emit()


def _distance(name: str, value: float) -> DecimalBox:
    box = decimal_box(name, 0.0, _FARTHEST, value)
    box.setFixedWidth(80)
    box.setKeyboardTracking(False)
    return box
