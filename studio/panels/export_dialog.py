"""The export dialogs: format, what can be chosen about it, and where to."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, get_args

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.export.options import (
    FASTEST_GIF,
    ExportOptions,
    ImageExport,
    KeyFrame,
    RadianceExport,
    ShapeExport,
    VideoExport,
)
from ddmi_core.fidelity import FitFacts
from ddmi_core.frame_size import LARGEST_SIDE, Extent, frame_size, told_size
from ddmi_core.placement import Placement
from ddmi_core.rendering.view_settings import WHOLE_SPACE, ViewSettings
from ddmi_core.support.errors import ExportError
from studio.theme.tokens import CONTROL_HEIGHT, GRID
from studio.widgets.basics import SliderField, breakable, decimal_box, decision, figure_box, label, line
from studio.widgets.dialog import Dialog
from studio.widgets.number_boxes import WholeBox
from studio.widgets.saving import browse, format_in, free_path, may_replace, with_format

MIN_RESOLUTION, MAX_RESOLUTION = 64, 512
MIN_FACES, MAX_FACES = 100, 5_000_000
_WIDTH = 480
_OF_SEVERAL_VIEWS = (*RadianceExport.FILMS, ".json")
_RATES = ("12", "24", "24000/1001", "25", "30", "30000/1001", "50", "60", "120")
_SUFFIX = re.compile(r"(?<=\w)\.[A-Za-z]\w{1,4}$")
_RATE_TIP = "Any number, or a fraction such as 30000/1001, which 29.97 stands for too"


@dataclass(frozen=True)
class Choice:
    """What every dialog remembers: the format, and what its kind of signals adds to it.

    How fine the last file was (`FINENESS`) is remembered too, but a dialog does not begin with it: a sketch must not
    make sketches of all that follows.
    """

    FINENESS: ClassVar[tuple[str, ...]] = ()

    suffix: str = ""

    def afresh(self) -> Self:
        """The same with the usual fineness."""
        usual: dict[str, Any] = {field.name: field.default for field in fields(self) if field.name in self.FINENESS}
        return replace(self, **usual)


@dataclass(frozen=True)
class ExportChoice(Choice):
    """What the dialog for shapes remembers. `faces` counts only if `simplify`."""

    FINENESS: ClassVar[tuple[str, ...]] = ("resolution", "simplify", "faces")

    suffix: str = ".glb"
    resolution: int = 256
    simplify: bool = False
    faces: int = 20_000
    unit_cube: bool = False


@dataclass(frozen=True)
class PictureChoice(Choice):
    """What the dialog for pictures remembers."""

    FINENESS: ClassVar[tuple[str, ...]] = ("resolution", "bits", "quality")

    suffix: str = ".png"
    resolution: int = 2048
    bits: int = 8
    quality: int = 92
    embed_recipe: bool = True


@dataclass(frozen=True)
class VideoChoice(Choice):
    """What the dialog for clips remembers."""

    FINENESS: ClassVar[tuple[str, ...]] = ("resolution", "fps", "quality")

    suffix: str = ".mp4"
    resolution: int = 512
    fps: str = "30"
    quality: int = 75
    embed_recipe: bool = True


Motion = Literal["still", "turntable", "path"]
"""What the camera does in an export of a radiance field."""


@dataclass(frozen=True)
class RadianceChoice(Choice):
    """What the dialog for radiance fields remembers. `resolution` and `faces` are those of meshes."""

    FINENESS: ClassVar[tuple[str, ...]] = ("width", "height", "views", "fps", "resolution", "simplify", "faces")

    suffix: str = ".png"
    motion: str = "still"
    width: int = 768
    height: int = 768
    views: int = 72
    fps: str = "24"
    resolution: int = 192
    simplify: bool = False
    faces: int = 50_000
    unit_cube: bool = False
    embed_recipe: bool = True

    def as_turntable(self) -> RadianceChoice:
        """The same for a film of a whole turn."""
        film = self.suffix if self.suffix in RadianceExport.FILMS else ".mp4"
        return replace(self, suffix=film, motion="turntable")


@dataclass(frozen=True)
class Scene:
    """Where the camera is when a radiance field is exported: `here`, and as an orbit; `path` has the key frames."""

    here: KeyFrame
    azimuth: float
    elevation: float
    distance: float
    path: tuple[KeyFrame, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a file may go: the folder that is proposed, and whether a path is being written just now."""

    folder: Path
    is_being_written: Callable[[Path], bool] = lambda _path: False


@dataclass(frozen=True)
class Order:
    """What is to be written: where to, how, and whether a file of that name may be replaced."""

    path: Path
    options: ExportOptions
    replace: bool = False


_C = TypeVar("_C", bound=Choice)


class FileDialog(Dialog, Generic[_C]):
    """Asks for a format and a file. After `accept`, `order()` and `choice()` hold the answer.

    A domain's dialog makes its own fields in `_add_options` and fills them in `_show_choice`.

    Args:
        title: of what is exported.
        formats: suffix and name.
        choice: of the last export.
        place: where the file may go.
        parent: the window.
    """

    def __init__(
        self, title: str, formats: Mapping[str, str], choice: _C, place: Place, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setFixedWidth(_WIDTH)
        self._formats, self._place, self._replace = formats, place, False

        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        for suffix, name in formats.items():
            self.format.addItem(name, suffix)
        self.file = QLineEdit()
        self.file.setAccessibleName("File")
        choose = QPushButton("Browse…")
        choose.clicked.connect(self._browse)
        self.remark = label("", "muted", wrap=True)
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.as_last_time = QPushButton("As last time")
        self.as_last_time.setToolTip("Take the size and the fineness of the last export")
        self.as_last_time.setFixedHeight(CONTROL_HEIGHT + GRID)
        self.as_last_time.clicked.connect(lambda: self._show_choice(choice))
        self.export = QPushButton("Export")
        self.export.clicked.connect(self._on_export)

        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID + GRID // 2)
        grid.setColumnStretch(1, 1)
        file_row = QHBoxLayout()
        file_row.setSpacing(GRID)
        file_row.addWidget(self.file, 1)
        file_row.addWidget(choose)
        grid.addWidget(label("Format", "muted"), 0, 0)
        grid.addWidget(self.format, 0, 1)
        self._add_options(grid)
        row = grid.rowCount()
        grid.addWidget(label("File", "muted"), row, 0)
        grid.addLayout(file_row, row, 1)
        grid.addWidget(self.remark, row + 1, 1)
        heading = label(breakable(title if len(title) <= 120 else title[:119] + "…"), "heading", wrap=True)
        buttons = decision(self, self.export)
        buttons.insertWidget(0, self.as_last_time)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(heading)
        layout.addLayout(grid)
        layout.addWidget(self.problem)
        layout.addWidget(line())
        layout.addLayout(buttons)

        self.format.setCurrentIndex(max(0, self.format.findData(choice.suffix)))
        usual = self._usual(choice)
        self._show_choice(usual)
        self.as_last_time.setVisible(choice != usual)
        self.file.setText(str(free_path(place.folder / f"{file_stem(title)}{self.suffix()}", self._is_taken)))
        self.format.currentIndexChanged.connect(self._on_format)
        self.file.textEdited.connect(self._follow_name)
        self._refresh()

    def suffix(self) -> str:
        """The chosen format's suffix."""
        suffix: str = self.format.currentData()
        return suffix

    def path(self) -> Path:
        """The file to write; a bare name lies in the folder that was proposed."""
        return self._place.folder / Path(self.file.text().strip()).expanduser()

    def order(self) -> Order:
        """The answer."""
        return Order(self.path(), self.options(), self._replace)

    def ask(self) -> Order | None:
        """Show the dialog and wait for the answer; None if the person thinks better of it. The dialog goes."""
        answer = self.order() if self.exec() else None
        self.deleteLater()
        return answer

    def _usual(self, choice: _C) -> _C:
        """What the dialog begins with, after a choice."""
        return choice.afresh()

    @abstractmethod
    def options(self) -> ExportOptions:
        """What to export with.

        Raises:
            ExportError: a choice does not fit.
        """

    @abstractmethod
    def choice(self) -> _C:
        """What to remember for the next time."""

    @abstractmethod
    def _add_options(self, grid: QGridLayout) -> None:
        """Make the domain's own fields, from row 1 of the grid on; changes of them call `_refresh`."""

    @abstractmethod
    def _show_choice(self, choice: _C) -> None:
        """Fill the domain's own fields."""

    def _told(self) -> str:
        """What a person should know beforehand, as it stands."""
        return ""

    def _refresh(self) -> None:
        """Show what counts for the format, and what is to be known."""
        try:
            told = self._told()
        except ExportError:  # is said when Export is pressed
            told = ""
        self.remark.setText(told)
        self.remark.setVisible(bool(told))

    def _on_format(self) -> None:
        if self.file.text().strip():
            self.file.setText(str(with_format(self.path(), self.suffix(), self._formats)))
        self._refresh()

    def _follow_name(self) -> None:
        """A suffix that is typed chooses its format."""
        typed = format_in(self.path().name, self._formats)
        if typed and typed != self.suffix():
            self.format.blockSignals(True)
            self.format.setCurrentIndex(self.format.findData(typed))
            self.format.blockSignals(False)
            self._refresh()

    def _is_taken(self, path: Path) -> bool:
        return self._place.is_being_written(path) or any(target.exists() for target in self.options().targets(path))

    def _browse(self) -> None:
        chosen = browse(self, "Export to", self.path(), self._formats, self.suffix())
        if chosen is not None:
            self.file.setText(str(chosen))
            self._follow_name()

    def _on_export(self) -> None:
        problem = self._find_problem()
        self.problem.setText(breakable(problem))
        self.problem.setVisible(bool(problem))
        if problem:
            return
        there = next((target for target in self.options().targets(self.path()) if target.exists()), None)
        self._replace = there is not None and may_replace(there, self)
        if there is None or self._replace:
            self.accept()

    def _find_problem(self) -> str:
        if not self.file.text().strip():
            return "Choose a file to write."
        self._follow_name()
        path = with_format(self.path(), self.suffix(), self._formats)
        self.file.setText(str(path))
        if path.is_dir():
            return f"{path} is a folder. Choose a file name."
        if not path.parent.is_dir():
            return f"The folder {path.parent} does not exist."
        try:
            targets = self.options().targets(path)
        except ExportError as error:
            return str(error)
        for target in targets:
            if target.is_dir():
                return f"The folder {target} is there already. Choose another name."
        if self._place.is_being_written(path):
            return f"{path.name} is being written just now. Choose another name."
        return ""


class ExportDialog(FileDialog[ExportChoice]):
    """For shapes."""

    def __init__(
        self,
        title: str,
        formats: Mapping[str, str],
        choice: ExportChoice,
        place: Place,
        placement: Placement | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`placement`: where the shape lay in the file that it was made from."""
        self._placement = placement
        super().__init__(title, formats, choice, place, parent)

    def options(self) -> ShapeExport:
        """What to export with."""
        faces = self.faces.value() if self.simplify.isChecked() else None
        return ShapeExport(resolution=int(self.resolution.value()), faces=faces, unit_cube=self.units.currentData())

    def choice(self) -> ExportChoice:
        """What to remember for the next time."""
        return ExportChoice(
            suffix=self.suffix(),
            resolution=int(self.resolution.value()),
            simplify=self.simplify.isChecked(),
            faces=self.faces.value(),
            unit_cube=self.units.currentData(),
        )

    def _add_options(self, grid: QGridLayout) -> None:
        self.resolution = SliderField("Resolution", MIN_RESOLUTION, MAX_RESOLUTION, step=16)
        self.resolution.setToolTip("Samples along each axis; the shape itself has no resolution")
        self.simplify = QCheckBox("Simplify to")
        self.faces = _faces_box()
        self.faces.setEnabled(False)
        self.simplify.toggled.connect(self.faces.setEnabled)
        self.units = _units_box(self._placement)
        grid.addWidget(label("Resolution", "muted"), 1, 0)
        grid.addWidget(self.resolution, 1, 1)
        grid.addWidget(self.simplify, 2, 0)
        grid.addWidget(self.faces, 2, 1)
        if self._placement is not None:
            grid.addWidget(label("Units", "muted"), 3, 0)
            grid.addWidget(self.units, 3, 1)

    def _show_choice(self, choice: ExportChoice) -> None:
        self.resolution.set_value(choice.resolution)
        self.simplify.setChecked(choice.simplify)
        self.faces.setValue(choice.faces)
        self.units.setCurrentIndex(self.units.findData(choice.unit_cube))


class PictureExportDialog(FileDialog[PictureChoice]):
    """For pictures: of any size, all of it or only what is seen."""

    def __init__(
        self,
        title: str,
        formats: Mapping[str, str],
        choice: PictureChoice,
        place: Place,
        region: Extent | None = None,
        extent: Extent | None = None,
        parent: QWidget | None = None,
        *,
        fit: FitFacts | None = None,
    ) -> None:
        """`region`: what is seen, unless that is all. `extent`: what the picture covers of its canvas.

        `fit`: of a picture that stands for a file, which is exported at the file's own size unless the person asks for
        another one.
        """
        self._region, self._extent, self._fit = region, extent, fit
        super().__init__(title, formats, choice, place, parent)

    def options(self) -> ImageExport:
        """What to export with."""
        return ImageExport(
            resolution=self.resolution.value(),
            region=self._region if self.seen_only.isChecked() else None,
            bits=self.bits.currentData() if self.bits.isEnabled() else 8,
            quality=self.quality.value(),
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def choice(self) -> PictureChoice:
        """What to remember for the next time."""
        return PictureChoice(
            suffix=self.suffix(),
            resolution=self.resolution.value(),
            bits=self.bits.currentData(),
            quality=self.quality.value(),
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
        self.seen_only = QCheckBox("Only what is seen now")
        self.seen_only.setEnabled(self._region is not None)
        self.embed_recipe = QCheckBox("Put the recipe into the file")
        self.embed_recipe.setToolTip(
            "The prompt, the seed and whatever else made it: drop the file on the window to have it back"
        )
        self.resolution.valueChanged.connect(self._refresh)
        self.seen_only.toggled.connect(self._on_seen_only)
        for row, (name, field) in enumerate(
            (("Longer side", self.resolution), ("Depth", self.bits), ("Quality", self.quality)), start=1
        ):
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self.seen_only, 4, 1)
        grid.addWidget(self.embed_recipe, 5, 1)

    def _usual(self, choice: PictureChoice) -> PictureChoice:
        usual, own = super()._usual(choice), self._own_resolution(seen_only=False)
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
        self.embed_recipe.setChecked(choice.embed_recipe)

    def _told(self) -> str:
        width, height = self.options().pixels(self._extent)
        return f"{width:,} × {height:,} px"

    def _refresh(self) -> None:
        self.bits.setEnabled(self.suffix() in (".png", ".tif"))
        self.quality.setEnabled(self.suffix() in (".jpg", ".webp"))
        super()._refresh()


class VideoExportDialog(FileDialog[VideoChoice]):
    """For clips: of any size and rate, all of it or the range that is played."""

    def __init__(
        self,
        title: str,
        formats: Mapping[str, str],
        choice: VideoChoice,
        place: Place,
        seconds: float,
        span: tuple[float, float] | None = None,
        extent: Extent | None = None,
        parent: QWidget | None = None,
        *,
        has_recipe: bool = True,
    ) -> None:
        """`seconds`: how long the clip lasts. `span`: the range between the marks, unless that is all.

        `extent`: what it covers of its canvas. `has_recipe`: whether there is a recipe to put into the file.
        """
        self._seconds, self._span, self._extent, self._has_recipe = seconds, span, extent, has_recipe
        super().__init__(title, formats, choice, place, parent)

    def options(self) -> VideoExport:
        """What to export with."""
        return VideoExport.checked(
            {
                "resolution": self.resolution.value(),
                "fps": self.fps.currentText(),
                "seconds": self.lasts.value(),
                "span": self._stretched() if self.range_only.isChecked() else None,
                "quality": self.quality.value(),
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
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def _stretched(self) -> tuple[float, float] | None:
        """The range, in seconds of the clip as it is to last."""
        if self._span is None:
            return None
        growth = self.lasts.value() / self._seconds
        return self._span[0] * growth, self._span[1] * growth

    def _add_options(self, grid: QGridLayout) -> None:
        self.resolution = figure_box("Longer side", 16, 8192, 16, " px")
        self.resolution.setSingleStep(64)
        self.fps = _rate_box()
        self.lasts = decimal_box("Seconds", 0.1, 3600, self._seconds, " s", decimals=3)
        self.lasts.setToolTip("How long the whole clip lasts: more is slow motion, with new frames in between")
        self.quality = figure_box("Quality", 1, 100, 1)
        self.range_only = QCheckBox("Only the range between the marks")
        self.range_only.setEnabled(self._span is not None)
        self.range_only.setChecked(self._span is not None)
        self.embed_recipe = QCheckBox("Put the recipe into the file")
        self.embed_recipe.setToolTip("The prompt, the seed and whatever else made it: drop the file to have it back")
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Longer side", self.resolution),
            ("Frames a second", self.fps),
            ("Length", self.lasts),
            ("Quality", self.quality),
        )
        for row, (name, field) in enumerate(rows, start=1):
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self.range_only, 5, 1)
        grid.addWidget(self.embed_recipe, 6, 1)
        for changed in (self.resolution.valueChanged, self.lasts.valueChanged, self.fps.currentTextChanged):
            changed.connect(self._refresh)
        self.range_only.toggled.connect(self._refresh)

    def _show_choice(self, choice: VideoChoice) -> None:
        self.resolution.setValue(choice.resolution)
        self.fps.setCurrentText(choice.fps)
        self.quality.setValue(choice.quality)
        self.embed_recipe.setChecked(choice.embed_recipe)

    def _told(self) -> str:
        options = self.options()
        size = options.pixels(self._extent)
        start, stop = options.span or (0.0, self.lasts.value())
        return _told_film(size, self.suffix(), max(1, round((stop - start) * options.fps)))

    def _find_problem(self) -> str:
        try:
            return _too_fast(self.suffix(), self.options().fps) or super()._find_problem()
        except ExportError as error:
            return str(error)

    def _refresh(self) -> None:
        self.quality.setEnabled(self.suffix() in (".mp4", ".webm", ".webp"))
        self.embed_recipe.setVisible(self._has_recipe and self.suffix() != ".png")
        super()._refresh()


class RadianceExportDialog(FileDialog[RadianceChoice]):
    """For radiance fields: pictures and films of this view, of a turn or of the path, meshes, depth, posed pictures."""

    def __init__(
        self,
        title: str,
        formats: Mapping[str, str],
        choice: RadianceChoice,
        place: Place,
        scene: Scene,
        view: ViewSettings,
        placement: Placement | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`placement`: where the object lay in the file that the field was made from."""
        self._scene, self._view, self._placement = scene, view, placement
        super().__init__(title, formats, choice, place, parent)

    def options(self) -> RadianceExport:
        """What to export with."""
        scene, motion = self._scene, self._motion()
        values: dict[str, Any] = {
            "view": self._view,
            "fov": scene.here.fov,
            "unit_cube": self.units.currentData(),
            "embed_recipe": self.embed_recipe.isChecked(),
        }
        if self._is_mesh():
            values |= {"resolution": int(self.resolution.value())}
            values |= {"faces": self.faces.value()} if self.simplify.isChecked() else {}
            return RadianceExport.checked(values)
        values |= {"width": self.width_box.value(), "height": self.height_box.value()}
        values |= {"fps": self.fps.currentText()} if self.suffix() in RadianceExport.FILMS else {}
        if motion == "turntable":
            values |= {"azimuth": scene.azimuth, "elevation": scene.elevation, "distance": scene.distance}
            values |= {"fov": scene.here.fov}
        else:
            values |= {"path": scene.path if motion == "path" else (scene.here,)}
        if motion != "still":
            values |= {"views": self.views.value()}
        return RadianceExport.checked(values)

    def choice(self) -> RadianceChoice:
        """What to remember for the next time."""
        return RadianceChoice(
            suffix=self.suffix(),
            motion=self.motion.currentData(),
            width=self.width_box.value(),
            height=self.height_box.value(),
            views=self.views.value(),
            fps=self.fps.currentText(),
            resolution=int(self.resolution.value()),
            simplify=self.simplify.isChecked(),
            faces=self.faces.value(),
            unit_cube=self.units.currentData(),
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def _motion(self) -> Motion:
        """What the camera does; in a format for one view, or along a path without key frames, it stands still."""
        motion: Motion = self.motion.currentData()
        if self.suffix() == ".tif" or (motion == "path" and len(self._scene.path) < 2):
            return "still"
        return motion

    def _is_mesh(self) -> bool:
        return self.suffix() in RadianceExport.MESHES

    def _add_options(self, grid: QGridLayout) -> None:
        self._stood_still = False  # before a format was chosen in which nothing does
        self.motion: QComboBox = QComboBox()
        self.motion.setAccessibleName("Camera")
        names = {"still": "This view", "turntable": "A whole turn", "path": "Along the key frames"}
        for motion in get_args(Motion):
            self.motion.addItem(names[motion], motion)
        self.width_box = figure_box("Width", 8, 8192, 8, " px")
        self.height_box = figure_box("Height", 8, 8192, 8, " px")
        self.views = figure_box("Views", 2, 3600, 2)
        self.views.setToolTip("Frames of a film, or pictures")
        self.fps = _rate_box()
        self.resolution = SliderField("Resolution", MIN_RESOLUTION, MAX_RESOLUTION, step=16)
        self.resolution.setToolTip("Samples along each axis of a mesh; the field itself has no resolution")
        self.simplify = QCheckBox("Simplify to")
        self.faces = _faces_box()
        self.units = _units_box(self._placement)
        self.embed_recipe = QCheckBox("Put the recipe into the file")
        self.embed_recipe.setToolTip("The prompt, the seed and whatever else made it: drop the file to have it back")
        self._parts: dict[QWidget, str] = {}
        rows: tuple[tuple[QWidget, QWidget, str], ...] = (
            (label("Camera", "muted"), self.motion, "camera"),
            (label("Size", "muted"), _side_by_side(self.width_box, self.height_box), "size"),
            (label("Views", "muted"), self.views, "views"),
            (label("Frames a second", "muted"), self.fps, "film"),
            (label("Resolution", "muted"), self.resolution, "mesh"),
            (self.simplify, self.faces, "mesh"),
            (label("Units", "muted"), self.units, "units"),
        )
        for row, (name, field, kind) in enumerate(rows, start=1):
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
            self._parts |= {name: kind, field: kind}
        grid.addWidget(self.embed_recipe, len(rows) + 1, 1)
        self._parts[self.embed_recipe] = "recipe"
        for box in (self.width_box, self.height_box, self.views):
            box.valueChanged.connect(self._refresh)
        self.fps.currentTextChanged.connect(self._refresh)
        self.motion.currentIndexChanged.connect(self._refresh)
        self.simplify.toggled.connect(self.faces.setEnabled)

    def _show_choice(self, choice: RadianceChoice) -> None:
        self.motion.setCurrentIndex(max(0, self.motion.findData(choice.motion)))
        self.width_box.setValue(choice.width)
        self.height_box.setValue(choice.height)
        self.views.setValue(choice.views)
        self.fps.setCurrentText(choice.fps)
        self.resolution.set_value(choice.resolution)
        self.simplify.setChecked(choice.simplify)
        self.faces.setValue(choice.faces)
        self.faces.setEnabled(choice.simplify)
        self.units.setCurrentIndex(self.units.findData(choice.unit_cube))
        self.embed_recipe.setChecked(choice.embed_recipe)

    def _told(self) -> str:
        told = ["Only what is in the crop box"] if self._view.crop != WHOLE_SPACE else []
        if self.suffix() in RadianceExport.FILMS:
            options = self.options()
            told.append(_told_film(options.pixels(), self.suffix(), options.views or 1))
        return "\n".join(told)

    def _find_problem(self) -> str:
        if self.motion.currentData() == "path" and len(self._scene.path) < 2 and not self._is_mesh():
            return "The path needs two key frames at least: add them with K in the room."
        try:
            return _too_fast(self.suffix(), self.options().fps) or super()._find_problem()
        except ExportError as error:
            return str(error)

    def _refresh(self) -> None:
        self._offer_motions()
        mesh, film = self._is_mesh(), self.suffix() in RadianceExport.FILMS
        shown = {
            "camera": not mesh and self.suffix() != ".tif",
            "size": not mesh,
            "views": not mesh and self._motion() != "still",
            "film": film and self._motion() != "still",
            "mesh": mesh,
            "units": self._placement is not None and (mesh or self.suffix() in (".tif", ".json")),
            "recipe": film or (self.suffix() == ".png" and self._motion() == "still"),
        }
        for part, kind in self._parts.items():
            part.setVisible(shown[kind])
        super()._refresh()
        self.adjustSize()

    def _offer_motions(self) -> None:
        """Let the camera move where a format has several views: nothing else of a field does."""
        moves = self.suffix() in _OF_SEVERAL_VIEWS
        still, current = self.motion.findData("still"), self.motion.currentIndex()
        model = self.motion.model()
        assert isinstance(model, QStandardItemModel)
        model.item(still).setEnabled(not moves)
        with QSignalBlocker(self.motion):
            if moves and current == still:
                self._stood_still = True
                self.motion.setCurrentIndex(self.motion.findData("path" if len(self._scene.path) > 1 else "turntable"))
            elif not moves and self._stood_still:
                self._stood_still = False
                self.motion.setCurrentIndex(still)


def _faces_box() -> WholeBox:
    box = figure_box("Faces", MIN_FACES, MAX_FACES, MIN_FACES, " faces")
    box.setSingleStep(1000)
    return box


def _rate_box() -> QComboBox:
    box = QComboBox()
    box.setEditable(True)
    box.setAccessibleName("Frames a second")
    box.addItems(_RATES)
    box.setToolTip(_RATE_TIP)
    return box


def _units_box(placement: Placement | None) -> QComboBox:
    """The file's own units or the unit cube, as the data False and True."""
    box = QComboBox()
    box.setAccessibleName("Units")
    longest = "" if placement is None else f", longest side {placement.longest:.4g}"
    box.addItem(f"Those of the file{longest}", False)
    box.addItem("Unit cube, longest side 1.8", True)
    box.setToolTip("Size, place and up axis of the file that this was made from, or those that models work in")
    return box


def _told_film(size: tuple[int, int], suffix: str, count: int) -> str:
    """Say how large a film becomes, and why that is another size than the one asked for."""
    width, height = frame_size(*size, suffix)
    frames = "1 frame" if count == 1 else f"{count:,} frames"
    return told_size(*size, suffix) or f"{frames} of {width:,} × {height:,} px"


def _too_fast(suffix: str, fps: Fraction) -> str:
    return f"A GIF goes up to {FASTEST_GIF} frames a second." if suffix == ".gif" and fps > FASTEST_GIF else ""


def _side_by_side(*fields: QWidget) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID)
    for field in fields:
        row.addWidget(field, 1)
    return both


def file_stem(title: str) -> str:
    """A file name without suffix made from a title: letters, digits and hyphens, at most 48 characters.

    The suffix of a title that is itself the name of a file is left out.
    """
    title = _SUFFIX.sub("", title)
    words = "".join(character if character.isalnum() else " " for character in title.lower()).split()
    return "-".join(words)[:48].strip("-") or "untitled"
