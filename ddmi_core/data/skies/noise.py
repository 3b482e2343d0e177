"""Smooth noise in three dimensions, as often as one likes: value noise on one lattice, and sums of its octaves."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

_CELLS = 32
_CHANNELS = 4
_FADING = 0.75
_LOST = 1.8  # size in units of an octave's features from which on nothing is left of it
_LEFT = math.exp(-_FADING * _LOST**2)


def _lattice() -> Float[Tensor, "1 c dh w"]:
    """Random values, periodic: the first of each axis comes again at its end; the layers lie below each other.

    As one picture, because torch looks pictures up several times as fast as volumes, twice for each point included.
    """
    values = torch.rand(1, _CHANNELS, _CELLS, _CELLS, _CELLS, generator=torch.Generator().manual_seed(7))
    return F.pad(2 * values - 1, (0, 1, 0, 1, 0, 1), mode="circular").flatten(2, 3)


_LATTICE = _lattice()
_ROWS = _CELLS + 1  # of a layer


def noise(points: Float[Tensor, "n 3"], channels: int = 1) -> Float[Tensor, "n c"]:
    """Return up to four independent smooth noises in [-1, 1] with features of size 1."""
    points = points.T.contiguous()
    cell = torch.floor(points)
    inside = points - cell
    x, y, z = inside * inside * inside * (inside * (inside * 6 - 15) + 10)
    column, row, layer = cell - _CELLS * torch.floor(cell / _CELLS)
    places = torch.empty(2, points.shape[1], 2)  # of the two layers that a point lies between
    places[..., 0] = (column + x) * (2 / _CELLS) - 1
    rows = (layer * _ROWS + row + y) * (2 / (_ROWS**2 - 1)) - 1
    places[0, :, 1], places[1, :, 1] = rows, rows + _ROWS * (2 / (_ROWS**2 - 1))
    found = F.grid_sample(_LATTICE[:, :channels], places[None], align_corners=True)[0]
    return torch.lerp(found[:, 0], found[:, 1], z).T


def fractal(
    points: Float[Tensor, "n 3"], octaves: int, size: Float[Tensor, " n"], *, channels: int = 1, gain: float = 0.5
) -> Float[Tensor, "n c"]:
    """Return noises with detail at every scale: octaves of which each is half as large, and `gain` times as strong.

    Args:
        points: where.
        octaves: how many at most.
        size: of what is averaged over, in the units of the points: octaves fade as they do in the average.
        channels: how many noises, up to four.
        gain: strength of an octave as a share of the one before.
    """
    total = torch.zeros(len(points), channels)
    strength, scale = 1.0, 1.0
    finest = float(size.min()) if len(size) else 1.0
    for octave in range(octaves):
        if finest * scale > _LOST:
            break
        kept = ((torch.exp(-_FADING * (size * scale) ** 2) - _LEFT) / (1 - _LEFT)).clamp(min=0)
        shift = 11.3 * octave  # no two octaves have their cells' corners in common
        total += strength * kept[:, None] * noise(points * scale + shift, channels)
        strength, scale = strength * gain, scale * 2.03
    return total


def random_of(keys: Float[Tensor, " n"], seed: int) -> Float[Tensor, "n 4"]:
    """Return four random numbers in [0, 1) for each whole number."""
    whole = keys.long()[:, None] * 2654435761 + torch.tensor([1, 2, 3, 4]) * 40503 + seed * 69069
    whole = whole ^ (whole >> 13)
    whole = (whole * 1274126177) & 0x7FFFFFFF
    whole = whole ^ (whole >> 16)
    return (whole % 65536).float() / 65536
