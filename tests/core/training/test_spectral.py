from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ddmi_core.training.config import RunConfig
from ddmi_core.training.spectral import SpectralNorms


def _parts() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    first = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3))
    return first, nn.Sequential(nn.ConvTranspose2d(8, 4, 2), nn.Linear(4, 4))


def _expected(parts: tuple[nn.Module, ...]) -> torch.Tensor:
    layers = [layer for part in parts for layer in part.modules()]
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    norms = [torch.linalg.matrix_norm(layer.weight.flatten(1), 2) for layer in layers if isinstance(layer, kinds)]
    scales = [layer.weight.abs().max() for layer in layers if isinstance(layer, nn.GroupNorm)]
    assert (len(norms), len(scales)) == (4, 1)
    return torch.stack([*norms, *scales]).sum()


def test_the_largest_singular_values_are_added_up() -> None:
    parts = _parts()
    norms = SpectralNorms(*parts)
    for _ in range(20):
        found = norms(*parts)
    torch.testing.assert_close(found, _expected(parts), rtol=1e-3, atol=1e-3)
    found.backward()
    assert all(part[0].weight.grad is not None for part in parts)


def test_the_iteration_goes_on_where_it_was() -> None:
    parts = _parts()
    norms = SpectralNorms(*parts)
    for _ in range(50):
        norms(*parts)
    other = SpectralNorms(*parts)
    other.load_state_dict(norms.state_dict())
    torch.testing.assert_close(other(*parts), norms(*parts))
    with torch.no_grad():
        parts[0][2].weight.mul_(2)
    torch.testing.assert_close(norms(*parts), _expected(parts), rtol=1e-2, atol=1e-2)


def test_its_weight_falls_with_lambda_as_in_the_paper_s_code() -> None:
    settings = RunConfig.from_preset("paper-afhq").stage1
    assert (settings.spectral_start, settings.spectral_weight) == (5, 0.1)
    for kl_weight in (1e-4, 0.2, 0.5):
        expected = math.exp((1 - kl_weight) * math.log(5) + kl_weight * math.log(0.1))
        assert settings.spectral_weight_at(kl_weight, 0) == pytest.approx(expected)
    assert settings.spectral_weight_at(0.5, settings.steps - 1) == 0.1
