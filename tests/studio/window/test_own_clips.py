"""A clip that is dropped is encoded, then fitted while the person goes on, and is seen beside its file."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtWidgets import QMenu

from ddmi_core.domains.video import VideoDomain
from ddmi_core.export.options import VideoExport
from ddmi_core.fidelity import FitFacts
from ddmi_core.fitting import clips
from ddmi_core.placement import Up
from studio.engine.work.clips import FrameReady
from studio.engine.work.exporting import ExportRequest
from studio.engine.work.fitting import FitRequest
from studio.engine.work.tiles import OriginalRequest, TileReady
from studio.window import MainWindow
from tests.core.clips import dot_frames, write_video
from tests.studio.window.fakes import CLIPS, FakeVideoPipeline
from tests.studio.window.test_window import PATIENCE, calm, drop

pytestmark = pytest.mark.gl


@pytest.fixture(autouse=True)
def little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "_MOTION_SIDE", 24)


class OwnClips(VideoDomain):
    """The video domain, whose model makes little of a clip."""

    def latent_facts(
        self, path: Path, source: Any, latent: torch.Tensor, field: Any, *, roughly: bool = False
    ) -> FitFacts:
        return FitFacts(fidelity="small", size_bytes=4096, pixels=(48, 32), figures={"psnr": 12.0})


class Pipeline(FakeVideoPipeline):
    """The fake for clips, with files that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.domain = OwnClips()

    def read(self, path: Path, *, span: tuple[float, float] | None = None, up: Up = "y") -> Any:
        return self.domain.read(path, queries=1)

    def encode(self, source: Any, *, refine_steps: int = 100, progress: object = None) -> torch.Tensor:
        return torch.zeros(1, 2, 2)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


@pytest.fixture
def window(make_window: Callable[..., MainWindow]) -> MainWindow:
    window = make_window(look_for_models=False)
    window.state.set_models([CLIPS])
    return window


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "dot.mp4", dot_frames(4, 32, width=48))


def fitted(window: MainWindow) -> bool:
    return window.state.shown is not None and window.state.shown.recipe.is_fitted and calm(window)


@pytest.mark.slow
def test_the_same_clip_is_fitted_and_seen_beside_its_file(qtbot, window, film: Path) -> None:
    tiles: list[TileReady] = []
    frames: list[FrameReady] = []
    window.engine.answers(TileReady).connect(tiles.append)
    window.engine.answers(FrameReady).connect(frames.append)
    drop(window, film)
    qtbot.waitUntil(lambda: window.state.shown is not None, timeout=PATIENCE)
    item, stage = window.state.shown, window.stage
    stage._seek(0.15)
    qtbot.waitUntil(lambda: fitted(window), timeout=PATIENCE)
    shown = window.state.shown
    assert shown.id == item.id and shown.recipe.fit.fidelity == "faithful" and shown.recipe.fit.pixels == (48, 32)
    assert shown.recipe.fit.figures["psnr"] > 40
    assert stage.playback.position == pytest.approx(0.15) and len(stage._marks) == 4
    assert "48 × 32" in window.inspector.shown_facts.text()

    window.actions_["beside_file"].trigger()
    qtbot.waitUntil(lambda: any(isinstance(one.request, OriginalRequest) for one in tiles), timeout=PATIENCE)
    qtbot.waitUntil(lambda: calm(window) and stage.viewer.is_sharp(), timeout=PATIENCE)
    theirs = next(tile for tile in tiles if isinstance(tile.request, OriginalRequest))
    assert theirs.request.moment == pytest.approx(2 * 0.15 / stage.playback.seconds - 1)

    window.actions_["play_on"].trigger()
    qtbot.waitUntil(lambda: stage.player.shown > 3, timeout=PATIENCE)
    played = [frame.request.bar for frame in frames if frame.request.purpose == "play"]
    assert played[-1] is not None and 0 < played[-1] < frames[-1].request.side
    window.actions_["play"].trigger()

    window.engine.ask(
        ExportRequest(
            item=shown, path=film.with_name("again.mp4"), options=VideoExport(resolution=48, fps=Fraction(30))
        )
    )
    qtbot.waitUntil(lambda: film.with_name("again.mp4").is_file() and calm(window), timeout=PATIENCE)
    window.actions_["sequence"].trigger()
    assert "not by the fit" in window.state.notifications.list()[-1].text
    window.actions_["sequence"].trigger()
    assert not [one.text for one in window.state.notifications.list() if one.level == "error"]


@pytest.mark.slow
def test_its_fidelity_is_chosen_from_a_menu(qtbot, window, film: Path) -> None:
    window.settings.fidelity = "balanced"
    drop(window, film)
    qtbot.waitUntil(lambda: fitted(window), timeout=PATIENCE)
    assert window.state.shown.recipe.fit.fidelity == "balanced"
    window.actions_["clip_fidelity"].trigger()
    menu = window.stage.findChild(QMenu)
    assert [entry.isChecked() for entry in menu.actions()] == [False, True, False]
    menu.actions()[2].trigger()
    menu.close()
    qtbot.waitUntil(lambda: fitted(window) and window.state.shown.recipe.fit.fidelity == "faithful", timeout=PATIENCE)


def test_a_fit_that_is_stopped_leaves_what_the_encoder_made(qtbot, window, film: Path, monkeypatch) -> None:
    def fits() -> list[FitRequest]:
        return [job.request for job in window.state.jobs.active() if isinstance(job.request, FitRequest)]

    frames = np.repeat(dot_frames(40, 64, width=96), 8, axis=0)
    drop(window, write_video(film.with_name("longer.mp4"), frames, rate=25))
    qtbot.waitUntil(lambda: bool(fits()), timeout=PATIENCE)
    window.engine.stop_fit(window.state.shown)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert not window.state.shown.recipe.is_fitted and window.state.shown.recipe.fit.fidelity == "small"
    assert window.actions_["clip_fidelity"].isEnabled()
