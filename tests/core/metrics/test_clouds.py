"""Distances between sets of point clouds, against brute force and against scikit-learn."""

import itertools

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.neighbors import KNeighborsClassifier

from ddmi_core.metrics.clouds import (
    chamfer,
    cloud_figures,
    distance_rows,
    distances,
    earth_mover,
    nearest_distances,
    scaled,
    total_mutual_difference,
)
from ddmi_core.metrics.shapes import chamfer_distance
from ddmi_core.support.errors import DataError

RNG = np.random.default_rng(0)
SAMPLES = list(RNG.normal(size=(9, 40, 3)) * RNG.uniform(0.5, 1, (9, 1, 3)))
DATA = list(RNG.normal(size=(7, 40, 3)) * RNG.uniform(0.7, 1.3, (7, 1, 3)))


def brute_chamfer(a: np.ndarray, b: np.ndarray) -> float:
    squared = ((a[:, None] - b[None]) ** 2).sum(-1)
    return float(squared.min(1).mean() + squared.min(0).mean())


def test_chamfer_is_that_of_brute_force() -> None:
    found = distances(SAMPLES, DATA, "cd")
    wanted = [[brute_chamfer(a, b) for b in DATA] for a in SAMPLES]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_the_matching_is_the_best_of_all() -> None:
    a, b = RNG.normal(size=(2, 6, 3))
    best = min(np.linalg.norm(a - b[list(order)], axis=1).mean() for order in itertools.permutations(range(6)))
    assert earth_mover(cKDTree(a), cKDTree(b)) == pytest.approx(best, rel=1e-9)
    assert earth_mover(cKDTree(a), cKDTree(a[::-1].copy())) == 0
    assert earth_mover(cKDTree(a), cKDTree(a + np.array([0, 0, 0.01]))) == pytest.approx(0.01)
    with pytest.raises(DataError, match="one-to-one"):
        earth_mover(cKDTree(a), cKDTree(b[:5]))


@pytest.mark.parametrize("kind", ["cd", "emd"])
def test_figures_are_those_of_scikit_learn(kind) -> None:
    between, among, within = (distances(a, b, kind) for a, b in ((SAMPLES, DATA), (SAMPLES, None), (DATA, None)))
    np.testing.assert_allclose(among, distances(SAMPLES, SAMPLES, kind), atol=1e-12)
    found = cloud_figures(among, within, between)

    everything = np.block([[among, between], [between.T, within]])
    labels = np.array([0] * len(SAMPLES) + [1] * len(DATA))
    right = []
    for i in range(len(labels)):  # leave one out
        rest = np.arange(len(labels)) != i
        nearest = KNeighborsClassifier(1, metric="precomputed").fit(everything[np.ix_(rest, rest)], labels[rest])
        right.append(nearest.predict(everything[i : i + 1, rest])[0] == labels[i])
    assert found.one_nna == pytest.approx(np.mean(right), rel=1e-4)
    assert found.mmd == pytest.approx(np.mean([min(row[j] for row in between) for j in range(len(DATA))]), rel=1e-4)
    assert found.cov == pytest.approx(len({int(np.argmin(row)) for row in between}) / len(DATA), rel=1e-4)


def test_a_cloud_in_the_unit_sphere_is_the_paper_s() -> None:
    cloud = np.random.default_rng(0).uniform((-3, 0, 2), (1, 5, 2.5), (200, 3))
    found = scaled(cloud, "sphere")
    middle = np.array([(min(column) + max(column)) / 2 for column in cloud.T])
    farthest = max(float(np.sqrt(((point - middle) ** 2).sum())) for point in cloud)
    np.testing.assert_allclose(found, (cloud - middle) / farthest)
    np.testing.assert_array_equal(scaled(cloud, "canvas"), cloud)


def test_rows_go_on_where_they_stopped() -> None:
    whole = list(distance_rows(SAMPLES, None, "cd"))
    np.testing.assert_array_equal(list(distance_rows(SAMPLES, None, "cd", first=6)), whole[6:])
    assert not np.triu(whole).any()


def test_mutual_difference_is_zero_of_copies_and_that_of_the_definition() -> None:
    assert total_mutual_difference([DATA[0]] * 4) == 0
    three = DATA[:3]
    wanted = sum(
        np.mean([brute_chamfer(one, other) for j, other in enumerate(three) if j != i]) for i, one in enumerate(three)
    )
    assert total_mutual_difference(three) == pytest.approx(wanted, rel=1e-9)
    with pytest.raises(DataError, match="at least 2"):
        total_mutual_difference(three[:1])


def test_one_cloud_is_too_few() -> None:
    with pytest.raises(DataError, match="at least 2"):
        cloud_figures(np.zeros((1, 1)), np.zeros((3, 3)), np.zeros((1, 3)))


def test_chamfer_of_a_shift() -> None:
    a = np.array([[0.0, 0, 0], [5, 0, 0]])
    assert chamfer(cKDTree(a), cKDTree(a + np.array([0, 0.5, 0]))) == pytest.approx(0.5)


def test_the_nearest_of_many_is_found_where_there_is_a_copy() -> None:
    rng = np.random.default_rng(1)
    known = [rng.uniform(-0.5, 0.5, (200, 3)) * rng.uniform(0.4, 1.6, 3) for _ in range(30)]
    copied, unlike = known[17][::-1].copy(), rng.uniform(0.6, 0.9, (200, 3))
    found = nearest_distances([copied, unlike], known, candidates=3)
    assert found[0] == 0 and found[1] > 0.1
    exact = min(chamfer_distance(unlike, cloud) for cloud in known)
    assert found[1] == pytest.approx(exact, rel=0.2)
    with pytest.raises(DataError, match="near to"):
        nearest_distances([copied], [])
