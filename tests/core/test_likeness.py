"""PSNR and SSIM, against closed forms and against torchmetrics."""

import math

import numpy as np
import pytest
import torch

from ddmi_core.likeness import psnr, spread_ssim, ssim
from ddmi_core.support._torchvision import ensure_torchvision


def noisy(height: int, width: int, *more: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.random((height, width, *more), np.float32)
    return truth, np.clip(truth + rng.normal(0, 0.1, truth.shape), 0, 1).astype(np.float32)


def test_psnr() -> None:
    truth = np.full((4, 4), 0.5)
    assert psnr(truth + 0.1, truth) == pytest.approx(20)
    assert math.isinf(psnr(truth, truth))


def test_ssim_is_that_of_torchmetrics() -> None:
    ensure_torchvision()
    from torchmetrics.functional.image import structural_similarity_index_measure

    truth, near = noisy(48, 40, 3)
    wanted = structural_similarity_index_measure(
        *(torch.from_numpy(one).movedim(-1, 0)[None] for one in (near, truth)), data_range=1.0
    )
    assert isinstance(wanted, torch.Tensor)
    assert ssim(near, truth) == pytest.approx(float(wanted), rel=2e-3)
    assert ssim(truth, truth) == pytest.approx(1)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (10, 3), (11, 40)])
def test_a_picture_may_be_smaller_than_the_window(size: tuple[int, int]) -> None:
    truth, near = noisy(*size)
    assert ssim(truth, truth) == pytest.approx(1) and 0 < ssim(near, truth) < 1


@pytest.mark.parametrize("size", [(900, 700), (3, 300_000), (20_000, 40)])
def test_parts_stand_for_a_large_picture(size: tuple[int, int]) -> None:
    truth, near = noisy(*size)
    assert spread_ssim(near, truth) == pytest.approx(ssim(near, truth), abs=5e-3)
    assert spread_ssim(near[:40, :40], truth[:40, :40]) == ssim(near[:40, :40], truth[:40, :40])


def test_parts_lie_in_every_corner() -> None:
    truth, _ = noisy(900, 1500)
    for rows in (slice(0, 100), slice(800, 900)):
        for columns in (slice(0, 100), slice(1400, 1500)):
            wrong = truth.copy()
            wrong[rows, columns] = 0
            assert spread_ssim(wrong, truth) < 0.995
