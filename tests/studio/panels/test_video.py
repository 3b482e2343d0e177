"""The Video room: playing, comparing, marks, slices, and what is asked of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTime

from ddmi_core.recipe import Recipe
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.pipelines import PipelineCache
from studio.engine.results import FrameReady
from studio.panels import video
from studio.panels.export_dialog import VideoChoice, VideoExportDialog
from studio.panels.sequence_dialog import SequenceDialog
from studio.panels.span_dialog import SpanDialog
from studio.panels.video import VideoStage
from studio.state.app_state import AppState
from studio.state.library import Item
from tests.studio.window.fakes import CLIPS, FakeClip, FakeVideoDomain, FakeVideoPipeline

PATIENCE = 20_000  # ms


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
    stage = VideoStage(state, engine, actions, theme)
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
    stage.show_view(item, FakeVideoDomain().view(FakeClip(0.0), resolution=64), 64)
    qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)
    return item


@pytest.fixture
def frames(engine: Engine) -> list[FrameReady]:
    found: list[FrameReady] = []
    engine.frame_ready.connect(found.append)
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
    latest = [frame for frame in frames if frame.request.wish == frames[-1].request.wish]
    moments = [first for first, _, share in played(latest) if share == 0]
    assert len(set(moments)) == len(moments) and actions["play"].isChecked()
    assert "1/2×" in stage.figures.text() and "frames/s" in stage.figures.text()
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
    stage._tick.stop()
    qtbot.waitUntil(lambda: len(stage._ring) + len(stage._asked) >= 4, timeout=PATIENCE)
    for _ in range(20):
        stage._draw_ahead()
    assert len(stage._ring) + len(stage._asked) <= 12


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
    request = frames[-1].request
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
    dialog = VideoExportDialog("Cat", video.FACTS.export_formats, VideoChoice(), 2.0, (0.5, 1.0))
    qtbot.addWidget(dialog)
    dialog.fps.setCurrentText("30000/1001")
    dialog.lasts.setValue(8.0)
    options = dialog.options()
    assert options.span == (2.0, 4.0) and options.fps.denominator == 1001 and options.seconds == 8
    dialog.fps.setCurrentText("often")
    assert "fps does not fit" in dialog._find_problem()
    dialog.format.setCurrentIndex(dialog.format.findData(".gif"))
    assert not dialog.quality.isEnabled()


def test_a_sequence_is_reordered_trimmed_and_sent(
    qtbot, state: AppState, engine: Engine, stage: VideoStage, clip: Item, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    dialog = SequenceDialog(clip, (0.5, 1.5), state, engine)
    qtbot.addWidget(dialog)
    dialog.add(clip)
    assert "2 clips, about 2.50 s" in dialog.length.text()
    assert [(piece.start, piece.stop) for piece in dialog.pieces()] == [(0.5, 1.5), (0.0, 2.0)]
    dialog.move_row(-1)
    dialog.stop.setValue(1.0)
    assert [(piece.start, piece.stop) for piece in dialog.pieces()] == [(0.0, 1.0), (0.5, 1.5)]
    sent = []
    monkeypatch.setattr(engine, "_submit", lambda request, title, **_: sent.append(request))
    dialog.write(tmp_path / "x.mp4")
    assert sent[0].transition == 0.5 and len(sent[0].pieces) == 2
    dialog.remove_row()
    dialog.remove_row()
    assert len(dialog.pieces()) == 1


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
