"""Normals of a surface in an octree: the field's gradient, smoothed where one sees more than the field was made for.

A field that interpolates its planes linearly has creases at their cells, which are no part of the shape. So in cells of
`SMOOTH_LEVEL` and finer ones the gradient is taken by central differences over cells of that level, and interpolated
between their corners. Where that is at odds with the gradient at the place itself, as on parts thinner than such cells,
the latter counts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float32

from ddmi_core.rendering.octree import CORNERS, STEPS, Keys, ancestors, coordinates, find, length_of, size_of

SMOOTH_LEVEL = 1
_AGREE, _DISAGREE = 0.8, 0.4  # cosines

Ask = Callable[[Keys], Float32[np.ndarray, " n"]]
"""Logits at points."""


def corner_gradients(
    values: Float32[np.ndarray, "n 8"], within: Float[np.ndarray, "n 3"] | float = 0.5
) -> Float[np.ndarray, "n 3"]:
    """The gradients of what interpolates the corners' logits, at places that count from 0 to 1 within each cell."""
    return np.einsum("ncd,nc->nd", _slopes(within, len(values)), values.astype(np.float64))


def _weights(within: Float[np.ndarray, "n 3"] | float, count: int) -> Float[np.ndarray, "n 8 3"]:
    """What each corner weighs along each axis."""
    share = np.broadcast_to(np.clip(within, 0, 1), (count, 3))[:, None]
    return np.where(CORNERS == 1, share, 1 - share)


def _slopes(within: Float[np.ndarray, "n 3"] | float, count: int) -> Float[np.ndarray, "n 8 3"]:
    """How much each corner adds to the slope along each axis."""
    x, y, z = np.moveaxis(_weights(within, count), -1, 0)
    return np.stack([y * z, x * z, x * y], axis=-1) * (2 * CORNERS - 1)


class SmoothGradients:
    """The gradients at the corners of cells of `SMOOTH_LEVEL`, which are kept."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._keys: Keys = np.empty(0, dtype=np.int64)
        self._gradients: Float32[np.ndarray, "n 3"] = np.empty((0, 3), dtype=np.float32)

    @property
    def nbytes(self) -> int:
        """Memory that is kept."""
        return self._keys.nbytes + self._gradients.nbytes

    def forget(self) -> None:
        """Keep nothing."""
        self._keys, self._gradients = self._keys[:0], self._gradients[:0]

    def normals(
        self, vertices: Float[np.ndarray, "n 3"], cells: Keys, own: Float[np.ndarray, "n 3"]
    ) -> Float[np.ndarray, "n 3"]:
        """Smooth outward unit normals at places in cells that are no coarser; `own`: those at the places themselves."""
        cells = ancestors(cells, SMOOTH_LEVEL)
        corners = cells[:, None] + CORNERS @ STEPS * size_of(SMOOTH_LEVEL)
        within = (vertices - coordinates(cells)) / length_of(SMOOTH_LEVEL)
        weights = _weights(within, len(cells)).prod(axis=-1)
        smooth = _unit(-np.einsum("nc,ncd->nd", weights, self._at(corners.reshape(-1)).reshape(-1, 8, 3)))
        agreement = np.clip(((smooth * own).sum(axis=1, keepdims=True) - _DISAGREE) / (_AGREE - _DISAGREE), 0, 1)
        return _unit(own + agreement * (smooth - own))

    def _at(self, points: Keys) -> Float32[np.ndarray, "n 3"]:
        wanted, index = np.unique(points, return_inverse=True)
        missing = wanted[find(self._keys, wanted) < 0]
        if len(missing):
            step = STEPS * size_of(SMOOTH_LEVEL)
            asked, places = np.unique(missing[:, None] + np.concatenate([step, -step]), return_inverse=True)
            ahead, behind = np.moveaxis(self._ask(asked)[places.reshape(-1, 2, 3)], 1, 0)
            keys = np.concatenate([self._keys, missing])
            order = np.argsort(keys)
            self._keys, self._gradients = keys[order], np.concatenate([self._gradients, ahead - behind])[order]
        return self._gradients[find(self._keys, wanted)[index.reshape(-1)]]


def _unit(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
