"""What is asked when a clip is exported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from ddmi_core.export.exposure import Loop, Take
from ddmi_core.export.options import VideoExport
from ddmi_core.fidelity import FitFacts
from ddmi_core.frame_size import Extent
from ddmi_core.support.errors import ExportError
from studio.panels.export_dialog import ExportDialog, Place
from studio.panels.export_fields import (
    add_rows,
    film_notice,
    loop_box,
    rate_box,
    recipe_box,
    too_fast,
)
from studio.state.export_choice import Choice
from studio.widgets.basics import decimal_box, figure_box

_LEAST_SIDE = 16  # px


@dataclass(frozen=True)
class VideoChoice(Choice):
    """What the dialog for clips remembers."""

    KEPT_AS: ClassVar[str] = "video_export"
    FINENESS: ClassVar[tuple[str, ...]] = ("resolution", "fps", "quality", "loop", "shutter")

    suffix: str = ".mp4"
    resolution: int = 512
    fps: str = "30"
    quality: int = 75
    loop: Loop = "none"
    shutter: int = 0
    embed_recipe: bool = True


class VideoExportDialog(ExportDialog[VideoChoice]):
    """For clips: of any size and rate, all of it or the range that is played."""

    formats = VideoExport.formats

    def __init__(
        self,
        title: str,
        choice: VideoChoice,
        place: Place,
        seconds: float,
        span: tuple[float, float] | None = None,
        extent: Extent | None = None,
        parent: QWidget | None = None,
        *,
        has_recipe: bool = True,
        fit: FitFacts | None = None,
    ) -> None:
        """`seconds`: how long the clip lasts. `span`: the range between the marks, unless that is all.

        `extent`: what it covers of its canvas. `has_recipe`: whether there is a recipe to put into the file. `fit`:
        facts about the fit that the clip is, whose file's own pixels are usual then.
        """
        self._seconds, self._span, self._extent, self._has_recipe = seconds, span, extent, has_recipe
        self._fit = fit
        super().__init__(title, choice, place, parent)

    def options(self) -> VideoExport:
        """What to export with."""
        return VideoExport.checked(
            {
                "resolution": self.resolution.value(),
                "fps": self.fps.currentText(),
                "seconds": self.lasts.value(),
                "span": self._stretched() if self.range_only.isChecked() else None,
                "quality": self.quality.value(),
                "loop": self.loop.currentData(),
                "shutter": self.shutter.value(),
                "embed_recipe": self.embed_recipe.isChecked(),
            }
        )

    def choice(self) -> VideoChoice:
        """What to remember for the next time."""
        return VideoChoice(
            suffix=self.suffix(),
            resolution=self.resolution.value(),
            fps=self.fps.currentText(),
            quality=self.quality.value(),
            loop=self.loop.currentData(),
            shutter=self.shutter.value(),
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def _stretched(self) -> tuple[float, float] | None:
        """The range, in seconds of the clip as it is to last."""
        if self._span is None:
            return None
        growth = self.lasts.value() / self._seconds
        return self._span[0] * growth, self._span[1] * growth

    def _add_options(self, grid: QGridLayout) -> None:
        self.resolution = figure_box("Longer side", _LEAST_SIDE, 8192, 16, " px")
        self.resolution.setSingleStep(64)
        self.fps = rate_box()
        self.lasts = decimal_box("Seconds", 0.1, 3600, self._seconds, " s", decimals=3)
        self.lasts.setToolTip("How long the whole clip lasts: more is slow motion, with new frames in between")
        self.quality = figure_box("Quality", 1, 100, 1)
        self.loop = loop_box()
        self.shutter = figure_box("Shutter", 0, 360, 0, "°")
        self.shutter.setSingleStep(45)
        self.shutter.setSpecialValueText("No motion blur")
        self.shutter.setToolTip("How long each frame is exposed, in degrees as of a film camera: 180° blurs what moves")
        self.range_only = QCheckBox("Only the range between the marks")
        self.range_only.setEnabled(self._span is not None)
        self.range_only.setChecked(self._span is not None)
        self.embed_recipe = recipe_box()
        add_rows(
            grid,
            ("Longer side", self.resolution),
            ("Frames a second", self.fps),
            ("Length", self.lasts),
            ("Quality", self.quality),
            ("At the end", self.loop),
            ("Shutter", self.shutter),
        )
        grid.addWidget(self.range_only, 7, 1)
        grid.addWidget(self.embed_recipe, 8, 1)
        for changed in (
            self.resolution.valueChanged,
            self.lasts.valueChanged,
            self.fps.currentTextChanged,
            self.loop.currentIndexChanged,
        ):
            changed.connect(self._refresh)
        self.range_only.toggled.connect(self._refresh)

    def _usual(self, choice: VideoChoice) -> VideoChoice:
        usual, own = super()._usual(choice), None if self._fit is None else self._fit.resolution()
        return usual if own is None else replace(usual, resolution=max(_LEAST_SIDE, own))

    def _show_choice(self, choice: VideoChoice) -> None:
        self.resolution.setValue(choice.resolution)
        self.fps.setCurrentText(choice.fps)
        self.quality.setValue(choice.quality)
        self.loop.setCurrentIndex(max(0, self.loop.findData(choice.loop)))
        self.shutter.setValue(choice.shutter)
        self.embed_recipe.setChecked(choice.embed_recipe)

    def _remark(self) -> str:
        options = self.options()
        size = options.pixels(self._extent)
        start, stop = options.span or (0.0, self.lasts.value())
        return film_notice(size, self.suffix(), Take(start, stop, options.loop).count(options.fps))

    def _find_problem(self) -> str:
        try:
            return too_fast(self.suffix(), self.options().fps) or super()._find_problem()
        except ExportError as error:
            return str(error)

    def _refresh(self) -> None:
        self.quality.setEnabled(self.suffix() in (".mp4", ".webm", ".webp"))
        self.embed_recipe.setVisible(self._has_recipe and self.suffix() != ".png")
        super()._refresh()
