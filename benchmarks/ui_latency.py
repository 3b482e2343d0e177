"""Whether the window stays alive while the engine works: gaps between the ticks of a timer in the window's thread.

    python -m benchmarks.ui_latency [--model NAME] [--rounds 3]

Opens the studio (on a virtual display where there is none), and in each phase ticks every 16 ms: `idle`; `generate`,
four variations with previews; `refine`, a shape that is opened, and zoomed into twice; `export`, a mesh at 256³;
`cancel`, where a generation is cancelled in the middle and `seconds_worst` is how long it took to end; `fit`, a mesh
that is dropped, encoded and fitted; `fit_picture`, a picture of 1800 x 1200 that is dropped and fitted. Of these two
`first_seconds` is how long it took until something was seen, at worst.

`turn_cpu_ms` is the processor time of the longest turn of the window's event loop, which a busy machine does not
change. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import trimesh
import tyro
from PIL import Image

from benchmarks.open_studio import gap_figures, open_studio
from ddmi_core.fidelity import Fidelity
from studio.engine.work.exporting import ExportRequest
from studio.engine.work.viewing import ViewRequest

VARIATIONS = 4
EXPORT_RESOLUTION = 256
IDLE_SECONDS = 3.0
CANCEL_AFTER = 0.5  # seconds
DRAWN_SECONDS = 0.5  # that a fine surface takes to be drawn, at most
ZOOM = 0.3
WIDTH, HEIGHT = 1800, 1200
_FITS = {"fit": "torus.ply", "fit_picture": "photograph.png"}
"""The phases in which a file is fitted, and the file."""


def main(model: str | None = None, rounds: int = 3) -> None:
    """Measure the window.

    Args:
        model: name or folder; otherwise the first shape model on this machine.
        rounds: how often every phase is run.
    """
    from ddmi_core.export.options import ShapeExport
    from ddmi_core.model_folder import list_models
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

        # A file becomes an item in the room of its kind, which needs a model
        state.set_models([studio.model, *list_models("image")])
        torus, photograph = (studio.home / name for name in _FITS.values())
        trimesh.creation.torus(1.0, 0.35).export(torus)
        _picture().save(photograph)
        first_seconds: dict[Path, list[float]] = {torus: [], photograph: []}

        def fit(file: Path, fidelity: Fidelity) -> None:
            began, known = time.monotonic(), {item.id for item in state.library.items()}
            studio.window.own_files.reconstruct(file, fidelity)
            studio.pump(lambda: state.shown is not None and state.shown.id not in known)
            first_seconds[file].append(time.monotonic() - began)
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
            "fit": partial(fit, torus, "balanced"),
            "fit_picture": partial(fit, photograph, "faithful"),
        }
        for name, phase in phases.items():
            gaps: list[float] = []
            studio.turns.clear()
            for _ in range(rounds):
                gaps += studio.tick_gaps(phase)
                studio.pump(studio.settled)
            figures = gap_figures(gaps) | {"turn_cpu_ms": round(max(studio.turns), 1)}
            if name in _FITS:
                figures["first_seconds"] = round(max(first_seconds[studio.home / _FITS[name]]), 2)
            if name == "cancel":
                figures["seconds_worst"] = round(max(cancel_seconds, default=float("nan")), 3)
            print(
                json.dumps({"benchmark": "ui_latency", "model": studio.model.name, "phase": name, **figures}),
                flush=True,
            )


def _picture() -> Image.Image:
    """A picture as detailed as a photograph: blots of all sizes, the smaller the fainter."""
    rng = np.random.default_rng(0)
    values = np.full((HEIGHT, WIDTH, 3), 128.0)
    for cell in (200, 100, 50, 25, 10, 5, 2, 1):
        blots = Image.fromarray(rng.integers(0, 256, (HEIGHT // cell, WIDTH // cell, 3), np.uint8))
        values += (np.asarray(blots.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)) - 128.0) * cell**0.5 / 25
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    tyro.cli(main)
