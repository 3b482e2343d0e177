"""Whether the window stays alive while the engine works: gaps between the ticks of a timer in the window's thread.

    python -m benchmarks.ui_latency [--model NAME] [--rounds 3]

Opens the studio (on a virtual display where there is none), and in each phase ticks every 16 ms: `idle`; `generate`,
four variations with previews; `refine`, a shape that is opened, and zoomed into twice; `export`, a mesh at 256³;
`cancel`, where a generation is cancelled in the middle and `seconds_worst` is how long it took to end; `fit`, a mesh
that is dropped, encoded and fitted, and `first_seconds` is how long it took until it was seen, at worst.

`turn_cpu_ms` is the processor time of the longest turn of the window's event loop, which a busy machine does not
change. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import trimesh
import tyro

from benchmarks.open_studio import gap_figures, open_studio
from studio.engine.work.exporting import ExportRequest
from studio.engine.work.viewing import ViewRequest

VARIATIONS = 4
EXPORT_RESOLUTION = 256
IDLE_SECONDS = 3.0
CANCEL_AFTER = 0.5  # seconds
DRAWN_SECONDS = 0.5  # that a fine surface takes to be drawn, at most
ZOOM = 0.3


def main(model: str | None = None, rounds: int = 3) -> None:
    """Measure the window.

    Args:
        model: name or folder; otherwise the first shape model on this machine.
        rounds: how often every phase is run.
    """
    from ddmi_core.export.options import ShapeExport
    from studio.engine.work.viewing import DetailReady
    from studio.widgets.viewport import Viewport

    with open_studio("shape", model) as studio:
        state, engine = studio.state, studio.engine

        def generate() -> None:
            studio.finish(engine.generate())

        viewport = studio.window.findChild(Viewport)
        assert isinstance(viewport, Viewport)
        surfaces: list[DetailReady] = []
        engine.answers(DetailReady).connect(surfaces.append)

        def look() -> None:
            surfaces.clear()
            studio.pump(lambda: any(not surface.rough for surface in surfaces))
            studio.pump_for(DRAWN_SECONDS)

        def refine() -> None:
            engine.ask(ViewRequest(item=state.library.items()[0]))
            look()
            for _ in range(2):
                viewport.zoom(ZOOM)
                look()

        torus = studio.home / "torus.ply"
        trimesh.creation.torus(1.0, 0.35).export(torus)
        first_seconds: list[float] = []

        def fit() -> None:
            began, before = time.monotonic(), state.shown
            studio.window.own_files.reconstruct(torus, "balanced")
            studio.pump(lambda: state.shown is not None and state.shown != before)
            first_seconds.append(time.monotonic() - began)
            studio.pump(lambda: state.shown is not None and state.shown.recipe.is_fitted)

        def export() -> None:
            target = studio.home / "shape.glb"
            target.unlink(missing_ok=True)  # of the round before
            options = ShapeExport(resolution=EXPORT_RESOLUTION)
            studio.finish(engine.ask(ExportRequest(item=state.library.items()[0], path=target, options=options)))

        cancel_seconds: list[float] = []

        def cancel() -> None:
            job = engine.generate()
            began = time.monotonic()
            studio.pump(
                lambda: not job.is_active or (job.status == "running" and time.monotonic() - began > CANCEL_AFTER)
            )
            asked = time.monotonic()
            engine.cancel(job)
            studio.finish(job)
            if job.status == "cancelled":
                cancel_seconds.append(time.monotonic() - asked)

        state.update_form(prompt="a chair with armrests", count=VARIATIONS, seed=7, seed_locked=True)
        generate()  # warm up
        studio.pump(studio.settled)
        phases: dict[str, Callable[[], None]] = {
            "idle": lambda: studio.pump_for(IDLE_SECONDS),
            "generate": generate,
            "refine": refine,
            "export": export,
            "cancel": cancel,
            "fit": fit,
        }
        for name, phase in phases.items():
            gaps: list[float] = []
            studio.turns.clear()
            for _ in range(rounds):
                gaps += studio.tick_gaps(phase)
                studio.pump(studio.settled)
            figures = gap_figures(gaps) | {"turn_cpu_ms": round(max(studio.turns), 1)}
            if name == "fit":
                figures["first_seconds"] = round(max(first_seconds), 2)
            if name == "cancel":
                figures["seconds_worst"] = round(max(cancel_seconds, default=float("nan")), 3)
            print(
                json.dumps({"benchmark": "ui_latency", "model": studio.model.name, "phase": name, **figures}),
                flush=True,
            )


if __name__ == "__main__":
    tyro.cli(main)
