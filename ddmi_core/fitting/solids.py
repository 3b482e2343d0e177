"""How far from a solid's surface places are, and on which side: what a shape's fit learns from.

What is inside of a closed mesh is told by winding numbers, however its parts overlap. A mesh with holes has no inside;
there the solid is what `labels.solid_grid` makes of it, as everywhere else. Measured in a process of its own, which
holds nobody's interpreter, and ends when it is cancelled. This module is also what the child process runs.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import igl
import numpy as np
import trimesh
from jaxtyping import Float, Int
from skimage.measure import marching_cubes

from ddmi_core.data.labels import solid_grid
from ddmi_core.support.child_process import answer, run_module
from ddmi_core.support.progress import Progress, report

_NEAR, _AROUND = 0.008, 0.04
"""Standard deviations of the distances at which places about the surface are asked."""
_PART = 20_000  # places between two reports, at least
_GRID = 192  # cells a side of the solid of a mesh with holes
_CLOSED = 0.02  # of places inside: so many may be neither in nor out of a mesh that counts as closed


class Places(NamedTuple):
    """Places in [-1, 1]^3 and their signed distances from a surface, positive inside."""

    points: Float[np.ndarray, "n 3"]
    distances: Float[np.ndarray, " n"]


def measured_places(
    mesh: trimesh.Trimesh, count: int, *, held_out: int, progress: Progress | None = None
) -> tuple[Places, Places]:
    """Draw places, float32, to learn from, and others to measure at.

    Those to learn from are three eighths close to a mesh's surface, three eighths about it, the rest anywhere; those to
    measure at lie evenly in its box.

    Args:
        mesh: normalised.
        count: how many to learn from.
        held_out: how many to measure at.
        progress: called several times a second; what it raises ends the child process.

    Raises:
        DDMIError: the child process failed, for example for want of memory.
    """
    with tempfile.TemporaryDirectory(prefix="ddmi-") as folder:
        given, made = Path(folder, "given.npz"), Path(folder, "made.npz")
        np.savez(given, vertices=np.asarray(mesh.vertices, np.float64), faces=np.asarray(mesh.faces, np.int64))
        run_module(
            __name__,
            [str(given), str(made), str(count), str(held_out)],
            doing="measuring the mesh",
            failed="Measuring the mesh failed: there may be too little memory. Simplify it first.",
            progress=progress,
        )
        with np.load(made) as arrays:
            points, distances = arrays["points"], arrays["distances"]
            return (
                Places(points[held_out:], distances[held_out:]),
                Places(points[:held_out], distances[:held_out]),
            )


def _main(given: str, made: str, count: str, held_out: str) -> None:
    def work(progress: Progress) -> None:
        with np.load(given) as arrays:
            mesh = trimesh.Trimesh(arrays["vertices"], arrays["faces"], process=False)
        places = _measured(mesh, int(count), int(held_out), progress)
        np.savez(made, points=places.points, distances=places.distances)

    answer(work)


def _measured(mesh: trimesh.Trimesh, count: int, held_out: int, progress: Progress | None) -> Places:
    """Those to measure at come first."""
    rng = np.random.default_rng(0)
    solid = solid_of(mesh, rng)
    about = 3 * count // 8
    surface, _ = trimesh.sample.sample_surface(solid, 2 * about, seed=0)
    spread = np.repeat([_NEAR, _AROUND], about)[:, None]
    anywhere = rng.uniform(-1, 1, (count - 2 * about, 3))
    learned = np.concatenate([surface + spread * rng.standard_normal(surface.shape), anywhere]).clip(-1, 1)
    low, high = np.asarray(solid.bounds)
    points = np.concatenate([rng.uniform(low, high, (held_out, 3)), rng.permutation(learned)])
    distances = np.empty(len(points))
    step = max(_PART, len(solid.faces))  # each part builds its search trees anew
    for start in range(0, len(points), step):
        report(progress, start / len(points), "measuring the mesh")
        distances[start : start + step] = signed_distances(solid, points[start : start + step])
    return Places(points.astype(np.float32), distances.astype(np.float32))


def signed_distances(solid: trimesh.Trimesh, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Return how far points are from a solid's surface, positive inside."""
    vertices, faces = np.asarray(solid.vertices, np.float64), np.asarray(solid.faces, np.int64)
    squared = igl.point_mesh_squared_distance(points, vertices, faces)[0]
    inside = np.abs(igl.fast_winding_number(vertices, faces, points)) > 0.5
    return np.sqrt(np.maximum(squared, 0)) * np.where(inside, 1, -1)


def solid_of(mesh: trimesh.Trimesh, rng: np.random.Generator) -> trimesh.Trimesh:
    """Return the mesh, or of one with holes the surface of the solid that it is taken for."""
    return mesh if _is_closed(mesh, rng) else _filled(mesh)


def _is_closed(mesh: trimesh.Trimesh, rng: np.random.Generator) -> bool:
    """Whether winding numbers of a mesh tell inside from outside."""
    surface, _ = trimesh.sample.sample_surface(mesh, 4000, seed=0)
    points = np.concatenate([surface + _AROUND * rng.standard_normal(surface.shape), rng.uniform(-1, 1, (4000, 3))])
    vertices, faces = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
    winding = np.abs(igl.fast_winding_number(vertices, faces, points))
    doubtful = np.abs(winding - np.round(winding)) > 0.2
    return bool(doubtful.sum() <= _CLOSED * (winding > 0.5).sum())


def _filled(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    grid: Int[np.ndarray, "x y z"] = np.pad(solid_grid(mesh, _GRID), 1)
    vertices, faces, _, _ = marching_cubes(grid.astype(np.float32), 0.5, gradient_direction="ascent")
    return trimesh.Trimesh((2 * vertices - 1) / _GRID - 1, faces, process=False)


if __name__ == "__main__":
    _main(*sys.argv[1:])
