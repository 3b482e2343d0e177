"""How close two sets of point clouds are: minimum matching distance, coverage, 1-NN accuracy, mutual difference.

Clouds are compared in pairs, a row of pairs at a time, so that memory does not grow with the number of pairs.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from ddmi_core.metrics.shapes import chamfer_distance
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, report

CloudDistance = Literal["cd", "emd"]
CloudScale = Literal["canvas", "sphere"]
"""As clouds lie on the canvas, where the longest side of the data has a length of 1.8; or each in the unit sphere about
the middle of its box, as in the paper's code."""
Cloud = Float[np.ndarray, "p 3"]


_CELLS = 10


def scaled(cloud: Cloud, scale: CloudScale) -> Cloud:
    """Return a cloud as large as clouds are to be compared."""
    if scale == "canvas":
        return cloud
    centred = cloud - (cloud.max(axis=0) + cloud.min(axis=0)) / 2
    return centred / max(float(np.linalg.norm(centred, axis=1).max()), 1e-9)


class CloudFigures(NamedTuple):
    """How well a set of samples matches a set of data.

    `mmd`: mean over the data of the distance to the nearest sample. `cov`: share of the data that is the nearest of
    some sample. `one_nna`: accuracy of telling samples from data by the nearest neighbour; 0.5 is best.
    """

    mmd: float
    cov: float
    one_nna: float


def chamfer(a: cKDTree, b: cKDTree) -> float:
    """Return the Chamfer distance of two clouds: mean squared distance to the other's nearest point, both ways added.

    That of Achlioptas et al. 2018 and of PointFlow; `shapes.chamfer_distance` is in units of length instead.
    """
    there, _ = b.query(a.data)
    back, _ = a.query(b.data)
    return float(np.square(there).mean() + np.square(back).mean())


def earth_mover(a: cKDTree, b: cKDTree) -> float:
    """Return the earth mover's distance of two clouds of as many points: the mean distance of the best matching.

    Raises:
        DataError: they have different numbers of points.
    """
    if a.n != b.n:
        raise DataError(f"Clouds of {a.n} and {b.n} points have no one-to-one matching. Draw equally many points.")
    cost = cdist(a.data, b.data)
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean())


_DISTANCES: dict[CloudDistance, Callable[[cKDTree, cKDTree], float]] = {"cd": chamfer, "emd": earth_mover}


def distance_rows(
    a: Sequence[Cloud], b: Sequence[Cloud] | None, distance: CloudDistance, first: int = 0
) -> Iterator[Float[np.ndarray, " m"]]:
    """Yield, for each cloud of `a` from number `first` on, its distances to all of `b`.

    Without `b`, those to the clouds of `a` that come before it, and 0 for the others: the distances are symmetric.
    """
    function = _DISTANCES[distance]
    others = [cKDTree(cloud) for cloud in (a if b is None else b)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for number in range(first, len(a)):
            own = others[number] if b is None else cKDTree(a[number])
            row = np.zeros(len(others))
            found = list(pool.map(lambda other, own=own: function(own, other), others[: number if b is None else None]))
            row[: len(found)] = found
            yield row


def distances(
    a: Sequence[Cloud], b: Sequence[Cloud] | None, distance: CloudDistance, progress: Progress | None = None
) -> Float[np.ndarray, "n m"]:
    """Return the distances of all pairs, within `a` if there is no `b`; `progress` may raise `Cancelled`."""
    rows = []
    for row in distance_rows(a, b, distance):
        rows.append(row)
        report(progress, len(rows) / len(a), f"comparing clouds, {len(rows)} of {len(a)}")
    found = np.stack(rows)
    return found + found.T if b is None else found


def cloud_figures(
    samples: Float[np.ndarray, "n n"], data: Float[np.ndarray, "m m"], between: Float[np.ndarray, "n m"]
) -> CloudFigures:
    """Return MMD, COV (Achlioptas et al. 2018) and 1-NNA (Lopez-Paz & Oquab 2017) of distances of all pairs.

    Args:
        samples: distances among the samples.
        data: distances among the data.
        between: distances from each sample to each of the data.

    Raises:
        DataError: there are fewer than 2 samples or 2 of the data.
    """
    if min(between.shape) < 2:
        raise DataError("MMD, COV and 1-NNA take at least 2 clouds of each set. Generate more of them.")
    covered = len(np.unique(between.argmin(axis=1)))
    accuracy = nearest_neighbour_accuracy(samples, data, between)
    return CloudFigures(float(between.min(axis=0).mean()), covered / len(data), accuracy)


def nearest_neighbour_accuracy(
    samples: Float[np.ndarray, "n n"], data: Float[np.ndarray, "m m"], between: Float[np.ndarray, "n m"]
) -> float:
    """Return how often a sample's, or a datum's, nearest neighbour is of the same set (Lopez-Paz & Oquab 2017).

    For the arguments see `cloud_figures`; they may be distances of anything.
    """
    joined = np.block([[samples, between], [between.T, data]])
    np.fill_diagonal(joined, np.inf)
    is_sample = np.arange(len(joined)) < len(samples)
    alike = is_sample[joined.argmin(axis=1)] == is_sample
    return float(alike.mean())


def nearest_distances(
    clouds: Sequence[Cloud], known: Sequence[Cloud], *, candidates: int = 12
) -> Float[np.ndarray, " n"]:
    """Return how far each cloud is from the nearest of many, by the mean distance of `shapes.chamfer_distance`.

    Clouds lie in [-1, 1]^3. Only the `candidates` that fill the cells of a coarse grid most alike are compared point by
    point, so that thousands can be looked through.

    Raises:
        DataError: none are known.
    """
    if not len(known):
        raise DataError("There is nothing to be near to. Give at least one cloud.")
    filled = np.stack([_filling(cloud) for cloud in known])
    found = []
    for cloud in clouds:
        unlikeness = np.square(filled - _filling(cloud)).sum(axis=1)
        nearest = np.argsort(unlikeness, kind="stable")[:candidates]
        found.append(min(chamfer_distance(cloud, known[i]) for i in nearest))
    return np.array(found)


def _filling(cloud: Cloud) -> Float[np.ndarray, " cells"]:
    """The share of the points in each cell of a grid, by its root: so distances are Hellinger's."""
    counts, _ = np.histogramdd(cloud, bins=_CELLS, range=[(-1, 1)] * 3)
    return np.sqrt(counts / len(cloud)).reshape(-1).astype(np.float32)


def total_mutual_difference(clouds: Sequence[Cloud]) -> float:
    """Return how unlike each other the samples of one prompt are (Wu et al. 2020): of each its mean Chamfer distance
    to the others, added up.

    Raises:
        DataError: there is only one.
    """
    if len(clouds) < 2:
        raise DataError("A mutual difference takes at least 2 samples of a prompt. Generate more of each.")
    return float(distances(clouds, None, "cd").sum() / (len(clouds) - 1))
