"""Views of a radiance field: how quickly they are drawn, what skipping empty space saves, and how smooth the window is.

    python -m benchmarks.nerf_render [--model NAME] [--seconds 5]

First without the window, of an object sampled in 20 steps: `occupancy`, finding out where it is empty, and the share of
space that is not; `moving`, pictures a second of a camera that goes around it, as rough as the Radiance room draws them
meanwhile; `still`, the stage as it sharpens at rest: when its first picture is there and when the last one, and
evaluations of the field; `film`, frames of a turntable, and what 120 of them would take; `full`, a whole view, beside
the same by the plain renderer, which evaluates every sample: seconds, evaluations, and the mean difference of the two
pictures in steps of 8-bit colour. `cpu_seconds`
are those of all threads together; they hold on a busy machine too where there is but one thread. Then in the studio (on
a virtual display where there is none): rough pictures shown a second with the height they were drawn at, the gaps
between the ticks of a timer in the window's thread while the camera moves and while a view is drawn to its finest, and
`stale`, how long a view that is being drawn goes on after the camera has moved. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import tyro
from jaxtyping import Float
from torch import Tensor

from benchmarks.open_studio import OpenStudio, gap_figures, open_studio
from studio.engine.work.radiance import RenderRequest

MOVING_SIDES = (64, 96)
FULL_SIDE = 256
STILL, FIRST_STRIDE = (878, 548), 8
FILM_SIDE, FILM_FRAMES, WHOLE_FILM = 512, 3, 120
ORBIT_STEP, STEP_SECONDS = 3.0, 0.03
"""Degrees, and how soon the camera moves on."""
PROMPT, SEED = "a wooden chair", 7
WINDOW = (1280, 800)


def main(model: str | None = None, seconds: float = 5.0, threads: int = 2, stale: int = 12, plain: bool = True) -> None:
    """Measure views.

    Args:
        model: name or folder; otherwise the first radiance model on this machine.
        seconds: how long each measurement of a moving camera takes.
        threads: how many threads torch may use without the window.
        stale: how often a view is given up.
        plain: whether the plain renderer is measured too, which takes minutes.
    """
    import torch

    from ddmi_core.fields.radiance import RadianceField
    from ddmi_core.model_folder import find_model, list_models
    from ddmi_core.pipeline import Pipeline
    from ddmi_core.recipe import SamplingSettings
    from ddmi_core.rendering.cameras import orbit_camera, ring_of_cameras
    from ddmi_core.rendering.view_settings import ViewSettings

    torch.set_num_threads(threads)
    pipeline = Pipeline.from_pretrained(find_model(model) if model else list_models("nerf")[0].folder)

    def say(**figures: object) -> None:
        print(json.dumps({"benchmark": "nerf_render", "model": pipeline.name, **figures}), flush=True)

    class CountedField(RadianceField):
        """Counts the places that it is asked for."""

        asked = 0

        def medium(
            self, points: Float[Tensor, "n 3"], directions: Float[Tensor, "n 3"]
        ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n 3"]]:
            self.asked += len(points)
            return super().medium(points, directions)

    decoded = pipeline.decode(pipeline.sample(SamplingSettings(prompt=PROMPT, steps=20), [SEED])[0])
    assert isinstance(decoded, RadianceField)
    field = CountedField(decoded.readout, decoded.basis)
    clock = Clock()
    share = field.occupancy().share
    say(phase="occupancy", **clock.figures(), share=round(share, 4))

    settings = ViewSettings()
    rough = settings.rough()
    for side in MOVING_SIDES:
        count, clock = 0, Clock()
        while clock.seconds < seconds:
            field.render(orbit_camera(ORBIT_STEP * count), side, side, rough)
            count += 1
        used = clock.figures()
        rate = round(count / used["seconds"], 1)
        say(phase="moving", side=side, samples=rough.samples, pictures_a_second=rate, pictures=count, **used)

    field.asked, clock, first = 0, Clock(), None
    for _ in field.render_gradually(orbit_camera(), *STILL, settings, stride=FIRST_STRIDE):
        first = first or clock.figures()
    about = {"size": STILL, "samples": settings.samples, "evaluations": field.asked}
    say(phase="still", **about, **clock.figures(), first_picture=first)
    field.asked, clock = 0, Clock()
    for camera in ring_of_cameras(FILM_FRAMES):
        field.render(camera, FILM_SIDE, FILM_SIDE, settings)
    used = clock.figures()
    whole = {name: round(used[name] * WHOLE_FILM / FILM_FRAMES, 1) for name in used}
    say(phase="film", side=FILM_SIDE, frames=FILM_FRAMES, evaluations=field.asked, **used, of_120_frames=whole)

    pictures, took = {}, {}
    for skipping in (True, False) if plain else (True,):
        field.asked, clock = 0, Clock()
        view = field.render(orbit_camera(), FULL_SIDE, FULL_SIDE, settings, skip_empty=skipping, smooth_edges=False)
        took[skipping] = clock.figures()
        pictures[skipping] = np.concatenate([view.colour, view.opacity[..., None]], axis=-1)
        renderer = "skipping" if skipping else "plain"
        about = {"phase": "full", "renderer": renderer, "side": FULL_SIDE, "samples": settings.samples}
        say(**about, **took[skipping], evaluations=field.asked)
    if plain:
        difference = 255 * float(np.abs(pictures[True] - pictures[False]).mean())
        ratios = {name: round(took[False][name] / took[True][name], 1) for name in took[True]}
        say(phase="compared", times_faster=ratios, difference=round(difference, 3))

    with open_studio("nerf", model) as studio:
        studio.window.resize(*WINDOW)
        _measure_room(studio, say, seconds, stale)


def _measure_room(studio: OpenStudio, say: Callable[..., None], seconds: float, stale: int) -> None:
    """Measure the Radiance room."""
    from studio.engine.work.radiance import RenderReady
    from studio.rooms.radiance.stage import RadianceStage

    stage = studio.window.stage
    assert isinstance(stage, RadianceStage)
    viewer = stage.viewer
    drawn: list[RenderReady] = []
    studio.engine.answers(RenderReady).connect(drawn.append)

    def move() -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            viewer.orbit(ORBIT_STEP, 0)
            studio.pump_for(STEP_SECONDS)

    def rest() -> None:
        studio.pump(lambda: bool(drawn) and drawn[-1].stride == 1 and studio.settled())

    def move_and_rest() -> None:
        drawn.clear()
        viewer.orbit(ORBIT_STEP, 0)
        rest()

    studio.state.update_form(seed=SEED, seed_locked=True, prompt=PROMPT)
    studio.finish(studio.engine.generate(stage.room.preview_resolution))
    rest()
    move()  # until the size has settled
    rest()
    drawn.clear()
    clock = Clock()
    gaps = studio.tick_gaps(move)
    shown = [result.request.height // result.stride for result in drawn if result.request.moving]
    rate = round(len(shown) / clock.seconds, 1)
    say(phase="room, moving", pictures_a_second=rate, height=statistics.median(shown), **gap_figures(gaps))
    rest()
    clock = Clock()
    gaps = studio.tick_gaps(move_and_rest)
    finest = drawn[-1].request
    say(
        phase="room, at rest",
        size=[finest.width, finest.height],
        samples=finest.settings.samples,
        first_picture=round(drawn[0].seconds, 3),
        **clock.figures(),
        **gap_figures(gaps),
    )
    waits = []
    for number in range(stale):
        studio.engine.ask(
            RenderRequest(
                item=finest.item,
                camera=finest.camera,
                width=viewer.width(),
                height=viewer.height(),
                settings=finest.settings,
                stride=finest.stride,
                serial=0,
            )
        )
        job = studio.state.jobs.active(quiet=True)[-1]
        studio.pump_for(0.1 + 0.03 * number)  # into different parts of the work
        clock = Clock()
        viewer.orbit(ORBIT_STEP, 0)
        studio.pump(lambda job=job: not job.is_active)
        waits.append(1000 * clock.seconds)
        rest()
    say(phase="stale", given_up=len(waits), p50_ms=round(statistics.median(waits), 1), max_ms=round(max(waits), 1))


class Clock:
    """Counts from when it was made."""

    def __init__(self) -> None:
        self._began, self._used = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        """Since then, by the wall clock."""
        return time.perf_counter() - self._began

    def figures(self) -> dict[str, float]:
        """The same beside what all threads together computed."""
        return {"seconds": round(self.seconds, 3), "cpu_seconds": round(time.process_time() - self._used, 3)}


if __name__ == "__main__":
    tyro.cli(main)
