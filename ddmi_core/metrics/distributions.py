"""How far apart two sets of features are: Fréchet and kernel distance, improved precision and recall.

What the features are of, and which network took them, decides what such a figure may be called: see
`feature_networks`.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.support.errors import DataError

NEIGHBOURS = 3
"""Which nearest neighbour a feature's ball reaches to, in precision and recall."""

_BLOCK = 1024  # rows compared at once


class Moments:
    """Mean and covariance of any number of features in constant memory, in double precision.

    Parts are taken up one after another (Chan et al. 1983), and what several processes took up can be merged: the
    result does not depend on how the features were divided, but for rounding.
    """

    def __init__(self, width: int) -> None:
        self.count = 0
        self.mean = torch.zeros(width, dtype=torch.float64)
        self._scatter = torch.zeros(width, width, dtype=torch.float64)

    @classmethod
    def of(cls, parts: Iterable[Float[Tensor, "n f"]]) -> "Moments":
        """Return the moments of all features in some parts.

        Raises:
            DataError: there are none.
        """
        found: Moments | None = None
        for part in parts:
            found = found or cls(part.shape[1])
            found.add(part)
        if found is None:
            raise DataError("There are no features to take a mean of.")
        return found

    def add(self, features: Float[Tensor, "n f"]) -> None:
        """Take up more features, all of which must be finite."""
        if not len(features):
            return
        values = features.detach().cpu().double()
        part = Moments(values.shape[1])
        part.count, part.mean = len(values), values.mean(0)
        centred = values - part.mean
        part._scatter = centred.T @ centred
        self.merge(part)

    def merge(self, other: "Moments") -> None:
        """Take up what others took up."""
        total = self.count + other.count
        if not total:
            return
        shift = other.mean - self.mean
        self._scatter += other._scatter + torch.outer(shift, shift) * (self.count * other.count / total)
        self.mean = self.mean + shift * (other.count / total)
        self.count = total

    @property
    def covariance(self) -> Float[Tensor, "f f"]:
        """The unbiased covariance.

        Raises:
            DataError: one sample has none.
        """
        if self.count < 2:
            raise DataError("A covariance takes at least 2 samples. Generate more of them.")
        return self._scatter / (self.count - 1)

    @property
    def is_enough(self) -> bool:
        """Whether there are more samples than features: with fewer, the covariance has directions without any."""
        return self.count > len(self.mean)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Return the squared Fréchet distance of the normal distributions with these moments (Heusel et al. 2017, eq. 6).

    Where a set is not `is_enough`, it is biased upwards; compare only figures of equal counts then.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    # The eigenvalues of sqrt(A) B sqrt(A) are those of AB, but it is symmetric, so that they come out real.
    shared = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    spread = torch.trace(a.covariance) + torch.trace(b.covariance) - 2 * shared
    return float((a.mean - b.mean).square().sum() + spread)


def kernel_distance(a: Float[Tensor, "n f"], b: Float[Tensor, "m f"]) -> float:
    """Return the squared kernel distance of two sets of features (Bińkowski et al. 2018), free of bias, times 1,000.

    The kernel is (x·y / f + 1)^3. All pairs count, instead of those of random subsets, so that it is the same each
    time.

    Raises:
        DataError: a set has fewer than 2 samples.
    """
    if min(len(a), len(b)) < 2:
        raise DataError("A kernel distance takes at least 2 samples of each set. Generate more of them.")
    n, m = len(a), len(b)
    within_a = _kernel_sum(a, a) - float(_kernel(a.double().square().sum(1), a.shape[1]).sum())
    within_b = _kernel_sum(b, b) - float(_kernel(b.double().square().sum(1), b.shape[1]).sum())
    return 1000 * (within_a / (n * (n - 1)) + within_b / (m * (m - 1)) - 2 * _kernel_sum(a, b) / (n * m))


class PrecisionRecall(NamedTuple):
    """Shares from 0 to 1: of samples that could be data, and of data that could have been sampled."""

    precision: float
    recall: float


def precision_recall(
    samples: Float[Tensor, "n f"], data: Float[Tensor, "m f"], *, neighbours: int = NEIGHBOURS
) -> PrecisionRecall:
    """Return improved precision and recall (Kynkäänniemi et al. 2019, eq. 1 and 2).

    A feature is in a set if it is in the ball about any of the set's features that reaches to the `neighbours`-th
    nearest other one.

    Raises:
        DataError: a set has no more than `neighbours` samples.
    """
    if min(len(samples), len(data)) <= neighbours:
        raise DataError(f"Precision and recall take more than {neighbours} samples of each set. Generate more of them.")
    samples, data = samples.double(), data.double()
    return PrecisionRecall(_share_inside(samples, data, neighbours), _share_inside(data, samples, neighbours))


def _kernel(products: Tensor, width: int) -> Tensor:
    return (products / width + 1) ** 3


def _kernel_sum(a: Float[Tensor, "n f"], b: Float[Tensor, "m f"]) -> float:
    other = b.double().T
    return sum(float(_kernel(part.double() @ other, a.shape[1]).sum()) for part in a.split(_BLOCK))


def _share_inside(of: Float[Tensor, "n f"], manifold: Float[Tensor, "m f"], neighbours: int) -> float:
    # The nearest is the feature itself
    radii = torch.cat(
        [_distances(part, manifold).kthvalue(neighbours + 1, dim=1).values for part in manifold.split(_BLOCK)]
    )
    inside = torch.cat([(_distances(part, manifold) <= radii).any(1) for part in of.split(_BLOCK)])
    return float(inside.double().mean())


def _distances(a: Float[Tensor, "n f"], b: Float[Tensor, "m f"]) -> Float[Tensor, "n m"]:
    # Exact, or a feature would lie at some distance from itself
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
