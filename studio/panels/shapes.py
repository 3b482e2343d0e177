"""The Shapes room's stage: the 3D viewport, the tool strip above it, and what an empty room says.

All that the window knows about shapes in particular is in this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddmi_core.export.options import ShapeExport
from ddmi_core.rendering.mesh_pieces import MeshPiece
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.file_kinds import SURFACES
from studio.actions import Actions, Words
from studio.engine.engine import Engine
from studio.engine.work.fitting import FitRequest
from studio.engine.work.items import View
from studio.engine.work.viewing import DetailReady
from studio.panels.export_dialog import ExportDialog, Order, Place
from studio.panels.fidelity import told_bytes
from studio.panels.fidelity_menu import show_fidelities
from studio.panels.inspector import item_title
from studio.panels.loading_note import LoadingNote
from studio.panels.room import EmptyState, RoomFacts, Stage, tool_strip
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.widgets.basics import ElidedLabel, label, line, styled
from studio.widgets.orbit_camera import key_frame
from studio.widgets.viewport import Viewport

FACTS = RoomFacts(
    words=Words(
        domain="shape",
        noun="shape",
        source="mesh or point cloud",
        written_as="OBJ, GLB, PLY or STL",
        file="a mesh file",
    ),
    title="Shapes",
    icon="shapes",
    tip="Generate 3D shapes",
    placeholder="Describe a piece of furniture, for example\na round table with one leg\na wide sofa with armrests",
    empty_title="Describe a shape",
    empty_text=(
        "Type a prompt and press Generate. The result is a continuous shape: orbit it here, export it as fine "
        "as you like. Or start from an example:"
    ),
    examples=(
        "a round table with one leg",
        "a chair with armrests",
        "a wide sofa with armrests",
        "a tall bookcase with five shelves",
        "a low bed with a headboard",
        "a desk lamp",
    ),
    export=ShapeExport,
    import_formats=SURFACES,
    import_title="Reconstruct a mesh or point cloud",
    import_kind="Meshes and point clouds",
    preset="furniture",
    fits_afterwards=True,
    switches=("grid", "axes", "wireframe"),
    switches_off=("wireframe",),
)

_STRIP = (
    ("view_home", "view_front", "view_side", "view_top"),
    ("fit", "reset"),
    ("shape_fidelity",),
    ("wireframe", "grid", "axes"),
)
_RESTED_MS = 180
_ORBIT_STEP, _PAN_STEP, _ZOOM_STEP = 7.5, 0.04, 0.88


class ShapeStage(Stage):
    """Shows one shape, and the actions on how it is seen.

    Whenever the camera rests, the surface is meshed anew as finely as it is seen from there.
    """

    room = FACTS

    def __init__(self, state: AppState, engine: Engine, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._state, self._engine, self._actions, self._theme = state, engine, actions, theme
        styled(self, "stage")
        self.viewport = Viewport(theme.colours)
        theme.changed.connect(self._on_theme)
        self.facts = ElidedLabel(look="small")
        self.facts.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.fineness = label(look="small")
        self.fineness.setToolTip("Samples along each axis, where they lie closest")
        self._item: Item | None = None
        self._wish = 0
        self._rested = QTimer(self, singleShot=True, interval=_RESTED_MS)
        self._rested.timeout.connect(self._ask_detail)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(tool_strip(actions, _STRIP, self.fineness, passing=self.facts))
        layout.addWidget(line())
        layout.addWidget(self.viewport, 1)
        self.empty = EmptyState(FACTS, self.viewport)
        self.empty.example_chosen.connect(self.example_chosen)
        self.loading = LoadingNote(state.jobs, FACTS.words.domain, self.viewport)
        self._wire(actions)
        self.show_view(None, None)

    def show_view(self, item: Item | None, view: View | None, resolution: int = 0) -> None:
        """Show a shape's mesh, given in `pieces`; from where one looks, if it is the same item."""
        known = item is not None and self._item is not None and item.id == self._item.id
        self._item = item if view is not None else None
        self.empty.setVisible(view is None)
        self._actions["shape_fidelity"].setEnabled(self._item is not None and self._item.recipe.fit is not None)
        if view is None:
            self.viewport.show_mesh(())
            self.facts.setText("")
            self.fineness.setText("")
            return
        pieces: tuple[MeshPiece, ...] = view["pieces"]
        self.viewport.show_mesh(pieces, keep_view=known)
        self._say_figures(pieces, resolution)
        self._wait_for_rest()

    def set_can_generate(self, possible: bool) -> None:
        """Say in the empty room whether there is a model to generate with."""
        self.empty.set_can_generate(possible)

    def screenshot(self) -> QImage:
        """The view as it stands."""
        return self.viewport.screenshot()

    def ask_export(self, item: Item, place: Place, settings: Settings, parent: QWidget) -> Order | None:
        """Ask for the format, the resolution, how many faces, and in which units."""
        placement = item.recipe.placement
        dialog = ExportDialog(item_title(item), ShapeExport.formats, settings.export, place, placement, parent)
        if (order := dialog.ask()) is not None:
            settings.export = dialog.choice()
        return order

    def show_fidelities(self) -> None:
        """Let the person choose how closely the shape's mesh is represented, and have it fitted so."""
        if (item := self._item) is not None and (facts := item.recipe.fit) is not None:
            show_fidelities(
                item,
                lambda fidelity: told_bytes(facts.size_bytes) if fidelity == facts.fidelity else "",
                self.refit_asked.emit,
                self._state.notifications,
                self._actions["shape_fidelity"],
                self,
            )

    # Detail

    def _wait_for_rest(self) -> None:
        """What was asked for another view is not wanted any more; ask for this one once the camera rests."""
        if self._item is not None:
            self._wish += 1
            self._engine.stop_detail()
            self._rested.start()

    def _ask_detail(self) -> None:
        if self._item is None or not self.isVisible():
            return
        waited_for = [job for job in self._state.jobs.active() if not isinstance(job.request, FitRequest)]
        if waited_for:  # goes first
            self._rested.start()
            return
        view, aspect = self.viewport.view, self.viewport.width() / max(self.viewport.height(), 1)
        try:
            self._engine.detail(self._item, key_frame(view), aspect, wish=self._wish)
        except DDMIError as error:
            self._state.notifications.error(str(error))

    def _on_detail(self, result: DetailReady) -> None:
        if self._item is None or result.request.item.id != self._item.id or result.request.wish != self._wish:
            return
        self.viewport.show_detail(result.pieces, light=result.rough)
        self._say_figures(result.pieces, result.resolution)

    def _say_figures(self, pieces: Sequence[MeshPiece], resolution: int) -> None:
        self.facts.setText(f"{sum(len(piece.faces) for piece in pieces):,} faces")
        self.fineness.setText(f"{resolution:,}³")

    def _wire(self, actions: Actions) -> None:
        viewport = self.viewport
        viewport.view_changed.connect(self._wait_for_rest)
        self._engine.answers(DetailReady).connect(self._on_detail)
        actions.give_scope("viewport", viewport)
        for name in ("home", "front", "side", "top"):
            actions.on(f"view_{name}", partial(viewport.turn_to, name))
        actions.on("fit", viewport.fit)
        actions.on("reset", viewport.reset)
        actions.on("shape_fidelity", self.show_fidelities)
        for name in ("wireframe", "grid", "axes"):
            actions.on_toggled(name, partial(setattr, viewport, name))
        for name in ("grid", "axes"):
            actions[name].setChecked(True)
        for name, x, y in (("left", -1, 0), ("right", 1, 0), ("up", 0, 1), ("down", 0, -1)):
            actions.on(f"orbit_{name}", partial(viewport.orbit, _ORBIT_STEP * x, _ORBIT_STEP * y))
            actions.on(f"pan_{name}", partial(viewport.pan, _PAN_STEP * x, _PAN_STEP * y))
        actions.on("zoom_in", lambda: viewport.zoom(_ZOOM_STEP))
        actions.on("zoom_out", lambda: viewport.zoom(1 / _ZOOM_STEP))

    def _on_theme(self) -> None:
        self.viewport.set_colours(self._theme.colours)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See more or less."""
        super().resizeEvent(event)
        self._wait_for_rest()

    def showEvent(self, event: QShowEvent) -> None:
        """Go on with what was left undone while another room was looked at."""
        super().showEvent(event)
        self._wait_for_rest()
