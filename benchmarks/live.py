"""How soon the stage follows what is typed, and whether the window stays alive meanwhile.

    python -m benchmarks.live [--domain shape] [--model NAME] [--rounds 3]

Opens the studio (on a virtual display where there is none), switches live on and types prompts word by word, waiting
for the sketch after each. Prints JSON lines: for each round the seconds from the last key to the sketch on the stage
(median and worst; `PAUSE_MS` of them are the pause that is waited for), the seconds that a sketch takes in its thread,
and the gaps between ticks of the window; how soon 16 variations are on the stage at a glance, the first and the last of
them (median of the rounds); and how like a sketch is to what Generate makes of the same seed (for shapes
the overlap of what is inside, on 48^3 places; for the others the PSNR of their pictures on white).
"""

from __future__ import annotations

import json
import statistics
import time

import tyro

from benchmarks.open_studio import OpenStudio, gap_figures, open_studio

PROMPTS = {
    "shape": ("a round table with one leg", "a wide sofa with armrests", "a tall bookcase with five shelves"),
    "nerf": ("a round table with one leg", "a wide sofa with armrests", "a tall bookcase with five shelves"),
    "image": ("a woman with long red hair and glasses", "a man with a beard", "a person in a blue shirt"),
}
_SEEDS = range(4)


def main(domain: str = "shape", model: str | None = None, rounds: int = 3) -> None:
    """Measure live sketches.

    Args:
        domain: shape, nerf or image.
        model: name or folder; otherwise the domain's first model on this machine.
        rounds: how often the prompts are typed.
    """
    from studio.engine.work.sketching import SketchReady
    from studio.window.live import DECIDED

    with open_studio(domain, model) as studio:
        studio.window.settings.set_flag(DECIDED, True)
        sketches: list[SketchReady] = []
        studio.engine.answers(SketchReady).connect(sketches.append)
        studio.window.actions_["live"].setChecked(True)
        _type(studio, "a")  # warm up
        for _ in range(rounds):
            sketches.clear()
            waits: list[float] = []

            def write(waits: list[float] = waits) -> None:
                for prompt in PROMPTS[domain]:
                    words = prompt.split()
                    for count in range(1, len(words) + 1):
                        waits.append(_type(studio, " ".join(words[:count])))

            gaps = studio.tick_gaps(write)
            figures = {
                "seconds": round(statistics.median(waits), 3),
                "seconds_worst": round(max(waits), 3),
                "sketch_seconds": round(statistics.median(sketch.seconds for sketch in sketches), 3),
                **gap_figures(gaps),
            }
            print(json.dumps({"benchmark": "live", "model": studio.model.name, **figures}), flush=True)
        glance = _glance(studio, domain, rounds)
        print(json.dumps({"benchmark": "variations", "model": studio.model.name, **glance}), flush=True)
        likeness = _likeness(studio, domain)
        print(json.dumps({"benchmark": "live", "model": studio.model.name, **likeness}), flush=True)


def _type(studio: OpenStudio, prompt: str) -> float:
    """Put a prompt into the box; return the seconds until its sketch is on the stage."""
    began = time.monotonic()
    studio.window.inspector.prompt.setPlainText(prompt)
    studio.pump(lambda: studio.window.live.shows_form)
    return time.monotonic() - began


def _glance(studio: OpenStudio, domain: str, rounds: int) -> dict[str, float]:
    """Show variations at a glance; the seconds until the first and the last are there, and the gaps between ticks."""
    from studio.engine.work.varying import VariationReady
    from studio.state.form import COUNTS

    studio.window.settings.variations = count = max(COUNTS)
    studio.window.inspector.prompt.setPlainText(PROMPTS[domain][0])
    firsts, lasts, gaps = [], [], []
    drawn: list[float] = []
    studio.engine.answers(VariationReady).connect(lambda _result: drawn.append(time.monotonic()))

    def show() -> None:
        drawn.clear()
        studio.window.variations.show()
        studio.pump(lambda: len(drawn) == count and studio.settled())

    for _ in range(rounds):
        began = time.monotonic()
        gaps += studio.tick_gaps(show)
        firsts.append(drawn[0] - began)
        lasts.append(drawn[-1] - began)
    return {
        "count": count,
        "seconds_to_first": round(statistics.median(firsts), 3),
        "seconds_to_last": round(statistics.median(lasts), 3),
        **gap_figures(gaps),
    }


def _likeness(studio: OpenStudio, domain: str) -> dict[str, float]:
    from benchmarks.judging.nearness import likeness
    from ddmi_core.pipeline import Pipeline
    from ddmi_core.recipe import SamplingSettings
    from studio.engine.work.sketching import quick

    pipeline = Pipeline.from_pretrained(studio.model.folder)
    found = []
    for prompt in PROMPTS[domain]:
        settings = SamplingSettings(prompt=prompt)
        made, sketched = (pipeline.sample(how, _SEEDS) for how in (settings, quick(settings, pipeline)))
        found += [
            likeness(pipeline.decode(one), pipeline.decode(other)) for one, other in zip(made, sketched, strict=True)
        ]
    name = "overlap" if domain == "shape" else "psnr"
    return {f"{name}_mean": round(statistics.mean(found), 3), f"{name}_worst": round(min(found), 3)}


if __name__ == "__main__":
    tyro.cli(main)
