"""How good a model of radiance fields is: views of furniture it never saw, and whether prompts are obeyed.

    python -m benchmarks.nerf_quality --model assets/models/furniture-nerf

Prints one JSON object a line. `classifier`: its accuracy on real held-out furniture, which bounds what `kinds` can
say. `reconstruction`: held-out objects encoded from their coloured points and rendered at views that nothing was fitted
to, PSNR in dB of each view on white, averaged over an object's views, the mean and the worst of all objects;
`silhouette_iou`, the overlap of what is covered. `refined`: the same after the latent was fitted to the other views, as
`ddmi reconstruct` and the studio do. `kinds`: samples, each prompt with some seeds, rendered and classified. `--sheet`
draws those, a kind a row. Every prompt and seed is fixed. `right` is a share from 0 to 1.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from ddmi_core import refinement
from ddmi_core.data.furniture.renders import SIDE, FurnitureViews
from ddmi_core.data.radiance import PosedPictures, RadianceSource
from ddmi_core.fields.radiance import RadianceField
from ddmi_core.likeness import psnr
from ddmi_core.metrics.pictures import BACKBONE
from ddmi_core.metrics.views import held_out_accuracy, looks, view_classifier
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings
from ddmi_core.rendering.cameras import Camera, orbit_camera

PROMPTS: Mapping[str, Sequence[str]] = {
    "chair": ("a chair", "chair", "a dining chair", "an armchair", "a kitchen chair with four legs"),
    "table": ("a table", "table", "a dining table", "a low coffee table", "a round table"),
    "sofa": ("a sofa", "sofa", "a two-seat sofa", "couch", "a sofa with armrests"),
    "bed": ("a bed", "bed", "a double bed", "a single bed with a pillow", "a bed with a headboard"),
    "lamp": ("a lamp", "lamp", "a floor lamp", "a table lamp", "a tall lamp with a shade"),
    "storage": (
        "a wardrobe",
        "wardrobe",
        "a bookcase",
        "a tall bookcase with five shelves",
        "a wardrobe with two doors",
    ),
}
HELD_OUT_VIEWS = range(2, 24, 4)
"""Of the 24 of each object: the views that are compared, and that nothing is fitted to."""
_SHOWN_SIDE = 96


class GivenViews(FurnitureViews):
    """Held-out objects without the views that are kept to compare with."""

    def views(self, index: int) -> PosedPictures:
        """Return the other pictures with their cameras."""
        whole = super().views(index)
        given = [i for i in range(len(whole.cameras)) if i not in HELD_OUT_VIEWS]
        return PosedPictures([whole.cameras[i] for i in given], whole.pixels[given])


def main(
    model: str = "assets/models/furniture-nerf",
    device: str = "auto",
    threads: int = 2,
    held_out: int = 75,
    seeds: int = 2,
    sheet: Path | None = None,
) -> None:
    """Measure a model of radiance fields.

    Args:
        model: name or folder.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        held_out: at most so many held-out objects are reconstructed.
        seeds: samples for each wording; there are five wordings for each kind.
        sheet: a PNG to draw the samples into.
    """
    torch.set_num_threads(threads)
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)

    def report(measurement: str, **figures: Any) -> None:
        line = {"benchmark": "nerf_quality", "measurement": measurement, "model": pipeline.name, "hash": pipeline.hash}
        print(json.dumps(line | figures), flush=True)

    for measurement, steps in (("reconstruction", 0), ("refined", refinement.STEPS)):
        report(measurement, refine_steps=steps, **_reconstruction(pipeline, held_out, steps))
    classifier = view_classifier()
    accuracy, tally = held_out_accuracy(classifier)
    report(
        "classifier",
        backbone=BACKBONE,
        right=round(accuracy, 4),
        per_kind={kind: {"right": right, "of": total} for kind, (right, total) in tally.items()},
    )
    outcomes: dict[str, list[str]] = {}
    rows: list[list[Float[Tensor, "3 s s"]]] = []
    for number, (kind, prompts) in enumerate(PROMPTS.items()):
        fields = _samples(pipeline, prompts, 1000 * (number + 1), seeds)
        pictures = torch.stack([_pictures(field, looks(), SIDE) for field in fields])
        outcomes[kind] = classifier.predict(pictures)
        if sheet is not None:
            rows.append([_pictures(field, [orbit_camera()], _SHOWN_SIDE)[0] for field in fields])
    hits = [seen == kind for kind, found in outcomes.items() for seen in found]
    report(
        "kinds",
        samples=len(hits),
        right=round(float(np.mean(hits)), 4),
        per_kind={
            kind: {"right": found.count(kind), "seen": {seen: found.count(seen) for seen in dict.fromkeys(found)}}
            for kind, found in outcomes.items()
        },
    )
    if sheet is not None:
        drawn = torch.cat([torch.cat(row, dim=2) for row in rows], dim=1).movedim(0, -1)
        Image.fromarray((drawn.clamp(0, 1) * 255 + 0.5).byte().numpy()).save(sheet)


def _samples(pipeline: Pipeline, prompts: Sequence[str], first_seed: int, seeds: int) -> list[RadianceField]:
    found = []
    for place, prompt in enumerate(prompts):
        begin = first_seed + 100 * place
        for latent in pipeline.sample(SamplingSettings(prompt=prompt), range(begin, begin + seeds)):
            found.append(_field(pipeline, latent))
    return found


def _field(pipeline: Pipeline, latent: Float[Tensor, "c h w"]) -> RadianceField:
    field = pipeline.decode(latent)
    assert isinstance(field, RadianceField), f"{pipeline.name} is no model of radiance fields"
    return field


def _pictures(field: RadianceField, cameras: Sequence[Camera], side: int) -> Float[Tensor, "v 3 s s"]:
    """What cameras see of a field, on white."""
    views = [field.render(camera, side, side) for camera in cameras]
    return torch.from_numpy(np.stack([view.colour + 1 - view.opacity[..., None] for view in views])).movedim(-1, 1)


def _reconstruction(pipeline: Pipeline, count: int, refine_steps: int) -> dict[str, Any]:
    """Held-out objects at held-out views."""
    objects = FurnitureViews("held_out")
    source = RadianceSource(GivenViews("held_out"), refinement.QUERIES)
    values, overlaps = [], []
    for i in range(min(count, len(objects))):
        field = _field(pipeline, pipeline.encode_source(source, i, refine_steps=refine_steps))
        truth = objects.views(i)
        likeness, overlap = [], []
        for view in HELD_OUT_VIEWS:
            true = truth.pixels[view].astype(np.float32) / 255
            found = field.render(truth.cameras[view], SIDE, SIDE)
            alpha = true[..., 3:]
            likeness.append(psnr(found.colour + 1 - found.opacity[..., None], true[..., :3] * alpha + 1 - alpha))
            covered, wanted = found.opacity > 0.5, true[..., 3] > 0.5
            overlap.append((covered & wanted).sum() / max((covered | wanted).sum(), 1))
        values.append(float(np.mean(likeness)))
        overlaps.append(float(np.mean(overlap)))
    return {
        "objects": len(values),
        "views": len(HELD_OUT_VIEWS),
        "side": SIDE,
        "psnr_mean": round(float(np.mean(values)), 2),
        "psnr_worst": round(min(values), 2),
        "silhouette_iou": round(float(np.mean(overlaps)), 4),
    }


if __name__ == "__main__":
    tyro.cli(main)
