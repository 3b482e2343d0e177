"""The basis fields of one picture: the three scales that the function is read from, and which detail each carries."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from studio.engine.engine import Engine
from studio.engine.work.latents import BasisReady, BasisRequest
from studio.panels.inspector import item_title
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.theme.tokens import GRID, Colours
from studio.widgets.basics import label, styled
from studio.widgets.deep_zoom.images import PictureBox, to_opaque_image
from studio.widgets.dialog import Dialog
from studio.widgets.spectrum_chart import Curve, SpectrumChart

_NAMES = ("Coarse", "Middle", "Fine")
_PICTURE, _SPECTRUM = 208, 144  # px


class BasisDialog(Dialog):
    """Stays beside the work until it is closed."""

    def __init__(self, item: Item, engine: Engine, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Basis fields")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._item, self._theme = item, theme
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID)
        self.pictures = [PictureBox(theme, _PICTURE) for _ in _NAMES]
        self.spectra = [PictureBox(theme, _SPECTRUM) for _ in _NAMES]
        self.sizes = [label("", "small") for _ in _NAMES]
        self._dots = [QWidget() for _ in _NAMES]
        for column, name in enumerate(_NAMES):
            heading = QHBoxLayout()
            heading.setSpacing(GRID)
            self._dots[column].setFixedSize(GRID, GRID)
            heading.addWidget(self._dots[column])
            heading.addWidget(label(name, "heading"))
            heading.addStretch(1)
            heading.addWidget(self.sizes[column])
            self._grid.addLayout(heading, 0, column)
            self._grid.addWidget(self.pictures[column], 1, column)
            self._grid.addWidget(self.spectra[column], 2, column, Qt.AlignmentFlag.AlignHCenter)
            self.pictures[column].setAccessibleName(f"{name} basis field")
            self.spectra[column].setAccessibleName(f"Spectrum of the {name.lower()} basis field")
        self.chart = SpectrumChart(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)  # lower, the pictures would overlap
        layout.addWidget(label(item_title(item), "title"))
        layout.addWidget(
            label(
                "The function is read from these three scales, coarse to fine. Above, the main components of each as "
                "colours; below, its spectrum with low frequencies in the middle.",
                "muted",
                wrap=True,
            )
        )
        layout.addLayout(self._grid)
        layout.addWidget(label("Amplitude over frequency, in cycles across the picture", "muted"))
        layout.addWidget(self.chart)
        engine.answers(BasisReady).connect(self._on_basis)
        theme.changed.connect(self._on_theme)
        self._result: BasisReady | None = None
        self._on_theme()
        engine.ask(BasisRequest(item=item))

    def _on_basis(self, result: BasisReady) -> None:
        if result.request.item.id != self._item.id:
            return
        self._result = result
        for column, scale in enumerate(result.scales[: len(_NAMES)]):
            self.pictures[column].show_image(to_opaque_image(scale.picture))
            self.spectra[column].show_image(to_opaque_image(scale.spectrum))
            self.sizes[column].setText(f"{scale.width} × {scale.height},  {scale.channels} channels")
        self._on_theme()

    def _on_theme(self) -> None:
        colours = curve_colours(self._theme.colours)
        for dot, colour in zip(self._dots, colours, strict=True):
            dot.setStyleSheet(f"background: {colour}; border-radius: {GRID // 2}px;")
            styled(dot, "dot")
        if self._result is not None:
            self.chart.show_curves(
                [
                    Curve(name, colour, scale.frequencies, scale.profile)
                    for name, colour, scale in zip(_NAMES, colours, self._result.scales, strict=False)
                ]
            )


def curve_colours(colours: Colours) -> tuple[str, str, str]:
    """A colour for each scale, coarse to fine."""
    return colours.axis_z, colours.axis_y, colours.axis_x
