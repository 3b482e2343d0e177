"""What is inside a shape: solid voxel grids from any triangle mesh, and the questions asked of them.

Catalogue meshes are rarely watertight, so "inside" is defined by a grid and not by the mesh: the voxels that the
surface touches, and everything that cannot be reached from outside. Cell i along an axis has its centre at
(2i + 1)/N - 1.
"""

from __future__ import annotations

import itertools

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Shaped, UInt8
from scipy import ndimage
from skimage.measure import marching_cubes

from ddmi_core.placement import Placement
from ddmi_core.support.errors import DataError

RESOLUTION = 128

_SPACING = 0.44
"""Sample spacing on triangles, in voxels. Any surface point then has a sample within 1.12 * 0.44 < 0.5 voxels, so no
step between two neighbouring cell centres can cross the surface without one of the two cells being marked."""
_SAMPLES_AT_ONCE = 2_000_000
_THICK = 5
"""Least thickness of a thickened part in voxels."""
_EDGE = 3
"""Cells this near to a thick part may belong to its edge."""
_NORMAL_REACH = 3
"""In voxels: less than a wall is thick, so that its two sides don't disturb one another."""
_FLOOR_BAND = 0.15
"""An open underside is closed only if it starts within this part of the object's height above the floor."""

Vertices = Float[np.ndarray, "v 3"]
Faces = Shaped[np.ndarray, "f 3"]


def normalise(vertices: Vertices) -> Vertices:
    """Centres the bounding box at the origin and scales its longest side to [-0.9, 0.9].

    Raises DataError if the vertices are not finite or have no extent.
    """
    return Placement.of(vertices).brought_in(vertices)


def solid_grid(mesh: trimesh.Trimesh, resolution: int = RESOLUTION) -> Bool[np.ndarray, "x y z"]:
    """The solid voxels of a normalised mesh, indexed [ix, iy, iz].

    Solid is every voxel touched by the surface and every voxel that a 6-connected flood from outside cannot reach. Two
    repairs make catalogue meshes learnable:

    - A body without an underside (sofas and beds often lack the faces nobody sees) is filled where walls stand on all
      four sides and above, if the opening is near the floor. A table's frame, an open shelf and a lamp shade stay open.
    - Parts one voxel thin are made two to three voxels thick (0.031 to 0.047): every cell whose centre lies within one
      voxel of the surface along each axis joins. Thinner parts would break under trilinear look-up where they run
      diagonally, and a network could not learn them.
    """
    samples = _surface_samples(mesh, resolution)
    shell = np.zeros((resolution,) * 3, dtype=bool)
    for points in samples:
        shell[tuple(np.clip(points.astype(np.int32), 0, resolution - 1).T)] = True
    solid = ~_outside(shell)
    solid |= _open_underside(solid)
    thin = solid & ~_at_least_two_thick(solid)
    if not thin.any():
        return solid
    for points in samples:
        cells = np.clip(points.astype(np.int32), 0, resolution - 1)
        points = points[thin[tuple(cells.T)]]
        corner = np.floor(points - 0.5).astype(np.int32)
        for offset in np.ndindex(2, 2, 2):
            solid[tuple(np.clip(corner + offset, 0, resolution - 1).T)] = True
    return solid


def thickened(solid: Bool[np.ndarray, "x y z"]) -> tuple[Bool[np.ndarray, "x y z"], float]:
    """A solid grid of 128^3 whose parts are all at least 5 voxels (0.078) thick, and how crowded that has made it.

    Where neither a cube nor a ball of 5 voxels has room, balls of 5 voxels are put along the middle of the part. Edges
    and small ornaments of thicker parts are left as they are. What is added takes from the openings beside it: the
    second value is how much of those less than 6 voxels wide it has filled, as a share of the solid. From about 0.08
    on, bars have grown together.
    """
    margin = _THICK + 1
    spans = [np.flatnonzero(solid.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    box = tuple(slice(span[0], span[-1] + 1 + 2 * margin) for span in spans)
    whole = np.pad(solid, margin)
    before = whole[box].copy()
    thick = _opened(before, _THICK) | _opened_by_ball(before)
    thin = before & ~thick
    beyond = thin & ~ndimage.binary_dilation(thick, iterations=_EDGE)
    thin = ndimage.binary_dilation(beyond, np.ones((3, 3, 3)), iterations=_EDGE, mask=thin)
    depth = ndimage.distance_transform_edt(before)
    middle = thin & (depth > ndimage.maximum_filter(depth, 3) - 0.5)
    grown = before | _with_ball(middle)
    narrow = ~_opened(~np.pad(before, _THICK), _THICK + 1)[(slice(_THICK, -_THICK),) * 3]
    filled = float((narrow & grown & ~before).sum() / before.sum())
    whole[box] = grown
    return whole[(slice(margin, -margin),) * 3], filled


def _opened(solid: Bool[np.ndarray, "x y z"], size: int) -> Bool[np.ndarray, "x y z"]:
    """The cells of all cubes of this size that are solid throughout. Nothing at the grid's border may be solid."""
    for axis in range(3):
        solid = np.logical_and.reduce([np.roll(solid, -step, axis) for step in range(size)])
    for axis in range(3):
        solid = np.logical_or.reduce([np.roll(solid, step, axis) for step in range(size)])
    return solid


def _opened_by_ball(solid: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """The same for balls of 5 voxels: cubes of 3 with one more layer on each side."""
    for axis in range(3):
        solid = np.logical_and.reduce([np.roll(solid, step, axis) for step in (-1, 0, 1)])
    return _with_ball(
        solid & np.logical_and.reduce([np.roll(solid, step, axis) for axis in range(3) for step in (-1, 1)])
    )


def _with_ball(middle: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """A ball of 5 voxels about each cell."""
    solid = middle | np.logical_or.reduce([np.roll(middle, step, axis) for axis in range(3) for step in (-1, 1)])
    for axis in range(3):
        solid = np.logical_or.reduce([np.roll(solid, step, axis) for step in (-1, 0, 1)])
    return solid


def pack(grid: Bool[np.ndarray, "x y z"]) -> UInt8[np.ndarray, "x y bytes"]:
    """Eight voxels along z in a byte, the first in the highest bit."""
    return np.packbits(grid, axis=-1)


def unpack(packed: UInt8[np.ndarray, "x y bytes"]) -> Bool[np.ndarray, "x y z"]:
    """The inverse of `pack`."""
    return np.unpackbits(packed, axis=-1).astype(bool)


def occupancy(grid: Shaped[np.ndarray, "x y z"], points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    """Whether each point is inside: trilinear interpolation of the grid between cell centres, at least 0.5.

    `grid` holds bools, or the bytes of `pack`. Beyond the grid everything is outside.
    """
    packed = grid.dtype == np.uint8
    resolution = grid.shape[0]
    position = (np.asarray(points, dtype=np.float32) + 1) * (resolution / 2) - 0.5
    corner = np.floor(position)
    weight = position - corner
    cells = np.clip(corner, -2, resolution).astype(np.int32)  # far outside: all eight corners are outside the grid
    flat = grid.reshape(-1)
    value = np.zeros(len(position), dtype=np.float32)
    for dx, dy, dz in np.ndindex(2, 2, 2):
        x, y, z = cells[:, 0] + dx, cells[:, 1] + dy, cells[:, 2] + dz
        within = (x >= 0) & (x < resolution) & (y >= 0) & (y < resolution) & (z >= 0) & (z < resolution)
        index = np.where(within, (x * resolution + y) * resolution + z, 0)
        solid = (flat[index >> 3] >> (7 - (index & 7)).astype(np.uint8)) & 1 if packed else flat[index]
        share = (
            (weight[:, 0] if dx else 1 - weight[:, 0])
            * (weight[:, 1] if dy else 1 - weight[:, 1])
            * (weight[:, 2] if dz else 1 - weight[:, 2])
        )
        value += share * (solid * within)
    return value >= 0.5


def surface_points(grid: Bool[np.ndarray, "x y z"], n: int, rng: np.random.Generator) -> Float[np.ndarray, "n 3"]:
    """`n` points drawn uniformly by area from the surface of a solid grid, float32.

    It is the surface of `occupancy`, not of the mesh that the grid was made from: a wall made thicker has points on
    both of its faces, a filled hollow has none, so the points say what is solid.
    Raises DataError if nothing is solid.
    """
    if not grid.any():
        raise DataError("Nothing of the shape is solid, so it has no surface.")
    corners, faces, _, _ = marching_cubes(np.pad(grid, 1).astype(np.float32), 0.5)
    triangles = ((2 * corners - 1) / grid.shape[0] - 1)[faces]
    a, b, c = triangles.transpose(1, 0, 2)
    cumulative = np.cumsum(np.linalg.norm(np.cross(b - a, c - a), axis=1))
    chosen = np.minimum(np.searchsorted(cumulative, rng.random(n) * cumulative[-1]), len(faces) - 1)
    u, v = rng.random((2, n, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points = a[chosen] + u * (b - a)[chosen] + v * (c - a)[chosen]
    return points.astype(np.float32)


def surface_normals(grid: Shaped[np.ndarray, "x y z"], points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Outward unit normals at surface points of a solid grid (bools, or the bytes of `pack`), float32.

    They point away from where most of a ball about a point is solid: the gradient of the blurred grid, which does not
    show the grid's steps. Zero where all directions are alike.
    """
    solid = unpack(grid) if grid.dtype == np.uint8 else grid
    resolution = solid.shape[0]
    flat = np.pad(solid, _NORMAL_REACH).reshape(-1)
    steps = np.array([(resolution + 2 * _NORMAL_REACH) ** 2, resolution + 2 * _NORMAL_REACH, 1])
    position = (np.asarray(points, dtype=np.float32).T + 1) * (resolution / 2) - 0.5
    nearest = np.clip(np.round(position), 0, resolution - 1)
    first, rest = steps @ (nearest.astype(np.int64) + _NORMAL_REACH), position - nearest
    normals = np.zeros_like(rest)
    for offset in itertools.product(range(-_NORMAL_REACH, _NORMAL_REACH + 1), repeat=3):
        if np.dot(offset, offset) <= _NORMAL_REACH**2:
            away = rest - np.array(offset, dtype=np.float32)[:, None]
            weight = np.exp(np.einsum("ap,ap->p", away, away) / -_NORMAL_REACH)
            # What is empty counts against: else the ball, which has a cell in its middle and not the point, would pull
            normals += away * (weight * (flat[first + np.dot(steps, offset)] - np.float32(0.5)))
    return (normals / np.maximum(np.linalg.norm(normals, axis=0), 1e-12)).T


def _surface_samples(mesh: trimesh.Trimesh, resolution: int) -> list[np.ndarray]:
    """Points all over the surface in voxel units [0, resolution], dense enough to leave no gap (see _SPACING)."""
    corners = (np.asarray(mesh.triangles, dtype=np.float32) + 1) * (resolution / 2)
    if not len(corners):
        raise DataError("The mesh has no faces, so nothing can be inside it.")
    sides = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)  # (f, 3): ab, bc, ca
    longest = sides.argmax(1)
    order = (longest[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(corners, order[:, :, None], axis=1)  # the longest side is now ab
    a, b, c = corners.transpose(1, 0, 2)
    length = sides.max(1)
    double_area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    if not double_area.any():
        raise DataError("The mesh has no surface: all of its faces have zero area.")
    height = double_area / np.maximum(length, 1e-9)
    columns = np.ceil(length / _SPACING).astype(np.int64) + 1
    rows = np.ceil(height / _SPACING).astype(np.int64) + 1
    counts = columns * rows
    chunks = np.cumsum(counts) // _SAMPLES_AT_ONCE
    samples = []
    for chunk in np.unique(chunks):
        own = np.flatnonzero(chunks == chunk)
        triangle = np.repeat(own, counts[own])
        index = np.arange(len(triangle)) - np.repeat(np.cumsum(counts[own]) - counts[own], counts[own])
        row, column = np.divmod(index, columns[triangle])
        t = (row / np.maximum(rows[triangle] - 1, 1)).astype(np.float32)[:, None]  # towards c, over the height
        s = (column / np.maximum(columns[triangle] - 1, 1)).astype(np.float32)[:, None]  # along ab
        p = a[triangle] + s * (b - a)[triangle]
        samples.append(p + t * (c[triangle] - p))
    return samples


def _outside(shell: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """The free voxels that a 6-connected flood from beyond the grid reaches."""
    labels, _ = ndimage.label(~np.pad(shell, 1))
    return (labels == labels[0, 0, 0])[1:-1, 1:-1, 1:-1]


def _open_underside(solid: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """The hollow of a body whose underside is missing near the floor."""
    blocked = ~solid
    for axis, from_end in ((0, False), (0, True), (2, False), (2, True), (1, True)):
        view = np.flip(solid, axis) if from_end else solid
        seen = np.logical_or.accumulate(view, axis=axis)
        blocked &= np.flip(seen, axis) if from_end else seen
    layers = np.flatnonzero(solid.any(axis=(0, 2)))
    if not len(layers) or not blocked.any():
        return np.zeros_like(solid)
    limit = layers[0] + _FLOOR_BAND * (layers[-1] - layers[0] + 1)
    lowest = blocked.argmax(axis=1)  # of each column, the first blocked free voxel
    low_enough = blocked.any(axis=1) & (lowest <= limit)
    gap = np.cumsum(solid, axis=1) > 0  # something solid below: not the hollow above an opening
    return blocked & ~gap & low_enough[:, None, :]


def _at_least_two_thick(solid: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """The voxels that lie in some fully solid block of 2 x 2 x 2."""
    block = solid
    for axis in range(3):
        size = block.shape[axis]
        block = block.take(range(size - 1), axis) & block.take(range(1, size), axis)
    for axis in range(3):
        padding = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(block, padding)
        size = padded.shape[axis]
        block = padded.take(range(size - 1), axis) | padded.take(range(1, size), axis)
    return block
