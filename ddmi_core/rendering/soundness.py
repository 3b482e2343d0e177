"""How torn something looks, told from itself alone."""

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage
from skimage.measure import euler_number

RESOLUTION = 48
"""Samples along each axis: enough for the parts that a model of 64 cells a side can hold."""
_LEVELS = (-1.0, 0.0, 1.0)
_DUST = 0.005
_APART = 10
_NOTHING = 100
_LEAST = 0.002  # share of the cells; with less, next to nothing is there
_THERE = 0.05  # opacity of a cell that counts


def flaws(logits: Float[np.ndarray, "r r r"]) -> int:
    """Count what hints at tears in a solid whose logits are known on a lattice; 0 is none.

    A tear is where a surface is not sure of itself. Where the level at which it begins moves by one logit, a sound
    solid keeps its topology, while holes open or close in a torn one and scraps come and go: each change of the Euler
    characteristic counts once. And each part that hangs together with nothing, of half a per cent of the volume or
    more, counts as ten. Next to nothing is no sound solid either, and counts as a hundred.
    """
    if (logits > 0).mean() < _LEAST:
        return _NOTHING
    # What touches the walls of the volume ends there
    inside = [np.pad(logits > level, 1) for level in _LEVELS]
    below, at, above = (int(euler_number(solid, connectivity=1)) for solid in inside)
    return abs(below - at) + abs(at - above) + _APART * (_parts(inside[1]) - 1)


def loose_share(opacity: Float[np.ndarray, "r r r"]) -> float:
    """Return the share of all opacity that does not hang together with its largest part, 0 to 1.

    Of next to nothing all is loose.

    Args:
        opacity: of the cells of a lattice.
    """
    there = opacity > _THERE
    if there.mean() < _LEAST:
        return 1.0
    labels, count = ndimage.label(there)
    largest = max(ndimage.sum_labels(opacity, labels, range(1, count + 1)))
    return 1 - float(largest / opacity[there].sum())


def _parts(solid: Bool[np.ndarray, "r r r"]) -> int:
    """Count the parts that hang together each, dust apart."""
    labels, _ = ndimage.label(solid)
    volumes = np.bincount(labels.ravel())[1:]
    return int((volumes >= _DUST * volumes.sum()).sum())
