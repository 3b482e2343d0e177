import math

import numpy as np
import pytest
import torch

from ddmi_core.metrics.pictures import FEATURES, features, frechet_distance, kernel_distance, psnr


def test_psnr() -> None:
    truth = np.full((4, 4), 0.5)
    assert psnr(truth + 0.1, truth) == pytest.approx(20)
    assert math.isinf(psnr(truth, truth))


def test_features_tell_pictures_apart() -> None:
    colours = torch.eye(3).reshape(3, 3, 1, 1).expand(3, 3, 32, 32)
    noise = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = features(torch.cat([colours, colours[:1], noise]))
    assert found.shape == (5, FEATURES)
    assert torch.allclose(found[0], found[3], atol=1e-4)
    assert (found[0] - found[4]).norm() > (found[0] - found[1]).norm() * 0.1 > 0


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_distances_grow_with_the_shift_between_two_sets(distance) -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(300, 24, generator=generator), torch.randn(300, 24, generator=generator)
    assert abs(distance(a, b)) < distance(a, b + 0.5) < distance(a, b + 1.0)


def test_the_frechet_distance_of_shifted_copies_is_the_squared_shift() -> None:
    a = torch.randn(500, 8, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(a, a + 0.5) == pytest.approx(8 * 0.25, abs=1e-3)
