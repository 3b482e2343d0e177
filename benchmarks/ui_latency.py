"""Whether the window stays alive while the engine works: gaps between the ticks of a timer in the window's thread.

    python -m benchmarks.ui_latency [--model NAME] [--rounds 3]

Opens the studio (on a virtual display where there is none), and in each phase ticks every 16 ms: `idle`; `generate`,
four variations with previews; `refine`, a finer view; `export`, a mesh at 256³; `cancel`, where a generation is
cancelled in the middle and `seconds_worst` is how long it took to end. Prints one JSON object a line.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import tyro

TICK = 16  # ms
VARIATIONS = 4
EXPORT_RESOLUTION = 256
IDLE_SECONDS = 3.0
CANCEL_AFTER = 0.5  # seconds
PATIENCE = 300.0  # seconds


def main(model: str | None = None, rounds: int = 3) -> None:
    """Measure the window.

    Args:
        model: name or folder; otherwise the first shape model on this machine.
        rounds: how often every phase is run.
    """
    from ddmi_core.export_options import ShapeExport
    from ddmi_core.model_folder import describe, find_model, list_models
    from studio.headless import virtual_display

    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        found = describe(find_model(model)) if model else next(iter(list_models("shape")), None)
        if found is None:
            sys.exit("There is no shape model on this machine: train one, or name a folder with --model.")
        os.environ["DDMI_HOME"] = home  # the measurements shall not fill the person's own history
        if sys.platform.startswith("linux") and "DISPLAY" not in os.environ:
            os.environ |= stack.enter_context(virtual_display())

        from PySide6.QtCore import QCoreApplication, Qt, QTimer
        from PySide6.QtWidgets import QApplication

        from studio.engine.engine import Engine
        from studio.settings import Settings
        from studio.state.app_state import AppState
        from studio.state.jobs import Job
        from studio.state.library import Library
        from studio.theme.theme import Theme
        from studio.window import MainWindow

        QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
        app = QApplication([])
        state = AppState(Library(Path(home) / "library"))
        engine = Engine(state)
        window = MainWindow(state, engine, Theme(app, "dark"), Settings())
        window.show()
        state.set_models([found])

        def pump(until: Callable[[], bool]) -> None:
            """Run the window until something holds."""
            deadline = time.monotonic() + PATIENCE
            while not until():
                if time.monotonic() > deadline:
                    raise TimeoutError("the studio did not finish in time")
                app.processEvents()
                time.sleep(0.0005)

        def settled() -> bool:
            return not state.jobs.active(quiet=True)

        def finish(job: Job) -> None:
            pump(lambda: not job.is_active)
            if job.status == "failed":
                sys.exit(job.error)

        def measured(work: Callable[[], None]) -> list[float]:
            ticks: list[float] = []
            timer = QTimer()
            timer.setTimerType(Qt.TimerType.PreciseTimer)
            timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
            timer.start(TICK)
            work()
            timer.stop()
            return [1000 * (after - before) for before, after in itertools.pairwise(ticks)]

        def idle() -> None:
            end = time.monotonic() + IDLE_SECONDS
            pump(lambda: time.monotonic() > end)

        def generate() -> None:
            finish(engine.generate())

        def refine() -> None:
            shown = state.library.items()[0]
            engine.open(shown)
            pump(settled)
            finish(engine.refine(shown))

        def export() -> None:
            target = Path(home) / "shape.glb"
            finish(engine.export(state.library.items()[0], target, ShapeExport(resolution=EXPORT_RESOLUTION)))

        cancel_seconds: list[float] = []

        def cancel() -> None:
            job = engine.generate()
            began = time.monotonic()
            pump(lambda: not job.is_active or (job.status == "running" and time.monotonic() - began > CANCEL_AFTER))
            asked = time.monotonic()
            engine.cancel(job)
            finish(job)
            if job.status == "cancelled":
                cancel_seconds.append(time.monotonic() - asked)

        state.update_form(prompt="a chair with armrests", count=VARIATIONS, seed=7, seed_locked=True)
        finish(engine.generate())  # warm up
        pump(settled)
        phases = {"idle": idle, "generate": generate, "refine": refine, "export": export, "cancel": cancel}
        for name, phase in phases.items():
            gaps: list[float] = []
            for _ in range(rounds):
                gaps += measured(phase)
                pump(settled)
            figures = {
                "ticks": len(gaps),
                "p50_ms": round(statistics.median(gaps), 1),
                "p99_ms": round(float(np.percentile(gaps, 99)), 1),
                "max_ms": round(max(gaps), 1),
            }
            if name == "cancel":
                figures["seconds_worst"] = round(max(cancel_seconds, default=float("nan")), 3)
            print(json.dumps({"benchmark": "ui_latency", "model": found.name, "phase": name, **figures}), flush=True)
        engine.shutdown()
        window.close()
        window.deleteLater()
        app.processEvents()
        state.library.close()


if __name__ == "__main__":
    tyro.cli(main)
