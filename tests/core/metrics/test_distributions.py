"""Distances between sets of features, against closed forms and against other people's implementations."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn

from ddmi_core.metrics.distributions import Moments, frechet_distance, kernel_distance, precision_recall
from ddmi_core.support._torchvision import ensure_torchvision
from ddmi_core.support.errors import DataError

ensure_torchvision()  # before torchmetrics is imported


class Given(nn.Module):
    """Passes features on, which is how torchmetrics is told of them."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, given: Tensor) -> Tensor:
        return given


def sets(n: int, m: int, width: int, shift: float = 0.3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(width, width, generator=generator) / width**0.5
    a = torch.randn(n, width, generator=generator)
    return a, torch.randn(m, width, generator=generator) @ (torch.eye(width) + mixing) + shift


def test_frechet_is_the_closed_form_of_diagonal_covariances() -> None:
    # Rows ±sqrt(n-1)-scaled axes have just the wanted mean and variances.
    def exact(mean: Tensor, spread: Tensor) -> Tensor:
        axes = torch.cat([torch.diag(spread), -torch.diag(spread)]).double()
        return axes * ((len(axes) - 1) / 2) ** 0.5 + mean

    means = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.0, 1.0, 0.25])
    spreads = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([3.0, 0.1, 0.5])
    wanted = float((means[0] - means[1]).square().sum() + (spreads[0] - spreads[1]).square().sum())
    a, b = (Moments.of([exact(m, s)]) for m, s in zip(means, spreads, strict=True))
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=1e-6)


def test_frechet_is_that_of_torchmetrics() -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    a, b = sets(400, 300, 32)
    reference = FrechetInceptionDistance(feature=Given(32)).set_dtype(torch.float64)
    reference.update(a.double(), real=True)
    reference.update(b.double(), real=False)
    assert frechet_distance(Moments.of([a]), Moments.of([b])) == pytest.approx(float(reference.compute()), rel=1e-4)


def test_moments_are_the_same_however_they_were_streamed_and_merged() -> None:
    far = sets(1000, 10, 12)[0] * 0.01 + 1000  # a sum of squares would lose the variance
    whole = Moments.of([far])
    streamed = Moments.of(far.split(7))
    merged = Moments.of([far[:10]])
    merged.merge(Moments.of(far[10:].split(100)))
    merged.merge(Moments(12))
    truth = np.cov(far.double().numpy(), rowvar=False)
    for found in (whole, streamed, merged):
        assert found.count == 1000
        np.testing.assert_allclose(found.covariance, truth, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(found.mean, far.double().mean(0), rtol=1e-12)


def test_too_few_samples_for_a_covariance() -> None:
    few = Moments.of([torch.zeros(1, 4)])
    with pytest.raises(DataError, match="at least 2"):
        _ = few.covariance
    assert not Moments.of([torch.randn(4, 4)]).is_enough
    assert Moments.of([torch.randn(5, 4)]).is_enough
    with pytest.raises(DataError, match="no features"):
        Moments.of([])


def test_kernel_distance_is_that_of_torchmetrics() -> None:
    from torchmetrics.image.kid import KernelInceptionDistance

    a, b = sets(150, 150, 16)
    with pytest.warns(UserWarning, match="buffer"):
        reference = KernelInceptionDistance(feature=Given(16), subsets=1, subset_size=150)
    reference.set_dtype(torch.float64)
    reference.update(a.double(), real=True)
    reference.update(b.double(), real=False)
    assert kernel_distance(a, b) == pytest.approx(1000 * float(reference.compute()[0]), rel=1e-4)
    with pytest.raises(DataError, match="at least 2"):
        kernel_distance(a[:1], b)


def test_kernel_distance_of_unequal_sets_is_the_mean_over_pairs() -> None:
    a, b = (part.double().numpy() for part in sets(9, 5, 3))
    k = [[(x @ y / 3 + 1) ** 3 for y in np.concatenate([a, b])] for x in np.concatenate([a, b])]
    kernel = np.array(k)
    aa, bb = kernel[:9, :9][~np.eye(9, dtype=bool)], kernel[9:, 9:][~np.eye(5, dtype=bool)]
    wanted = 1000 * (aa.mean() + bb.mean() - 2 * kernel[:9, 9:].mean())
    assert kernel_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("distance", [kernel_distance, lambda a, b: frechet_distance(Moments.of([a]), Moments.of([b]))])
def test_distances_grow_with_the_shift_between_two_sets(distance) -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(300, 24, generator=generator), torch.randn(300, 24, generator=generator)
    assert abs(distance(a, b)) < distance(a, b + 0.5) < distance(a, b + 1.0)


def test_precision_and_recall_are_those_of_nearest_neighbours_by_trees() -> None:
    samples, data = sets(1300, 240, 5, shift=0.8)  # more than one block

    def inside(of: np.ndarray, manifold: np.ndarray) -> float:
        radii = NearestNeighbors(n_neighbors=4).fit(manifold).kneighbors(manifold)[0][:, -1]
        return float(np.mean([(np.linalg.norm(manifold - one, axis=1) <= radii).any() for one in of]))

    x, y = samples.double().numpy(), data.double().numpy()
    found = precision_recall(samples, data)
    assert found.precision == pytest.approx(inside(x, y), rel=1e-4)
    assert found.recall == pytest.approx(inside(y, x), rel=1e-4)
    assert 0.1 < found.precision < 1 and found.recall > 0.1


def test_precision_and_recall_of_known_sets() -> None:
    line = torch.arange(20.0)[:, None]
    assert precision_recall(line, line) == (1, 1)
    assert precision_recall(line, line + 1000) == (0, 0)
    assert precision_recall(line[:5], line) == (1, pytest.approx(8 / 20))  # 0..4 reach to 3 beyond
    with pytest.raises(DataError, match="more than 3"):
        precision_recall(line[:3], line)
