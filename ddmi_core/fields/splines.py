"""Linear splines along an axis: what their samples are, and which spline has given samples.

A basis field of `cells` values, interpolated linearly between the centres of its cells, is a linear spline along each
of its axes. A pixel is its mean over the pixel's width. So the pixels of a picture are P_y X P_x^T for a basis field X,
and the field whose pixels come nearest to given ones is found axis by axis (de Boor 1979, "Efficient computer
manipulation of tensor products"), without any iteration.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.linalg import cho_solve_banded, cholesky_banded

SMOOTHING = 0.001
"""Weight of the squared differences between neighbouring cells beside the squared errors. What a picture hardly says,
the highest frequencies of a field as fine as its pixels, would be noise without it."""


def means(width: float) -> Float[np.ndarray, " 3"]:
    """Return what a cell and its two neighbours count in the mean over `width` cells, at most 2, about the cell.

    From one cell on that is the mean of the piecewise linear spline: of one cell 1/8, 3/4 and 1/8. Over less than a
    cell the signal is smoother than a spline with its bend at the cell's centre, so there the neighbours' share falls
    with the square of the width, as a mean's distance from the value in the middle does.
    """
    width = min(max(width, 0.0), 2.0)
    side = width * min(width, 1.0) / 8
    return np.array([side, 1 - 2 * side, side])


@lru_cache(maxsize=32)
def sampling(cells: int, samples: int) -> sparse.csr_array:
    """Return P, (samples, cells): the means of a spline over `samples` equal parts of its axis. Not to be changed.

    They are taken about the cells' centres and interpolated between those, as a filtered basis field is.
    """
    place = np.clip((np.arange(samples) + 0.5) * (cells / samples) - 0.5, 0, cells - 1)
    low = np.minimum(place.astype(np.int64), max(cells - 2, 0))
    share = place - low
    rows = np.arange(samples)
    high = np.minimum(low + 1, cells - 1)
    interpolation = sparse.csr_array(
        (np.concatenate([1 - share, share]), (np.tile(rows, 2), np.concatenate([low, high]))), (samples, cells)
    )
    side, middle, _ = means(cells / samples)
    filtering = sparse.diags_array([side, middle, side], offsets=[-1, 0, 1], shape=(cells, cells)).tolil()
    for edge in (0, cells - 1):  # beyond the outermost centres the spline goes on as it is there
        filtering[edge, edge] += side
    return sparse.csr_array(interpolation @ filtering.tocsr())


def fitted(values: Float[np.ndarray, "n m"], cells: int) -> Float[np.ndarray, "cells m"]:
    """Return the spline of `cells` cells along the first axis whose samples are nearest to `values`, float32."""
    found = cho_solve_banded((_factor(cells, len(values)), False), sampling(cells, len(values)).T @ values)
    return found.astype(np.float32)


@lru_cache(maxsize=32)
def _factor(cells: int, samples: int) -> Float[np.ndarray, "bands cells"]:
    """Return the Cholesky factor of the normal equations, in bands."""
    matrix = sampling(cells, samples)
    differences = sparse.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(max(cells - 1, 0), cells))
    normal = (matrix.T @ matrix + SMOOTHING * differences.T @ differences).tocsr()
    bands = min(4, cells)  # a sample depends on four neighbouring cells
    banded = np.zeros((bands, cells))
    for offset in range(bands):
        banded[bands - 1 - offset, offset:] = normal.diagonal(offset)
    return cholesky_banded(banded)
