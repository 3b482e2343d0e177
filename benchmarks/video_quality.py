"""How good a video model is: reconstruction, frames that it was not given, and how its samples move.

    python -m benchmarks.video_quality --model assets/models/emoji-motion

Prints one JSON object a line; all PSNR in dB of premultiplied RGBA over the whole canvas at the base resolution, every
frame at its own moment. `reconstruction`: held-out clips encoded and decoded; `refined`: the same after the latent was
fitted to the clip, as `ddmi reconstruct` and the studio do. `between`: every second frame is given, to the encoder and
to the refinement, and the frames left out are compared, beside linear blending of their given neighbours. `motion`:
kernel distances to the training clips on the named backbone's features, of their means over time (appearance) and of
their differences in time (motion), for samples (every prompt a caption of the training data), for held-out clips, and
for two controls made of held-out clips that must score worse: their frames shuffled, and one frame frozen. `--sheet`
draws samples. Every prompt and seed is fixed.
"""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from ddmi_core import refinement
from ddmi_core.coordinates import cell_centres
from ddmi_core.data.clip_sources import ClipParts
from ddmi_core.data.clips import Clip, ClipSource
from ddmi_core.data.emoji.clips import emoji_motion
from ddmi_core.data.pictures import WHOLE_PICTURE
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
"""Frames of a clip that its motion is measured on, a quarter of a second apart in a clip of three."""
_SHOWN = 8


def main(
    model: str = "assets/models/emoji-motion",
    device: str = "auto",
    threads: int = 2,
    samples: int = 200,
    held_out: int = 64,
    sheet: Path | None = None,
) -> None:
    """Measure a video model.

    Args:
        model: name or folder.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        samples: how many clips to generate for the distances.
        held_out: at most so many held-out clips are reconstructed.
        sheet: a PNG to draw samples into, a clip a row.
    """
    torch.set_num_threads(threads)
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)

    def report(measurement: str, **figures: Any) -> None:
        line = {"benchmark": "video_quality", "measurement": measurement, "model": pipeline.name, "hash": pipeline.hash}
        print(json.dumps(line | figures), flush=True)

    new = emoji_motion("held_out")
    clips = [new.open(i) for i in range(min(held_out, len(new)))]
    for measurement, steps in (("reconstruction", 0), ("refined", refinement.STEPS)):
        values = [_at_own_moments(pipeline, clip, clip, steps) for clip in clips]
        report(measurement, refine_steps=steps, side=ENCODED.side, **_figures("psnr", values))
    for steps in (0, refinement.STEPS):
        ours, blending = zip(*(_between(pipeline, clip, steps) for clip in clips), strict=True)
        gains = [a - b for a, b in zip(ours, blending, strict=True)]
        report(
            "between",
            refine_steps=steps,
            **_figures("psnr", ours) | _figures("blending_psnr", blending),
            gain_mean=round(float(np.mean(gains)), 2),
            better_share=round(float(np.mean([gain > 0 for gain in gains])), 3),
        )

    known = emoji_motion("train")
    data = _features([_shown(known.open(i)) for i in range(len(known))])
    real = [_shown(new.open(i)) for i in range(len(new))]
    order = np.random.default_rng(0)
    made = _generated(pipeline, [known.captions(i)[0] for i in range(len(known))], samples)
    for what, shown in (
        ("samples", made),
        ("held-out clips", real),
        ("held-out clips, frames shuffled", [clip[order.permutation(len(clip))] for clip in real]),
        ("held-out clips, frozen", [clip[len(clip) // 2].expand_as(clip) for clip in real]),
    ):
        found = {name: round(value, 3) for name, value in motion_distance(_features(shown), data).items()}
        report("motion", of=what, backbone=BACKBONE, clips=[len(shown), len(known)], frames=FRAMES, **found)
    if sheet is not None:
        rows = [torch.cat(list(clip), dim=2) for clip in made[:_SHOWN]]
        picture = torch.cat(rows, dim=1).movedim(0, -1)
        Image.fromarray((picture.clamp(0, 1) * 255 + 0.5).byte().numpy()).save(sheet)


def _figures(name: str, values: Any) -> dict[str, Any]:
    return {
        "clips": len(values),
        f"{name}_mean": round(float(np.mean(values)), 2),
        f"{name}_worst": round(float(min(values)), 2),
    }


def _field(pipeline: Pipeline, given: Clip, refine_steps: int) -> VideoField:
    source = ClipSource(
        ClipParts(given, 1, OVERLAP), encoded=ENCODED, queries=refinement.QUERIES, footprints=(FINEST, COARSEST)
    )
    field = pipeline.decode(pipeline.encode_source(source, refine_steps=refine_steps))
    assert isinstance(field, VideoField)
    return field


def _premultiplied(field: VideoField, times: Any) -> Float[Tensor, "t 4 s s"]:
    """Frames of the base resolution."""
    return torch.stack([field.at(float(t)).as_written(ENCODED.side) for t in times])


def _true(clip: Clip) -> Float[Tensor, "t 4 s s"]:
    return torch.from_numpy(clip.view(range(len(clip.times)), WHOLE_PICTURE, ENCODED.side)).movedim(-1, 1)


def _at_own_moments(pipeline: Pipeline, given: Clip, asked: Clip, refine_steps: int) -> float:
    field = _field(pipeline, given, refine_steps)
    return psnr(_premultiplied(field, asked.times).numpy(), _true(asked).numpy())


def _between(pipeline: Pipeline, clip: Clip, refine_steps: int) -> tuple[float, float]:
    """PSNR at the frames left out, ours and that of blending their neighbours."""
    given, left_out = clip.every(2), clip.every(2, 1)
    # What comes after the last given frame has no second neighbour to blend.
    inside = left_out.times < given.times[-1]
    asked = Clip(left_out.frames[inside], left_out.times[inside], clip.seconds)
    blending = blended(_true(given), torch.from_numpy(given.times), torch.from_numpy(asked.times))
    return _at_own_moments(pipeline, given, asked, refine_steps), psnr(blending.numpy(), _true(asked).numpy())


def _shown(clip: Clip) -> Float[Tensor, "t 3 s s"]:
    """Evenly spaced frames of a clip on white."""
    moments = cell_centres(FRAMES).numpy()
    nearest = np.abs(clip.times[None] - moments[:, None]).argmin(axis=1)
    return on_white(_true(Clip(clip.frames[nearest], moments, clip.seconds)))


def _generated(pipeline: Pipeline, captions: list[str], count: int) -> list[Float[Tensor, "t 3 s s"]]:
    """Samples of captions in a fixed order, seed k for sample k."""
    order = np.random.default_rng(0).permutation(len(captions))
    prompts = islice((captions[i] for _ in range(count) for i in order), count)
    found = []
    for seed, prompt in enumerate(prompts):
        field = pipeline.decode(pipeline.sample(SamplingSettings(prompt=prompt), [seed])[0])
        assert isinstance(field, VideoField)
        found.append(on_white(_premultiplied(field, cell_centres(FRAMES))))
    return found


def _features(clips: list[Float[Tensor, "t 3 s s"]]) -> tuple[Tensor, Tensor]:
    appearance, motion = zip(*(clip_features(clip) for clip in clips), strict=True)
    return torch.stack(appearance), torch.stack(motion)


if __name__ == "__main__":
    tyro.cli(main)
