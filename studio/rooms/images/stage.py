"""The Images room's stage: the deep-zoom viewer, the tool strip above it, and the dialogs about one picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QWidget

from ddmi_core.export.recipe_files import read_recipe
from ddmi_core.fidelity import Fidelity, FitFacts
from ddmi_core.fitting.sizes import basis_bytes
from ddmi_core.recipe import Recipe
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.work.items import View
from studio.engine.work.tiles import EnlargeRequest, OriginalRequest, PictureTilesRequest, TileReady, TilesRequest
from studio.panels.export_dialog import Place
from studio.panels.fidelity import gone, has_its_file
from studio.panels.inspector import item_title
from studio.panels.measuring import Measuring
from studio.panels.room import Stage
from studio.rooms.images.basis_dialog import BasisDialog
from studio.rooms.images.export_page import PictureChoice, PictureExportDialog
from studio.rooms.images.facts import FACTS
from studio.rooms.images.scales_dialog import ScalesDialog
from studio.rooms.images.walk_dialog import WalkDialog
from studio.settings import Settings
from studio.state.amounts import formatted_bytes
from studio.state.app_state import AppState
from studio.state.lengths import Lengths
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.widgets.basics import ElidedLabel, label
from studio.widgets.deep_zoom.geometry import BASE, WHOLE, Region, Window
from studio.widgets.deep_zoom.split import Compare
from studio.widgets.deep_zoom.tiles import Source
from studio.widgets.deep_zoom.viewer import WHEEL_FACTOR, DeepZoom, MissingTiles, Pointed

_PAN_STEP, _BAR_STEP = 0.125, 0.02
_COMPARISONS: tuple[Compare, ...] = ("off", "nearest", "bicubic")


class ImageStage(Stage[DeepZoom]):
    """Shows one picture, and the actions on how it is seen."""

    room = FACTS
    canvas = DeepZoom
    fidelity = "fidelity"
    strip = (
        ("whole", "one_to_one", "lift_cap"),
        ("compare_off", "compare_nearest", "compare_bicubic"),
        ("fidelity", "picture_ruler"),
        ("navigator", "basis", "scales", "walk"),
    )

    def __init__(self, state: AppState, engine: Engine, actions: Actions, theme: Theme, settings: Settings) -> None:
        super().__init__(state, engine, actions, theme, settings)
        self.viewer.tiles_wanted.connect(self._ask_tiles)
        self.viewer.enlarged_wanted.connect(self._ask_enlarged)
        self.viewer.look_changed.connect(self._on_look)
        self.viewer.pointed.connect(self._on_pointed)
        engine.answers(TileReady).connect(self._on_tile)
        self.under_pointer = ElidedLabel(look="small")
        self.under_pointer.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.zoom = label(look="small")
        ruler = actions["picture_ruler"]
        self.measuring = Measuring(self, self.viewer, ruler, self._lengths, self.room.words.noun, theme)
        self._lay_out(self.zoom, passing=self.under_pointer, below=(self.measuring.bar,))
        self._wire(actions)
        self.show_view(None, None)

    def show_view(self, item: Item | None, view: View | None, resolution: int = 0) -> None:
        """Show a picture, given its `pixels` at the base resolution."""
        known = item is not None and self._item is not None and item.id == self._item.id
        self._item = item
        self._set_empty(view is None)
        self._actions.allow("picture_ruler", "" if view is not None else "There is no picture on the stage yet")
        if view is None:
            self._actions["picture_ruler"].setChecked(False)
        elif not known:
            self.measuring.begin_anew()
        facts = item.recipe.fit if item is not None else None
        self.viewer.show_picture(
            view["pixels"] if view is not None else None,
            extent_of(item),
            base=max(facts.pixels) if facts is not None and facts.pixels is not None else BASE,
            beside_file=facts is not None and item is not None and has_its_file(item),
        )
        self._actions["fidelity"].setEnabled(view is not None and item is not None and item.recipe.source is not None)
        for name in _LOOK_ACTIONS:
            self._actions[name].setEnabled(view is not None)
        for name in _ITEM_ACTIONS:
            self._actions[name].setEnabled(view is not None and item is not None)

    def limit_tiles(self, budget: int) -> None:
        """Keep at most so many bytes of tiles."""
        self.viewer.cache.budget = budget

    def visible_region(self) -> Region | None:
        """The part of the canvas that is seen, unless all of it is."""
        look = self.viewer.look
        return look.region if look is not None and not look.shows_all else None

    def screenshot(self) -> QImage:
        """The view as it stands, with the ruler."""
        return self.measuring.painted_on(super().screenshot())

    def _lengths(self) -> tuple[Lengths, ...]:
        """What lengths in the picture are told in."""
        facts = self._item.recipe.fit if self._item is not None else None
        exported = self._settings.export_choice(PictureChoice).resolution
        return Lengths.of_picture(extent_of(self._item), facts.pixels if facts is not None else None, exported)

    def export_dialog(self, item: Item, place: Place, parent: QWidget) -> PictureExportDialog:
        """Asks for the format, the size, and whether only what is seen is wanted."""
        return PictureExportDialog(
            item_title(item),
            self._settings.export_choice(PictureChoice),
            place,
            self.visible_region(),
            item.recipe.extent,
            parent,
            fit=item.recipe.fit,
        )

    # Actions

    def recipe_in(self, path: Path) -> Recipe | None:
        """Return the recipe that a picture of ours carries."""
        return read_recipe(path)

    def _wire(self, actions: Actions) -> None:
        viewer = self.viewer
        actions.on("whole", viewer.fit)
        actions.on("one_to_one", viewer.one_to_one)
        actions.on("closer", lambda: viewer.zoom(WHEEL_FACTOR))
        actions.on("farther", lambda: viewer.zoom(1 / WHEEL_FACTOR))
        actions.on_toggled("lift_cap", viewer.lift_cap)
        actions.on_toggled("navigator", viewer.show_navigator)
        for compare in _COMPARISONS:
            actions.on(f"compare_{compare}", partial(self.compare, compare))
        actions["compare_off"].setChecked(True)
        for name, right, down in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1)):
            actions.on(f"go_{name}", partial(viewer.pan, _PAN_STEP * right, _PAN_STEP * down))
        actions.on("bar_left", lambda: viewer.move_bar(-_BAR_STEP))
        actions.on("bar_right", lambda: viewer.move_bar(_BAR_STEP))
        actions.on("basis", self.show_basis)
        actions.on("scales", self.show_scales)
        actions.on("walk", self.show_walk)
        actions.on(self.fidelity, self.show_fidelities)

    def compare(self, compare: Compare) -> None:
        """Show the file's own pixels to the right of a bar; those of a small drawing where there is no file."""
        self.viewer.compare(compare)
        item = self._item
        if compare != "off" and item is not None and item.recipe.fit is not None and not self.viewer.beside_file:
            self._state.notifications.warning(f"{gone(item)} It is compared with a drawing of {BASE} px.")

    def _fit_size(self, facts: FitFacts, fidelity: Fidelity) -> str:
        if facts.pixels is None:
            return ""
        return f"at most {formatted_bytes(basis_bytes(*facts.pixels, fidelity, bits=facts.bits))}"

    def show_basis(self) -> None:
        """Open the basis fields of the picture beside the work."""
        if (item := self._item) is not None:
            self._try(lambda: self._open(BasisDialog(item, self._engine, self._theme, self)))

    def show_scales(self) -> None:
        """Open the film of the picture's scales beside the work."""
        if (item := self._item) is not None:
            about = (self._state, self._engine, self._theme, self._settings)
            self._try(lambda: self._open(ScalesDialog(item, *about, self)))

    def show_walk(self) -> None:
        """Open the walk from the picture to another one beside the work."""
        if (item := self._item) is not None:
            about = (self._state, self._engine, self._theme, self._settings)
            self._try(lambda: self._open(WalkDialog(item, *about, self)))

    def _open(self, dialog: QDialog) -> None:
        """Show a dialog instead of the earlier one of its kind."""
        for earlier in self.findChildren(type(dialog)):
            if earlier is not dialog:
                earlier.close()
        dialog.show()

    # Tiles

    def _ask_tiles(self, missing: MissingTiles) -> None:
        if (item := self._item) is not None:
            self._ask_for_tiles(
                PictureTilesRequest(
                    item=item,
                    side=missing.side,
                    windows=missing.windows,
                    coarse_side=missing.coarse_side,
                    coarse=missing.coarse,
                )
            )

    def _ask_enlarged(self, source: Source, side: int, windows: tuple[Window, ...]) -> None:
        if self._item is None or self.viewer.pixels is None:
            return
        request: TilesRequest
        if self.viewer.beside_file:
            request = OriginalRequest(item=self._item, side=side, windows=windows, smooth=source == "bicubic")
        else:
            request = EnlargeRequest(item=self._item, side=side, windows=windows, picture=self.viewer.pixels)
        self._ask_for_tiles(request)

    def _on_tile(self, result: TileReady) -> None:
        request = result.request
        if self._item is None or request.item.id != self._item.id:
            return
        if result.side != request.side:
            self.viewer.set_coarse(result.side, result.window, result.pixels)
        else:
            self.viewer.add_tile(_source_of(request), result.side, result.window, result.pixels)

    # Figures

    def _on_look(self) -> None:
        look = self.viewer.look
        self.zoom.setText("" if look is None else f"{_figure(look.zoom)}×")
        picture = f"a {BASE} px picture" if look is None or look.base == BASE else "the file"
        self.zoom.setToolTip(
            "The zoom is at its cap; lift it to go on"
            if self.viewer.is_capped
            else f"Screen pixels for each pixel of {picture}"
        )

    def _on_pointed(self, pointed: Pointed | None) -> None:
        if pointed is None or pointed.colour is None:
            self.under_pointer.setText("")
            return
        colour = pointed.colour
        shown = colour.name() if colour.alpha() else "transparent"
        if 0 < colour.alpha() < 255:
            shown += f" {round(colour.alphaF() * 100)} %"
        figures = (f"{pointed.x:+.4f}  {pointed.y:+.4f}    {shown}", shown, "")
        room, advance = self.under_pointer.width(), self.under_pointer.fontMetrics().horizontalAdvance
        self.under_pointer.setText(next(text for text in figures if advance(text) <= room or not text))


_LOOK_ACTIONS = ("whole", "one_to_one", "closer", "farther")
_ITEM_ACTIONS = ("basis", "scales", "walk")


def _source_of(request: TilesRequest) -> Source:
    """What the tiles are of that answer a request."""
    if isinstance(request, PictureTilesRequest):
        return "function"
    return "nearest" if isinstance(request, OriginalRequest) and not request.smooth else "bicubic"


def extent_of(item: Item | None) -> tuple[float, float, float, float]:
    """The part of the canvas that a picture covers: less than all of it when a file was longer than wide."""
    return (item.recipe.extent if item is not None else None) or WHOLE


def _figure(zoom: float) -> str:
    return f"{zoom:.2f}" if zoom < 10 else f"{zoom:,.0f}"
