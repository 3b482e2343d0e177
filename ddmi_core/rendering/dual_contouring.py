"""Octree -> mesh: dual contouring (Ju et al. 2002), which leaves no cracks where cells of different sizes meet.

Each leaf that the surface runs through has one vertex; each edge that the surface crosses, and that no finer leaf has a
part of, joins the vertices of the leaves around it. Whatever their sizes, these are two, three or four, all there, so
the surface is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from ddmi_core.rendering.octree import (
    Keys,
    Level,
    ancestors,
    cells_around,
    coordinates,
    crossed_edges,
    find,
    is_mixed,
    length_of,
)


@dataclass(frozen=True)
class Contour:
    """A surface in an octree.

    vertices: (v, 3). faces: (f, 3), counter-clockwise from outside. levels, leaves: for each vertex the level of its
    leaf, and which one of these it is.
    """

    vertices: Float[np.ndarray, "v 3"]
    faces: Int64[np.ndarray, "f 3"]
    levels: Int64[np.ndarray, " v"]
    leaves: Int64[np.ndarray, " v"]


def contour(levels: Sequence[Level]) -> Contour:
    """The zero level set in the leaves of an octree.

    Args:
        levels: coarse to fine. Each edge of a leaf that the surface crosses has a leaf, of any size, at each side.
    """
    starts = np.cumsum([0, *(len(level.keys) for level in levels)])
    corners, crossings = [], []
    for number, level in enumerate(levels):
        leaves = np.flatnonzero(~level.refined & is_mixed(level.values))
        for axis in range(3):
            edges, ends = crossed_edges(level.values[leaves], level.keys[leaves], number, axis)
            around = cells_around(edges, number, axis)
            owners = _leaves_at(levels, starts, around.reshape(-1), number).reshape(-1, 4)
            whole = (owners >= 0).all(axis=1)  # the others have finer leaves, whose edges are parts of them
            edges, ends, owners = edges[whole], ends[whole], owners[whole]
            places = coordinates(edges)
            places[:, axis] += ends[:, 0] / (ends[:, 0] - ends[:, 1]) * length_of(number)
            crossings.append(places)
            corners.append(np.where(ends[:, :1] > 0, owners, owners[:, ::-1]))
    leaves, quads = np.unique(np.concatenate(corners), return_inverse=True)
    quads = quads.reshape(-1, 4)
    vertices = _amid(np.concatenate(crossings), quads, len(leaves))
    numbers = np.searchsorted(starts, leaves, side="right") - 1
    return Contour(vertices, _triangles(quads, vertices), numbers, leaves - starts[numbers])


def _leaves_at(levels: Sequence[Level], starts: Int64[np.ndarray, " l"], keys: Keys, number: int) -> np.ndarray:
    """The leaves that are, or hold, cells of a level, counted through all levels; -1 where there are finer ones."""
    found = np.full(len(keys), -1)
    rest = np.arange(len(keys))
    for coarser in range(number, -1, -1):
        at = find(levels[coarser].keys, ancestors(keys[rest], coarser))
        there = at >= 0
        leaf = there.copy()
        leaf[there] = ~levels[coarser].refined[at[there]]
        found[rest[leaf]] = starts[coarser] + at[leaf]
        rest = rest[~there]
    return found


def _amid(crossings: Float[np.ndarray, "q 3"], quads: Int64[np.ndarray, "q 4"], count: int) -> Float[np.ndarray, "v 3"]:
    """Vertices amid the crossings around them; what the ring around the volume brings up is brought back into it."""
    corners = quads.reshape(-1)
    sums = [np.bincount(corners, np.repeat(crossings[:, axis], 4), count) for axis in range(3)]
    return np.clip(np.stack(sums, axis=-1) / np.bincount(corners, minlength=count)[:, None], -1, 1)


def _triangles(quads: Int64[np.ndarray, "q 4"], vertices: Float[np.ndarray, "v 3"]) -> Int64[np.ndarray, "f 3"]:
    """Two triangles a quad, along its shorter diagonal; one where two of its corners are the same."""
    first, second = (np.linalg.norm(vertices[quads[:, a]] - vertices[quads[:, a + 2]], axis=1) for a in (0, 1))
    turned = np.where((first <= second)[:, None], quads, np.roll(quads, -1, axis=1))
    triangles = turned[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    proper = (triangles != np.roll(triangles, 1, axis=1)).all(axis=1)
    return triangles[proper]
