"""How good a model of skies is: reconstruction, moments that it was not given, and what it makes of prompts.

    python -m benchmarks.video_quality --model skies
    python -m benchmarks.video_quality --model FOLDER --quick --sheet sheet.png

Prints one JSON object a line, each a figure (`value`) with what is aimed at (`goal`), where something is. Every prompt
and seed is fixed; PSNR is of red, green and blue; shares go from 0 to 1.

`psnr`: held-out skies encoded and decoded, every frame at its own moment, at the set's own size, mean. `between`: every
second frame is given, the others are compared, less what linear blending of the given neighbours reaches, dB.
`enlarged`: frames drawn at four times the set's size against the sky itself, less what bicubic enlargement of the true
frames reaches, dB. `appearance` and `motion`: kernel distances to held-out skies on the named backbone's features, of
their means over time and of their differences in time, of samples over reconstructions; for two controls made of
held-out skies, frames shuffled and one frame frozen, too, which must score worse. `time_of_real` and the like: how
often the classifier is right on held-out skies; `time` and the like: how often it sees what was asked for.
`first_frame`: from a prompt to the first frame, warm, in seconds; `playback`: frames of 256 pixels a second.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from benchmarks.judging.lines import Lines, counts, rounded, share
from benchmarks.judging.sky_attributes import ATTRIBUTES, MOMENTS, SIDE, drawn, sky_classifier
from benchmarks.judging.sky_prompts import PROMPTS, SkyPrompt
from ddmi_core.coordinates import cell_centres
from ddmi_core.data.clip_sources import ClipParts, sky_set
from ddmi_core.data.clips import Clip, ClipSource, Encoded
from ddmi_core.data.pictures import WHOLE_PICTURE
from ddmi_core.data.skies import Skies
from ddmi_core.data.skies.sources import pictures
from ddmi_core.domains.video import COARSEST, ENCODED, FINEST
from ddmi_core.fields.image import on_white
from ddmi_core.fields.video import OVERLAP, VideoField
from ddmi_core.likeness import psnr
from ddmi_core.metrics.pictures import BACKBONE
from ddmi_core.metrics.videos import blended, clip_features, motion_distance
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings

FRAMES = 12
"""Frames of a clip that its motion is measured on."""
ENLARGED = 4
_ENLARGED_MOMENTS = (-0.6, 0.1, 0.7)
_FEATURE_SIDE = 64
_PLAYED_SIDE, _PLAYED_FRAMES = 256, 24
_SHOWN = 6  # frames of a clip on the sheet

Frames = Float[Tensor, "t 3 s s"]


def main(
    model: str = "skies",
    quick: bool = False,
    device: str = "auto",
    threads: int = 2,
    seeds: int = 2,
    held_out: int = 64,
    enlarged: int = 24,
    samples: int = 200,
    judged: int = 400,
    timed: int = 8,
    sheet: Path | None = None,
) -> None:
    """Measure a model of skies.

    Args:
        model: name or folder.
        quick: a look in a fifth of the time: fewer of everything.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        seeds: samples of each prompt.
        held_out: held-out skies that are reconstructed.
        enlarged: of these, so many are drawn larger.
        samples: samples, reconstructions and held-out skies of the distances.
        judged: held-out skies that the classifier is tried on.
        timed: how many first frames are timed.
        sheet: a PNG to draw the first sample of each prompt into, a clip a row.
    """
    torch.set_num_threads(threads)
    if quick:
        seeds, held_out, enlarged, samples, judged, timed = 1, 16, 6, 48, 150, 3
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)
    lines = Lines("video_quality", pipeline)
    true = sky_set("held_out", seed=0)
    _report_reconstruction(lines, pipeline, true, held_out, enlarged)
    _report_sets(lines, pipeline, true, min(samples, len(true)))
    _report_prompts(lines, pipeline, PROMPTS, seeds, true, judged, sheet)
    _report_times(lines, pipeline, timed, threads)


def _report_reconstruction(lines: Lines, pipeline: Pipeline, true: Skies, count: int, enlarged: int) -> None:
    own: list[float] = []
    between: list[tuple[float, float]] = []
    larger: list[tuple[float, float]] = []
    for i in range(min(count, len(true))):
        clip = true.open(i)
        field = _rebuilt(pipeline, clip)
        own.append(psnr(_at(field, clip.times, clip.frames.shape[1]).numpy(), _true(clip).numpy()))
        between.append(_between(pipeline, clip))
        if i < enlarged:
            larger.append(_enlarged(field, true, i, clip.frames.shape[1]))
    lines("psnr", float(np.mean(own)), ">= 30", clips=len(own), worst=rounded(min(own)))
    for name, pairs, goal, beside in (
        ("between", between, ">= 1", "blending"),
        ("enlarged", larger, ">= 0", "bicubic"),
    ):
        ours, others = (float(np.mean(column)) for column in zip(*pairs, strict=True))
        better = share([a > b for a, b in pairs])
        facts = {"psnr": rounded(ours), beside: rounded(others), "better": better}
        lines(name, ours - others, goal, clips=len(pairs), **facts)


def _between(pipeline: Pipeline, clip: Clip) -> tuple[float, float]:
    """PSNR at the frames left out, ours and that of blending their neighbours."""
    given, left_out = clip.every(2), clip.every(2, 1)
    inside = left_out.times < given.times[-1]  # what comes after the last given frame has no second neighbour
    asked = Clip(left_out.frames[inside], left_out.times[inside], clip.seconds)
    ours = _at(_rebuilt(pipeline, given), asked.times, clip.frames.shape[1])
    blending = blended(_true(given), torch.from_numpy(given.times), torch.from_numpy(asked.times))
    return psnr(ours.numpy(), _true(asked).numpy()), psnr(blending.numpy(), _true(asked).numpy())


def _enlarged(field: VideoField, true: Skies, index: int, side: int) -> tuple[float, float]:
    """PSNR of larger frames, ours and bicubic ones of the true frames of the usual size."""
    moments, large = np.float32(_ENLARGED_MOMENTS), ENLARGED * side
    wanted, small = (
        torch.from_numpy(pictures(true.scene(index), moments, size)).movedim(-1, 1) for size in (large, side)
    )
    upscaled = F.interpolate(small, (large, large), mode="bicubic").clamp(0, 1)
    return psnr(_at(field, moments, large).numpy(), wanted.numpy()), psnr(upscaled.numpy(), wanted.numpy())


def _report_sets(lines: Lines, pipeline: Pipeline, true: Skies, count: int) -> None:
    moments, order = cell_centres(FRAMES).numpy(), np.random.default_rng(0)
    real = [torch.from_numpy(pictures(true.scene(i), moments, _FEATURE_SIDE)).movedim(-1, 1) for i in range(count)]
    data = _features(real)
    again = _features([_at(_rebuilt(pipeline, true.open(i)), moments, _FEATURE_SIDE) for i in range(count)])
    made = _features([_at(_sampled(pipeline, true.captions(i)[0], i), moments, _FEATURE_SIDE) for i in range(count)])
    shuffled = _features([clip[torch.from_numpy(order.permutation(len(clip)))] for clip in real])
    frozen = _features([clip[len(clip) // 2].expand_as(clip) for clip in real])
    of_samples, of_again, of_shuffled, of_frozen = (
        motion_distance(one, data) for one in (made, again, shuffled, frozen)
    )
    for name, found in of_samples.items():
        ratio = found / of_again[name] if of_again[name] > 0 else float("nan")
        beside = {
            "samples": found,
            "reconstructions": of_again[name],
            "shuffled": of_shuffled[name],
            "frozen": of_frozen[name],
        }
        lines(
            name,
            ratio,
            "<= 3",
            clips=count,
            backbone=BACKBONE,
            **{key: rounded(value) for key, value in beside.items()},
        )


def _report_prompts(
    lines: Lines,
    pipeline: Pipeline,
    prompts: Sequence[SkyPrompt],
    seeds: int,
    true: Skies,
    count: int,
    sheet: Path | None,
) -> None:
    classifier = sky_classifier(sky_set("train", seed=0))
    for name, (right, of) in classifier.tally(*drawn(true, range(min(count, len(true))))).items():
        lines(f"{name}_of_real", right / of, ">= 0.95", clips=of)
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in ATTRIBUTES}
    rows = []
    for number, prompt in enumerate(prompts):
        fields = [_sampled(pipeline, prompt.text, 1000 * number + seed) for seed in range(seeds)]
        seen = torch.stack([_at(field, MOMENTS, SIDE).flatten(0, 1) for field in fields])
        rows.append(torch.cat(list(_at(fields[0], cell_centres(_SHOWN), 2 * SIDE)), dim=2))
        for told in classifier.predict(seen):
            for name in ATTRIBUTES:
                if (wanted := getattr(prompt, name)) is not None:
                    found[name].append((wanted, told[name]))
    for name, pairs in found.items():
        wrong = [f"{wanted}: {told}" for wanted, told in pairs if wanted != told]
        lines(
            name, share([wanted == told for wanted, told in pairs]), ">= 0.9", samples=len(pairs), wrong=counts(wrong)
        )
    if sheet is not None:
        picture = torch.cat(rows, dim=1).movedim(0, -1)
        Image.fromarray((picture.clamp(0, 1) * 255 + 0.5).byte().numpy()).save(sheet)


def _report_times(lines: Lines, pipeline: Pipeline, count: int, threads: int) -> None:
    def seconds(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    def first(seed: int) -> object:
        prompt = PROMPTS[seed % len(PROMPTS)].text
        return _sampled(pipeline, prompt, seed).at(0.0).render(_PLAYED_SIDE, _PLAYED_SIDE)

    firsts = [seconds(lambda seed=seed: first(seed)) for seed in range(count + 1)][1:]  # type: ignore[misc]
    lines("first_frame", float(np.median(firsts)), "<= 0.5", clips=count, side=_PLAYED_SIDE, threads=threads)
    field = _sampled(pipeline, PROMPTS[0].text, 0)
    spent = seconds(
        lambda: [field.at(float(t)).render(_PLAYED_SIDE, _PLAYED_SIDE) for t in cell_centres(_PLAYED_FRAMES)]
    )
    lines("playback", _PLAYED_FRAMES / spent, ">= 24", side=_PLAYED_SIDE, threads=threads)


def _rebuilt(pipeline: Pipeline, given: Clip) -> VideoField:
    config = pipeline.autoencoder.config
    encoded = Encoded(config.frames or ENCODED.frames, config.resolution or ENCODED.side)
    source = ClipSource(ClipParts(given, 1, OVERLAP), encoded=encoded, queries=1, footprints=(FINEST, COARSEST))
    return _field(pipeline, pipeline.encode_source(source))


def _sampled(pipeline: Pipeline, prompt: str, seed: int) -> VideoField:
    return _field(pipeline, pipeline.sample(SamplingSettings(prompt=prompt), [seed])[0])


def _field(pipeline: Pipeline, latent: Float[Tensor, "c h w"]) -> VideoField:
    field = pipeline.decode(latent)
    assert isinstance(field, VideoField), f"{pipeline.name} is no model of clips"
    return field


def _at(
    field: VideoField, moments: Sequence[float] | Float[np.ndarray, " t"] | Float[Tensor, " t"], side: int
) -> Frames:
    return torch.stack([on_white(field.at(float(moment)).as_written(side)) for moment in moments])


def _true(clip: Clip) -> Frames:
    side = clip.frames.shape[1]
    return on_white(torch.from_numpy(clip.view(range(len(clip.times)), WHOLE_PICTURE, side)).movedim(-1, 1))


def _features(clips: Sequence[Frames]) -> tuple[Tensor, Tensor]:
    appearance, motion = zip(*(clip_features(clip) for clip in clips), strict=True)
    return torch.stack(appearance), torch.stack(motion)


if __name__ == "__main__":
    tyro.cli(main)
