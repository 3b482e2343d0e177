from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ddmi_core.support.paths import user_data
from studio.engine.engine import Engine
from studio.engine.pipelines import PipelineCache
from studio.engine.training import Training
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Library
from studio.state.session import read_session, session_file
from studio.theme.theme import Theme
from studio.window import MainWindow
from studio.window.live import DECIDED
from tests.studio.window.fakes import MODEL, PICTURES, FakePicturePipeline, FakePipeline


@pytest.fixture
def pipeline() -> FakePipeline:
    return FakePipeline()


@pytest.fixture
def pictures() -> FakePicturePipeline:
    return FakePicturePipeline()


@pytest.fixture
def make_window(
    qtbot, theme: Theme, pipeline: FakePipeline, pictures: FakePicturePipeline
) -> Iterator[Callable[[], MainWindow]]:
    """Opens windows as the app does, but with pipelines that answer at once."""
    opened: list[MainWindow] = []

    def make(*, look_for_models: bool = True) -> MainWindow:
        state = AppState(Library(Path(user_data()) / "library"), forms=read_session(session_file()).forms)
        settings = Settings()
        settings.set_flag(DECIDED, True)  # or the fakes would be found fast enough for live
        engine = Engine(
            state, PipelineCache(load=lambda folder, device: pictures if folder == PICTURES.folder else pipeline)
        )
        window = MainWindow(state, engine, Training(), theme, settings)
        window.resize(1280, 800)
        window.show()
        opened.append(window)
        qtbot.waitExposed(window)
        if look_for_models:
            state.set_models([MODEL, PICTURES])
        return window

    yield make
    for window in opened:
        window.engine.cancel_all()
        qtbot.waitUntil(lambda window=window: not window.state.jobs.active(quiet=True), timeout=60_000)
        assert window.engine.shutdown() and window.training.shutdown()
        window.close()
        window.deleteLater()
        window.state.library.close()


@pytest.fixture
def window(make_window: Callable[[], MainWindow]) -> MainWindow:
    return make_window()
