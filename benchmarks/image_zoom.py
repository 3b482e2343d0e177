"""The deep-zoom viewer: how soon something is there, how soon all is sharp, and what a view costs at each zoom.

    python -m benchmarks.image_zoom [--model NAME] [--rounds 3]

Opens the studio (on a virtual display where there is none) with a viewport of 1280 × 800 pixels. For each zoom:
`coarse_ms`, from the zoom to the first coarse frame; `sharp_s`, to the whole viewport at the screen's own pixels;
`evaluations` of the function until then, which must not depend on the zoom. Then the gaps between the ticks of a timer
in the window's thread: `zooming`, step after step, and `zooming and exporting` at once. Prints one JSON object a line.
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

VIEWPORT = (1280, 800)
ZOOMS = (8, 16, 64, 256, 1024)
TICK = 16  # ms
STEPS, STEP_SECONDS = 40, 0.06
EXPORT_RESOLUTION = 8192
PATIENCE = 300.0  # seconds
DOMAIN = "image"


def main(model: str | None = None, rounds: int = 3) -> None:
    """Measure the viewer.

    Args:
        model: name or folder; otherwise the first image model on this machine.
        rounds: how often every zoom is measured; the median counts.
    """
    from ddmi_core.model_folder import describe, find_model, list_models
    from studio.headless import virtual_display

    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        found = describe(find_model(model)) if model else next(iter(list_models(DOMAIN)), None)
        if found is None:
            sys.exit("There is no image model on this machine: train one, or name a folder with --model.")
        os.environ["DDMI_HOME"] = home  # the measurements shall not fill the person's own history
        if sys.platform.startswith("linux") and "DISPLAY" not in os.environ:
            os.environ |= stack.enter_context(virtual_display())

        from PySide6.QtCore import QCoreApplication, Qt, QTimer
        from PySide6.QtWidgets import QApplication

        from ddmi_core.export_options import ImageExport
        from studio.engine.engine import Engine
        from studio.engine.results import TileReady
        from studio.panels.images import ImageStage
        from studio.settings import Settings
        from studio.state.app_state import AppState
        from studio.state.library import Library
        from studio.theme.theme import Theme
        from studio.window import MainWindow

        QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
        app = QApplication([])
        state = AppState(Library(Path(home) / "library"))
        engine = Engine(state)
        window = MainWindow(state, engine, Theme(app, "dark"), Settings())
        for name in ("inspector", "history"):
            window.actions_[name].setChecked(False)
        window.show()
        window.show_room_of(DOMAIN)
        state.set_models([found])
        stage = window.stage
        assert isinstance(stage, ImageStage)
        viewer = stage.viewer
        tiles: list[tuple[float, TileReady]] = []
        engine.tile_ready.connect(lambda result: tiles.append((time.perf_counter(), result)))

        def say(**figures: object) -> None:
            print(json.dumps({"benchmark": "image_zoom", "model": found.name, **figures}), flush=True)

        def pump(until: Callable[[], bool]) -> None:
            """Run the window until something holds."""
            deadline = time.monotonic() + PATIENCE
            while not until():
                if time.monotonic() > deadline:
                    raise TimeoutError("the studio did not finish in time")
                app.processEvents()
                time.sleep(0.0005)

        def pump_for(seconds: float) -> None:
            end = time.monotonic() + seconds
            pump(lambda: time.monotonic() > end)

        def settled() -> bool:
            return not state.jobs.active(quiet=True)

        def look_afresh(zoom: float) -> tuple[float, float, int]:
            """Forget all tiles and go to a zoom: seconds to the coarse frame and to sharpness, and evaluations."""
            viewer.fit()
            pump_for(0.05)
            pump(lambda: viewer.is_sharp() and settled())
            viewer.cache.clear()
            tiles.clear()
            began = time.perf_counter()
            viewer.zoom(zoom / viewer.look.zoom)  # type: ignore[union-attr]
            pump(lambda: viewer.is_sharp())
            sharp = time.perf_counter() - began
            coarse = next(moment for moment, tile in tiles if tile.side != tile.request.side) - began
            return coarse, sharp, sum(tile.window[2] * tile.window[3] for _, tile in tiles)

        def tick_gaps() -> list[float]:
            """Zoom in and out again, step by step."""
            ticks: list[float] = []
            timer = QTimer()
            timer.setTimerType(Qt.TimerType.PreciseTimer)
            timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
            timer.start(TICK)
            for step in range(STEPS):
                viewer.zoom(1.25 if step < STEPS // 2 else 0.8)
                pump_for(STEP_SECONDS)
            timer.stop()
            return [1000 * (after - before) for before, after in itertools.pairwise(ticks)]

        def say_gaps(phase: str, gaps: list[float]) -> None:
            say(
                phase=phase,
                ticks=len(gaps),
                p50_ms=round(statistics.median(gaps), 1),
                p99_ms=round(float(np.percentile(gaps, 99)), 1),
                max_ms=round(max(gaps), 1),
            )

        state.update_form(seed=7, seed_locked=True)
        made = engine.generate(stage.room.preview_resolution)
        pump(lambda: not made.is_active)
        if made.status == "failed":
            sys.exit(made.error)
        pump(settled)
        pump_for(0.2)  # until the queue has made room
        frame = window.size() - viewer.size()
        window.resize(VIEWPORT[0] + frame.width(), VIEWPORT[1] + frame.height())
        pump_for(0.2)
        pump(lambda: viewer.is_sharp() and settled())
        viewer.lift_cap(True)
        for zoom in ZOOMS:
            coarse, sharp, evaluations = zip(*(look_afresh(zoom) for _ in range(rounds)), strict=True)
            say(
                zoom=zoom,
                viewport=[viewer.width(), viewer.height()],
                coarse_ms=round(1000 * statistics.median(coarse), 1),
                sharp_s=round(statistics.median(sharp), 2),
                evaluations=evaluations[0],
            )
        gaps: list[float] = []
        for _ in range(rounds):
            viewer.fit()
            gaps += tick_gaps()
        say_gaps("zooming", gaps)
        item = state.shown
        assert item is not None
        job = engine.export(item, Path(home) / "picture.png", ImageExport(resolution=EXPORT_RESOLUTION))
        gaps = []
        for _ in range(rounds):
            viewer.fit()
            gaps += tick_gaps()
        say_gaps("zooming and exporting", gaps)
        engine.cancel(job)
        pump(settled)
        engine.shutdown()
        window.close()
        window.deleteLater()
        app.processEvents()
        state.library.close()


if __name__ == "__main__":
    tyro.cli(main)
