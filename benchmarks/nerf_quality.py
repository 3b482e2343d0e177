"""How good a model of radiance fields is: views of painted furniture it never saw, and whether prompts are obeyed.

    python -m benchmarks.nerf_quality --model painted-furniture
    python -m benchmarks.nerf_quality --model FOLDER --quick --sheet sheet.png

Prints JSON lines. `views`: held-out objects encoded from their coloured points and drawn at views that nothing was
fitted to, PSNR in dB on white, averaged over an object's views; `silhouette` is the overlap of what is covered.
`colour`: of samples of "a COLOUR THING", the share whose main colour is the one asked for, by the nearest name of the
palette; `kind`: the share that is of the kind asked for, by a classifier of surfaces; each after how often the same
holds of held-out objects. `floaters`: the share of all opacity that does not hang together, mean of the samples.
`--sheet` draws them, a colour a row. Every prompt and seed is fixed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image

from benchmarks.judging.colours import COLOURS, main_colour
from benchmarks.judging.furniture import surface_points
from benchmarks.judging.lines import Lines, counts, rounded, share
from ddmi_core import refinement
from ddmi_core.data.furniture.painted import SIDE, PaintedFurniture
from ddmi_core.data.radiance import RadianceSource
from ddmi_core.data.shape_sources import HELD_OUT_COUNT, HELD_OUT_SEED
from ddmi_core.fields.radiance import RadianceField
from ddmi_core.likeness import psnr
from ddmi_core.metrics.classifier import ShapeClassifier, broad_kind, shape_classifier
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import Quality, SamplingSettings
from ddmi_core.rendering.cameras import Camera, orbit_camera
from ddmi_core.rendering.picture_layout import contact_sheet
from ddmi_core.support.errors import DDMIError

THINGS = {"chair": "chair", "table": "table", "sofa": "sofa", "bed": "bed", "lamp": "lamp", "storage": "wardrobe"}
"""What is asked for, by the kind that it is."""
_VIEWS = slice(0, 12, 3)
"""Of those of a held-out object, the ones that are compared."""
_JUDGED_SIDE, _JUDGED_FROM = 64, ((30.0, 25.0), (210.0, 10.0))
_MESHED = 96
_SHOWN = 112


@dataclass(frozen=True)
class _Judged:
    colour: str
    kind: str


def main(
    model: str = "painted-furniture",
    quality: Quality = "best",
    quick: bool = False,
    device: str = "auto",
    threads: int = 2,
    seeds: int = 2,
    held_out: int = 120,
    sheet: Path | None = None,
) -> None:
    """Measure a model of radiance fields.

    Args:
        model: name or folder.
        quality: best, or fast to measure the model's student.
        quick: a look in a fifth of the time: fewer of everything.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        seeds: samples of each colour of each thing.
        held_out: at most so many held-out objects are reconstructed, and judged.
        sheet: a PNG to draw the samples into.
    """
    torch.set_num_threads(threads)
    if quick:
        seeds, held_out = 1, min(held_out, 30)
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)
    lines, classifier = Lines("nerf_quality", pipeline), shape_classifier()
    objects = PaintedFurniture(HELD_OUT_COUNT, HELD_OUT_SEED)
    _report_views(lines, pipeline, objects, held_out)
    _report_judges(lines, objects, held_out, classifier)

    asked, found, loose, pictures = [], [], [], []
    for colour, kind, field in _samples(pipeline, quality, seeds):
        asked.append(_Judged(colour, kind))
        found.append(_judge(field, classifier))
        loose.append(field.loose_share())
        if sheet is not None:
            pictures.append(field.preview(size=_SHOWN))
    for name, goal in (("colour", ">= 0.9"), ("kind", ">= 0.92")):
        outcomes: defaultdict[str, list[str]] = defaultdict(list)
        for wanted, got in zip(asked, found, strict=True):
            outcomes[getattr(wanted, name)].append(getattr(got, name))
        hits = [getattr(wanted, name) == getattr(got, name) for wanted, got in zip(asked, found, strict=True)]
        lines(
            name, share(hits), goal, samples=len(hits), per_value={one: counts(all_) for one, all_ in outcomes.items()}
        )
    lines("floaters", float(np.mean(loose)), "<= 0.005", samples=len(loose), worst=rounded(max(loose)))
    if sheet is not None:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(contact_sheet(pictures, seeds * len(THINGS))).save(sheet)


def _samples(pipeline: Pipeline, quality: Quality, seeds: int) -> Iterator[tuple[str, str, RadianceField]]:
    for row, colour in enumerate(COLOURS):
        for column, (kind, thing) in enumerate(THINGS.items()):
            settings = SamplingSettings(prompt=f"{_a(colour)} {colour} {thing}", quality=quality)
            first = 1000 * (row * len(THINGS) + column)
            for latent in pipeline.sample(settings, range(first, first + seeds)):
                yield colour, kind, _field(pipeline, latent)


def _a(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _field(pipeline: Pipeline, latent: torch.Tensor) -> RadianceField:
    field = pipeline.decode(latent)
    assert isinstance(field, RadianceField), f"{pipeline.name} is no model of radiance fields"
    return field


def _judge(field: RadianceField, classifier: ShapeClassifier) -> _Judged:
    views = [field.render(orbit_camera(*place), _JUDGED_SIDE, _JUDGED_SIDE) for place in _JUDGED_FROM]
    colours, opacity = (np.concatenate(part) for part in zip(*((v.colour, v.opacity) for v in views), strict=True))
    try:
        kind = classifier.predict([surface_points(field.mesh(_MESHED))])[0]
    except DDMIError:  # nothing solid anywhere
        kind = "nothing"
    return _Judged(main_colour(colours.reshape(-1, 3), opacity.reshape(-1)), kind)


def _report_judges(lines: Lines, objects: PaintedFurniture, count: int, classifier: ShapeClassifier) -> None:
    """Print how often colour and kind are told rightly of objects whose facts are known."""
    colours: list[tuple[str, bool]] = []
    kinds: list[tuple[str, str]] = []
    for index in range(min(count, len(objects))):
        facts = objects.attributes(index)
        kinds.append((broad_kind(objects.kind(index)), classifier.predict([objects.points(index).positions])[0]))
        if (colour := str(facts["colour"])) in COLOURS:
            seen = objects.views(index).pixels[_VIEWS].astype(np.float64) / 255
            alpha = seen[..., 3]
            told = main_colour((seen[..., :3] * alpha[..., None]).reshape(-1, 3), alpha.reshape(-1))
            colours.append((kinds[-1][0], told == colour))
    for name, pairs in (("colour_of_real", colours), ("kind_of_real", [(kind, kind == got) for kind, got in kinds])):
        by_kind: defaultdict[str, list[bool]] = defaultdict(list)
        for kind, right in pairs:
            by_kind[kind].append(right)
        per_kind = {kind: share(part) for kind, part in sorted(by_kind.items())}
        lines(name, share([right for _, right in pairs]), ">= 0.95", objects=len(pairs), per_kind=per_kind)


def _report_views(lines: Lines, pipeline: Pipeline, objects: PaintedFurniture, count: int) -> None:
    """Print how near held-out objects are drawn, by the encoder alone."""
    source = RadianceSource(objects, refinement.QUERIES)
    values, overlaps = [], []
    for index in range(min(count, len(objects))):
        field, truth = _field(pipeline, pipeline.encode_source(source, index)), objects.views(index)
        likeness, overlap = _nearness(field, truth.cameras[_VIEWS], truth.pixels[_VIEWS])
        values.append(likeness)
        overlaps.append(overlap)
    lines("views", float(np.mean(values)), ">= 29", objects=len(values), side=SIDE, worst=rounded(min(values)))
    lines("silhouette", float(np.mean(overlaps)), ">= 0.96", objects=len(values), worst=rounded(min(overlaps)))


def _nearness(field: RadianceField, cameras: Sequence[Camera], pixels: np.ndarray) -> tuple[float, float]:
    """PSNR on white, and the overlap of what is covered; means of some views."""
    likeness, overlap = [], []
    for camera, seen in zip(cameras, pixels, strict=True):
        true = seen.astype(np.float32) / 255
        found, alpha = field.render(camera, SIDE, SIDE), true[..., 3:]
        likeness.append(psnr(found.colour + 1 - found.opacity[..., None], true[..., :3] * alpha + 1 - alpha))
        covered, wanted = found.opacity > 0.5, true[..., 3] > 0.5
        overlap.append((covered & wanted).sum() / max((covered | wanted).sum(), 1))
    return float(np.mean(likeness)), float(np.mean(overlap))


if __name__ == "__main__":
    tyro.cli(main)
