"""How large the basis fields of a fit are. Needs no torch."""

import math

from ddmi_core.fidelity import Fidelity

FINEST_CELL: dict[Fidelity, float] = {"balanced": 4.0, "faithful": 1.0}
"""Side of a cell of a picture's finest basis field, in pixels, by the fidelities that there are fits of."""
_BETWEEN_SCALES = 4
_SCALES = 3
_MOST_CELLS = 12_000_000
"""Of the finest basis field: a fit of 50 MB at most, as long as its cells can be coded."""
_CELL_BYTES = 1

_FINEST_FILM_CELL: dict[Fidelity, float] = {"balanced": 2.0, "faithful": 1.0}
_MOST_FILM_CELLS = 30_000_000
"""Of the finest basis fields of all frames of a clip: so that they are fitted in about a minute."""

SHAPE_PLANES: dict[Fidelity, tuple[int, int]] = {"balanced": (64, 8), "faithful": (128, 16)}
SCENE_PLANES: dict[Fidelity, tuple[int, int]] = {"balanced": (64, 8), "faithful": (128, 8)}
"""Cells along each side of the finest planes of a mesh or a scene, and channels of all planes."""
LARGER = 2
"""How much finer the planes of a faithful fit are, of a scene with large pictures."""


def shape_bytes(fidelity: Fidelity) -> int:
    """Return what the planes of a mesh take in a file."""
    return _tri_plane_bytes(*SHAPE_PLANES[fidelity])


def scene_bytes(fidelity: Fidelity) -> int:
    """Return what the planes of a scene take in a file at most."""
    side, channels = SCENE_PLANES[fidelity]
    return _tri_plane_bytes(side * LARGER if fidelity == "faithful" else side, channels)


def _tri_plane_bytes(side: int, channels: int) -> int:
    """Three planes a scale, of numbers of 16 bits."""
    return 3 * channels * sum((side // 2**scale) ** 2 for scale in range(_SCALES)) * 2


def film_size(width: int, height: int, frames: int, fidelity: Fidelity) -> tuple[int, int]:
    """Return rows and columns of the finest basis fields of a clip of so many frames of width x height pixels."""
    cell = max(_FINEST_FILM_CELL[fidelity], math.sqrt(height * width * frames / _MOST_FILM_CELLS))
    return max(1, math.ceil(height / cell)), max(1, math.ceil(width / cell))


def basis_sizes(width: int, height: int, fidelity: Fidelity) -> list[tuple[int, int]]:
    """Return rows and columns of the basis fields of a picture of width x height pixels, coarse to fine."""
    cell = max(FINEST_CELL[fidelity], math.sqrt(height * width / _MOST_CELLS))
    cells = [cell * _BETWEEN_SCALES**scale for scale in reversed(range(_SCALES))]
    return [(max(1, math.ceil(height / side)), max(1, math.ceil(width / side))) for side in cells]


def basis_bytes(width: int, height: int, fidelity: Fidelity, channels: int = 3, bits: int = 8) -> int:
    """Return what they take in a file at most; what they hold decides how much less, where the file has 8 bits."""
    cells = sum(rows * columns for rows, columns in basis_sizes(width, height, fidelity))
    return cells * channels * _CELL_BYTES * bits // 8
