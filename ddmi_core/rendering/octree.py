"""An octree's cells as arrays: places as integers, and for each level the cells and the logits at their corners.

Level 0 has `ROOT` cells along an axis of [-1, 1], each further level twice as many. A place counts in the spacing of
the finest level, from one root cell before -1 on, so that the surface of what fills the volume is closed around it. A
point is named by its place, packed into one integer; a cell by its lowest corner and its level.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64
from numpy.typing import NDArray

ROOT = 80
LEVELS = 7
_BITS = 20
_PLACE_MASK = (1 << _BITS) - 1
_SPACING = 2.0 / (ROOT << LEVELS)

Keys = Int64[np.ndarray, "_"]
"""Packed places."""

CORNERS = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)])
"""The corners of a cell in the order of their logits."""
STEPS = np.array([1 << 2 * _BITS, 1 << _BITS, 1], dtype=np.int64)
"""What one place further along each axis adds to a key."""


def size_of(level: int) -> int:
    """How many places a cell of a level is long."""
    return 1 << (LEVELS - level)


def length_of(level: int) -> float:
    """How long a cell of a level is in space."""
    return size_of(level) * _SPACING


def pack(places: Int64[np.ndarray, "n 3"]) -> Keys:
    """Name points by their places."""
    return places @ STEPS


def unpack(keys: Keys) -> Int64[np.ndarray, "n 3"]:
    """The places of points."""
    return np.stack([keys >> 2 * _BITS, (keys >> _BITS) & _PLACE_MASK, keys & _PLACE_MASK], axis=-1)


def coordinates(keys: Keys) -> Float[np.ndarray, "n 3"]:
    """Where points are in space; beyond [-1, 1] in the ring around the volume."""
    return (unpack(keys) - size_of(0)) * _SPACING - 1.0


def cells_at(points: Float[np.ndarray, "n 3"], level: int) -> Keys:
    """The cells of a level that hold points of [-1, 1], each once."""
    places = np.floor((np.asarray(points, dtype=np.float64) + 1.0) / length_of(level)).astype(np.int64)
    return np.unique(pack(places * size_of(level) + size_of(0)))


def ancestors(keys: Keys, level: int) -> Keys:
    """The cells of a level that hold cells, or points, of finer ones."""
    mask = _PLACE_MASK & ~(size_of(level) - 1)
    return keys & int(mask * STEPS.sum())


def find(sorted_keys: Keys, keys: Keys) -> Int64[np.ndarray, " n"]:
    """Where keys are among sorted ones; -1 for those that are not."""
    if not len(sorted_keys):
        return np.full(len(keys), -1)
    places = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[places] == keys, places, -1)


def _empty(dtype: type, *shape: int) -> NDArray[np.generic]:
    return np.empty((0, *shape), dtype=dtype)


@dataclass
class Level:
    """The cells of one level, sorted.

    keys: (n,). values: (n, 8), logits at the corners. refined: those that have children instead. touched: those that
    the surface is known to run through. judged: the touched ones of which it was decided whether to refine them.
    """

    keys: Keys = field(default_factory=lambda: _empty(np.int64))
    values: Float32[np.ndarray, "n 8"] = field(default_factory=lambda: _empty(np.float32, 8))
    refined: Bool[np.ndarray, " n"] = field(default_factory=lambda: _empty(np.bool_))
    touched: Bool[np.ndarray, " n"] = field(default_factory=lambda: _empty(np.bool_))
    judged: Bool[np.ndarray, " n"] = field(default_factory=lambda: _empty(np.bool_))

    def add(self, keys: Keys, values: Float32[np.ndarray, "n 8"]) -> None:
        """Take further cells in."""
        self.keys = np.concatenate([self.keys, keys])
        order = np.argsort(self.keys, kind="stable")
        self.keys = self.keys[order]
        self.values = np.concatenate([self.values, values])[order]
        no = np.zeros(len(keys), dtype=np.bool_)
        self.refined, self.touched, self.judged = (
            np.concatenate([flags, no])[order] for flags in (self.refined, self.touched, self.judged)
        )


def is_mixed(values: Float32[np.ndarray, "n 8"]) -> Bool[np.ndarray, " n"]:
    """Which cells have corners inside and corners outside."""
    inside = values > 0
    return np.logical_and(inside.any(axis=1), np.logical_not(inside.all(axis=1)))


def crossed_edges(
    values: Float32[np.ndarray, "n 8"], keys: Keys, level: int, axis: int
) -> tuple[Keys, Float32[np.ndarray, "e 2"]]:
    """The edges of cells along an axis whose ends differ in sign, each once: lower ends, and the logits at both."""
    low = np.flatnonzero(CORNERS[:, axis] == 0)
    high = low + (4 >> axis)
    cells, edges = np.nonzero((values[:, low] > 0) != (values[:, high] > 0))
    starts = keys[cells] + (CORNERS[low[edges]] * size_of(level)) @ STEPS
    starts, first = np.unique(starts, return_index=True)
    cells, edges = cells[first], edges[first]
    return starts, np.stack([values[cells, low[edges]], values[cells, high[edges]]], axis=-1)


def cells_around(starts: Keys, level: int, axis: int) -> Int64[np.ndarray, "e 4"]:
    """The four cells of a level around edges along an axis, counter-clockwise seen from the edges' upper ends."""
    across, up = STEPS[(axis + 1) % 3] * size_of(level), STEPS[(axis + 2) % 3] * size_of(level)
    return starts[:, None] - np.array([0, across, across + up, up])
