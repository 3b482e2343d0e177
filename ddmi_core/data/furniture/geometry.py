"""What a piece of furniture looks like, measured on its solid alone: top shape, legs, armrests, back, proportions.

It captions real furniture and judges generated shapes, so it uses plain rules on cross-sections and says ``None``
where they do not apply. y is up and the front faces +z.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy import ndimage

from ddmi_core.support.errors import DataError

Grid = NDArray[np.bool_]
Layer = NDArray[np.bool_]
Proportion = Literal["tall", "low", "wide", "narrow"]
PROPORTIONS: tuple[Proportion, ...] = get_args(Proportion)
_DIAGONAL = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Geometry:
    """Measured facts; lengths in the units of [-1, 1].

    ``top_shape`` is of the widest level, seen from above: a table's top or a chair's seat; ``None`` where it is
    neither shape. ``n_legs`` counts separate slender supports under it (a column on a foot plate is one); ``None``
    where it stands on a body, on panels or on the floor. ``armrests`` needs a back and material above both sides of
    the seat.
    """

    width: float
    height: float
    depth: float
    top_shape: Literal["round", "oval", "rectangular"] | None
    n_legs: int | None
    armrests: bool
    back: bool
    proportions: tuple[Proportion, ...]


def measure(solid: Grid | trimesh.Trimesh) -> Geometry:
    """Measure a solid: a boolean grid [ix, iy, iz] of 64^3 to 128^3 cells over [-1, 1]^3, or a mesh in it.

    Raises DataError if there is nothing in it.
    """
    grid = voxelise(solid) if isinstance(solid, trimesh.Trimesh) else np.asarray(solid, dtype=bool)
    resolution = max(grid.shape)
    grid = _without_crumbs(grid)
    occupied = np.argwhere(grid)
    if not len(occupied):
        raise DataError("There is no solid to measure: the grid is empty. Check the shape's orientation and scale.")
    low, high = occupied.min(0), occupied.max(0) + 1
    grid = grid[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    width, height, depth = (2 * n / resolution for n in grid.shape)
    plate = _plate_level(grid)
    back, armrests = _back_and_armrests(grid, plate)
    return Geometry(
        width,
        height,
        depth,
        _top_shape(grid, plate),
        _count_legs(grid, plate),
        armrests,
        back,
        proportions(width, height, depth),
    )


def voxelise(mesh: trimesh.Trimesh, resolution: int = 128) -> Grid:
    """Solid grid (resolution,) * 3 of a mesh in [-1, 1]^3: cells whose centre is inside, by parity along rays.

    Raises DataError if the mesh is not watertight, since it then has no inside.
    """
    if not mesh.is_watertight:
        raise DataError(
            "The mesh is not watertight, so its inside is undefined. Label it with ddmi_core.data.labels instead."
        )
    centres = (2 * np.arange(resolution) + 1) / resolution - 1
    # One ray per (x, z) column; the tiny shift keeps rays off the edges of axis-aligned faces.
    x, z = np.meshgrid(centres + 1e-5, centres + 2e-5, indexing="ij")
    origins = np.stack([x, np.full_like(x, -2.0), z], axis=-1).reshape(-1, 3)
    directions = np.broadcast_to([0.0, 1.0, 0.0], origins.shape)
    places, rays, _ = mesh.ray.intersects_location(origins, directions, multiple_hits=True)
    cell = np.clip(np.ceil((places[:, 1] + 1) * resolution / 2 - 0.5).astype(int), 0, resolution)
    toggles = np.zeros((resolution * resolution, resolution + 1), dtype=np.int64)
    np.add.at(toggles, (rays, cell), 1)
    inside = np.cumsum(toggles, axis=1)[:, :resolution] % 2 == 1
    return inside.reshape(resolution, resolution, resolution).transpose(0, 2, 1)


def _without_crumbs(grid: Grid, share: float = 0.01) -> Grid:
    """Drop connected parts below ``share`` of the volume, as meshes drop them on export."""
    labels, count = ndimage.label(grid, structure=np.ones((3, 3, 3)))
    if count < 2:
        return grid
    sizes = np.bincount(labels.ravel())
    keep = sizes >= share * sizes[1:].sum()
    keep[0] = False
    return keep[labels]


def _plate_level(grid: Grid) -> int:
    """The highest level nearly as large as the largest: a table's top, a chair's seat, a cabinet's upper face."""
    areas = grid.sum(axis=(0, 2))
    areas[: len(areas) // 5] = 0  # a foot plate may be larger than the seat on it
    return int(np.flatnonzero(areas >= 0.8 * areas.max())[-1])


def _box(layer: Layer) -> tuple[slice, slice]:
    """Bounding box of a layer's solid cells."""
    along = [np.flatnonzero(layer.any(axis=1 - axis)) for axis in (0, 1)]
    return slice(int(along[0][0]), int(along[0][-1]) + 1), slice(int(along[1][0]), int(along[1][-1]) + 1)


def _top_shape(grid: Grid, plate: int) -> Literal["round", "oval", "rectangular"] | None:
    """Compare the plate with the ellipse and with the rectangle of its bounding box, by intersection over union."""
    layer = np.asarray(grid[:, max(plate - 1, 0) : plate + 1].any(axis=1))
    labels, count = ndimage.label(layer)
    if count > 1:
        layer = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    layer = ndimage.binary_fill_holes(layer)[_box(layer)]
    nx, nz = layer.shape
    x, z = (2 * np.arange(n) + 1 - n for n in (nx, nz))
    ellipse = (x[:, None] / nx) ** 2 + (z[None] / nz) ** 2 <= 1
    as_ellipse = (layer & ellipse).sum() / (layer | ellipse).sum()
    as_rectangle = layer.mean()
    if max(as_ellipse, as_rectangle) < 0.85:
        return None
    if as_rectangle >= as_ellipse:
        return "rectangular"
    return "round" if max(nx, nz) <= 1.18 * min(nx, nz) else "oval"


def _count_legs(grid: Grid, plate: int) -> int | None:
    """The commonest number of slender cross-sections on the levels between the floor and the plate's underside."""
    areas = grid.sum(axis=(0, 2))
    underside = plate
    while underside > 0 and areas[underside - 1] >= 0.4 * areas[plate]:
        underside -= 1
    if underside < max(3, 0.05 * grid.shape[1]):
        return None
    spread = np.asarray(grid[:, underside : plate + 1].any(axis=1))
    reach = [s.stop - s.start for s in _box(spread)]
    votes: Counter[int] = Counter()
    levels = range(int(0.08 * underside), max(int(0.92 * underside), 1))
    for level in levels:
        number = _slender_parts(grid[:, level], reach, int(areas[plate]))
        if number is not None:
            votes[number] += 1
    if not votes:
        return None
    number, found = votes.most_common(1)[0]
    return number if found >= 0.25 * len(levels) else None


def _slender_parts(layer: Layer, reach: list[int], plate_area: int) -> int | None:
    """How many separate parts a level has, or None if one of them is a panel, a shelf or a body."""
    labels, count = ndimage.label(layer, structure=_DIAGONAL)
    for box in ndimage.find_objects(labels):
        sides = [s.stop - s.start for s in box]
        if count == 1:
            # A lone column may be thick, but then it must be compact.
            too_large = layer.sum() > 0.35 * plate_area or max(sides) > 0.7 * max(reach)
        else:
            too_large = sides[0] > 0.35 * reach[0] + 1 or sides[1] > 0.4 * reach[1] + 1
        if too_large:
            return None
    return count or None


def _back_and_armrests(grid: Grid, plate: int) -> tuple[bool, bool]:
    """Look from above at what rises over the seat: a back at the rear, armrests at both sides in front of it."""
    clear = plate + 1 + max(2, round(0.05 * grid.shape[1]))
    above = np.asarray(grid[:, clear:].any(axis=1))
    box_x, box_z = _box(grid[:, plate])
    (left, right), (rear, front) = (box_x.start, box_x.stop), (box_z.start, box_z.stop)
    wide, deep = right - left, front - rear

    def zone(x0: float, x1: float, z0: float, z1: float) -> Layer:
        """Part of the view between shares of the seat's width and depth; shares 0 and 1 reach the edge."""
        a = 0 if x0 <= 0 else left + round(x0 * wide)
        b = len(above) if x1 >= 1 else left + round(x1 * wide)
        c = 0 if z0 <= 0 else rear + round(z0 * deep)
        return above[a:b, c : rear + round(z1 * deep)]

    behind = zone(0.2, 0.8, 0, 0.4)
    back = bool(behind.size) and float(behind.any(axis=1).mean()) >= 0.2
    if not back:
        return False, False
    middle = zone(0.3, 0.7, 0.5, 0.95)
    sides = [zone(x0, x1, 0.36, 0.9).any(axis=0) for x0, x1 in ((0, 0.22), (0.78, 1))]
    is_open = not middle.size or float(middle.mean()) < 0.3
    return True, is_open and all(bool(s.size) and float(s.mean()) >= 0.3 for s in sides)


def proportions(width: float, height: float, depth: float) -> tuple[Proportion, ...]:
    """What is worth saying of a piece of furniture with these sides."""
    words: list[Proportion] = []
    across = max(width, depth)
    if height > 1.6 * across:
        words.append("tall")
    elif height < 0.5 * across:
        words.append("low")
    if width > 1.8 * max(height, depth):
        words.append("wide")
    elif width < 0.4 * height:
        words.append("narrow")
    return tuple(words)
