"""From a prompt to a shape: how long it takes, and how sound the meshes are.

    python -m benchmarks.generate_shape [--model NAME] [--count 12] [--threads 2]

Prints one JSON object a line: `preview` (prompt to the 64³ mesh that is first shown, warm, median), `mesh` (256³
mesh of a decoded field, median, and its evaluations as a share of the dense ones), `meshes` (share of the samples
whose mesh is one watertight piece with outward faces, and what share of the volume the largest piece had before
cleaning).
"""

import itertools
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import trimesh
import tyro

from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.fields.shape import ShapeField
from ddmi_core.model_folder import find_model, list_models
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings
from ddmi_core.rendering.surfaces import components, extract_surface
from ddmi_core.support.errors import ModelError

PROMPTS = (
    "a round table with one leg",
    "a chair with armrests",
    "a sofa",
    "a double bed",
    "a floor lamp",
    "a tall bookcase",
)
STEPS = 20
PREVIEW_RESOLUTION = 64
MESH_RESOLUTION = 256


def main(model: str | None = None, count: int = 12, threads: int = 2) -> None:
    """Measure a shape model.

    Args:
        model: name or folder; otherwise the first shape model on this machine.
        count: how many samples are meshed.
        threads: how many threads torch may use.
    """
    torch.set_num_threads(threads)
    folder = find_model(model) if model else _first_shape_model()
    pipeline = Pipeline.from_pretrained(folder)
    where = {"model": pipeline.name, "hash": pipeline.hash, "device": str(pipeline.device), "threads": threads}
    first, fields = first_shapes(pipeline, count)
    _print("preview", **where, resolution=PREVIEW_RESOLUTION, steps=STEPS, **first)
    meshes: list[trimesh.Trimesh] = []
    seconds = _seconds(lambda field: meshes.append(field.mesh(MESH_RESOLUTION)), [(field,) for field in fields])
    shares = [mesh.metadata["evaluations"] / MESH_RESOLUTION**3 for mesh in meshes]
    _print(
        "mesh",
        **where,
        resolution=MESH_RESOLUTION,
        **seconds,
        evaluations_of_dense=round(statistics.median(shares), 4),
        evaluations_of_dense_worst=round(max(shares), 4),
    )
    sound = [mesh.is_watertight and mesh.volume > 0 and len(components(mesh)[1]) == 1 for mesh in meshes]
    dominant = [_dominant_share(field) for field in fields]
    _print(
        "meshes",
        **where,
        samples=count,
        one_watertight_outward=round(float(np.mean(sound)), 4),
        dominant_volume_median=round(statistics.median(dominant), 4),
        dominant_volume_worst=round(min(dominant), 4),
    )


def first_shapes(pipeline: Pipeline, count: int) -> tuple[dict[str, float], list[ShapeField]]:
    """Make shapes, each up to the mesh that is first shown: how long the usual one and the slowest took, and all."""
    jobs = list(itertools.islice(zip(itertools.cycle(PROMPTS), itertools.count()), count))
    fields: list[ShapeField] = []

    def preview(prompt: str, seed: int) -> None:
        fields.append(_shape(pipeline, prompt, seed))
        fields[-1].mesh(PREVIEW_RESOLUTION)

    preview(*jobs[0])  # warm up
    fields.clear()
    return _seconds(preview, jobs), fields


def _first_shape_model() -> Path:
    for info in list_models(ShapeDomain.name):
        return info.folder
    raise ModelError("There is no shape model on this machine: train one, or name a folder with --model.")


def _shape(pipeline: Pipeline, prompt: str, seed: int) -> ShapeField:
    field = pipeline.decode(pipeline.sample(SamplingSettings(prompt=prompt, steps=STEPS), [seed])[0])
    assert isinstance(field, ShapeField), f"{pipeline.name} is no shape model"
    return field


def _seconds(work: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> dict[str, float]:
    """Run every job once; how long the usual one and the slowest took."""
    times = []
    for job in jobs:
        began = time.perf_counter()
        work(*job)
        times.append(time.perf_counter() - began)
    return {"seconds": round(statistics.median(times), 3), "seconds_worst": round(max(times), 3)}


def _dominant_share(field: ShapeField) -> float:
    """How much of the volume, before cleaning, is in the largest piece."""
    surface = extract_surface(field.logits, PREVIEW_RESOLUTION * 2)
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    volumes = np.abs(components(mesh)[1])
    return float(volumes.max() / volumes.sum())


def _print(measurement: str, **figures: Any) -> None:
    print(json.dumps({"benchmark": "generate_shape", "measurement": measurement, **figures}), flush=True)


if __name__ == "__main__":
    tyro.cli(main)
