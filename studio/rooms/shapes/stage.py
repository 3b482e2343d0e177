"""The Shapes room's stage: the 3D viewport, the tool strip above it, and what an empty room says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from ddmi_core.export.recipe_files import read_recipe
from ddmi_core.fidelity import Fidelity, FitFacts
from ddmi_core.fitting.sizes import shape_bytes
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.mesh_pieces import MeshPiece
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.work.fitting import FitRequest
from studio.engine.work.items import View
from studio.engine.work.viewing import (
    THICK_SHARE,
    DetailReady,
    DetailRequest,
    Measured,
    MeshReady,
    MeshRequest,
)
from studio.panels.export_dialog import Place
from studio.panels.export_fields import longest_box
from studio.panels.fidelity import gone, has_its_file
from studio.panels.inspector import item_title
from studio.panels.measuring import Measuring
from studio.panels.room import Stage
from studio.rooms.shapes.export_page import ShapeChoice, ShapeExportDialog
from studio.rooms.shapes.facts import FACTS
from studio.rooms.shapes.screenshot_dialog import ScreenshotChoice, ScreenshotDialog
from studio.rooms.shapes.section_bar import SectionBar
from studio.settings import Settings
from studio.state.amounts import formatted_bytes
from studio.state.app_state import AppState
from studio.state.lengths import Lengths
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.widgets.basics import ElidedLabel, label
from studio.widgets.colour_scale import ColourScale
from studio.widgets.matcaps import MATCAPS, Matcap
from studio.widgets.orbit_camera import key_frame
from studio.widgets.viewport import Viewport

_Beside = Literal["nothing", "glass", "distances", "thickness"]
"""How a shape is shown: by itself, beside the mesh that it was made of, or with what is measured of it in colours."""
_OF_FILE = ("glass", "distances")
_OF_SHAPE = ("section", "section_x", "section_y", "section_z", "section_flip", "ruler")
_RESTED_MS = 180
_LONGEST_WIDTH = 120  # px
_ORBIT_STEP, _PAN_STEP, _ZOOM_STEP = 7.5, 0.04, 0.88


class ShapeStage(Stage[Viewport]):
    """Shows one shape, and the actions on how it is seen.

    Whenever the camera rests, the surface is meshed anew as finely as it is seen from there.
    """

    room = FACTS
    canvas = Viewport
    fidelity = "shape_fidelity"
    strip = (
        ("view_home", "view_front", "view_side", "view_top"),
        ("fit", "reset", "parallel"),
        ("shape_fidelity",),
        ("section", "ruler"),
        ("beside_nothing", "beside_thickness", "beside_glass", "beside_distances"),
        ("wireframe", "grid", "axes"),
    )

    def __init__(self, state: AppState, engine: Engine, actions: Actions, theme: Theme, settings: Settings) -> None:
        super().__init__(state, engine, actions, theme, settings)
        self.facts = ElidedLabel(look="small")
        self.facts.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.fineness = ElidedLabel(look="small", asks=True)
        self._serial = 0
        self._rested = QTimer(self, singleShot=True, interval=_RESTED_MS)
        self._rested.timeout.connect(self._ask_detail)
        self.section_bar = SectionBar(actions, theme)
        self.measuring = Measuring(self, self.viewer, actions["ruler"], self._lengths, self.room.words.noun, theme)
        self.longest = longest_box()
        self.longest.setFixedWidth(_LONGEST_WIDTH)
        self.longest.setKeyboardTracking(False)
        self.measuring.bar.put(label("Longest side", "muted"))
        self.measuring.bar.put(self.longest)
        self._lay_out(self.fineness, passing=self.facts, below=(self.section_bar, self.measuring.bar))
        self.scale = ColourScale(theme, self.viewer)
        self._beside: _Beside = "nothing"
        self._is_sketch = False
        self._has_file = False  # it was read, and is what it was
        self._wire(actions)
        self.show_view(None, None)

    def show_view(self, item: Item | None, view: View | None, resolution: int = 0) -> None:
        """Show a shape's mesh, given in `pieces`; from where one looks, if it is the same item."""
        known = item is not None and self._item is not None and item.id == self._item.id
        self._item, self._is_sketch = (item if view is not None else None), False
        self._set_empty(view is None)
        of_file = self._item is not None and self._item.recipe.fit is not None
        for name in ("shape_fidelity", "beside_glass", "beside_distances"):
            self._actions[name].setEnabled(of_file)
        for name in _OF_SHAPE:
            self._actions.allow(name, "" if view is not None else "There is no shape on the stage yet")
        if not known:
            self._read_file()
            self.longest.setValue(0.0)
            self.measuring.begin_anew()
        if view is None:
            self.viewer.show_mesh(())
            self._show_section()
            self._actions["ruler"].setChecked(False)
            self.facts.setText("")
            self.fineness.setText("")
            return
        pieces: tuple[MeshPiece, ...] = view["pieces"]
        self.viewer.show_mesh(pieces, keep_view=known)
        self._rescale()
        self._say_figures(pieces, resolution)
        self._wait_for_rest()

    def show_sketch(self, view: View, resolution: int) -> None:
        """Show a mesh, from where an earlier sketch was looked at."""
        seen = self.viewer.view if self._is_sketch else None
        super().show_sketch(view, resolution)
        self._is_sketch = True
        if seen is not None:
            self.viewer.set_view(seen)

    def export_dialog(self, item: Item, place: Place, parent: QWidget) -> ShapeExportDialog:
        """Asks for the format, the resolution, how many faces, and in which units."""
        choice = self._settings.export_choice(ShapeChoice)
        dialog = ShapeExportDialog(item_title(item), choice, place, item.recipe.placement, parent)
        if longest := self.longest.value():
            dialog.longest.setValue(longest)
        return dialog

    def recipe_in(self, path: Path) -> Recipe | None:
        """Return the recipe that a GLB file of ours carries."""
        return read_recipe(path) if path.suffix.lower() == ".glb" else None

    def _fit_size(self, facts: FitFacts, fidelity: Fidelity) -> str:
        return f"about {formatted_bytes(shape_bytes(fidelity))}"

    def screenshot(self) -> QImage:
        """The view as it stands, with the ruler.

        Raises:
            DDMIError: it cannot be drawn on this system.
        """
        return self.measuring.painted_on(super().screenshot())

    def ask_screenshot(self, parent: QWidget) -> QImage | None:
        """Ask how large the view is to be drawn, and whether with its background, and do so."""
        width = round(self.viewer.width() * self.viewer.devicePixelRatioF())
        choice = self._settings.export_choice(ScreenshotChoice)
        dialog = ScreenshotDialog(width, self.viewer.height_of, choice, parent)
        agreed = dialog.exec() == ScreenshotDialog.DialogCode.Accepted
        width, choice = dialog.width_box.value(), dialog.choice()
        dialog.deleteLater()
        if not agreed:
            return None
        self._settings.keep_export_choice(choice)
        return self.measuring.painted_on(self.viewer.picture(width, transparent=choice.transparent))

    # Inside, and how long

    def _lengths(self) -> tuple[Lengths]:
        """What lengths of the shape are told in."""
        low, high = self.viewer.box
        placement = self._item.recipe.placement if self._item is not None else None
        return (Lengths.of(float((high - low).max()), placement, self.longest.value()),)

    def _show_section(self) -> None:
        """Cut the shape as the bar says."""
        section = self.section_bar.section
        self.viewer.section = section
        self.section_bar.setVisible(section is not None and self._actions["section"].isEnabled())
        if section is not None:
            low, high = self.viewer.box
            self.section_bar.say_place(self._lengths()[0].said(section.place(low, high) - float(low[section.axis])))

    def _rescale(self) -> None:
        """Show what is told in lengths."""
        self._show_section()
        self.measuring.refresh()

    # Beside the file

    def show_beside(self, beside: _Beside) -> None:
        """Show the shape by itself, with its file's surface as glass over it, or coloured by what is measured."""
        self._beside = beside
        if self._item is not None and beside in _OF_FILE and not has_its_file(self._item):
            self._state.notifications.warning(gone(self._item))
        self._read_file()
        self._wait_for_rest()

    def _read_file(self) -> None:
        """Ask for the file's surface if it is to be seen, or measured from."""
        self._has_file = False
        self.viewer.show_other(())
        self.scale.hide()
        item = self._item
        if self._beside in _OF_FILE and item is not None and item.recipe.fit is not None and has_its_file(item):
            self._engine.ask(MeshRequest(item=item))

    def _on_file(self, result: MeshReady) -> None:
        if self._item is None or result.request.item.id != self._item.id:
            return
        self._has_file = True
        if self._beside == "glass":
            self.viewer.show_other(result.pieces)
        self._wait_for_rest()

    def _measured(self) -> Measured:
        if self._beside == "thickness":
            return "thickness"
        return "distances" if self._has_file and self._beside == "distances" else "nothing"

    def _show_material(self, matcap: Matcap | None, on: bool) -> None:
        if on:
            self.viewer.matcap = matcap

    # Detail

    def _wait_for_rest(self) -> None:
        """What was asked for another view is not wanted any more; ask for this one once the camera rests."""
        if self._item is not None:
            self._serial += 1
            self._engine.stop(DetailRequest)
            self._rested.start()

    def _ask_detail(self) -> None:
        if self._item is None or not self.isVisible():
            return
        waited_for = [job for job in self._state.jobs.active() if not isinstance(job.request, FitRequest)]
        if waited_for:  # goes first
            self._rested.start()
            return
        view, aspect = self.viewer.view, self.viewer.width() / max(self.viewer.height(), 1)
        request = DetailRequest(
            item=self._item, camera=key_frame(view), aspect=aspect, serial=self._serial, measured=self._measured()
        )
        self._ask_for(request)

    def _on_detail(self, result: DetailReady) -> None:
        if self._item is None or result.request.item.id != self._item.id or result.request.serial != self._serial:
            return
        self.viewer.show_detail(result.pieces, light=result.rough)
        self._say_figures(result.pieces, result.resolution)
        if result.request.measured != self._measured():
            return
        if (found := result.distances) is not None:
            title = f"Distance from the file: mean {found.mean:.2g}, at most {found.largest:.2g}"
            self.scale.say(title, "0", f"{found.far:.2g} or more")
        if (thinnest := result.thinnest) is not None:
            title = f"Thickness: a hundredth of the surface below {100 * thinnest:.1f} % of the longest side"
            self.scale.say(title, f"{100 * THICK_SHARE:.0f} % or more", "0 %")

    def _say_figures(self, pieces: Sequence[MeshPiece], resolution: int) -> None:
        self.facts.setText(f"{sum(len(piece.faces) for piece in pieces):,} faces")
        self.fineness.setText(f"{resolution:,}³")
        self.fineness.setToolTip("Samples along each axis, where they lie closest")

    def _wire(self, actions: Actions) -> None:
        viewport = self.viewer
        viewport.view_changed.connect(self._wait_for_rest)
        self._engine.answers(DetailReady).connect(self._on_detail)
        self._engine.answers(MeshReady).connect(self._on_file)
        for name in ("home", "front", "side", "top"):
            actions.on(f"view_{name}", partial(viewport.turn_to, name))
        actions.on("fit", viewport.fit)
        actions.on("reset", viewport.reset)
        actions.on(self.fidelity, self.show_fidelities)
        for beside in get_args(_Beside):
            actions.on(f"beside_{beside}", partial(self.show_beside, beside))
        actions["beside_nothing"].setChecked(True)
        for name in ("wireframe", "grid", "axes"):
            actions.on_toggled(name, partial(setattr, viewport, name))
        actions.on_toggled("material_plain", partial(self._show_material, None))
        for matcap in MATCAPS:
            actions.on_toggled(f"material_{matcap}", partial(self._show_material, matcap))
        actions["material_plain"].setChecked(True)
        actions.on_toggled("parallel", viewport.set_parallel)
        self.section_bar.changed.connect(self._show_section)
        self.longest.valueChanged.connect(lambda _length: self._rescale())
        for name in ("grid", "axes"):
            actions[name].setChecked(True)
        for name, x, y in (("left", -1, 0), ("right", 1, 0), ("up", 0, 1), ("down", 0, -1)):
            actions.on(f"orbit_{name}", partial(viewport.orbit, _ORBIT_STEP * x, _ORBIT_STEP * y))
            actions.on(f"pan_{name}", partial(viewport.pan, _PAN_STEP * x, _PAN_STEP * y))
        actions.on("zoom_in", lambda: viewport.zoom(_ZOOM_STEP))
        actions.on("zoom_out", lambda: viewport.zoom(1 / _ZOOM_STEP))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See more or less."""
        super().resizeEvent(event)
        self._wait_for_rest()

    def showEvent(self, event: QShowEvent) -> None:
        """Go on with what was left undone while another room was looked at."""
        super().showEvent(event)
        self._wait_for_rest()
