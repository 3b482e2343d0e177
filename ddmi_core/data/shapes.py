"""Shapes held as solid grids and surface points, and the training examples drawn from them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, UInt8

from ddmi_core.data.items import Augment
from ddmi_core.data.labels import HALF_SIDE, RESOLUTION, occupancy, unpack

_SIGMAS = (0.01, 0.03, 0.08)
"""Spread of the queries near the surface, one drawn for each example."""
_NEAR_SHARE = 2 / 3
"""Thin parts are learned near the surface; far from it almost everything is empty and soon known."""
_STRETCH = 0.2


class GridShapes:
    """A set of shapes, each a packed solid grid with points of its visible surface.

    Args:
        grids: `labels.pack`ed grids, uint8 (128, 128, 16) each.
        points: surface points, float32 (p, 3) each.
        captions: true captions of each shape; may be empty lists.
        names: what each shape is called.
        kinds: what kind each shape is of.
    """

    def __init__(
        self,
        grids: Sequence[UInt8[np.ndarray, "x y z"]],
        points: Sequence[Float[np.ndarray, "p 3"]],
        captions: Sequence[list[str]],
        *,
        names: Sequence[str],
        kinds: Sequence[str],
    ) -> None:
        self._grids, self._points, self._captions = grids, points, captions
        self.names, self.kinds = names, kinds

    def __len__(self) -> int:
        return len(self._grids)

    def captions(self, index: int) -> list[str]:
        """Return the captions of a shape."""
        return self._captions[index]

    def kind(self, index: int) -> str:
        """Return the kind of a shape."""
        return self.kinds[index]

    def points(self, index: int) -> Float[np.ndarray, "p 3"]:
        """Return all surface points of a shape."""
        return self._points[index]

    def grid(self, index: int, resolution: int = RESOLUTION) -> Bool[np.ndarray, "x y z"]:
        """Return the solid grid of a shape; 128 is the one it is defined by, coarser ones look it up."""
        if resolution == RESOLUTION:
            return unpack(self._grids[index])
        axis = (2 * np.arange(resolution) + 1) / resolution - 1
        centres = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
        return occupancy(self._grids[index], centres).reshape((resolution,) * 3)

    def sample(
        self, index: int, rng: np.random.Generator, n_surface: int, n_query: int, augment: Augment = "none"
    ) -> dict[str, np.ndarray]:
        """Draw an example: `points` (n_surface, 3), `coords` (n_query, 3), `targets` (n_query, 1), float32.

        A third of the queries is uniform in [-1, 1]^3, the others lie near the surface. `captioned` augmentation
        mirrors and stretches, `full` also turns the shape about y by quarters, which would make "wide" or "front"
        untrue.
        The grid itself is never resampled: queries are taken back through the inverse map.
        """
        surface = self._points[index]
        near = round(_NEAR_SHARE * n_query)
        chosen = surface[rng.integers(len(surface), size=n_surface + near)]
        matrix = random_map(surface, rng, augment)
        chosen = chosen @ matrix.T
        coords = np.empty((n_query, 3), dtype=np.float32)
        coords[: n_query - near] = rng.uniform(-1, 1, (n_query - near, 3))
        coords[n_query - near :] = chosen[n_surface:] + rng.normal(0, rng.choice(_SIGMAS), (near, 3))
        inside = occupancy(self._grids[index], coords @ np.linalg.inv(matrix).T)
        return {
            "points": chosen[:n_surface].astype(np.float32),
            "coords": coords,
            "targets": inside.astype(np.float32)[:, None],
        }


class PointCloud:
    """One surface given by points alone, so that what it encloses is not known.

    Args:
        points: float32 (p, 3).
    """

    def __init__(self, points: Float[np.ndarray, "p 3"]) -> None:
        self._points = points

    def __len__(self) -> int:
        return 1

    def captions(self, index: int) -> list[str]:
        """Return no captions."""
        return []

    def points(self, index: int) -> Float[np.ndarray, "p 3"]:
        """Return all points."""
        return self._points

    def sample(
        self, index: int, rng: np.random.Generator, n_surface: int, n_query: int, augment: Augment = "none"
    ) -> dict[str, np.ndarray]:
        """Draw `points` (n_surface, 3), float32, as they are."""
        chosen = rng.choice(len(self._points), n_surface, replace=len(self._points) < n_surface)
        return {"points": self._points[chosen]}


def draw_points(points: Float[np.ndarray, "p 3"], size: int) -> UInt8[np.ndarray, "s s 4"]:
    """Draw surface points in [-1, 1]^3 from the front right and above: RGBA, what is nearer is brighter."""
    across, up = np.array([0.82, 0.0, -0.57]), np.array([-0.2, 0.94, -0.29])
    towards = np.cross(across, up)
    # 0.72: the cube's corners are further away from its centre than its sides
    columns = ((points @ across * 0.72 + 1) / 2 * size).astype(int)
    rows = ((1 - points @ up * 0.72) / 2 * size).astype(int)
    depth = points @ towards
    picture = np.zeros((size, size, 4), np.uint8)
    order = np.argsort(depth)  # near points are drawn last
    shade = np.interp(depth[order], (-1.2, 1.2), (70, 235)).astype(np.uint8)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        at = np.clip(rows[order] + down, 0, size - 1), np.clip(columns[order] + right, 0, size - 1)
        picture[at] = np.stack([shade, shade, shade, np.full_like(shade, 255)], -1)
    return picture


def random_map(
    surface: Float[np.ndarray, "p 3"], rng: np.random.Generator, augment: Augment
) -> Float[np.ndarray, "3 3"]:
    """Return a random linear map that keeps the longest side of a surface at its length."""
    if augment == "none":
        return np.eye(3)
    scale = rng.uniform(1 - _STRETCH, 1 + _STRETCH, 3)
    scale *= HALF_SIDE / np.abs(surface * scale).max()
    scale[0] *= rng.choice((-1, 1))
    matrix = np.diag(scale)
    if augment == "full" and rng.random() < 0.5:
        sine = int(rng.choice((-1, 1)))
        matrix = np.array([[0, 0, sine], [0, 1, 0], [-sine, 0, 0]]) @ matrix
    return matrix
