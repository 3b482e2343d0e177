"""How good an image model is: reconstruction, enlargement, and how near its samples are to the data.

    python -m benchmarks.image_quality --model FOLDER

Prints one JSON object a line. `reconstruction`: held-out emoji encoded and decoded at the base resolution, PSNR in dB
of premultiplied RGBA over the whole canvas; `refined`: the same after the latent was fitted to the picture, as
`ddmi reconstruct` and the studio do. `enlarged`: held-out vector faces at four times the base resolution against their
true drawing, beside bicubic upscaling of the base-resolution picture. `distance`: Fréchet and kernel distances on the
named backbone's features, on white, of samples (every prompt a caption of the training data), of reconstructions, and
of one half of the data to the other. `nearest`: how like their nearest training pictures 16 samples are (cosine of the
features), beside the same for held-out pictures; `--sheet` draws them. Every prompt and seed is fixed.
"""

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from benchmarks.judging.pictures import field_of, rebuilt, seen
from ddmi_core import refinement
from ddmi_core.data.emoji.pictures import emoji
from ddmi_core.data.faces import faces
from ddmi_core.data.pictures import Picture, PictureSet
from ddmi_core.fields.image import ENCODED_SIDE, on_white
from ddmi_core.likeness import psnr
from ddmi_core.metrics.distributions import Moments, frechet_distance, kernel_distance
from ddmi_core.metrics.pictures import BACKBONE, features
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings

ENLARGED = 4
_SHOWN = 16
_HELD_OUT_FACES = 40


def main(
    model: str,
    device: str = "auto",
    threads: int = 2,
    samples: int = 3000,
    held_out: int = 200,
    sheet: Path | None = None,
) -> None:
    """Measure a model of emoji.

    Args:
        model: name or folder.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        samples: how many pictures to generate for the distances.
        held_out: at most so many held-out pictures are reconstructed.
        sheet: a PNG to draw 16 samples and their nearest training pictures into.
    """
    torch.set_num_threads(threads)
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)

    def report(measurement: str, **figures: Any) -> None:
        line = {"benchmark": "image_quality", "measurement": measurement, "model": pipeline.name, "hash": pipeline.hash}
        print(json.dumps(line | figures), flush=True)

    new = _pictures(emoji("held_out"), held_out)
    for measurement, steps in (("reconstruction", 0), ("refined", refinement.STEPS)):
        report(measurement, refine_steps=steps, **_reconstruction(pipeline, new, steps))
    detailed = _pictures(faces("held_out"), _HELD_OUT_FACES)
    for steps in (0, refinement.STEPS):
        report("enlarged", refine_steps=steps, **_enlarged(pipeline, detailed, steps))

    known, captions = _training_pictures()
    data = features(known)
    made = _generated(pipeline, captions, samples)
    sampled = features(made)
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(data)))
    rebuilt = features(on_white(torch.stack([_drawn(pipeline, picture, 0, ENCODED_SIDE) for picture in new])))
    true = features(on_white(torch.stack([seen(picture, ENCODED_SIDE) for picture in new])))
    for what, a, b in (
        ("samples to data", sampled, data),
        ("reconstructions to the held-out pictures", rebuilt, true),
        ("one half of the data to the other", data[order[::2]], data[order[1::2]]),
    ):
        report(
            "distance",
            of=what,
            backbone=BACKBONE,
            pictures=[len(a), len(b)],
            frechet=round(frechet_distance(Moments.of([a]), Moments.of([b])), 3),
            kernel=round(kernel_distance(a, b), 3),
        )
    likeness, places = _nearest(sampled[:_SHOWN], data)
    usual, _ = _nearest(true, data)
    report(
        "nearest",
        samples=[round(float(value), 3) for value in likeness],
        held_out_mean=round(float(usual.mean()), 3),
        held_out_highest=round(float(usual.max()), 3),
    )
    if sheet is not None:
        _draw_sheet(made[:_SHOWN], known[places], sheet)


def _pictures(pictures: PictureSet, count: int) -> list[Picture]:
    return [pictures.open(i) for i in range(min(count, len(pictures)))]


def _drawn(pipeline: Pipeline, picture: Picture, refine_steps: int, side: int) -> Float[Tensor, "4 s s"]:
    """A picture encoded, decoded and drawn, premultiplied."""
    return rebuilt(pipeline, picture, refine_steps).as_written(side)


def _reconstruction(pipeline: Pipeline, pictures: Sequence[Picture], refine_steps: int) -> dict[str, Any]:
    values = [
        psnr(_drawn(pipeline, picture, refine_steps, ENCODED_SIDE).numpy(), seen(picture, ENCODED_SIDE).numpy())
        for picture in pictures
    ]
    return {
        "pictures": len(values),
        "side": ENCODED_SIDE,
        "psnr_mean": round(float(np.mean(values)), 2),
        "psnr_worst": round(min(values), 2),
    }


def _enlarged(pipeline: Pipeline, pictures: Sequence[Picture], refine_steps: int) -> dict[str, Any]:
    """The function at four times the base resolution beside bicubic upscaling of what it was encoded from."""
    side = ENLARGED * ENCODED_SIDE
    ours, bicubic = [], []
    for picture in pictures:
        truth = seen(picture, side).numpy()
        ours.append(psnr(_drawn(pipeline, picture, refine_steps, side).numpy(), truth))
        base = seen(picture, ENCODED_SIDE).unsqueeze(0)
        larger = F.interpolate(base, (side, side), mode="bicubic").clamp(0, 1)[0]
        bicubic.append(psnr(larger.numpy(), truth))
    return {
        "pictures": len(ours),
        "side": side,
        "psnr_mean": round(float(np.mean(ours)), 2),
        "bicubic_psnr_mean": round(float(np.mean(bicubic)), 2),
    }


def _training_pictures() -> tuple[Float[Tensor, "n 3 h w"], list[str]]:
    """All training emoji, a quarter as many faces (as the denoiser sees them), and a caption of each."""
    sets: list[PictureSet] = [emoji("train"), faces("train")]
    counts = [len(sets[0]), len(sets[0]) // 4]
    pictures = [
        seen(part.open(i), ENCODED_SIDE) for part, count in zip(sets, counts, strict=True) for i in range(count)
    ]
    captions = [part.captions(i)[0] for part, count in zip(sets, counts, strict=True) for i in range(count)]
    return on_white(torch.stack(pictures)), captions


def _generated(pipeline: Pipeline, captions: Sequence[str], count: int) -> Float[Tensor, "n 3 h w"]:
    """Samples of captions in a fixed order that mixes the sets, seed k for sample k."""
    order = np.random.default_rng(0).permutation(len(captions))
    prompts = islice((captions[i] for _ in range(count) for i in order), count)
    drawn = [
        field_of(pipeline, pipeline.sample(SamplingSettings(prompt=prompt), [seed])[0]).as_written(ENCODED_SIDE)
        for seed, prompt in enumerate(prompts)
    ]
    return on_white(torch.stack(drawn))


def _nearest(of: Float[Tensor, "n f"], among: Float[Tensor, "m f"]) -> tuple[Float[Tensor, " n"], Tensor]:
    """The likeness (cosine) of each to its nearest, and which that is."""
    likeness = F.normalize(of, dim=1) @ F.normalize(among, dim=1).T
    best = likeness.max(dim=1)
    return best.values, best.indices


def _draw_sheet(samples: Float[Tensor, "n 3 h w"], nearest: Float[Tensor, "n 3 h w"], path: Path) -> None:
    """Every sample above its nearest training picture, eight in a row."""
    pairs = torch.cat([samples, nearest], dim=2)
    rows = [torch.cat(list(part), dim=2) for part in pairs.split(8)]
    sheet = torch.cat(rows, dim=1).movedim(0, -1)
    Image.fromarray((sheet.clamp(0, 1) * 255 + 0.5).byte().numpy()).save(path)


if __name__ == "__main__":
    tyro.cli(main)
