"""How near a model's student comes to what the model itself makes of a seed, and how much sooner.

    python -m benchmarks.student_quality --model furniture [--sampler dpm++]

Prints JSON lines: for the student, and for as few guided steps as a sketch takes without one, the likeness to all the
steps with the same seed (of shapes the overlap of what is inside, of others the PSNR of their pictures), the mean and
the worst of 12 prompts and some seeds each; and the processor's seconds, as a share of those that all the steps take.
"""

import time

import numpy as np
import torch
import tyro

from benchmarks.contact_sheet import sheet_prompts
from benchmarks.judging.lines import Lines, rounded
from benchmarks.judging.nearness import likeness
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplerName, SamplingSettings
from studio.engine.work.sketching import SKETCH_STEPS

_PROMPTS = 12


def main(
    model: str = "furniture",
    seeds: int = 4,
    sampler: SamplerName | None = None,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Compare a student with its teacher.

    Args:
        model: name or folder, of a model that has a student.
        seeds: samples of each prompt.
        sampler: of all the steps, if not the usual one; the student has learned from dpm++, without noise on the way.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
    """
    torch.set_num_threads(threads)
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)
    lines = Lines("student_quality", pipeline)
    usual = SamplingSettings() if sampler is None else SamplingSettings(sampler=sampler)
    ways = {
        "best": usual,
        "student": usual.model_copy(update={"quality": "fast"}),
        "few_steps": usual.model_copy(update={"steps": SKETCH_STEPS, "sampler": "dpm++"}),
    }
    seconds = dict.fromkeys(ways, 0.0)
    near: dict[str, list[float]] = {name: [] for name in ways}
    for prompt in sheet_prompts(pipeline)[:_PROMPTS]:
        made = {}
        for name, settings in ways.items():
            began = time.process_time()
            latents = pipeline.sample(settings.model_copy(update={"prompt": prompt}), range(seeds))
            seconds[name] += time.process_time() - began
            made[name] = [pipeline.decode(latent) for latent in latents]
        for name, fields in made.items():
            near[name] += [likeness(*pair) for pair in zip(made["best"], fields, strict=True)]
    for name in ("student", "few_steps"):
        share = rounded(seconds[name] / seconds["best"])
        worst = rounded(min(near[name]))
        lines(name, float(np.mean(near[name])), worst=worst, samples=len(near[name]), share_of_seconds=share)


if __name__ == "__main__":
    tyro.cli(main)
