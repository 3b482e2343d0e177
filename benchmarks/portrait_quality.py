"""How good a model of portraits is: reconstruction, enlargement, and what it makes of prompts.

    python -m benchmarks.portrait_quality --model portraits
    python -m benchmarks.portrait_quality --model FOLDER --quick

Prints one JSON object a line, each a figure (`value`) with what is aimed at (`goal`), where something is. Every prompt
and seed is fixed; shares go from 0 to 1.

`psnr`: held-out portraits encoded and decoded at the base resolution, dB of premultiplied RGBA over the whole canvas,
mean. `enlarged`: drawn at four times that against the true drawing, less what bicubic enlargement of the
base-resolution picture reaches, dB. `seams`: the strongest grid that the cells of the basis fields leave in areas which
are flat in the true drawing, as an amplitude in levels of 255, beside that of the true drawing and that at frequencies
next to the cells'. `kernel_distance`: of samples, each of the caption of a held-out portrait, to the held-out
portraits, over that of reconstructions; `nearest_neighbour`: 1-NN accuracy of samples against held-out portraits; both
on the named backbone's features. `style_of_real` and the like: how often the classifier is right on held-out
portraits; `style` and the like: how often it sees what was asked for. `first_picture`: from a prompt to the first
picture, warm, in seconds.
"""

import statistics
import time
from collections.abc import Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from jaxtyping import Float
from torch import Tensor

from benchmarks.judging.lines import Lines, counts, rounded, share
from benchmarks.judging.pictures import field_of, rebuilt, seen
from benchmarks.judging.portrait_attributes import ATTRIBUTES, drawn, portrait_classifier
from benchmarks.judging.portrait_prompts import PROMPTS, PortraitPrompt
from benchmarks.judging.seams import grid_amplitudes
from ddmi_core.data.portraits.pictures import PortraitPictures, portraits
from ddmi_core.fields.image import ENCODED_SIDE, on_white
from ddmi_core.likeness import psnr
from ddmi_core.metrics.clouds import nearest_neighbour_accuracy
from ddmi_core.metrics.distributions import kernel_distance
from ddmi_core.metrics.pictures import BACKBONE, features
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import Quality, SamplingSettings

ENLARGED = 4
_FIRST_SIDE = 256


def main(
    model: str = "portraits",
    quick: bool = False,
    device: str = "auto",
    threads: int = 2,
    seeds: int = 2,
    held_out: int = 200,
    enlarged: int = 60,
    samples: int = 1000,
    compared: int = 500,
    judged: int = 1000,
    timed: int = 12,
    quality: Quality = "best",
) -> None:
    """Measure a model of portraits.

    Args:
        model: name or folder.
        quick: a look in a tenth of the time: fewer of everything.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        seeds: samples of each prompt.
        held_out: held-out portraits that are reconstructed at the base resolution.
        enlarged: of these, so many are drawn larger and looked at for seams.
        samples: samples, reconstructions and held-out portraits of the kernel distance, 1,000 at most.
        compared: samples, and held-out portraits, that are told apart by their nearest neighbour.
        judged: held-out portraits that the classifier is tried on.
        timed: how many first pictures are timed.
        quality: best, or fast to measure the model's student.
    """
    torch.set_num_threads(threads)
    if quick:
        seeds, held_out, enlarged, samples, compared, judged, timed = 1, 40, 10, 100, 100, 200, 5
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)
    lines = Lines("portrait_quality", pipeline)
    true = portraits("held_out")
    _report_reconstruction(lines, pipeline, true, held_out, enlarged)
    settings = SamplingSettings(quality=quality)
    _report_sets(lines, pipeline, settings, true, min(samples, len(true)), compared)
    _report_prompts(lines, pipeline, settings, PROMPTS, seeds, true, judged)
    _report_time(lines, pipeline, settings, timed, threads)


def _report_reconstruction(lines: Lines, pipeline: Pipeline, true: PortraitPictures, count: int, enlarged: int) -> None:
    base: list[float] = []
    ours: list[float] = []
    bicubic: list[float] = []
    grids: list[dict[str, float]] = []
    large = ENLARGED * ENCODED_SIDE
    for i in range(min(count, len(true))):
        picture = true.open(i)
        field, small = rebuilt(pipeline, picture), seen(picture, ENCODED_SIDE)
        base.append(psnr(field.as_written(ENCODED_SIDE).numpy(), small.numpy()))
        if i < enlarged:
            wanted, drawn = seen(picture, large), field.as_written(large)
            ours.append(psnr(drawn.numpy(), wanted.numpy()))
            upscaled = F.interpolate(small.unsqueeze(0), (large, large), mode="bicubic").clamp(0, 1)[0]
            bicubic.append(psnr(upscaled.numpy(), wanted.numpy()))
            sides = [field_level[0].shape[-1] for field_level in field.basis]
            grids.append(grid_amplitudes(on_white(drawn), on_white(wanted), sides))
    lines("psnr", float(np.mean(base)), ">= 33", pictures=len(base), side=ENCODED_SIDE, worst=rounded(min(base)))
    lines(
        "enlarged",
        float(np.mean(ours) - np.mean(bicubic)),
        ">= -1",
        pictures=len(ours),
        side=large,
        psnr=rounded(float(np.mean(ours))),
        bicubic=rounded(float(np.mean(bicubic))),
    )
    mean = {name: float(np.mean([grid[name] for grid in grids])) for name in grids[0]}
    lines("seams", mean.pop("cells"), "<= 0.5", pictures=len(grids), **{k: rounded(v) for k, v in mean.items()})


def _report_sets(
    lines: Lines, pipeline: Pipeline, settings: SamplingSettings, true: PortraitPictures, count: int, compared: int
) -> None:
    real = _features(seen(true.open(i), ENCODED_SIDE) for i in range(count))
    again = _features(rebuilt(pipeline, true.open(i)).as_written(ENCODED_SIDE) for i in range(count))
    made = _features(_drawn(pipeline, settings, true.captions(i)[0], [i])[0] for i in range(count))
    of_samples, of_reconstructions = kernel_distance(made, real), kernel_distance(again, real)
    lines(
        "kernel_distance",
        of_samples / of_reconstructions if of_reconstructions > 0 else float("nan"),
        "<= 2",
        pictures=count,
        samples=rounded(of_samples),
        reconstructions=rounded(of_reconstructions),
        backbone=BACKBONE,
    )
    made, real = made[:compared], real[:compared]
    told = nearest_neighbour_accuracy(
        *(torch.cdist(a, b).numpy() for a, b in ((made, made), (real, real), (made, real)))
    )
    lines("nearest_neighbour", told, "<= 0.65", samples=len(made), held_out=len(real), backbone=BACKBONE)


def _report_prompts(
    lines: Lines,
    pipeline: Pipeline,
    settings: SamplingSettings,
    prompts: Sequence[PortraitPrompt],
    seeds: int,
    true: PortraitPictures,
    count: int,
) -> None:
    classifier = portrait_classifier()
    for name, (right, of) in classifier.tally(*drawn(true, range(min(count, len(true))))).items():
        lines(f"{name}_of_real", right / of, ">= 0.95", portraits=of)
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in ATTRIBUTES}
    for number, prompt in enumerate(prompts):
        made = torch.stack(_drawn(pipeline, settings, prompt.text, range(1000 * number, 1000 * number + seeds)))
        for told in classifier.predict(on_white(made)):
            for name in ATTRIBUTES:
                if (wanted := getattr(prompt, name)) is not None:
                    found[name].append((wanted, told[name]))
    for name, pairs in found.items():
        wrong = [f"{wanted}: {told}" for wanted, told in pairs if wanted != told]
        right = share([wanted == told for wanted, told in pairs])
        lines(name, right, ">= 0.9", samples=len(pairs), wrong=counts(wrong))


def _report_time(lines: Lines, pipeline: Pipeline, settings: SamplingSettings, count: int, threads: int) -> None:
    times = []
    for seed in range(count + 1):
        began = time.perf_counter()
        prompt = PROMPTS[seed % len(PROMPTS)].text
        latent = pipeline.sample(settings.model_copy(update={"prompt": prompt}), [seed])[0]
        field_of(pipeline, latent).render(_FIRST_SIDE, _FIRST_SIDE)
        times.append(time.perf_counter() - began)
    warm = times[1:]
    median = statistics.median(warm)
    lines(
        "first_picture", median, "<= 0.7", pictures=count, worst=rounded(max(warm)), side=_FIRST_SIDE, threads=threads
    )


def _drawn(
    pipeline: Pipeline, settings: SamplingSettings, prompt: str, seeds: Iterable[int]
) -> list[Float[Tensor, "4 s s"]]:
    latents = pipeline.sample(settings.model_copy(update={"prompt": prompt}), list(seeds))
    return [field_of(pipeline, latent).as_written(ENCODED_SIDE) for latent in latents]


def _features(pictures: Iterable[Float[Tensor, "4 s s"]]) -> Float[Tensor, "n f"]:
    return torch.cat([features(on_white(picture).unsqueeze(0)) for picture in pictures])


if __name__ == "__main__":
    tyro.cli(main)
