"""The Video room's stage: the player with its timeline and sequence, and slices through time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ddmi_core.export.options import USUAL_SECONDS, VideoExport
from ddmi_core.export.recipe_files import read_recipe
from ddmi_core.recipe import Recipe
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.work.clips import (
    ArrangedRequest,
    FrameReady,
    FramesRequest,
    SequenceRequest,
    SlicesReady,
    SlicesRequest,
)
from studio.engine.work.items import View
from studio.engine.work.tiles import MomentTilesRequest, OriginalRequest, TileReady
from studio.panels.export_dialog import Order, Place
from studio.panels.fidelity import gone, has_its_file
from studio.panels.inspector import item_title
from studio.panels.room import Stage
from studio.rooms.video.export_page import VideoChoice, VideoExportDialog
from studio.rooms.video.facts import FACTS
from studio.rooms.video.player import Player
from studio.rooms.video.sequence_editing import SequenceEditing
from studio.rooms.video.slices_pane import SLICE_SIDE, SlicesPane
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.state.playback import RATE, Between, Moment, Playback, moment_between
from studio.state.sequence import Arrangement
from studio.theme.theme import Theme
from studio.widgets.basics import ElidedLabel, label, line
from studio.widgets.deep_zoom.geometry import WHOLE, Window
from studio.widgets.deep_zoom.images import to_image
from studio.widgets.deep_zoom.tiles import Source
from studio.widgets.deep_zoom.viewer import WHEEL_FACTOR, MissingTiles, Pointed
from studio.widgets.video.frame_view import FrameView, seen_window, visible_share
from studio.widgets.video.timeline import Timeline

_BETWEEN: tuple[Between, ...] = ("function", "repeated", "blended")
_PAN_STEP = 0.125
_SLICE_MOMENTS = 192
_CLIP_ACTIONS = (
    "play", "play_space", "play_back", "play_on", "frame_back", "frame_on", "slower", "quicker", "mark_in", "mark_out",
    "clear_marks", "clip_whole", "clip_closer", "clip_farther", "sequence", "add_to_sequence",
)  # fmt: skip
_OF_A_FILE = ("beside_file", "clip_fidelity")  # what only a person's own clip has
_OF_A_CLIP = ("between_repeated", "between_blended", "slices")  # what a sequence does not have


class VideoStage(Stage[FrameView]):
    """Shows and plays one clip, or the sequence of clips while that is shown.

    Where drawings become smaller while it plays, the figures say so.
    """

    room = FACTS
    canvas = FrameView
    fidelity = "clip_fidelity"
    strip = (
        ("play", "frame_back", "frame_on", "loop"),
        ("mark_in", "mark_out"),
        ("between_function", "between_repeated", "between_blended"),
        ("beside_file", "clip_fidelity"),
        ("clip_whole", "slices", "sequence"),
    )

    def __init__(self, state: AppState, engine: Engine, actions: Actions, theme: Theme, settings: Settings) -> None:
        super().__init__(state, engine, actions, theme, settings)
        self.player = Player(self._draw_ahead, self._give_up, self)
        self.timeline = Timeline(theme.colours)
        self.editing = SequenceEditing(state, self.timeline, theme, self)
        self.sequence = self.editing.panel
        self.slices = SlicesPane()
        self.under_pointer = ElidedLabel(look="small")
        self.under_pointer.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.figures = label(look="small")
        self._lay_out(
            self.figures,
            passing=self.under_pointer,
            beside=(self.slices,),
            below=(line(), self.timeline, self.sequence),
        )
        self._clip: tuple[float, list[float]] = (0.0, [])  # its seconds, and the moments of its base frames
        self._arrangement: Arrangement | None = None  # the sequence, while that is what is played
        self._marks: list[float] = []
        self._between: Between = "function"
        self._serial = 0
        self._thumbnail_seconds: tuple[float, ...] = ()
        self._thumbnail_moments: tuple[Moment, ...] = ()
        self._place = (0.0, 0.0)
        self._wire(actions)
        self.covered.connect(lambda on: self._pause() if on else None)
        self.show_view(None, None)

    @property
    def playback(self) -> Playback:
        """Where and how the clip is played."""
        return self.player.playback

    # The stage

    def show_view(self, item: Item | None, view: View | None, resolution: int = 0) -> None:
        """Show a clip, given one frame of it and the moments of its base frames; the same one as it was looked at."""
        is_same = item is not None and self._item is not None and item.id == self._item.id
        before, look = replace(self.playback), self.viewer.look if is_same else None
        self._pause()
        self._item = item if view is not None else None
        self._set_empty(view is None)
        recipe = item.recipe if item is not None else None
        seconds = (recipe.seconds if recipe is not None else None) or USUAL_SECONDS
        self._clip = (0.0, []) if view is None else (seconds, [float(t) for t in view["marks"]])
        extent = (recipe.extent if recipe is not None else None) or WHOLE
        facts = recipe.fit if recipe is not None else None
        beside_file = facts is not None and item is not None and has_its_file(item)
        self.viewer.show_picture(view["pixels"] if view is not None else None, extent, beside_file=beside_file)
        if view is not None and look is not None and not look.shows_all:
            self.viewer.look_at(look)
        self._show_bar()
        self.slices.clear()
        for name in _CLIP_ACTIONS:
            self._actions[name].setEnabled(view is not None)
        for name in _OF_A_FILE:
            self._actions[name].setEnabled(view is not None and facts is not None)
        place = self._arrangement.place_of(self._item) if self._arrangement and self._item else None
        if self._arrangement is None:
            self._begin(before.position if is_same else 0.0)
        elif place is None:
            self._actions["sequence"].setChecked(False)  # what is new is seen, alone
        else:
            self.sequence.track.choose(place)
            self._begin(self._arrangement.layout.starts[place])
        if view is not None and is_same and self._arrangement is None:
            self._go_on_like(before)
        self._ask_slices()

    def show_sketch(self, view: View, resolution: int) -> None:
        """Show a frame of a clip."""
        self.show_view(None, None)
        self._set_empty(False)
        self.viewer.show_picture(view["pixels"], WHOLE)

    def _go_on_like(self, before: Playback) -> None:
        """Play as it was played before the clip became what it is now."""
        now = self.playback
        now.mark_in, now.mark_out = before.mark_in, before.mark_out
        now.speed, now.direction, now.playing = before.speed, before.direction, before.playing
        self.timeline.show_range(*now.range)
        if now.playing:
            self._play()

    def _begin(self, second: float = 0.0) -> None:
        """Begin with another clip or arrangement, at a second of it."""
        arrangement = self._arrangement
        seconds, self._marks = self._clip if arrangement is None else (arrangement.layout.seconds, [])
        looping = self._actions["loop"].isChecked()
        self.player.playback = Playback(seconds=seconds or USUAL_SECONDS, looping=looping)
        self.timeline.show_clip(seconds, [(t + 1) / 2 * seconds for t in self._marks])
        if self._item is not None:
            self._seek(second)

    def limit_tiles(self, budget: int) -> None:
        """Keep at most so many bytes of tiles."""
        self.viewer.cache.budget = budget

    def export_dialog(self, item: Item, place: Place, parent: QWidget) -> VideoExportDialog:
        """Asks for the format, the size, the rate, and whether only the range between the marks is wanted."""
        self._pause()
        whole = (0.0, self.playback.seconds)
        span = self.playback.range if self.playback.range != whole else None
        title, extent = item_title(item), item.recipe.extent
        arrangement = self._arrangement
        if arrangement is not None:
            extent = None
            first, *more = (item_title(piece.item) for piece in arrangement.pieces)
            title = f"{first} and {len(more)} more" if more else first
        return VideoExportDialog(
            title,
            self._settings.export_choice(VideoChoice),
            place,
            self.playback.seconds,
            span,
            extent,
            parent,
            has_recipe=arrangement is None,
            fit=item.recipe.fit if arrangement is None else None,
        )

    def recipe_in(self, path: Path) -> Recipe | None:
        """Return the recipe that a clip of ours carries, or a film of a radiance field."""
        return read_recipe(path)

    def exported(self, item: Item) -> Sequence[Item]:
        """The clip, or those of the sequence while that is shown."""
        return (item,) if self._arrangement is None else self._arrangement.items

    def export(self, item: Item, order: Order) -> None:
        """Have the clip written to a file, or the sequence while that is shown."""
        if self._arrangement is not None and isinstance(order.options, VideoExport):
            self._engine.ask(
                SequenceRequest(
                    arrangement=self._arrangement, path=order.path, options=order.options, replace=order.replace
                )
            )
        else:
            super().export(item, order)

    # Actions

    def _wire(self, actions: Actions) -> None:
        viewer, engine = self.viewer, self._engine
        viewer.tiles_wanted.connect(self._ask_tiles)
        viewer.enlarged_wanted.connect(self._ask_original)
        viewer.look_changed.connect(self._on_look)
        viewer.pointed.connect(self._on_pointed)
        self.timeline.sought.connect(self._seek)
        self.timeline.thumbnails_wanted.connect(self._ask_thumbnails)
        engine.answers(TileReady).connect(self._on_tile)
        engine.answers(FrameReady).connect(self._on_frame)
        engine.answers(SlicesReady).connect(self._on_slices)
        self.timeline.addAction(actions["play_space"])
        actions.on("play", self.toggle)
        actions.on("play_space", self.toggle)
        actions.on("play_on", partial(self._shuttle, 1))
        actions.on("play_back", partial(self._shuttle, -1))
        actions.on("frame_on", partial(self._step, 1))
        actions.on("frame_back", partial(self._step, -1))
        actions.on("quicker", partial(self._faster, 1))
        actions.on("slower", partial(self._faster, -1))
        actions.on_toggled("loop", self._set_loop)
        actions.on("mark_in", lambda: self._mark(self.playback.set_in))
        actions.on("mark_out", lambda: self._mark(self.playback.set_out))
        actions.on("clear_marks", lambda: self._mark(self.playback.clear_marks))
        for between in _BETWEEN:
            actions.on(f"between_{between}", partial(self._compare, between))
        actions["between_function"].setChecked(True)
        actions.on_toggled("beside_file", self.compare_with_file)
        actions.on(self.fidelity, self.show_fidelities)
        actions.on("clip_whole", viewer.fit)
        actions.on("clip_closer", lambda: viewer.zoom(WHEEL_FACTOR))
        actions.on("clip_farther", lambda: viewer.zoom(1 / WHEEL_FACTOR))
        for name, right, down in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1)):
            actions.on(f"clip_{name}", partial(viewer.pan, _PAN_STEP * right, _PAN_STEP * down))
        actions.on_toggled("slices", self._show_slices)
        actions.on_toggled("sequence", self._show_sequence)
        actions.on("add_to_sequence", self._add_shown)
        self.player.due.connect(self._on_due)
        self.player.ended.connect(self._on_ended)
        self.editing.edited.connect(self._follow_edits)
        self.sequence.track.sought.connect(self._seek)
        self.sequence.track.addAction(actions["play_space"])
        self._show_slices(actions["slices"].isChecked())

    def toggle(self) -> None:
        """Play, or pause."""
        if self._item is None:
            self._actions["play"].setChecked(False)
        elif self.playback.playing:
            self._pause()
            self._rest()
        else:
            self.playback.playing = True
            if not self.playback.ahead(self.playback.position, 1):  # it rests at the end of the range
                self.playback.seek(self.playback.range[0])
            self._play()

    def _shuttle(self, direction: int) -> None:
        if self._item is not None:
            self.playback.shuttle(direction)
            self._play()

    def _step(self, frames: int) -> None:
        if self._item is not None:
            self._pause()
            self.playback.step(frames)
            self._rest()

    def _faster(self, steps: int) -> None:
        self.playback.faster(steps)
        self.player.renew()
        self._say_figures()

    def _set_loop(self, on: bool) -> None:
        self.playback.looping = on
        self.player.renew()

    def _mark(self, change: Callable[[], None]) -> None:
        change()
        self.timeline.show_range(*self.playback.range)
        self.player.renew()

    def _compare(self, between: Between) -> None:
        self._between = between
        self.player.renew()
        if not self.playback.playing:
            self._rest()

    def compare_with_file(self, on: bool) -> None:
        """Show the file's own frames to the right of a bar, or the function alone."""
        item = self._item
        if on and item is not None and not has_its_file(item):
            self._state.notifications.warning(f"{gone(item)} There is nothing to compare with.")
            self._actions["beside_file"].setChecked(False)
            return
        self._show_bar()
        if item is not None and not self.playback.playing:
            self._rest()

    def _show_bar(self) -> None:
        """Have the bar where there is something to compare with."""
        on = self._actions["beside_file"].isChecked() and self.viewer.beside_file and self._arrangement is None
        self.viewer.compare("nearest" if on else "off")

    def _bar(self, side: int) -> int | None:
        """The column of a drawing from which on the file is seen."""
        look, split = self.viewer.look, self.viewer.split
        if look is None or not split.is_on:
            return None
        return round((look.left + split.bar(look.width)) * side / look.side)

    def _seek(self, second: float) -> None:
        """Go to a second and rest there, or play on from there."""
        self.playback.seek(second)
        if self.playback.playing:
            self.player.renew()
            self.timeline.show_position(self.playback.position)
        else:
            self._rest()

    # The sequence

    def _show_sequence(self, on: bool) -> None:
        """Play the sequence instead of the clip, or the clip again. At first the sequence is the clip's range."""
        item = self._item
        if on and item is not None:
            self.editing.begin_with(item, self.playback.range)
        on = on and item is not None and self.editing.current is not None
        self._actions["sequence"].setChecked(on)
        self._pause()
        self._arrangement = self.editing.current if on else None
        if self._arrangement is not None:
            self.sequence.show_arrangement(self._arrangement)
        self.sequence.setVisible(on)
        for name in _OF_A_CLIP:
            self._actions[name].setEnabled(not on)
        for name in _OF_A_FILE:
            self._actions[name].setEnabled(not on and item is not None and item.recipe.fit is not None)
        self._show_bar()
        self._begin()
        self._show_slices(self._actions["slices"].isChecked())

    def _add_shown(self) -> None:
        if self._item is not None:
            self.editing.add(self._item)

    def _follow_edits(self) -> None:
        """Show the arrangement as it has become, where the person looks."""
        if self._arrangement is None:
            self._actions["sequence"].setChecked(True)
            return
        self._pause()
        (start, stop), position, before = self.timeline.span, self.playback.position, self._arrangement.layout.seconds
        self._arrangement = self.editing.current
        assert self._arrangement is not None
        self._begin(position)
        self.sequence.show_arrangement(self._arrangement)
        if stop - start < before:
            self.timeline.look(start, stop - start)

    # Playing

    def _play(self) -> None:
        self._actions["play"].setChecked(True)
        self.player.play()
        self._say_figures()

    def _pause(self) -> None:
        self._actions["play"].setChecked(False)
        self.player.pause()

    def _draw_ahead(self, seconds: list[float]) -> bool:
        """Have frames drawn for the player; whether they come."""
        look, item = self.viewer.look, self._item
        if look is None or item is None:
            return False
        side, window = seen_window(look, self.player.pace.side(look.side, visible_share(look)))
        return self._try_frames(item, [self._moment(second) for second in seconds], side, window, "play", more=True)

    def _give_up(self) -> None:
        """Have nothing more drawn for the player; what still comes is not wanted."""
        self._serial += 1
        self._engine.stop(FramesRequest, lambda request: request.purpose == "play")

    def _on_due(self, frame: FrameReady) -> None:
        self._show(frame, moving=True)
        self.timeline.show_position(self.playback.position)
        self._say_figures()

    def _on_ended(self) -> None:
        self._actions["play"].setChecked(False)
        self._rest()

    def _on_frame(self, result: FrameReady) -> None:
        request = result.request
        if not self._is_mine(request):
            return
        if request.purpose == "thumbnails":
            if request.moments == self._thumbnail_moments:
                self.timeline.add_thumbnail(self._thumbnail_seconds[result.index], to_image(result.pixels))
            return
        if request.serial != self._serial:
            return
        if request.purpose == "rest":
            self._show(result, moving=False)
            return
        self.player.take(result)

    def _is_mine(self, request: ArrangedRequest) -> bool:
        """Whether what was asked for is of the clip, or the arrangement, that is on the stage now."""
        is_shown = self._item is not None and request.item.id == self._item.id
        return is_shown and request.arrangement is self._arrangement

    def _rest(self) -> None:
        """Show the moment at the playhead, at first roughly, then at the screen's own pixels."""
        look, item = self.viewer.look, self._item
        self.timeline.show_position(self.playback.position)
        self._say_figures()
        if look is None or item is None:
            return
        self._serial += 1
        side, window = seen_window(look, min(look.side, FACTS.preview_resolution))
        self._try_frames(item, [self._moment(self.playback.position)], side, window, "rest")

    def _moment(self, second: float) -> Moment:
        return moment_between(self.playback.to_moment(second), self._marks, self._between)

    def _show(self, frame: FrameReady, *, moving: bool) -> None:
        request = frame.request
        self.viewer.show_frame(request.side, request.window, frame.pixels, moving=moving)

    def _try_frames(
        self,
        item: Item,
        moments: Sequence[Moment],
        side: int,
        window: tuple[int, int, int, int],
        purpose: str,
        *,
        more: bool = False,
    ) -> bool:
        """Have frames drawn; whether they come, otherwise playing ends."""
        bar = self._bar(side) if purpose != "thumbnails" else None
        request = FramesRequest(
            item=item,
            moments=tuple(moments),
            side=side,
            window=window,
            purpose=purpose,
            serial=self._serial,
            more=more,
            arrangement=self._arrangement,
            bar=bar,
        )
        if self._ask_for(request):
            return True
        self._pause()
        return False

    # The picture at rest

    def _ask_tiles(self, missing: MissingTiles) -> None:
        first, _, share = self._moment(self.playback.position)
        # A blend of two frames is no drawing of the function: it stays as it is.
        if (item := self._item) is not None and not self.playback.playing and share == 0:
            self._ask_for_tiles(
                MomentTilesRequest(
                    item=item, side=missing.side, windows=missing.windows, moment=first, arrangement=self._arrangement
                )
            )

    def _ask_original(self, source: Source, side: int, windows: tuple[Window, ...]) -> None:
        if (item := self._item) is not None and not self.playback.playing and self.viewer.beside_file:
            moment = self.playback.to_moment(self.playback.position)
            self._ask_for_tiles(
                OriginalRequest(item=item, side=side, windows=windows, smooth=source == "bicubic", moment=moment)
            )

    def _on_tile(self, result: TileReady) -> None:
        request = result.request
        if isinstance(request, OriginalRequest) and self._item is not None and request.item.id == self._item.id:
            if not self.playback.playing and request.moment == self.playback.to_moment(self.playback.position):
                self.viewer.add_tile("nearest", result.side, result.window, result.pixels)
            return
        if not isinstance(request, MomentTilesRequest) or self.playback.playing or not self._is_mine(request):
            return
        if request.moment == self._moment(self.playback.position)[0]:
            self.viewer.add_tile("function", result.side, result.window, result.pixels)

    def _on_look(self) -> None:
        self.player.renew()
        self._say_figures()

    # Timeline and slices

    def _ask_thumbnails(self, seconds: tuple[float, ...], side: int) -> None:
        if (item := self._item) is not None:
            self._thumbnail_seconds = seconds
            self._thumbnail_moments = tuple((t, t, 0.0) for t in map(self.playback.to_moment, seconds))
            self._try_frames(item, self._thumbnail_moments, side, (0, 0, side, side), "thumbnails")

    def _show_slices(self, on: bool) -> None:
        self.slices.setVisible(on and self._arrangement is None)
        self._ask_slices()

    def _ask_slices(self) -> None:
        if (item := self._item) is not None and not self.slices.isHidden():
            x, y = self._place
            self._ask_for(SlicesRequest(item=item, x=x, y=y, side=SLICE_SIDE, moments=_SLICE_MOMENTS))

    def _on_slices(self, result: SlicesReady) -> None:
        if self._item is not None and result.request.item.id == self._item.id:
            self.slices.show_slices(result)

    # Figures

    def _say_figures(self) -> None:
        playback, look = self.playback, self.viewer.look
        if look is None:
            self.figures.setText("")
            return
        speed = f"{playback.speed:g}×" if playback.speed >= 1 else f"1/{round(1 / playback.speed)}×"
        parts = [f"{playback.position:.3f} s", ("−" if playback.direction < 0 else "") + speed]
        if playback.playing:
            side = self.player.pace.side(look.side, visible_share(look))
            parts.append(f"{min(self.player.rate, RATE):.0f} fps")
            if side < look.side:
                parts.append(f"{side} of {look.side} px")
        self.figures.setText("   ".join(parts))
        self.figures.setToolTip(
            "The playhead, the speed, and while playing the frames shown a second. Where the machine is too slow for "
            "the screen's own pixels, the frames are drawn smaller before there are fewer of them."
        )

    def _on_pointed(self, pointed: Pointed | None) -> None:
        if pointed is None:
            self.under_pointer.setText("")
            return
        self.under_pointer.setText(f"{pointed.x:+.4f}  {pointed.y:+.4f}")
        inside = abs(pointed.x) <= 1 and abs(pointed.y) <= 1
        if inside and not self.playback.playing and (pointed.x, pointed.y) != self._place:
            self._place = pointed.x, pointed.y
            self._ask_slices()

    def _on_theme(self) -> None:
        super()._on_theme()
        self.timeline.set_colours(self._theme.colours)
        self.sequence.track.update()
