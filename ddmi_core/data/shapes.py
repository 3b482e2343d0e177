"""Shapes held as solid grids and surface points, and the training examples drawn from them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, UInt8

from ddmi_core.data.items import Augment
from ddmi_core.data.labels import RESOLUTION, occupancy, surface_normals, unpack
from ddmi_core.placement import HALF_SIDE, Placement

_SIGMAS = (0.01, 0.03, 0.08)
"""Spread of the queries near the surface, one drawn for each example."""
_NEAR_SHARE, _CROSSING_SHARE = 1 / 2, 1 / 4
"""Thin parts are learned near the surface; far from it almost everything is empty and soon known."""
LABEL_TRIES = 5
"""Places asked for each soft label."""
LABEL_SIGMA = 0.012
"""Labels of augmented examples are a blurred occupancy: logits that slope at the surface let an error move it a little
rather than tear it."""
_STRETCH = 0.2
_TURNED_SHARE = 0.5


class GridShapes:
    """A set of shapes, each a packed solid grid with points of its visible surface.

    Args:
        grids: `labels.pack`ed grids, uint8 (128, 128, 16) each.
        points: surface points, float32 (p, 3) each.
        captions: true captions of each shape; may be empty lists.
        names: what each shape is called.
        kinds: what kind each shape is of.
        placement: of a set of one shape, where the shape lay in its file.
    """

    def __init__(
        self,
        grids: Sequence[UInt8[np.ndarray, "x y z"]],
        points: Sequence[Float[np.ndarray, "p 3"]],
        captions: Sequence[list[str]],
        *,
        names: Sequence[str],
        kinds: Sequence[str],
        placement: Placement | None = None,
    ) -> None:
        self._grids, self._points, self._captions = grids, points, captions
        self._normals: dict[int, Float[np.ndarray, "p 3"]] = {}
        self.names, self.kinds = names, kinds
        self.placement = placement

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

    def normals(self, index: int) -> Float[np.ndarray, "p 3"]:
        """Return the outward unit normals at all surface points of a shape."""
        if index not in self._normals:
            self._normals[index] = surface_normals(self._grids[index], self._points[index])
        return self._normals[index]

    def grid(self, index: int, resolution: int = RESOLUTION) -> Bool[np.ndarray, "x y z"]:
        """Return the solid grid of a shape; 128 is the one it is defined by, coarser ones look it up."""
        if resolution == RESOLUTION:
            return unpack(self._grids[index])
        axis = (2 * np.arange(resolution) + 1) / resolution - 1
        centres = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
        return occupancy(self._grids[index], centres).reshape((resolution,) * 3)

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return draw_points(self.points(index), size)

    def sample(
        self,
        index: int,
        rng: np.random.Generator,
        n_surface: int,
        n_query: int,
        augment: Augment = "none",
        *,
        label_sigma: float = 0.0,
    ) -> dict[str, np.ndarray]:
        """Draw an example: `points` and `normals` (n_surface, 3), `coords` (n_query, 3), `targets` (n_query, 1).

        All are float32. Targets are 0 and 1, or with a `label_sigma` the share of `LABEL_TRIES` places, spread by that
        about each query, that is inside. `place_queries` says where the queries are. `captioned` augmentation mirrors
        and stretches, `full` also turns half of the shapes about y, which would make "wide" or "front" untrue.
        The grid itself is never resampled: queries are taken back through the inverse map.
        """
        surface = self._points[index]
        which = rng.integers(len(surface), size=n_surface + n_query)
        matrix = random_map(surface, rng, augment)
        inverse = np.linalg.inv(matrix)
        chosen = surface[which] @ matrix.T
        coords = place_queries(chosen[n_surface:], rng)
        own = (coords @ inverse.T)[:, None]
        if label_sigma:
            own = own + rng.normal(0, label_sigma, (len(coords), LABEL_TRIES, 3)) @ inverse.T
        inside = occupancy(self._grids[index], own.reshape(-1, 3)).reshape(own.shape[:2])
        return {
            "points": chosen[:n_surface].astype(np.float32),
            "normals": mapped_normals(self.normals(index)[which[:n_surface]], inverse),
            "coords": coords,
            "targets": inside.mean(axis=1, dtype=np.float32)[:, None],
        }


def place_queries(surface: Float[np.ndarray, "n 3"], rng: np.random.Generator) -> Float[np.ndarray, "n 3"]:
    """Return places to ask for, float32, as many as there are points of the surface to choose them by.

    Half of them lie near the surface. A quarter are crossings: where two of the three projections of the surface say
    that something is there. Between the legs of a table there is nothing, but two side views alone cannot tell, and
    so small a part of space is hardly ever drawn by chance. The last quarter is uniform in [-1, 1]^3.
    """
    near = round(_NEAR_SHARE * len(surface))
    crossing = round(_CROSSING_SHARE * len(surface))
    coords = rng.uniform(-1, 1, surface.shape).astype(np.float32)
    coords[:near] = surface[:near]
    parts = np.array_split(surface[near : near + crossing], 3)
    coords[near : near + crossing] = np.concatenate([_crossed(part, axis) for axis, part in enumerate(parts)])
    spread = near + crossing
    coords[:spread] += rng.normal(0, rng.choice(_SIGMAS), (spread, 3))
    return coords


def _crossed(points: Float[np.ndarray, "n 3"], axis: int) -> Float[np.ndarray, "n 3"]:
    """Let points at the same height along one axis pass on their places along the next one."""
    level = points[np.argsort(points[:, axis])]
    following = (axis + 1) % 3
    level[:, following] = np.roll(level[:, following], 1)
    return level


class PointCloud:
    """One surface given by points alone, so that what it encloses is not known.

    Args:
        points: float32 (p, 3).
        normals: outward unit normals at the points, float32 (p, 3), zeros where they are not known.
        placement: where they lay in their file.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "p 3"],
        normals: Float[np.ndarray, "p 3"],
        placement: Placement | None = None,
    ) -> None:
        self._points, self._normals = points, normals
        self.placement = placement

    def __len__(self) -> int:
        return 1

    def captions(self, index: int) -> list[str]:
        """Return no captions."""
        return []

    def points(self, index: int) -> Float[np.ndarray, "p 3"]:
        """Return all points."""
        return self._points

    def sample(
        self,
        index: int,
        rng: np.random.Generator,
        n_surface: int,
        n_query: int,
        augment: Augment = "none",
        *,
        label_sigma: float = 0.0,
    ) -> dict[str, np.ndarray]:
        """Draw `points` and `normals` (n_surface, 3), float32, as they are."""
        chosen = rng.choice(len(self._points), n_surface, replace=len(self._points) < n_surface)
        return {"points": self._points[chosen], "normals": self._normals[chosen]}


def draw_points(
    points: Float[np.ndarray, "p 3"], size: int, colours: Float[np.ndarray, "p 3"] | None = None
) -> UInt8[np.ndarray, "s s 4"]:
    """Draw surface points in [-1, 1]^3 from the front right and above: RGBA.

    Without `colours` (sRGB in [0, 1]) they are grey, and what is nearer is brighter.
    """
    across, up = np.array([0.82, 0.0, -0.57]), np.array([-0.2, 0.94, -0.29])
    towards = np.cross(across, up)
    # 0.72: the cube's corners are further away from its centre than its sides
    columns = ((points @ across * 0.72 + 1) / 2 * size).astype(int)
    rows = ((1 - points @ up * 0.72) / 2 * size).astype(int)
    depth = points @ towards
    picture = np.zeros((size, size, 4), np.uint8)
    order = np.argsort(depth)  # near points are drawn last
    greys = np.interp(depth, (-1.2, 1.2), (70, 235))[:, None].repeat(3, axis=1)
    shades = (greys if colours is None else colours * 255).astype(np.uint8)[order]
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        at = np.clip(rows[order] + down, 0, size - 1), np.clip(columns[order] + right, 0, size - 1)
        picture[at] = np.concatenate([shades, np.full((len(shades), 1), 255, np.uint8)], axis=1)
    return picture


def random_map(
    surface: Float[np.ndarray, "p 3"],
    rng: np.random.Generator,
    augment: Augment,
    *,
    stretch: float = _STRETCH,
    reach: Float[np.ndarray, " 3"] | None = None,
) -> Float[np.ndarray, "3 3"]:
    """Return a random linear map that keeps the longest side of a surface at its length.

    `captioned` and `full` mirror left and right and stretch; `full` also turns half of the time, about the upright axis
    and by any angle: where all legs of all tables stand at the corners of a rectangle along the axes, two side views do
    well without the view from above, and an autoencoder would never learn to look at it.

    Args:
        surface: points of it.
        rng: draws the map.
        augment: see above.
        stretch: of each axis, at most, as a share.
        reach: how far the surface goes along each axis, where that is known better than from its points.
    """
    if augment in ("none", "paper"):
        return np.eye(3)
    scale = rng.uniform(1 - stretch, 1 + stretch, 3)
    scale *= _fitting((np.abs(surface).max(axis=0) if reach is None else reach) * scale)
    scale[0] *= rng.choice((-1, 1))
    matrix = np.diag(scale)
    if augment != "full" or rng.random() >= _TURNED_SHARE:
        return matrix
    angle = rng.uniform(-np.pi, np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]) @ matrix
    return matrix * _fitting(surface @ matrix.T)


def mapped_normals(normals: Float[np.ndarray, "n 3"], inverse: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "n 3"]:
    """Return unit normals of a surface after a linear map, float32, given the map's inverse; zeros stay zeros."""
    turned = (normals @ inverse).astype(np.float32)
    return turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)


def _fitting(points: np.ndarray) -> float:
    """By how much to scale points for the longest side to span [-`HALF_SIDE`, `HALF_SIDE`]."""
    return HALF_SIDE / max(np.abs(points).max(), 1e-6)
