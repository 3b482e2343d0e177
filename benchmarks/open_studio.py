"""The studio's window, opened to be measured."""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from ddmi_core.model_folder import ModelInfo
    from studio.engine.engine import Engine
    from studio.state.app_state import AppState
    from studio.state.jobs import Job
    from studio.window import MainWindow

_TICK = 16  # ms
_PATIENCE = 300.0  # seconds


@dataclass(frozen=True)
class OpenStudio:
    """A window on an empty library in the folder `home`, with one model."""

    app: QApplication
    state: AppState
    engine: Engine
    window: MainWindow
    model: ModelInfo
    home: Path
    turns: list[float] = field(default_factory=list)
    """Processor time of the window's thread in each turn of its event loop, in ms."""

    def pump(self, until: Callable[[], bool]) -> None:
        """Run the window until something holds."""
        deadline = time.monotonic() + _PATIENCE
        while not until():
            if time.monotonic() > deadline:
                raise TimeoutError("the studio did not finish in time")
            began = time.thread_time()
            self.app.processEvents()
            self.turns.append(1000 * (time.thread_time() - began))
            time.sleep(0.0005)

    def pump_for(self, seconds: float) -> None:
        """Run the window for a while."""
        end = time.monotonic() + seconds
        self.pump(lambda: time.monotonic() > end)

    def settled(self) -> bool:
        """Whether nothing is going on."""
        return not self.state.jobs.active(quiet=True)

    def finish(self, job: Job) -> None:
        """Run the window until a job has ended; ends the benchmark if it failed."""
        self.pump(lambda: not job.is_active)
        if job.status == "failed":
            sys.exit(job.error)

    def tick_gaps(self, work: Callable[[], None]) -> list[float]:
        """Do some work and return the milliseconds between the ticks of a timer in the window's thread."""
        from PySide6.QtCore import Qt, QTimer

        ticks: list[float] = []
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
        timer.start(_TICK)
        work()
        timer.stop()
        return [1000 * (after - before) for before, after in itertools.pairwise(ticks)]


@contextmanager
def open_studio(domain: str, model: str | None) -> Iterator[OpenStudio]:
    """Open the studio, on a virtual display where there is none, with a model or the domain's first one.

    The person's own history stays out of it.
    """
    from ddmi_core.model_folder import describe, find_model, list_models
    from studio.headless import virtual_display

    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        found = describe(find_model(model)) if model else next(iter(list_models(domain)), None)
        if found is None:
            sys.exit(f"There is no {domain} model on this machine: train one, or name a folder with --model.")
        os.environ["DDMI_HOME"] = home
        if sys.platform.startswith("linux") and "DISPLAY" not in os.environ:
            os.environ |= stack.enter_context(virtual_display())

        from PySide6.QtWidgets import QApplication

        from studio.engine.engine import Engine
        from studio.engine.reports import ModelLoaded
        from studio.engine.training import Training
        from studio.garbage import WindowCollector
        from studio.settings import Settings
        from studio.state.app_state import AppState
        from studio.state.library import Library
        from studio.theme.theme import Theme
        from studio.window import MainWindow

        app = QApplication([])
        garbage = WindowCollector()
        state = AppState(Library(Path(home) / "library"))
        engine = Engine(state)
        engine.answers(ModelLoaded).connect(lambda _device: garbage.spare_what_stays())
        training = Training()
        window = MainWindow(state, engine, training, Theme(app, "dark"), Settings())
        window.show()
        window.show_room_of(domain)
        state.set_models([found])
        yield OpenStudio(app, state, engine, window, found, Path(home))
        training.shutdown()
        engine.shutdown()
        window.close()
        window.deleteLater()
        app.processEvents()
        state.library.close()
        garbage.stop()


def gap_figures(gaps: list[float]) -> dict[str, float]:
    """Summarise gaps between ticks, in ms."""
    return {
        "ticks": len(gaps),
        "p50_ms": round(statistics.median(gaps), 1),
        "p99_ms": round(float(np.percentile(gaps, 99)), 1),
        "max_ms": round(max(gaps), 1),
    }
