"""The export dialogs: format, what can be chosen about it, and where to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.errors import ExportError
from ddmi_core.export_options import (
    LARGEST_SIDE,
    ExportOptions,
    ImageExport,
    KeyFrame,
    RadianceExport,
    ShapeExport,
    VideoExport,
)
from ddmi_core.view_settings import ViewSettings
from studio.theme.tokens import GRID
from studio.widgets.basics import SliderField, breakable, decimal_box, decision, figure_box, label, line
from studio.widgets.dialog import Dialog

MIN_RESOLUTION, MAX_RESOLUTION = 64, 512
MIN_FACES, MAX_FACES = 100, 5_000_000
_WIDTH = 480
_FILMS = (".mp4", ".gif")
_RATES = ("12", "24", "24000/1001", "25", "30", "30000/1001", "50", "60", "120")


@dataclass(frozen=True)
class Choice:
    """What every dialog remembers: the format, and the folder of the last file."""

    suffix: str = ""
    folder: str = ""


@dataclass(frozen=True)
class ExportChoice(Choice):
    """What the dialog for shapes remembers. `faces` counts only if `simplify`."""

    suffix: str = ".glb"
    resolution: int = 256
    simplify: bool = False
    faces: int = 20_000


@dataclass(frozen=True)
class PictureChoice(Choice):
    """What the dialog for pictures remembers."""

    suffix: str = ".png"
    resolution: int = 2048
    bits: int = 8
    quality: int = 92
    embed_recipe: bool = True


@dataclass(frozen=True)
class VideoChoice(Choice):
    """What the dialog for clips remembers."""

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

    suffix: str = ".png"
    motion: str = "still"
    width: int = 768
    height: int = 768
    views: int = 72
    rate: int = 24
    resolution: int = 192
    simplify: bool = False
    faces: int = 50_000
    embed_recipe: bool = True

    def as_turntable(self) -> RadianceChoice:
        """The same for a film of a whole turn."""
        film = self.suffix if self.suffix in _FILMS else ".mp4"
        return replace(self, suffix=film, motion="turntable")


@dataclass(frozen=True)
class Scene:
    """Where the camera is when a radiance field is exported: `here`, and as an orbit; `path` has the key frames."""

    here: KeyFrame
    azimuth: float
    elevation: float
    distance: float
    path: tuple[KeyFrame, ...] = ()


_C = TypeVar("_C", bound=Choice)


class FileDialog(Dialog, Generic[_C]):
    """Asks for a format and a file. After `accept`, `path()`, `options()` and `choice()` hold the answer.

    A domain's dialog makes its own fields in `_add_options`.
    """

    def __init__(self, title: str, formats: Mapping[str, str], choice: _C, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setFixedWidth(_WIDTH)
        self._stem = file_stem(title)

        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        for suffix, name in formats.items():
            self.format.addItem(name, suffix)
        self.format.setCurrentIndex(max(0, self.format.findData(choice.suffix)))
        self.format.currentIndexChanged.connect(self._on_format)

        self.file = QLineEdit(str(self._proposal(Path(choice.folder or Path.home()), self.suffix())))
        self.file.setAccessibleName("File")
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)

        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.export = QPushButton("Export")
        self.export.clicked.connect(self._on_export)

        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID + GRID // 2)
        grid.setColumnStretch(1, 1)
        file_row = QHBoxLayout()
        file_row.setSpacing(GRID)
        file_row.addWidget(self.file, 1)
        file_row.addWidget(browse)
        grid.addWidget(label("Format", "muted"), 0, 0)
        grid.addWidget(self.format, 0, 1)
        self._add_options(grid, choice)
        row = grid.rowCount()
        grid.addWidget(label("File", "muted"), row, 0)
        grid.addLayout(file_row, row, 1)
        heading = label(breakable(title if len(title) <= 120 else title[:119] + "…"), "heading", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(heading)
        layout.addLayout(grid)
        layout.addWidget(self.problem)
        layout.addWidget(line())
        layout.addLayout(decision(self, self.export))

    def suffix(self) -> str:
        """The chosen format's suffix."""
        suffix: str = self.format.currentData()
        return suffix

    def path(self) -> Path:
        """The file to write."""
        return Path(self.file.text().strip()).expanduser()

    @abstractmethod
    def options(self) -> ExportOptions:
        """What to export with."""

    @abstractmethod
    def choice(self) -> _C:
        """What to remember for the next time."""

    @abstractmethod
    def _add_options(self, grid: QGridLayout, choice: _C) -> None:
        """Make the domain's own fields, from row 1 of the grid on."""

    def _proposal(self, folder: Path, suffix: str) -> Path:
        """A file of that name that does not exist yet."""
        path, number = folder / f"{self._stem}{suffix}", 2
        while path.exists():
            path, number = folder / f"{self._stem}-{number}{suffix}", number + 1
        return path

    def _on_format(self) -> None:
        path = self.path()
        if path.name:
            self.file.setText(str(path.with_suffix(self.suffix())))

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export to", str(self.path()), f"{self.format.currentText()} (*{self.suffix()})"
        )
        if chosen:
            self.file.setText(str(Path(chosen).with_suffix(self.suffix())))

    def _on_export(self) -> None:
        problem = self._find_problem()
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        if not problem:
            self.accept()

    def _find_problem(self) -> str:
        path = self.path()
        if not path.name:
            return "Choose a file to write."
        if path.suffix.lower() != self.suffix():
            self.file.setText(str(path.with_name(path.name + self.suffix())))
            path = self.path()
        if path.is_dir():
            return f"{path} is a folder. Choose a file name."
        if not path.parent.is_dir():
            return f"The folder {path.parent} does not exist."
        return ""


class ExportDialog(FileDialog[ExportChoice]):
    """For shapes."""

    def options(self) -> ShapeExport:
        """What to export with."""
        faces = self.faces.value() if self.simplify.isChecked() else None
        return ShapeExport(resolution=int(self.resolution.value()), faces=faces)

    def choice(self) -> ExportChoice:
        """What to remember for the next time."""
        return ExportChoice(
            suffix=self.suffix(),
            resolution=int(self.resolution.value()),
            simplify=self.simplify.isChecked(),
            faces=self.faces.value(),
            folder=str(self.path().parent),
        )

    def _add_options(self, grid: QGridLayout, choice: ExportChoice) -> None:
        self.resolution = SliderField("Resolution", MIN_RESOLUTION, MAX_RESOLUTION, step=16)
        self.resolution.setToolTip("Samples along each axis; the shape itself has no resolution")
        self.resolution.set_value(choice.resolution)
        self.simplify = QCheckBox("Simplify to")
        self.simplify.setChecked(choice.simplify)
        self.faces = figure_box("Faces", MIN_FACES, MAX_FACES, choice.faces, " faces")
        self.faces.setSingleStep(1000)
        self.faces.setEnabled(choice.simplify)
        self.simplify.toggled.connect(self.faces.setEnabled)
        grid.addWidget(label("Resolution", "muted"), 1, 0)
        grid.addWidget(self.resolution, 1, 1)
        grid.addWidget(self.simplify, 2, 0)
        grid.addWidget(self.faces, 2, 1)


class PictureExportDialog(FileDialog[PictureChoice]):
    """For pictures: of any size, all of it or only what is seen."""

    def __init__(
        self,
        title: str,
        formats: Mapping[str, str],
        choice: PictureChoice,
        region: tuple[float, float, float, float] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`region`: what is seen, unless that is all."""
        self._region = region
        super().__init__(title, formats, choice, parent)
        self._show_what_counts()
        self.format.currentIndexChanged.connect(self._show_what_counts)

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
            folder=str(self.path().parent),
            resolution=self.resolution.value(),
            bits=self.bits.currentData(),
            quality=self.quality.value(),
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def _add_options(self, grid: QGridLayout, choice: PictureChoice) -> None:
        self.resolution = figure_box("Longer side", 16, LARGEST_SIDE, choice.resolution, " px")
        self.resolution.setSingleStep(256)
        self.bits = QComboBox()
        self.bits.setAccessibleName("Depth")
        for bits in (8, 16):
            self.bits.addItem(f"{bits} bits a channel", bits)
        self.bits.setCurrentIndex(max(0, self.bits.findData(choice.bits)))
        self.quality = figure_box("Quality", 1, 100, choice.quality)
        self.seen_only = QCheckBox("Only what is seen now")
        self.seen_only.setEnabled(self._region is not None)
        self.embed_recipe = QCheckBox("Put the recipe into the file")
        self.embed_recipe.setToolTip(
            "The prompt, the seed and whatever else made it: drop the file on the window to have it back"
        )
        self.embed_recipe.setChecked(choice.embed_recipe)
        for row, (name, field) in enumerate(
            (("Longer side", self.resolution), ("Depth", self.bits), ("Quality", self.quality)), start=1
        ):
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self.seen_only, 4, 1)
        grid.addWidget(self.embed_recipe, 5, 1)

    def _show_what_counts(self) -> None:
        self.bits.setEnabled(self.suffix() in (".png", ".tif"))
        self.quality.setEnabled(self.suffix() in (".jpg", ".webp"))


class VideoExportDialog(FileDialog[VideoChoice]):
    """For clips: of any size and rate, all of it or the range that is played."""

    def __init__(
        self,
        title: str,
        formats: Mapping[str, str],
        choice: VideoChoice,
        seconds: float,
        span: tuple[float, float] | None = None,
        parent: QWidget | None = None,
        *,
        has_recipe: bool = True,
    ) -> None:
        """`seconds`: how long the clip lasts. `span`: the range between the marks, unless that is all.

        `has_recipe`: whether there is a recipe to put into the file.
        """
        self._seconds, self._span, self._has_recipe = seconds, span, has_recipe
        super().__init__(title, formats, choice, parent)
        self._show_what_counts()
        self.format.currentIndexChanged.connect(self._show_what_counts)

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
            folder=str(self.path().parent),
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

    def _add_options(self, grid: QGridLayout, choice: VideoChoice) -> None:
        self.resolution = figure_box("Longer side", 16, 8192, choice.resolution, " px")
        self.resolution.setSingleStep(64)
        self.fps = QComboBox()
        self.fps.setEditable(True)
        self.fps.setAccessibleName("Frames a second")
        self.fps.addItems(_RATES)
        self.fps.setCurrentText(choice.fps)
        self.fps.setToolTip("Any number, or a fraction such as 30000/1001")
        self.lasts = decimal_box("Seconds", 0.1, 3600, self._seconds, " s", decimals=3)
        self.lasts.setToolTip("How long the whole clip lasts: more is slow motion, with new frames in between")
        self.quality = figure_box("Quality", 1, 100, choice.quality)
        self.range_only = QCheckBox("Only the range between the marks")
        self.range_only.setEnabled(self._span is not None)
        self.range_only.setChecked(self._span is not None)
        self.embed_recipe = QCheckBox("Put the recipe into the file")
        if not self._has_recipe:
            self.embed_recipe.hide()
        self.embed_recipe.setToolTip("The prompt, the seed and whatever else made it; in MP4 and WebM")
        self.embed_recipe.setChecked(choice.embed_recipe)
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

    def _find_problem(self) -> str:
        try:
            self.options()
        except ExportError as error:
            return str(error)
        return super()._find_problem()

    def _show_what_counts(self) -> None:
        self.quality.setEnabled(self.suffix() in (".mp4", ".webm", ".webp"))
        self.embed_recipe.setEnabled(self.suffix() in (".mp4", ".webm"))


class RadianceExportDialog(FileDialog[RadianceChoice]):
    """For radiance fields: pictures and films of this view, of a turn or of the path, meshes, depth, posed pictures."""

    def __init__(
        self,
        title: str,
        formats: Mapping[str, str],
        choice: RadianceChoice,
        scene: Scene,
        view: ViewSettings,
        parent: QWidget | None = None,
    ) -> None:
        self._scene, self._view = scene, view
        super().__init__(title, formats, choice, parent)
        self._show_what_counts()
        self.format.currentIndexChanged.connect(self._show_what_counts)
        self.motion.currentIndexChanged.connect(self._show_what_counts)

    def options(self) -> RadianceExport:
        """What to export with."""
        scene, motion = self._scene, self._motion()
        values: dict[str, Any] = {
            "view": self._view,
            "fov": scene.here.fov,
            "embed_recipe": self.embed_recipe.isChecked(),
        }
        if self._is_mesh():
            values |= {"resolution": int(self.resolution.value())}
            values |= {"faces": self.faces.value()} if self.simplify.isChecked() else {}
            return RadianceExport.checked(values)
        values |= {"width": self.width_box.value(), "height": self.height_box.value(), "rate": self.rate.value()}
        if motion == "turntable":
            values |= {"azimuth": scene.azimuth, "elevation": scene.elevation, "distance": scene.distance}
            values |= {"fov": scene.here.fov}
        else:
            values |= {"path": scene.path if motion == "path" else (scene.here,)}
        if motion != "still":
            values |= {"views": self.views.value()}
        elif self.suffix() in _FILMS:
            values |= {"views": 1}
        return RadianceExport.checked(values)

    def choice(self) -> RadianceChoice:
        """What to remember for the next time."""
        return RadianceChoice(
            suffix=self.suffix(),
            folder=str(self.path().parent),
            motion=self.motion.currentData(),
            width=self.width_box.value(),
            height=self.height_box.value(),
            views=self.views.value(),
            rate=self.rate.value(),
            resolution=int(self.resolution.value()),
            simplify=self.simplify.isChecked(),
            faces=self.faces.value(),
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def _motion(self) -> Motion:
        """What the camera does; in a format for one view, or along a path without key frames, it stands still."""
        motion: Motion = self.motion.currentData()
        if self.suffix() == ".tif" or (motion == "path" and len(self._scene.path) < 2):
            return "still"
        return motion

    def _is_mesh(self) -> bool:
        return self.suffix() in (".glb", ".obj", ".ply")

    def _add_options(self, grid: QGridLayout, choice: RadianceChoice) -> None:
        self.motion = QComboBox()
        self.motion.setAccessibleName("Camera")
        names = {"still": "This view", "turntable": "A whole turn", "path": "Along the key frames"}
        for motion in get_args(Motion):
            self.motion.addItem(names[motion], motion)
        self.motion.setCurrentIndex(max(0, self.motion.findData(choice.motion)))
        self.width_box = figure_box("Width", 8, 8192, choice.width, " px")
        self.height_box = figure_box("Height", 8, 8192, choice.height, " px")
        self.views = figure_box("Views", 2, 3600, choice.views)
        self.views.setToolTip("Frames of a film, or pictures")
        self.rate = figure_box("Frames a second", 1, 120, choice.rate, " a second")
        self.resolution = SliderField("Resolution", MIN_RESOLUTION, MAX_RESOLUTION, step=16)
        self.resolution.setToolTip("Samples along each axis of a mesh; the field itself has no resolution")
        self.resolution.set_value(choice.resolution)
        self.simplify = QCheckBox("Simplify to")
        self.simplify.setChecked(choice.simplify)
        self.faces = figure_box("Faces", MIN_FACES, MAX_FACES, choice.faces, " faces")
        self.faces.setSingleStep(1000)
        self.embed_recipe = QCheckBox("Put the recipe into the file")
        self.embed_recipe.setToolTip("The prompt, the seed and whatever else made it; in a PNG or MP4")
        self.embed_recipe.setChecked(choice.embed_recipe)
        self.simplify.toggled.connect(self._show_what_counts)
        self._parts: dict[QWidget, str] = {}
        size, frames = _side_by_side(self.width_box, self.height_box), _side_by_side(self.views, self.rate)
        rows: tuple[tuple[QWidget, QWidget, str], ...] = (
            (label("Camera", "muted"), self.motion, "camera"),
            (label("Size", "muted"), size, "size"),
            (label("Views", "muted"), frames, "views"),
            (label("Resolution", "muted"), self.resolution, "mesh"),
            (self.simplify, self.faces, "mesh"),
        )
        for row, (name, field, kind) in enumerate(rows, start=1):
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
            self._parts |= {name: kind, field: kind}
        grid.addWidget(self.embed_recipe, len(rows) + 1, 1)
        self._parts[self.embed_recipe] = "recipe"

    def _find_problem(self) -> str:
        if self.motion.currentData() == "path" and len(self._scene.path) < 2 and not self._is_mesh():
            return "The path needs two key frames at least: add them with K in the room."
        return super()._find_problem()

    def _show_what_counts(self) -> None:
        mesh = self._is_mesh()
        shown = {
            "camera": not mesh and self.suffix() != ".tif",
            "size": not mesh,
            "views": not mesh and self._motion() != "still",
            "mesh": mesh,
            "recipe": self.suffix() == ".mp4" or (self.suffix() == ".png" and self._motion() == "still"),
        }
        for part, kind in self._parts.items():
            part.setVisible(shown[kind])
        self.rate.setVisible(self.suffix() in _FILMS)
        self.faces.setEnabled(self.simplify.isChecked())
        self.adjustSize()


def _side_by_side(*fields: QWidget) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID)
    for field in fields:
        row.addWidget(field, 1)
    return both


def file_stem(title: str) -> str:
    """A file name without suffix made from a title: letters, digits and hyphens, at most 48 characters."""
    words = "".join(character if character.isalnum() else " " for character in title.lower()).split()
    return "-".join(words)[:48].strip("-") or "untitled"
