"""What is asked when a radiance field is exported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QWidget

from ddmi_core.export.options import KeyFrame, RadianceExport
from ddmi_core.placement import Placement
from ddmi_core.rendering.view_settings import WHOLE_SPACE, ViewSettings
from ddmi_core.support.errors import ExportError
from studio.panels.export_dialog import ExportDialog, Place
from studio.panels.export_fields import (
    about,
    faces_box,
    film_notice,
    rate_box,
    recipe_box,
    resolution_field,
    side_by_side,
    too_fast,
    units_box,
)
from studio.state.export_choice import Choice
from studio.widgets.basics import figure_box, label

_OF_SEVERAL_VIEWS = (*RadianceExport.FILMS, ".json")

Motion = Literal["still", "turntable", "path", "sphere", "hemisphere"]
"""What the camera does in an export of a radiance field."""
_MOTIONS: dict[Motion, str] = {
    "still": "This view",
    "turntable": "A whole turn",
    "path": "Along the key frames",
    "sphere": "From everywhere around",
    "hemisphere": "From everywhere above",
}
_SPREAD: tuple[Motion, ...] = ("sphere", "hemisphere")  # for which there is no order, so that they make no film


@dataclass(frozen=True)
class RadianceChoice(Choice):
    """What the dialog for radiance fields remembers. `resolution` and `faces` are those of meshes."""

    KEPT_AS: ClassVar[str] = "radiance_export"
    FINENESS: ClassVar[tuple[str, ...]] = (
        *("width", "height", "views", "fps"),
        *("resolution", "simplify", "faces", "unit_cube"),
    )

    suffix: str = ".png"
    motion: str = "still"
    width: int = 768
    height: int = 768
    views: int = 72
    frame_object: bool = True
    held_out: int = 0
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
    """Where the camera is when a radiance field is exported: `here`, and as an orbit; `path` has the key frames.

    `pixels_a_second` is how quickly the field was drawn on the stage, if it was.
    """

    here: KeyFrame
    azimuth: float
    elevation: float
    distance: float
    path: tuple[KeyFrame, ...] = ()
    pixels_a_second: float | None = None


class RadianceExportDialog(ExportDialog[RadianceChoice]):
    """For radiance fields: pictures and films of this view, of a turn or of the path, meshes, depth, posed pictures."""

    formats = RadianceExport.formats

    def __init__(
        self,
        title: str,
        choice: RadianceChoice,
        place: Place,
        scene: Scene,
        view: ViewSettings,
        placement: Placement | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`placement`: where the object lay in the file that the field was made from."""
        self._scene, self._view, self._placement = scene, view, placement
        super().__init__(title, choice, place, parent)

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
        if motion in ("turntable", *_SPREAD):
            values |= {"around": motion if motion in _SPREAD else "ring"}
            values |= {"azimuth": scene.azimuth, "elevation": scene.elevation, "distance": scene.distance}
            values |= {"fov": scene.here.fov}
        else:
            values |= {"path": scene.path if motion == "path" else (scene.here,)}
        if motion != "still":
            values |= {"frame_object": self.frame_object.isChecked()}
            values |= {"views": self.views.value()} if not self._is_timed() else {}
            values |= {"held_out": self.held_out.value()} if self.suffix() == ".json" else {}
        return RadianceExport.checked(values)

    def choice(self) -> RadianceChoice:
        """What to remember for the next time."""
        return RadianceChoice(
            suffix=self.suffix(),
            motion=self.motion.currentData(),
            width=self.width_box.value(),
            height=self.height_box.value(),
            views=self.views.value(),
            frame_object=self.frame_object.isChecked(),
            held_out=self.held_out.value(),
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

    def _is_timed(self) -> bool:
        """Whether the key frames say how long it takes."""
        return self._motion() == "path" and self.suffix() in RadianceExport.FILMS

    def _is_mesh(self) -> bool:
        return self.suffix() in RadianceExport.MESHES

    def _add_options(self, grid: QGridLayout) -> None:
        self._stood_still = False  # before a format was chosen in which nothing does
        self.motion: QComboBox = QComboBox()
        self.motion.setAccessibleName("Camera")
        for motion, words in _MOTIONS.items():
            self.motion.addItem(words, motion)
        self.width_box = figure_box("Width", 8, 8192, 8, " px")
        self.height_box = figure_box("Height", 8, 8192, 8, " px")
        self.views = figure_box("Views", 2, 3600, 2)
        self.views.setToolTip("Frames of a film, or pictures")
        self.frame_object = QCheckBox("All of the object in every picture")
        self.frame_object.setToolTip("The camera stands as far away as that needs; on a path it moves back, if at all")
        self.held_out = figure_box("Views held out", 0, 3600, 0)
        self.held_out.setToolTip(
            "So many views are kept apart to test with, evenly spread: in NAME_train.json, NAME_val.json and "
            "NAME_test.json, as instant-ngp and nerfstudio read them. With 0 all are in one file."
        )
        self.fps = rate_box()
        self.resolution = resolution_field()
        self.simplify = QCheckBox("Simplify to")
        self.faces = faces_box()
        self.units = units_box(self._placement)
        self.embed_recipe = recipe_box()
        self._parts: dict[QWidget, str] = {}
        rows: tuple[tuple[QWidget, QWidget, str], ...] = (
            (label("Camera", "muted"), self.motion, "camera"),
            (label("Size", "muted"), side_by_side(self.width_box, self.height_box), "size"),
            (label("Views", "muted"), self.views, "views"),
            (label("Held out to test", "muted"), self.held_out, "posed"),
            (label("Frames a second", "muted"), self.fps, "film"),
            (label("Resolution", "muted"), self.resolution, "mesh"),
            (self.simplify, self.faces, "mesh"),
            (label("Units", "muted"), self.units, "units"),
        )
        for row, (name, field, kind) in enumerate(rows, start=1):
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
            self._parts |= {name: kind, field: kind}
        for box, kind in ((self.frame_object, "framed"), (self.embed_recipe, "recipe")):
            grid.addWidget(box, grid.rowCount(), 1)
            self._parts[box] = kind
        for figure in (self.width_box, self.height_box, self.views, self.held_out):
            figure.valueChanged.connect(self._refresh)
        self.fps.currentTextChanged.connect(self._refresh)
        self.motion.currentIndexChanged.connect(self._refresh)
        self.simplify.toggled.connect(self.faces.setEnabled)

    def _show_choice(self, choice: RadianceChoice) -> None:
        self.motion.setCurrentIndex(max(0, self.motion.findData(choice.motion)))
        self.width_box.setValue(choice.width)
        self.height_box.setValue(choice.height)
        self.views.setValue(choice.views)
        self.frame_object.setChecked(choice.frame_object)
        self.held_out.setValue(choice.held_out)
        self.fps.setCurrentText(choice.fps)
        self.resolution.set_value(choice.resolution)
        self.simplify.setChecked(choice.simplify)
        self.faces.setValue(choice.faces)
        self.faces.setEnabled(choice.simplify)
        self.units.setCurrentIndex(self.units.findData(choice.unit_cube))
        self.embed_recipe.setChecked(choice.embed_recipe)

    def _remark(self) -> str:
        remarks = ["Only what is in the crop box"] if self._view.crop != WHOLE_SPACE else []
        suffix = self.suffix()
        if not self._is_mesh():
            options = self.options()
            size, count = options.pixels(), options.count(suffix)
            if suffix in RadianceExport.FILMS:
                remarks.append(film_notice(size, suffix, count))
            if suffix == ".mp4" and self._view.background is None:
                remarks.append("On white, since MP4 knows no transparency")
            if (rate := self._scene.pixels_a_second) is not None and count > 1:
                remarks.append(f"Takes {about(count * size[0] * size[1] / rate)}")
        return "\n".join(remarks)

    def _find_problem(self) -> str:
        if self.motion.currentData() == "path" and len(self._scene.path) < 2 and not self._is_mesh():
            return "The path needs two key frames at least: add them with K in the room."
        try:
            return too_fast(self.suffix(), self.options().fps) or super()._find_problem()
        except ExportError as error:
            return str(error)

    def _refresh(self) -> None:
        self._offer_motions()
        mesh, film = self._is_mesh(), self.suffix() in RadianceExport.FILMS
        shown = {
            "camera": not mesh and self.suffix() != ".tif",
            "size": not mesh,
            "views": not mesh and self._motion() != "still" and not self._is_timed(),
            "framed": not mesh and self._motion() != "still",
            "posed": self.suffix() == ".json",
            "film": film and self._motion() != "still",
            "mesh": mesh,
            "units": self._placement is not None and (mesh or self.suffix() in (".tif", ".json")),
            "recipe": film or (self.suffix() == ".png" and self._motion() == "still"),
        }
        for part, kind in self._parts.items():
            part.setVisible(shown[kind])
        super()._refresh()

    def _offer_motions(self) -> None:
        """Let the camera move where a format has several views, and stand anywhere where these need no order."""
        moves = self.suffix() in _OF_SEVERAL_VIEWS
        still, current = self.motion.findData("still"), self.motion.currentIndex()
        model = self.motion.model()
        assert isinstance(model, QStandardItemModel)
        model.item(still).setEnabled(not moves)
        for motion in _SPREAD:
            model.item(self.motion.findData(motion)).setEnabled(self.suffix() == ".json")
        with QSignalBlocker(self.motion):
            if self.motion.currentData() in _SPREAD and self.suffix() != ".json":
                self.motion.setCurrentIndex(self.motion.findData("turntable"))
            if moves and current == still:
                self._stood_still = True
                self.motion.setCurrentIndex(self.motion.findData("path" if len(self._scene.path) > 1 else "turntable"))
            elif not moves and self._stood_still:
                self._stood_still = False
                self.motion.setCurrentIndex(still)
