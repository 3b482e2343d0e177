"""The Video room: playing, comparing, marks, slices, and what is asked of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt, QTime

from ddmi_core.fidelity import FitFacts
from ddmi_core.recipe import Recipe
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.pipelines import PipelineCache
from studio.engine.work.clips import FrameReady, SequenceDone
from studio.panels.export_dialog import Order, Place
from studio.panels.span_dialog import SpanDialog
from studio.rooms.video import facts as video
from studio.rooms.video.export_page import VideoChoice, VideoExportDialog
from studio.rooms.video.stage import VideoStage
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Item
from tests.studio.window.fakes import CLIPS, FakeClip, FakeVideoPipeline

PATIENCE = 60_000  # ms


@pytest.fixture
def engine(state: AppState) -> Iterator[Engine]:
    engine = Engine(state, PipelineCache(load=lambda _folder, _device: FakeVideoPipeline()))
    state.add_room("video")
    state.set_models([CLIPS])
    state.enter("video")
    yield engine
    engine.cancel_all()
    assert engine.shutdown()


@pytest.fixture
def stage(qtbot, state: AppState, engine: Engine, actions: Actions, theme) -> VideoStage:
    actions["loop"].setChecked(True)
    stage = VideoStage(state, engine, actions, theme, Settings())
    actions.enter(video.FACTS.words)
    qtbot.addWidget(stage)
    stage.resize(900, 480)
    stage.show()
    qtbot.waitExposed(stage)
    return stage


@pytest.fixture
def clip(qtbot, state: AppState, stage: VideoStage) -> Item:
    item = state.library.add(
        np.zeros((1, 2, 2), np.float32),
        Recipe(domain="video", model=CLIPS.name, model_hash=CLIPS.hash, seconds=2.0),
        np.zeros((32, 32, 4), np.uint8),
    )
    state.show(item)
    stage.show_view(item, FakeClip(0.0).view(resolution=64), 64)
    assert stage.empty.isHidden()
    qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)
    return item


@pytest.fixture
def frames(engine: Engine) -> list[FrameReady]:
    found: list[FrameReady] = []
    engine.answers(FrameReady).connect(found.append)
    return found


def played(frames: list[FrameReady]) -> list[tuple[float, float, float]]:
    return [frame.request.moments[frame.index] for frame in frames if frame.request.purpose == "play"]


def test_an_empty_room_plays_nothing(stage: VideoStage, actions: Actions) -> None:
    actions["play_on"].trigger()
    assert not stage.playback.playing and not stage.empty.isHidden() and not actions["play"].isEnabled()


def test_it_plays_onwards_in_steps_of_the_function(
    qtbot, stage: VideoStage, clip: Item, actions: Actions, frames: list[FrameReady]
) -> None:
    actions["play_on"].trigger()
    actions["slower"].trigger()
    qtbot.waitUntil(lambda: stage.playback.position > 0.2, timeout=PATIENCE)
    # What was drawn ahead at the speed before is of no use
    latest = [frame for frame in frames if frame.request.serial == frames[-1].request.serial]
    moments = [first for first, _, share in played(latest) if share == 0]
    assert len(set(moments)) == len(moments) and actions["play"].isChecked()
    assert "1/2×" in stage.figures.text() and "fps" in stage.figures.text()
    actions["play_space"].trigger()
    assert not stage.playback.playing
    qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)


def test_repeated_and_blended_frames_come_from_the_base_frames(
    qtbot, stage: VideoStage, clip: Item, actions: Actions, frames: list[FrameReady]
) -> None:
    actions["between_repeated"].trigger()
    actions["play_on"].trigger()
    qtbot.waitUntil(lambda: len(played(frames)) > 10, timeout=PATIENCE)
    assert {first for first, _, _ in played(frames)} <= {-0.75, -0.25, 0.25, 0.75}
    frames.clear()
    actions["between_blended"].trigger()
    qtbot.waitUntil(lambda: any(0 < share < 1 for _, _, share in played(frames)), timeout=PATIENCE)


def test_what_is_drawn_ahead_is_bounded(
    qtbot, stage: VideoStage, clip: Item, actions: Actions, frames: list[FrameReady]
) -> None:
    actions["play_on"].trigger()
    stage.player._tick.stop()
    qtbot.waitUntil(lambda: len(stage.player._ring) + len(stage.player._asked) >= 4, timeout=PATIENCE)
    for _ in range(20):
        stage.player.draw_ahead()
    assert len(stage.player._ring) + len(stage.player._asked) <= 12


def test_marks_bound_what_is_played(stage: VideoStage, clip: Item, actions: Actions) -> None:
    stage.timeline.sought.emit(0.5)
    actions["mark_in"].trigger()
    stage.timeline.sought.emit(1.5)
    actions["mark_out"].trigger()
    assert stage.playback.range == (0.5, 1.5)
    actions["clear_marks"].trigger()
    assert stage.playback.range == (0.0, 2.0)


def test_frame_steps_and_the_end_of_the_range(qtbot, stage: VideoStage, clip: Item, actions: Actions) -> None:
    actions["frame_on"].trigger()
    assert stage.playback.position == pytest.approx(1 / 24)
    actions["frame_back"].trigger()
    assert stage.playback.position == 0
    actions["loop"].setChecked(False)
    stage.timeline.sought.emit(1.9)
    actions["play_on"].trigger()
    qtbot.waitUntil(lambda: not stage.playback.playing, timeout=PATIENCE)
    assert stage.playback.position > 1.9


def test_zooming_while_it_plays_draws_what_is_seen(
    qtbot, stage: VideoStage, clip: Item, actions: Actions, frames: list[FrameReady]
) -> None:
    stage.viewer.zoom(8)
    actions["play_on"].trigger()
    qtbot.waitUntil(lambda: len(played(frames)) > 3, timeout=PATIENCE)
    # A frame of before may come late
    request = next(frame.request for frame in reversed(frames) if frame.request.purpose == "play")
    assert request.window[2] < request.side


def test_slices_follow_the_switch(qtbot, stage: VideoStage, clip: Item, actions: Actions) -> None:
    actions["slices"].setChecked(True)
    assert not stage.slices.isHidden()
    qtbot.waitUntil(lambda: not stage.slices.along_x.pixmap().isNull(), timeout=PATIENCE)


def test_thumbnails_fill_the_timeline(qtbot, stage: VideoStage, clip: Item) -> None:
    qtbot.waitUntil(lambda: len(stage.timeline._thumbnails) > 5, timeout=PATIENCE)


def test_the_timeline_is_used_with_the_keyboard_alone(qtbot, stage: VideoStage, clip: Item) -> None:
    timeline = stage.timeline
    timeline.setFocus()
    qtbot.keyClick(timeline, Qt.Key.Key_Right)
    assert stage.playback.position == pytest.approx(0.02)
    qtbot.keyClick(timeline, Qt.Key.Key_End)
    assert stage.playback.position == 2.0
    qtbot.keyClick(timeline, Qt.Key.Key_Plus)
    start, stop = timeline.span
    assert stop - start < 2.0 and stop == pytest.approx(2.0)
    qtbot.keyClick(timeline, Qt.Key.Key_Home)
    assert stage.playback.position == 0 and timeline.span[0] == 0
    qtbot.keyClick(timeline, Qt.Key.Key_Minus)
    assert timeline.span == (0.0, 2.0)


def test_the_export_dialog_stretches_the_range(qtbot, theme) -> None:
    dialog = VideoExportDialog("Cat", VideoChoice(), Place(Path.home()), 2.0, (0.5, 1.0))
    qtbot.addWidget(dialog)
    dialog.fps.setCurrentText("30000/1001")
    dialog.lasts.setValue(8.0)
    options = dialog.options()
    assert options.span == (2.0, 4.0) and options.fps.denominator == 1001 and options.seconds == 8
    dialog.fps.setCurrentText("often")
    assert "fps does not fit" in dialog._find_problem()
    dialog.format.setCurrentIndex(dialog.format.findData(".gif"))
    assert not dialog.quality.isEnabled()
    dialog.fps.setCurrentText("60")
    assert "up to 50 frames" in dialog._find_problem()
    dialog.fps.setCurrentText("29.97")
    assert dialog.options().fps == Fraction(30000, 1001)


def test_a_loop_and_a_shutter_are_of_one_film_and_not_of_the_next(qtbot, theme) -> None:
    dialog = VideoExportDialog("Cat", VideoChoice(loop="dissolve", shutter=180), Place(Path.home()), 2.0)
    qtbot.addWidget(dialog)
    assert (dialog.options().loop, dialog.options().shutter) == ("none", 0)
    for loop, frames in (("dissolve", "45 frames"), ("back", "120 frames")):
        dialog.loop.setCurrentIndex(dialog.loop.findData(loop))
        assert frames in dialog._remark()
    dialog.shutter.setValue(180)
    assert (dialog.options().loop, dialog.options().shutter) == ("back", 180)


def test_the_export_of_a_fit_begins_with_the_pixels_of_its_file(qtbot, theme, tmp_path: Path) -> None:
    facts = FitFacts(fidelity="faithful", size_bytes=1, pixels=(640, 360))
    dialog = VideoExportDialog("Cat", VideoChoice(), Place(tmp_path), 2.0, fit=facts)
    qtbot.addWidget(dialog)
    assert dialog.resolution.value() == 640


def test_an_odd_size_is_told_before_and_so_is_what_comes(qtbot, theme, tmp_path: Path) -> None:
    wide = (-1.0, -0.5, 1.0, 0.5)
    dialog = VideoExportDialog("Cat", VideoChoice(), Place(tmp_path), 2.0, None, wide)
    qtbot.addWidget(dialog)
    assert dialog.remark.text() == "60 frames of 512 × 256 px"
    dialog.resolution.setValue(101)
    assert "101 × 50 px becomes 102 × 50 px" in dialog.remark.text()
    dialog.format.setCurrentIndex(dialog.format.findData(".webp"))
    assert dialog.remark.text() == "60 frames of 101 × 50 px"
    assert not dialog.embed_recipe.isHidden()
    dialog.format.setCurrentIndex(dialog.format.findData(".png"))
    assert dialog.embed_recipe.isHidden(), "pictures of a folder carry none"
    (tmp_path / "cat").mkdir()
    assert f"The folder {tmp_path / 'cat'} is there already" in dialog._find_problem()


@pytest.fixture
def other(state: AppState, clip: Item) -> Item:
    return state.library.add(
        np.full((1, 2, 2), 50, np.float32),
        Recipe(domain="video", model=CLIPS.name, model_hash=CLIPS.hash, seed=7, seconds=2.0),
        np.zeros((32, 32, 4), np.uint8),
    )


def spans(stage: VideoStage) -> list[tuple[float, float]]:
    assert stage.editing.edits.current is not None
    return [(piece.start, piece.stop) for piece in stage.editing.edits.current.pieces]


def test_the_sequence_begins_with_the_range_of_the_clip_and_takes_others(
    stage: VideoStage, clip: Item, other: Item, actions: Actions
) -> None:
    stage.timeline.sought.emit(0.5)
    actions["mark_in"].trigger()
    actions["sequence"].trigger()
    assert not stage.sequence.isHidden() and spans(stage) == [(0.5, 2.0)] and stage.timeline.span == (0.0, 1.5)
    stage.sequence.menu.aboutToShow.emit()
    entries = stage.sequence.menu.actions()
    assert len(entries) == 2
    entries[1].trigger()
    assert spans(stage) == [(0.5, 2.0), (0.0, 2.0)] and stage.sequence.track.chosen == 1
    assert stage.playback.seconds == pytest.approx(3.0) and "2 clips, 3.00 s" in stage.sequence.length.text()
    stage.sequence.transition.setValue(0)
    assert stage.playback.seconds == pytest.approx(3.5) == stage.timeline.span[1]
    actions["sequence"].trigger()
    assert stage.sequence.isHidden() and stage.playback.seconds == 2.0 and stage._marks
    actions["sequence"].trigger()
    assert len(spans(stage)) == 2


def test_an_export_of_the_sequence_is_made_of_all_its_clips(
    stage: VideoStage, clip: Item, other: Item, actions: Actions
) -> None:
    assert list(stage.exported(clip)) == [clip]
    actions["sequence"].trigger()
    stage.editing.add(other)
    assert list(stage.exported(clip)) == [clip, other]


def test_the_whole_sequence_is_played_and_seen_in_full_at_rest(
    qtbot, stage: VideoStage, clip: Item, other: Item, actions: Actions, frames: list[FrameReady]
) -> None:
    actions["sequence"].trigger()
    stage.editing.add(other)
    actions["loop"].setChecked(False)
    stage.sequence.track.sought.emit(1.2)
    qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)
    frames.clear()
    actions["play_on"].trigger()
    qtbot.waitUntil(lambda: not stage.playback.playing, timeout=PATIENCE)
    assert stage.playback.position == pytest.approx(3.5, abs=0.1)
    shown = [frame for frame in frames if frame.request.purpose == "play"]
    assert all(frame.request.arrangement is stage.editing.edits.current for frame in shown)
    last = shown[-1]
    moment, _, _ = last.request.moments[last.index]
    of_other = (moment + 1) / 2 * 3.5 - 1.5  # seconds of the other clip, which begins at 1.5 s
    expected = FakeClip(0.0).at(of_other - 1).render(last.request.side, last.request.side, window=last.request.window)
    assert of_other > 1.9 and (last.pixels == expected).all()


def test_what_an_earlier_arrangement_drew_is_dropped(
    qtbot, stage: VideoStage, clip: Item, actions: Actions, frames: list[FrameReady]
) -> None:
    actions["sequence"].trigger()
    qtbot.waitUntil(lambda: any(frame.request.purpose == "rest" for frame in frames), timeout=PATIENCE)
    late = next(frame for frame in frames if frame.request.purpose == "rest")
    assert stage._is_mine(late.request) is (late.request.arrangement is stage.editing.edits.current)
    stage.sequence.transition.setValue(0.2)
    assert not stage._is_mine(late.request)


def test_a_sequence_is_edited_with_the_keyboard_alone(qtbot, stage: VideoStage, clip: Item, other: Item) -> None:
    stage.editing.add(clip)
    stage.editing.add(other)
    track = stage.sequence.track
    track.setFocus()
    alt, shift, control = (getattr(Qt.KeyboardModifier, f"{name}Modifier") for name in ("Alt", "Shift", "Control"))
    qtbot.keyClick(track, Qt.Key.Key_Left, alt)
    assert [piece.item.id for piece in stage.editing.edits.current.pieces] == [other.id, clip.id] and track.chosen == 0
    qtbot.keyClick(track, Qt.Key.Key_Left, shift)
    qtbot.keyClick(track, Qt.Key.Key_Right, control)
    assert spans(stage)[0] == pytest.approx((0.05, 1.95)) and stage.playback.position == 0
    assert "1 of 2" in track.accessibleDescription() and "0.05 to 1.95 s" in track.accessibleDescription()
    qtbot.keyClick(track, Qt.Key.Key_End)
    assert track.chosen == 1 and stage.playback.position == pytest.approx(1.4)
    qtbot.keyClick(track, Qt.Key.Key_Delete)
    qtbot.keyClick(track, Qt.Key.Key_Delete)
    assert [piece.item.id for piece in stage.editing.edits.current.pieces] == [other.id]
    qtbot.keyClick(track, Qt.Key.Key_Z, control)
    assert [piece.item.id for piece in stage.editing.edits.current.pieces] == [other.id, clip.id]


def test_blocks_are_dragged_to_reorder_and_to_trim(qtbot, stage: VideoStage, clip: Item, other: Item) -> None:
    stage.editing.add(clip)
    stage.editing.add(other)
    track = stage.sequence.track

    def drag(start: float, stop: float) -> None:
        middle = track.height() // 2
        qtbot.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(round(start), middle))
        qtbot.mouseMove(track, QPoint(round((start + stop) / 2), middle))
        qtbot.mouseMove(track, QPoint(round(stop), middle))
        qtbot.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(round(stop), middle))

    drag(track.block(0).center().x(), track.block(1).right())
    assert [piece.item.id for piece in stage.editing.edits.current.pieces] == [other.id, clip.id]
    second = track.block(1)
    drag(second.right() - 2, second.right() - 2 - second.width() / 4)
    assert spans(stage)[1] == pytest.approx((0.0, 1.5), abs=0.02)
    drag(1, 1 + track.block(0).width() / 4)
    assert spans(stage)[0] == pytest.approx((0.5, 2.0), abs=0.03)


def test_a_clip_that_is_new_is_seen_alone_and_one_of_the_sequence_in_its_place(
    qtbot, stage: VideoStage, clip: Item, other: Item, actions: Actions
) -> None:
    view = FakeClip(0.0).view(resolution=64)
    actions["sequence"].trigger()
    stage.show_view(other, view, 64)
    assert not actions["sequence"].isChecked() and stage.playback.seconds == 2.0
    actions["add_to_sequence"].trigger()
    assert actions["sequence"].isChecked() and stage.playback.seconds == pytest.approx(3.5)
    stage.show_view(other, view, 64)
    assert actions["sequence"].isChecked() and stage.playback.position == pytest.approx(1.5)
    assert stage.sequence.track.chosen == 1
    stage.show_view(None, None)
    assert not actions["sequence"].isChecked() and stage.sequence.isHidden()


def test_clips_of_another_model_are_refused(state: AppState, stage: VideoStage, clip: Item, actions: Actions) -> None:
    actions["sequence"].trigger()
    stranger = state.library.add(
        np.zeros((1, 2, 2), np.float32),
        Recipe(domain="video", model="another", model_hash="x", seconds=2.0),
        np.zeros((32, 32, 4), np.uint8),
    )
    stage.editing.add(stranger)
    assert len(spans(stage)) == 1
    assert "another model" in state.notifications.list()[-1].text


def test_the_sequence_is_exported_as_a_clip_is(
    qtbot, stage: VideoStage, clip: Item, other: Item, engine: Engine, tmp_path: Path
) -> None:
    stage.editing.add(clip)
    stage.editing.add(other)
    dialog = VideoExportDialog("x", VideoChoice(), Place(Path.home()), 3.5, (0.0, 1.0), has_recipe=False)
    qtbot.addWidget(dialog)
    dialog.resolution.setValue(32)
    dialog.fps.setCurrentText("10")
    assert dialog.embed_recipe.isHidden()
    with qtbot.waitSignal(engine.answers(SequenceDone), timeout=PATIENCE):
        stage.export(clip, Order(tmp_path / "x.gif", dialog.options()))
    with Image.open(tmp_path / "x.gif") as written:
        assert written.n_frames == 10 and written.size == (32, 32)


def test_the_part_of_a_film_stays_inside_it(qtbot):
    dialog = SpanDialog(Path("film.mp4"), 3600.0, 30.0)
    qtbot.addWidget(dialog)
    assert dialog.span() == (0.0, 10.0)
    dialog.lasts.setValue(500)
    dialog.start.setTime(QTime(0, 59, 50))
    assert dialog.span() == (3590.0, 3600.0)
    dialog.start.setTime(QTime(5, 0))
    start, stop = dialog.span()
    assert 3599 < start < stop <= 3600
