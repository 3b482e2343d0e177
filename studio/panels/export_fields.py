"""What the rooms ask alike in their export dialogs."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QWidget

from ddmi_core.export.options import FASTEST_GIF, LONGEST
from ddmi_core.frame_size import frame_size, size_notice
from ddmi_core.placement import Placement
from studio.theme.tokens import GRID
from studio.widgets.basics import SliderField, decimal_box, figure_box, label
from studio.widgets.number_boxes import DecimalBox, WholeBox

MIN_RESOLUTION, MAX_RESOLUTION = 64, 512
MIN_FACES, MAX_FACES = 100, 5_000_000
_RATES = ("12", "24", "24000/1001", "25", "30", "30000/1001", "50", "60", "120")
_RATE_TIP = "Any number, or a fraction such as 30000/1001, which 29.97 stands for too"


def resolution_field() -> SliderField:
    """Samples along each axis of a mesh."""
    field = SliderField("Resolution", MIN_RESOLUTION, MAX_RESOLUTION, step=16)
    field.setToolTip("Samples along each axis of the mesh; the function itself has no resolution")
    return field


def faces_box() -> WholeBox:
    """How many faces a mesh is simplified to."""
    box = figure_box("Faces", MIN_FACES, MAX_FACES, MIN_FACES, " faces")
    box.setSingleStep(1000)
    return box


def rate_box() -> QComboBox:
    """Frames a second, as a person writes them."""
    box = QComboBox()
    box.setEditable(True)
    box.setAccessibleName("Frames a second")
    box.addItems(_RATES)
    box.setToolTip(_RATE_TIP)
    return box


def loop_box() -> QComboBox:
    """Whether a film ends as it begins."""
    box = QComboBox()
    box.setAccessibleName("At the end")
    for name, loop in (("Stop", "none"), ("Run back to the start", "back"), ("Dissolve into the start", "dissolve")):
        box.addItem(name, loop)
    box.setToolTip("A film that ends as it begins can be played round and round without a jump")
    return box


def recipe_box() -> QCheckBox:
    """Whether the file says how it was made."""
    box = QCheckBox("Put the recipe into the file")
    box.setToolTip("The prompt, the seed and whatever else made it: drop the file on the window to have it back")
    return box


def add_rows(grid: QGridLayout, *rows: tuple[str, QWidget]) -> None:
    """Put named fields into a dialog's grid, below its first row."""
    for row, (name, field) in enumerate(rows, start=1):
        grid.addWidget(label(name, "muted"), row, 0)
        grid.addWidget(field, row, 1)


def units_box(placement: Placement | None) -> QComboBox:
    """The file's own units or the unit cube, as the data False and True."""
    box = QComboBox()
    box.setAccessibleName("Units")
    longest = "" if placement is None else f", longest side {placement.longest:.4g}"
    box.addItem(f"Those of the file{longest}", False)
    box.addItem("Unit cube, longest side 1.8", True)
    box.setToolTip("Size, place and up axis of the file that this was made from, or those that models work in")
    return box


def longest_box() -> DecimalBox:
    """How long the longest side of a mesh becomes; 0 leaves it as it is."""
    box = decimal_box("Longest side", 0.0, LONGEST, 0.0)
    box.setSingleStep(10.0)
    box.setSpecialValueText("As it is")
    box.setToolTip("A length to make the longest side, around the origin. Printers take lengths for millimetres")
    return box


def film_notice(size: tuple[int, int], suffix: str, count: int) -> str:
    """Say how large a film becomes, and why that is another size than the one asked for."""
    width, height = frame_size(*size, suffix)
    frames = "1 frame" if count == 1 else f"{count:,} frames"
    return size_notice(*size, suffix) or f"{frames} of {width:,} × {height:,} px"


def about(seconds: float) -> str:
    """Say how long something takes, as finely as such a guess is good."""
    if seconds < 10:
        return "some seconds"
    if seconds < 90:
        return f"about {10 * round(seconds / 10)} seconds"
    minutes = round(seconds / 60)
    return f"about {minutes} minutes" if minutes < 90 else f"about {round(minutes / 60)} hours"


def too_fast(suffix: str, fps: Fraction) -> str:
    """Say so if a format has not so many frames a second."""
    return f"A GIF goes up to {FASTEST_GIF} frames a second." if suffix == ".gif" and fps > FASTEST_GIF else ""


def side_by_side(*fields: QWidget) -> QWidget:
    """Fields in one row, as one."""
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID)
    for field in fields:
        row.addWidget(field, 1)
    return both
