"""The Images room: how soon there is a picture, how soon all of it is sharp, and what a view costs at each zoom.

    python -m benchmarks.image_zoom [--model NAME] [--rounds 3]

Opens the studio (on a virtual display where there is none) with a viewport of 1280 × 800 pixels. `picture_s`: from
Generate to the picture, 20 steps and 256 pixels a side, warm. For each zoom:
`coarse_ms`, from the zoom to the first coarse frame; `sharp_s`, to the whole viewport at the screen's own pixels;
`evaluations` of the function until then, which must not depend on the zoom. Then the gaps between the ticks of a timer
in the window's thread: `zooming`, step after step, and `zooming and exporting` at once. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import statistics
import time

import tyro

from benchmarks.open_studio import gap_figures, open_studio
from studio.engine.work.exporting import ExportRequest

VIEWPORT = (1280, 800)
ZOOMS = (8, 16, 64, 256, 1024)
STEPS, STEP_SECONDS = 40, 0.06
EXPORT_RESOLUTION = 8192


def main(model: str | None = None, rounds: int = 3) -> None:
    """Measure the viewer.

    Args:
        model: name or folder; otherwise the first image model on this machine.
        rounds: how often every zoom is measured; the median counts.
    """
    from ddmi_core.export.options import ImageExport
    from studio.engine.work.tiles import TileReady
    from studio.rooms.images.stage import ImageStage

    with open_studio("image", model) as studio:
        state, engine, window = studio.state, studio.engine, studio.window
        for name in ("inspector", "history"):
            window.actions_[name].setChecked(False)
        stage = window.stage
        assert isinstance(stage, ImageStage)
        viewer = stage.viewer
        tiles: list[tuple[float, TileReady]] = []
        engine.answers(TileReady).connect(lambda result: tiles.append((time.perf_counter(), result)))

        def say(**figures: object) -> None:
            print(json.dumps({"benchmark": "image_zoom", "model": studio.model.name, **figures}), flush=True)

        def look_afresh(zoom: float) -> tuple[float, float, int]:
            """Forget all tiles and go to a zoom: seconds to the coarse frame and to sharpness, and evaluations."""
            viewer.fit()
            studio.pump_for(0.05)
            studio.pump(lambda: viewer.is_sharp() and studio.settled())
            viewer.cache.clear()
            tiles.clear()
            began = time.perf_counter()
            viewer.zoom(zoom / viewer.look.zoom)  # type: ignore[union-attr]
            studio.pump(lambda: viewer.is_sharp())
            sharp = time.perf_counter() - began
            coarse = next(moment for moment, tile in tiles if tile.side != tile.request.side) - began
            return coarse, sharp, sum(tile.window[2] * tile.window[3] for _, tile in tiles)

        def zoom_in_and_out() -> None:
            for step in range(STEPS):
                viewer.zoom(1.25 if step < STEPS // 2 else 0.8)
                studio.pump_for(STEP_SECONDS)

        def measure_gaps(phase: str) -> None:
            gaps: list[float] = []
            for _ in range(rounds):
                viewer.fit()
                gaps += studio.tick_gaps(zoom_in_and_out)
            say(phase=phase, **gap_figures(gaps))

        state.update_form(seed=7, seed_locked=True)
        seconds = []
        for _ in range(1 + rounds):  # the first one warms up
            began = time.perf_counter()
            studio.finish(engine.generate(stage.room.preview_resolution))
            seconds.append(time.perf_counter() - began)
            studio.pump(studio.settled)
        steps, side = state.form.steps, stage.room.preview_resolution
        say(steps=steps, side=side, picture_s=round(statistics.median(seconds[1:]), 2))
        studio.pump_for(0.2)  # until the queue has made room
        frame = window.size() - viewer.size()
        window.resize(VIEWPORT[0] + frame.width(), VIEWPORT[1] + frame.height())
        studio.pump_for(0.2)
        studio.pump(lambda: viewer.is_sharp() and studio.settled())
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
        measure_gaps("zooming")
        item = state.shown
        assert item is not None
        job = engine.ask(
            ExportRequest(
                item=item, path=studio.home / "picture.png", options=ImageExport(resolution=EXPORT_RESOLUTION)
            )
        )
        measure_gaps("zooming and exporting")
        engine.cancel(job)
        studio.pump(studio.settled)


if __name__ == "__main__":
    tyro.cli(main)
