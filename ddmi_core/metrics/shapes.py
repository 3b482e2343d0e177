"""How close two shapes are, and whether a mesh is sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ddmi_core.rendering.surfaces import components
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, report

DOMINANT_SHARE = 0.99
"""Parts below a hundredth of the volume are crumbs, which export drops."""
_DISTANCES_AT_ONCE = 50_000


def volumetric_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union of two solid grids of the same shape, 0 to 1; two empty grids agree fully."""
    if a.shape != b.shape:
        raise DataError(f"Grids of {a.shape} and {b.shape} cells cannot be compared. Sample both at one resolution.")
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def chamfer_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Mean of the two mean distances from the points of one set (n, 3) to the nearest of the other (m, 3).

    Raises DataError if a set is empty.
    """
    if not len(a) or not len(b):
        raise DataError("The distance to an empty point set is undefined. Give at least one point on each side.")
    there, _ = cKDTree(b).query(a)
    back, _ = cKDTree(a).query(b)
    return float(there.mean() + back.mean()) / 2


def surface_distances(
    points: NDArray[np.floating], mesh: trimesh.Trimesh, progress: Progress | None = None
) -> NDArray[np.float64]:
    """Return the distance of each of the points (n, 3) from the surface of a mesh.

    Args:
        points: in the units of the mesh.
        mesh: need not be closed.
        progress: called now and then; may raise `Cancelled`.
    """
    import igl

    vertices, faces = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
    squared = np.empty(len(points))
    step = max(_DISTANCES_AT_ONCE, len(faces))  # each part builds its search tree anew
    for start in range(0, len(points), step):
        report(progress, start / len(points), "measuring distances")
        part = slice(start, start + step)
        squared[part] = igl.point_mesh_squared_distance(np.asarray(points[part], np.float64), vertices, faces)[0]
    return np.sqrt(np.maximum(squared, 0))


F_SCORE_REACH = 0.02
"""How near a point must be to count, in units of [-1, 1]: a hundredth of the space's side."""


def f_score(made: NDArray[np.floating], true: NDArray[np.floating], reach: float = F_SCORE_REACH) -> float:
    """Harmonic mean of the shares of points of either set, (n, 3) and (m, 3), that are within reach of the other.

    Tatarchenko et al. 2019. Raises DataError if a set is empty.
    """
    if not len(made) or not len(true):
        raise DataError("The F-score of an empty point set is undefined. Give at least one point on each side.")
    there, _ = cKDTree(true).query(made)
    back, _ = cKDTree(made).query(true)
    precision, recall = float((there <= reach).mean()), float((back <= reach).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@dataclass(frozen=True)
class MeshHealth:
    """``dominant``: the largest part's share of the volume (0 to 1). ``outward``: normals point out of the solid.

    A closed cavity is a part too, of negative volume.
    """

    watertight: bool
    dominant: float
    volume: float
    outward: bool

    @property
    def sound(self) -> bool:
        """One dominant watertight part with positive volume and outward normals."""
        return self.watertight and self.outward and self.volume > 0 and self.dominant >= DOMINANT_SHARE


def mesh_health(mesh: trimesh.Trimesh) -> MeshHealth:
    """Check a mesh. An empty one is unsound."""
    if mesh.is_empty or not len(mesh.faces):
        return MeshHealth(False, 0.0, 0.0, False)
    _, volumes = components(mesh)
    total = float(np.abs(volumes).sum())
    dominant = float(np.abs(volumes).max()) / total if total else 0.0
    # The sign of a part's volume is its orientation, provided that neighbouring faces agree on it.
    outward = bool(mesh.is_winding_consistent and volumes[np.abs(volumes).argmax()] > 0)
    return MeshHealth(bool(mesh.is_watertight), dominant, float(mesh.volume), outward)
