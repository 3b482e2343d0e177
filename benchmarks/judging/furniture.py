"""What can be said of a shape of furniture: whether it is whole, of which kind it is, and what its parts are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh
from jaxtyping import Bool, Float

from benchmarks.judging.furniture_prompts import FurniturePrompt
from ddmi_core.data.furniture.geometry import Geometry, measure, voxelise
from ddmi_core.fields.shape import SURFACE_POINTS, ShapeField
from ddmi_core.metrics.classifier import ShapeClassifier
from ddmi_core.rendering.surfaces import clean, components, extract_surface

RESOLUTION = 128
DUST = 0.005
"""Parts below this share of the volume are no second component. Export drops twice as much; see `surfaces.clean`."""


@dataclass(frozen=True)
class Judged:
    """What was found of a shape; `kind` is "nothing" and `geometry` None where there is no surface at all.

    `whole`: one watertight component but for dust. `points`: of its surface, evenly.
    """

    whole: bool
    kind: str
    geometry: Geometry | None
    points: Float[np.ndarray, "p 3"] | None


def judge(field: ShapeField, classifier: ShapeClassifier) -> Judged:
    """Mesh a shape and look at the mesh."""
    mesh = mesh_of(field)
    if mesh is None:
        return Judged(False, "nothing", None, None)
    points = surface_points(mesh)
    # Closed cavities, of negative volume, are part of the solid around them.
    solids = int((components(mesh)[1] > 0).sum())
    return Judged(
        bool(mesh.is_watertight) and solids == 1,
        classifier.predict([points])[0],
        measure(voxelise(mesh, RESOLUTION)),
        points,
    )


def mesh_of(field: ShapeField) -> trimesh.Trimesh | None:
    """Return the surface without dust; None where there is none."""
    surface = extract_surface(field.logits, RESOLUTION)
    if not len(surface.faces):
        return None
    return clean(trimesh.Trimesh(surface.vertices, surface.faces, process=False), DUST)


def surface_points(mesh: trimesh.Trimesh) -> Float[np.ndarray, "p 3"]:
    """Draw points evenly from a surface; the same each time."""
    points, _ = trimesh.sample.sample_surface(mesh, SURFACE_POINTS, seed=0)
    return np.asarray(points, dtype=np.float32)


def solid_of(field: ShapeField) -> Bool[np.ndarray, "r r r"]:
    """Return what is inside at the cell centres; from the surface, as few of the 2 million points need be asked for."""
    surface = extract_surface(field.logits, RESOLUTION)
    if not len(surface.faces):
        return np.zeros((RESOLUTION,) * 3, dtype=bool)
    return voxelise(trimesh.Trimesh(surface.vertices, surface.faces, process=False), RESOLUTION)


ATTRIBUTES = ("top", "legs", "armrests")
"""What is asked for of parts, each an attribute of `FurniturePrompt` too."""


def measured(geometry: Geometry | None) -> dict[str, Any]:
    """Return what a shape has of `ATTRIBUTES`."""
    if geometry is None:
        return dict.fromkeys(ATTRIBUTES)
    return {"top": geometry.top_shape, "legs": geometry.n_legs, "armrests": geometry.armrests}


def asked(prompt: FurniturePrompt) -> dict[str, Any]:
    """Return what a prompt asks for of `ATTRIBUTES`; None stands for nothing."""
    return {name: getattr(prompt, name) for name in ATTRIBUTES}


def true_of(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return `ATTRIBUTES` of a procedural shape, from the facts that it was made by; None where they say nothing."""
    kind = attributes["kind"]
    top = {"round": "round", "square": "rectangular", "rectangular": "rectangular"}.get(str(attributes.get("top")))
    legs = attributes.get("legs")
    arms = attributes.get("arms") if kind == "chair" and attributes.get("back") else None
    return {
        "top": top if kind == "table" else None,
        "legs": legs if legs in (1, 3, 4) and kind in ("table", "chair") else None,
        "armrests": arms,
    }
