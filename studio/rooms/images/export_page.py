"""What is asked when a picture is exported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QWidget

from ddmi_core.export.options import ImageExport
from ddmi_core.fidelity import FitFacts
from ddmi_core.frame_size import LARGEST_SIDE, Extent
from studio.panels.export_dialog import ExportDialog, Place
from studio.panels.export_fields import (
    add_rows,
    recipe_box,
)
from studio.state.export_choice import Choice
from studio.widgets.basics import figure_box


@dataclass(frozen=True)
class PictureChoice(Choice):
    """What the dialog for pictures remembers."""

    KEPT_AS: ClassVar[str] = "picture_export"
    FINENESS: ClassVar[tuple[str, ...]] = ("resolution", "bits", "quality", "colours")

    suffix: str = ".png"
    resolution: int = 2048
    bits: int = 8
    quality: int = 92
    colours: int = 16
    embed_recipe: bool = True


class PictureExportDialog(ExportDialog[PictureChoice]):
    """For pictures: of any size, all of it or only what is seen."""

    formats = ImageExport.formats

    def __init__(
        self,
        title: str,
        choice: PictureChoice,
        place: Place,
        region: Extent | None = None,
        extent: Extent | None = None,
        parent: QWidget | None = None,
        *,
        fit: FitFacts | None = None,
    ) -> None:
        """`region`: what is seen, unless that is all. `extent`: what the picture covers of its canvas.

        `fit`: of a picture that stands for a file, which is exported at the file's own size, and with 16 bits if the
        file has them, unless the person asks for something else.
        """
        self._region, self._extent, self._fit = region, extent, fit
        super().__init__(title, choice, place, parent)

    def options(self) -> ImageExport:
        """What to export with."""
        return ImageExport(
            resolution=self.resolution.value(),
            region=self._region if self.seen_only.isChecked() else None,
            bits=self.bits.currentData() if self.bits.isEnabled() else 8,
            quality=self.quality.value(),
            colours=self.colours.value(),
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def choice(self) -> PictureChoice:
        """What to remember for the next time."""
        return PictureChoice(
            suffix=self.suffix(),
            resolution=self.resolution.value(),
            bits=self.bits.currentData(),
            quality=self.quality.value(),
            colours=self.colours.value(),
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def _add_options(self, grid: QGridLayout) -> None:
        self.resolution = figure_box("Longer side", 1, LARGEST_SIDE, 16, " px")
        self.resolution.setSingleStep(256)
        self.bits = QComboBox()
        self.bits.setAccessibleName("Depth")
        for bits in (8, 16):
            self.bits.addItem(f"{bits} bits a channel", bits)
        self.quality = figure_box("Quality", 1, 100, 1)
        self.colours = figure_box("Colours", 2, 64, 1)
        self.colours.setToolTip("Into how many colours the picture is parted; each area of one becomes a path")
        self.seen_only = QCheckBox("Only what is seen now")
        self.seen_only.setEnabled(self._region is not None)
        self.embed_recipe = recipe_box()
        self.resolution.valueChanged.connect(self._refresh)
        self.seen_only.toggled.connect(self._on_seen_only)
        add_rows(
            grid,
            ("Longer side", self.resolution),
            ("Depth", self.bits),
            ("Quality", self.quality),
            ("Colours", self.colours),
        )
        grid.addWidget(self.seen_only, 5, 1)
        grid.addWidget(self.embed_recipe, 6, 1)

    def _usual(self, choice: PictureChoice) -> PictureChoice:
        usual, own = super()._usual(choice), self._own_resolution(seen_only=False)
        if self._fit is not None and self._fit.bits == 16:
            usual = replace(usual, bits=16)
        return usual if own is None else replace(usual, resolution=own)

    def _own_resolution(self, *, seen_only: bool) -> int | None:
        """The pixels that the file has along the longer side of what is exported."""
        return None if self._fit is None else self._fit.resolution(self._region if seen_only else None)

    def _on_seen_only(self, seen_only: bool) -> None:
        """Keep the file's own density, unless the person has chosen another size."""
        before, own = self._own_resolution(seen_only=not seen_only), self._own_resolution(seen_only=seen_only)
        if own is not None and self.resolution.value() == before:
            self.resolution.setValue(own)
        self._refresh()

    def _show_choice(self, choice: PictureChoice) -> None:
        self.resolution.setValue(choice.resolution)
        self.bits.setCurrentIndex(max(0, self.bits.findData(choice.bits)))
        self.quality.setValue(choice.quality)
        self.colours.setValue(choice.colours)
        self.embed_recipe.setChecked(choice.embed_recipe)

    def _remark(self) -> str:
        width, height = self.options().pixels(self._extent)
        return f"{width:,} × {height:,} px"

    def _refresh(self) -> None:
        self.bits.setEnabled(self.suffix() in ImageExport.DEEP)
        self.quality.setEnabled(self.suffix() in (".jpg", ".webp"))
        self.colours.setEnabled(self.suffix() == ".svg")
        super()._refresh()
