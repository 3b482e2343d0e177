"""How good a shape model is: reconstruction of furniture it never saw, and what it makes of prompts.

    python -m benchmarks.shape_quality --model furniture
    python -m benchmarks.shape_quality --model FOLDER --quick

Prints one JSON object a line, each a figure (`value`) with what is aimed at (`goal`), where something is. Every prompt
and seed is fixed; shares go from 0 to 1.

`procedural_iou`, `catalogue_iou`: held-out shapes encoded and decoded, volumetric IoU on a 128³ grid, mean;
`catalogue_iou_refined`: the same after the latent was fitted to the shape, as `ddmi reconstruct` and the studio do.
`classifier`: how often the classifier names the kind of held-out real shapes rightly; `kind`: how often it names that
which was asked for. `top_of_real`, `legs_of_real`, `armrests_of_real`: how often the measurement is right on held-out
procedural shapes; `top`, `legs`, `armrests`: how often it finds what was asked for. `whole`: samples of one component,
watertight, after dropping dust. `nearest_neighbour`: 1-NN accuracy of samples against held-out shapes of the same
prompts, Chamfer distance. `nearest_training`: how far samples are from the nearest training shape, over how far
held-out shapes are. `first_shape`: from a prompt to the first mesh, warm, in seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import tyro
from jaxtyping import Float

from benchmarks.generate_shape import first_shapes
from benchmarks.judging.furniture import (
    ATTRIBUTES,
    RESOLUTION,
    Judged,
    asked,
    judge,
    measured,
    mesh_of,
    solid_of,
    surface_points,
    true_of,
)
from benchmarks.judging.furniture_prompts import PROMPTS, FurniturePrompt
from benchmarks.judging.lines import Lines, counts, rounded, share
from ddmi_core import refinement
from ddmi_core.data.furniture.catalogue import furniture
from ddmi_core.data.furniture.geometry import measure
from ddmi_core.data.furniture.procedural import ProceduralShapes, procedural
from ddmi_core.data.items import SurfacePoints
from ddmi_core.data.shape_sources import PROCEDURAL_COUNT, ShapeSource, held_out_catalogue, held_out_procedural
from ddmi_core.data.shapes import GridShapes
from ddmi_core.fields.shape import SURFACE_POINTS, ShapeField
from ddmi_core.metrics.classifier import broad_kind, held_out_accuracy, shape_classifier
from ddmi_core.metrics.clouds import Cloud, cloud_figures, distances, nearest_distances
from ddmi_core.metrics.shapes import volumetric_iou
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import Quality, SamplingSettings

TRAINING_SEED = 0
"""Of the procedural shapes that the shipped model was trained on."""


def main(
    model: str = "furniture",
    quick: bool = False,
    device: str = "auto",
    threads: int = 2,
    seeds: int = 2,
    procedural_count: int = 500,
    catalogue_count: int = 1000,
    compared: int = 300,
    training: int = 2000,
    timed: int = 12,
    quality: Quality = "best",
) -> None:
    """Measure a shape model.

    Args:
        model: name or folder.
        quick: a look in a quarter of the time or less: fewer of everything.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        seeds: samples of each prompt.
        procedural_count: at most so many held-out procedural shapes are reconstructed and measured.
        catalogue_count: at most so many held-out catalogue pieces are reconstructed.
        compared: samples, and held-out shapes, that are told apart by their nearest neighbour.
        training: procedural training shapes, beside those of the catalogue, among which the nearest is looked for.
        timed: how many first shapes are timed.
        quality: best, or fast to measure the model's student.
    """
    torch.set_num_threads(threads)
    if quick:
        seeds, procedural_count, catalogue_count, compared = 1, min(procedural_count, 60), min(catalogue_count, 8), 60
        training, timed = min(training, 400), min(timed, 5)
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)
    lines = Lines("shape_quality", pipeline)

    made, catalogue = held_out_procedural(), held_out_catalogue()
    _report_reconstruction(lines, "procedural_iou", pipeline, made, procedural_count, goal=">= 0.95")
    _report_reconstruction(lines, "catalogue_iou", pipeline, catalogue, catalogue_count, goal=">= 0.88")
    _report_reconstruction(
        lines, "catalogue_iou_refined", pipeline, catalogue, catalogue_count, refinement.STEPS, goal=">= 0.95"
    )
    draws = _Draws(pipeline, quality)
    _report_prompts(lines, draws, PROMPTS, seeds, made, procedural_count)
    _report_sets(lines, draws, made, compared, training)
    seconds, _ = first_shapes(pipeline, timed)
    lines("first_shape", seconds["seconds"], "<= 0.6", shapes=timed, worst=seconds["seconds_worst"], threads=threads)


def _report_reconstruction(
    lines: Lines,
    measurement: str,
    pipeline: Pipeline,
    shapes: ProceduralShapes | GridShapes,
    count: int,
    refine_steps: int = 0,
    *,
    goal: str,
) -> None:
    """Print the overlap of real held-out furniture with what the autoencoder makes of it."""
    surface = SurfacePoints(pipeline.autoencoder.config.surface_points)
    source = ShapeSource(shapes, refinement.QUERIES, surface)
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for i in range(min(count, len(shapes))):
        field = _field(pipeline, pipeline.encode_source(source, i, refine_steps=refine_steps))
        by_kind[broad_kind(shapes.kind(i))].append(volumetric_iou(solid_of(field), shapes.grid(i, RESOLUTION)))
    values = [value for part in by_kind.values() for value in part]
    lines(
        measurement,
        float(np.mean(values)),
        goal,
        shapes=len(values),
        refine_steps=refine_steps,
        median=rounded(float(np.median(values))),
        worst=rounded(min(values)),
        per_kind={kind: rounded(float(np.mean(part))) for kind, part in sorted(by_kind.items())},
    )


def _report_prompts(
    lines: Lines,
    draws: "_Draws",
    prompts: Sequence[FurniturePrompt],
    seeds: int,
    real: ProceduralShapes,
    real_count: int,
) -> None:
    """Print how prompts are obeyed, each figure after how far what it was judged by can be trusted."""
    classifier = shape_classifier()
    for name, shapes in (("procedural", real), ("catalogue", held_out_catalogue())):
        accuracy, tally = held_out_accuracy(classifier, shapes, real_count)
        per_kind = {kind: {"right": right, "of": total} for kind, (right, total) in tally.items() if total}
        lines("classifier", accuracy, ">= 0.95", shapes=min(real_count, len(shapes)), of=name, per_kind=per_kind)
    _report_measurements(lines, real, real_count)

    judged: list[tuple[FurniturePrompt, Judged]] = []
    for number, prompt in enumerate(prompts):
        for field in draws(prompt.text, range(1000 * number, 1000 * number + seeds)):
            judged.append((prompt, judge(field, classifier)))
    lines("whole", share([found.whole for _, found in judged]), ">= 0.97", samples=len(judged))
    kinds = [(prompt.kind, found.kind) for prompt, found in judged]
    lines("kind", _agreement(kinds), ">= 0.95", samples=len(kinds), per_kind=_per_value(kinds))
    for name, goal in zip(ATTRIBUTES, (">= 0.95", ">= 0.9", ">= 0.95"), strict=True):
        pairs = [
            (asked(prompt)[name], measured(found.geometry)[name])
            for prompt, found in judged
            if asked(prompt)[name] is not None
        ]
        lines(name, _agreement(pairs), goal, samples=len(pairs), per_value=_per_value(pairs))


def _report_measurements(lines: Lines, shapes: ProceduralShapes, count: int) -> None:
    """Print how often top, legs and armrests are measured rightly of shapes whose facts are known."""
    pairs: defaultdict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for i in range(min(count, len(shapes))):
        truth = {name: value for name, value in true_of(shapes.attributes(i)).items() if value is not None}
        if truth:
            found = measured(measure(shapes.grid(i, RESOLUTION)))
            for name, value in truth.items():
                pairs[name].append((value, found[name]))
    for name in ATTRIBUTES:
        lines(f"{name}_of_real", _agreement(pairs[name]), shapes=len(pairs[name]), per_value=_per_value(pairs[name]))


def _report_sets(lines: Lines, draws: "_Draws", held_out: ProceduralShapes, count: int, training: int) -> None:
    """Print how samples lie among held-out shapes of the same prompts, and how near to training shapes."""
    count = min(count, len(held_out))
    true = [_cloud(held_out, i) for i in range(count)]
    drawn = (draws(held_out.captions(i)[0], [i])[0] for i in range(count))
    clouds = [surface_points(mesh) for field in drawn if (mesh := mesh_of(field)) is not None]
    within, of_true, between = (distances(a, b, "cd") for a, b in ((clouds, None), (true, None), (clouds, true)))
    figures = cloud_figures(within, of_true, between)
    lines(
        "nearest_neighbour",
        figures.one_nna,
        "<= 0.65",
        samples=len(clouds),
        held_out=count,
        points=SURFACE_POINTS,
        coverage=rounded(figures.cov),
        mmd=rounded(1000 * figures.mmd),
    )
    known = list(_training_clouds(training))
    far, usual = (nearest_distances(part, known) for part in (clouds, true))
    lines(
        "nearest_training",
        float(far.mean() / usual.mean()),
        "0.8 to 1.2",
        samples=rounded(far.mean()),
        held_out=rounded(usual.mean()),
        nearest_sample=rounded(far.min()),
        nearest_held_out=rounded(usual.min()),
        training=len(known),
    )


def _training_clouds(count: int) -> Iterator[Cloud]:
    catalogue = furniture("train", named=True)
    for shapes, number in ((catalogue, len(catalogue)), (procedural(PROCEDURAL_COUNT, TRAINING_SEED), count)):
        yield from (_cloud(shapes, i) for i in range(number))


def _cloud(shapes: ProceduralShapes | GridShapes, index: int) -> Cloud:
    rng = np.random.default_rng(index)
    if isinstance(shapes, GridShapes):
        return rng.choice(shapes.points(index), SURFACE_POINTS)
    return shapes.shape(index).surface(SURFACE_POINTS, rng)[0]


@dataclass(frozen=True)
class _Draws:
    """Draws samples of a model."""

    pipeline: Pipeline
    quality: Quality

    def __call__(self, prompt: str, seeds: Iterable[int]) -> list[ShapeField]:
        settings = SamplingSettings(prompt=prompt, quality=self.quality)
        return [_field(self.pipeline, latent) for latent in self.pipeline.sample(settings, list(seeds))]


def _field(pipeline: Pipeline, latent: Float[torch.Tensor, "c h w"]) -> ShapeField:
    field = pipeline.decode(latent)
    assert isinstance(field, ShapeField), f"{pipeline.name} is no shape model"
    return field


def _agreement(pairs: Sequence[tuple[Any, Any]]) -> float:
    """The share of pairs in which what was found is what was wanted."""
    return share([wanted == found for wanted, found in pairs])


def _per_value(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """Of each value that was wanted, what was found."""
    by_value: defaultdict[Any, list[Any]] = defaultdict(list)
    for wanted, found in pairs:
        by_value[wanted].append(found)
    return {str(wanted): counts(found) for wanted, found in by_value.items()}


if __name__ == "__main__":
    tyro.cli(main)
