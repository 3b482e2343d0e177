"""How good a shape model is: reconstruction of furniture it never saw, and whether prompts are obeyed.

    python -m benchmarks.shape_quality --model assets/models/furniture

Prints one JSON object a line: `classifier` (its accuracy on real held-out furniture, which bounds what the next but
one can say), `reconstruction` (encode, decode, volumetric IoU on a 128³ grid: mean, median, per kind), `refined` (the
same after the latent was fitted to the shape, as `ddmi reconstruct` and the studio do), `rebuilt_legs` (whether pieces
made by rule that stand on three legs still do once the encoder alone has seen them), `kinds` (60
samples, ten for each of six kinds), `top_shape`, `legs`, `armrests` (measured on the geometry of the samples) and
`meshes` (soundness of all samples). Every prompt and seed is fixed. `right` is a share from 0 to 1.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import trimesh
import tyro

from ddmi_core import refinement
from ddmi_core.data.furniture import furniture
from ddmi_core.data.procedural import procedural
from ddmi_core.data.shape_sources import HELD_OUT_SEED, ShapeSource
from ddmi_core.domains.shape import SURFACE_POINTS, ShapeField
from ddmi_core.errors import DDMIError
from ddmi_core.metrics.classifier import broad_kind, held_out_accuracy, shape_classifier
from ddmi_core.metrics.geometry import Geometry, measure, voxelise
from ddmi_core.metrics.shapes import DOMINANT_SHARE, MeshHealth, mesh_health, volumetric_iou
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings
from ddmi_core.surfaces import extract_surface

RESOLUTION = 128
THREE_LEGGED = 24  # pieces, of as many made by rule as it takes to find them
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
TOPS: Mapping[str, Sequence[str]] = {
    "round": (
        "a round table",
        "round table with one leg",
        "a table with a round top",
        "round dining table",
        "a round coffee table",
    ),
    "rectangular": (
        "a rectangular table",
        "rectangular table with four legs",
        "a table with a rectangular top",
        "rectangular dining table",
        "a rectangular coffee table",
    ),
}
LEGS: Mapping[int, Sequence[str]] = {
    1: (
        "a round table with one leg",
        "a table with one leg",
        "round table, single pedestal",
        "a stool with one leg",
        "a table with a single leg",
    ),
    3: (
        "a round table with three legs",
        "a table with three legs",
        "a stool with three legs",
        "a side table with three legs",
        "round stool, three legs",
    ),
    4: (
        "a table with four legs",
        "a rectangular dining table with four legs",
        "a chair with four legs",
        "a stool with four legs",
        "desk with four legs",
    ),
}
ARMRESTS: Mapping[bool, Sequence[str]] = {
    True: (
        "a chair with armrests",
        "an armchair",
        "chair with arms",
        "an office chair with armrests",
        "a dining chair with armrests",
    ),
    False: (
        "a chair without armrests",
        "a chair with no armrests",
        "chair with no arms",
        "an office chair with no armrests",
        "a dining chair with no armrests",
    ),
}


def main(model: str = "assets/models/furniture", device: str = "auto", threads: int = 2, seeds: int = 2) -> None:
    """Measure a shape model.

    Args:
        model: name or folder.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        seeds: samples for each wording; there are five wordings for each thing asked for.
    """
    torch.set_num_threads(threads)
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)
    report = Report({"model": pipeline.name, "hash": pipeline.hash})
    classifier = shape_classifier()
    accuracy, tally = held_out_accuracy(classifier)
    report("classifier", right=round(accuracy, 4), per_kind={k: {"right": r, "of": n} for k, (r, n) in tally.items()})
    report("reconstruction", **_reconstruction(pipeline, refine_steps=0))
    report("refined", **_reconstruction(pipeline, refine_steps=refinement.STEPS))
    report("rebuilt_legs", **_rebuilt_legs(pipeline))
    health: list[MeshHealth] = []

    def meshes_of(prompt: str, first_seed: int) -> list[trimesh.Trimesh | None]:
        """A mesh for each seed, None for an empty shape; every one is also checked for soundness."""
        latents = pipeline.sample(SamplingSettings(prompt=prompt), range(first_seed, first_seed + seeds))
        result: list[trimesh.Trimesh | None] = []
        for latent in latents:
            field = pipeline.decode(latent)
            assert isinstance(field, ShapeField), f"{pipeline.name} is no shape model"
            try:
                result.append(field.mesh(RESOLUTION))
            except DDMIError:  # nothing solid anywhere: a failed sample, not a failed benchmark
                result.append(None)
            health.append(mesh_health(result[-1] or trimesh.Trimesh()))
        return result

    def kind_of(mesh: trimesh.Trimesh) -> str:
        points, _ = trimesh.sample.sample_surface(mesh, SURFACE_POINTS, seed=0)
        return classifier.predict([np.asarray(points)])[0]

    def measured(read: Callable[[Geometry], Any]) -> Callable[[trimesh.Trimesh], Any]:
        return lambda mesh: read(measure(voxelise(mesh, RESOLUTION)))

    report("kinds", **_obeyed(PROMPTS, meshes_of, kind_of))
    report("top_shape", **_obeyed(TOPS, meshes_of, measured(lambda g: g.top_shape)))
    report("legs", **_obeyed(LEGS, meshes_of, measured(lambda g: g.n_legs)))
    report("armrests", **_obeyed(ARMRESTS, meshes_of, measured(lambda g: g.armrests)))
    report(
        "meshes",
        samples=len(health),
        sound=_share([h.sound for h in health]),
        watertight=_share([h.watertight for h in health]),
        dominant=_share([h.dominant >= DOMINANT_SHARE for h in health]),
        positive=_share([h.volume > 0 for h in health]),
        outward=_share([h.outward for h in health]),
    )


class Report:
    """Prints JSON lines that all say which model they are about."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = about

    def __call__(self, measurement: str, **figures: Any) -> None:
        """Print the figures of one measurement."""
        line = {"benchmark": "shape_quality", "measurement": measurement, **self._about, **figures}
        print(json.dumps(line), flush=True)


def _reconstruction(pipeline: Pipeline, *, refine_steps: int) -> dict[str, Any]:
    """Overlap of real held-out furniture with what the autoencoder makes of it."""
    shapes = furniture("held_out")
    source = ShapeSource(shapes, refinement.QUERIES)
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for i in range(len(shapes)):
        field = pipeline.decode(pipeline.encode_source(source, i, refine_steps=refine_steps))
        assert isinstance(field, ShapeField), f"{pipeline.name} is no shape model"
        by_kind[broad_kind(shapes.kind(i))].append(volumetric_iou(_solid(field), shapes.grid(i, RESOLUTION)))
    values = [v for part in by_kind.values() for v in part]
    named = [v for kind, part in by_kind.items() if kind != "other" for v in part]
    return {
        "refine_steps": refine_steps,
        "shapes": len(values),
        "iou_mean": round(float(np.mean(values)), 4),
        "iou_median": round(float(np.median(values)), 4),
        "iou_mean_without_other": round(float(np.mean(named)), 4),
        "per_kind": {
            k: {"iou_mean": round(float(np.mean(v)), 4), "shapes": len(v)} for k, v in sorted(by_kind.items())
        },
    }


def _rebuilt_legs(pipeline: Pipeline) -> dict[str, Any]:
    """Count the legs of three-legged pieces that the autoencoder gives back; two side views cannot tell them apart."""
    shapes = procedural(100 * THREE_LEGGED, HELD_OUT_SEED)
    source = ShapeSource(shapes, refinement.QUERIES)
    seen: list[int | None] = []
    for i in range(len(shapes)):
        if shapes.attributes(i).get("legs") == 3 and measure(shapes.grid(i, RESOLUTION)).n_legs == 3:
            field = pipeline.decode(pipeline.encode_source(source, i))
            assert isinstance(field, ShapeField), f"{pipeline.name} is no shape model"
            seen.append(measure(_solid(field)).n_legs)
        if len(seen) == THREE_LEGGED:
            break
    return {
        "samples": len(seen),
        "right": _share([legs == 3 for legs in seen]),
        "seen": {str(legs): seen.count(legs) for legs in dict.fromkeys(seen)},
    }


def _solid(field: ShapeField) -> np.ndarray:
    """Inside or not at all cell centres; from the surface, since few of the 2 million points need be asked for."""
    surface = extract_surface(field.logits, RESOLUTION)
    if not len(surface.faces):
        return np.zeros((RESOLUTION,) * 3, dtype=bool)
    return voxelise(trimesh.Trimesh(surface.vertices, surface.faces, process=False), RESOLUTION)


def _obeyed(
    wanted: Mapping[Any, Sequence[str]],
    meshes_of: Callable[[str, int], list[trimesh.Trimesh | None]],
    read: Callable[[trimesh.Trimesh], Any],
) -> dict[str, Any]:
    """Share of samples that turned out as their prompts ask, and what they turned out as."""
    outcomes: dict[Any, list[Any]] = {}
    for number, (value, prompts) in enumerate(wanted.items()):
        outcomes[value] = []
        for place, prompt in enumerate(prompts):
            meshes = meshes_of(prompt, 1000 * (number + 1) + 100 * place)
            outcomes[value] += ["nothing" if mesh is None else read(mesh) for mesh in meshes]
    hits = {value: [result == value for result in results] for value, results in outcomes.items()}
    return {
        "samples": sum(map(len, hits.values())),
        "right": _share([hit for part in hits.values() for hit in part]),
        "per_value": {
            str(value): {
                "right": _share(hits[value]),
                "seen": {str(r): results.count(r) for r in dict.fromkeys(results)},
            }
            for value, results in outcomes.items()
        },
    }


def _share(flags: Sequence[bool]) -> float:
    return round(float(np.mean(flags)), 4)


if __name__ == "__main__":
    tyro.cli(main)
