"""Playing a clip: how soon there is a first frame, how many frames a second there are, and how smooth the window is.

    python -m benchmarks.video_playback [--model NAME] [--seconds 5]

First without the window: `first_frame`, a 20-step sample and its first frame of 128 pixels, warm; `drawing`, frames a
second that the function gives at several sizes. Then in the studio (on a virtual display where there is none): frames
shown a second at each speed with the side they were drawn at, and the gaps between the ticks of a timer in the window's
thread while a clip plays, and while it plays and is exported. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import time
from fractions import Fraction

import tyro

from benchmarks.open_studio import gap_figures, open_studio
from studio.engine.work.exporting import ExportRequest

SIDES = (64, 128, 256, 512)
SPEEDS = ("1/16", "1", "4")
PROMPT = "a sunset over mountains with drifting clouds"


def main(model: str | None = None, seconds: float = 5.0, threads: int = 2) -> None:
    """Measure playback.

    Args:
        model: name or folder; otherwise the first video model on this machine.
        seconds: how long each measurement takes.
        threads: how many threads torch may use without the window.
    """
    import torch

    from ddmi_core.export.options import VideoExport
    from ddmi_core.fields.video import VideoField
    from ddmi_core.model_folder import find_model, list_models
    from ddmi_core.pipeline import Pipeline
    from ddmi_core.recipe import SamplingSettings
    from studio.engine.work.clips import FrameReady
    from studio.rooms.video.stage import VideoStage

    torch.set_num_threads(threads)
    pipeline = Pipeline.from_pretrained(find_model(model) if model else list_models("video")[0].folder)

    def say(**figures: object) -> None:
        print(json.dumps({"benchmark": "video_playback", "model": pipeline.name, **figures}), flush=True)

    field = None
    for warm in (False, True):
        began = time.perf_counter()
        field = pipeline.decode(pipeline.sample(SamplingSettings(prompt=PROMPT, steps=20), [7])[0])
        assert isinstance(field, VideoField)
        field.at(0.0).render(128, 128)
        say(phase="first_frame", warm=warm, seconds=round(time.perf_counter() - began, 2))
    assert isinstance(field, VideoField)
    for side in SIDES:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds / 2:
            field.at(-1 + 0.01 * count).render(side, side)
            count += 1
        say(phase="drawing", side=side, frames_a_second=round(count / (time.perf_counter() - began), 1))

    with open_studio("video", model) as studio:
        state, engine, window = studio.state, studio.engine, studio.window
        stage = window.stage
        assert isinstance(stage, VideoStage)
        drawn: list[FrameReady] = []
        engine.answers(FrameReady).connect(
            lambda result: drawn.append(result) if result.request.purpose == "play" else None
        )

        def play() -> None:
            studio.pump_for(seconds)

        state.update_form(seed=7, seed_locked=True, prompt=PROMPT)
        studio.finish(engine.generate(stage.room.preview_resolution))
        studio.pump(studio.settled)
        for speed in SPEEDS:
            stage.toggle()
            stage.playback.speed = float(Fraction(speed))
            studio.pump_for(1.0)  # until the size has settled
            drawn.clear()
            began, shown = time.perf_counter(), stage.player.shown
            gaps = studio.tick_gaps(play)
            rate = (stage.player.shown - shown) / (time.perf_counter() - began)
            side = drawn[-1].request.side if drawn else 0
            say(phase="playing", speed=speed, frames_a_second=round(rate, 1), side=side, **gap_figures(gaps))
            stage.toggle()
            studio.pump(studio.settled)
        item = state.shown
        assert item is not None
        job = engine.ask(
            ExportRequest(
                item=item,
                path=studio.home / "clip.mp4",
                options=VideoExport(resolution=512, fps=Fraction(60), seconds=10),
            )
        )
        stage.toggle()
        say(phase="playing and exporting", **gap_figures(studio.tick_gaps(play)))
        stage.toggle()
        engine.cancel(job)
        studio.pump(studio.settled)


if __name__ == "__main__":
    tyro.cli(main)
