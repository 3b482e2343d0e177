"""What stage one minimises, against the paper's code's formula written out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from ddmi_core.autoencoder import D2CVAE, Posterior
from ddmi_core.domains import get_domain
from ddmi_core.planes import pack
from ddmi_core.training.config import RunConfig
from ddmi_core.training.objective import objective

KL_WEIGHT = 0.3
BATCH = 3


def _posterior(sides: Sequence[tuple[int, int]], channels: int = 2) -> tuple[Posterior, float]:
    """Random Gaussians on planes of some sizes, and their divergence by the formula: the sum, averaged over items."""
    means, logs = ([torch.randn(BATCH, channels, *side) for side in sides] for _ in range(2))
    by_hand = 0.0
    for mean, log in zip(means, logs, strict=True):
        for m, v in zip(mean.flatten().tolist(), log.flatten().tolist(), strict=True):
            by_hand += 0.5 * (m * m + math.exp(v) - 1 - v) / BATCH
    return Posterior(pack(tuple(means)), pack(tuple(logs))), by_hand


def _loss(domain: str, values: Tensor, targets: Tensor, posterior: Posterior, summed_over: int | None) -> float:
    kind: Any = get_domain(domain)
    return objective(kind, values, targets, posterior, kl_weight=KL_WEIGHT, summed_over=summed_over)[0].item()


def _opaque(colours: Tensor) -> Tensor:
    """Colours in [-1, 1], channels first, as values of every pixel: red, green, blue in [0, 1] and alpha 1."""
    values = (colours.flatten(2).movedim(1, 2) + 1) / 2
    return torch.cat([values, torch.ones_like(values[..., :1])], dim=-1)


def test_pictures_absolute_errors_are_summed_over_their_values() -> None:
    made, true = torch.rand(2, BATCH, 3, 8, 8).mul(2).sub(1)
    posterior, divergence = _posterior([(4, 4)])
    expected = sum(abs(a - b) for a, b in zip(made.flatten().tolist(), true.flatten().tolist(), strict=True)) / BATCH
    found = _loss("image", _opaque(made), _opaque(true), posterior, 3 * 8 * 8)
    assert found == pytest.approx(expected + KL_WEIGHT * divergence, rel=1e-5)


def test_clips_absolute_errors_are_summed_over_their_values_and_divergences_over_planes_of_two_sizes() -> None:
    made, true = torch.rand(2, BATCH, 3, 5, 6, 6).mul(2).sub(1)
    posterior, divergence = _posterior([(4, 4), (2, 4), (2, 4)])
    expected = (made - true).abs().sum(dim=(1, 2, 3, 4)).mean().item()
    found = _loss("video", _opaque(made), _opaque(true), posterior, 3 * 5 * 6 * 6)
    assert found == pytest.approx(expected + KL_WEIGHT * divergence, rel=1e-5)


def test_shapes_bernoulli_likelihood_is_summed_over_their_points() -> None:
    logits, inside = torch.randn(BATCH, 40, 1), torch.randint(2, (BATCH, 40, 1)).float()
    posterior, divergence = _posterior([(3, 3)] * 3)
    expected = 0.0
    for logit, label in zip(logits.flatten().tolist(), inside.flatten().tolist(), strict=True):
        chance = 1 / (1 + math.exp(-logit))
        expected -= math.log(chance if label else 1 - chance) / BATCH
    found = _loss("shape", logits, inside, posterior, 40)
    assert found == pytest.approx(expected + KL_WEIGHT * divergence, rel=1e-5)


def test_rays_absolute_errors_are_summed_twenty_times() -> None:
    made, true = torch.rand(2, BATCH, 30, 3)
    posterior, divergence = _posterior([(3, 3)] * 3)
    expected = 20 * (made - true).abs().sum().item() / BATCH
    found = _loss("nerf", made, true, posterior, 30 * 3)
    assert found == pytest.approx(expected + KL_WEIGHT * divergence, rel=1e-5)


def test_a_few_values_stand_for_all() -> None:
    """A batch may compare some of a picture's pixels: their mean counts for as many values as the picture has."""
    made, true = torch.rand(2, BATCH, 3, 8, 8).mul(2).sub(1)
    posterior, _ = _posterior([(4, 4)])
    whole = [_loss("image", _opaque(made), _opaque(true), posterior, 3 * 8 * 8)]
    halves = [
        _loss("image", _opaque(made)[:, part], _opaque(true)[:, part], posterior, 3 * 8 * 8)
        for part in (slice(None, 32), slice(32, None))
    ]
    assert sum(halves) / 2 == pytest.approx(whole[0], rel=1e-5)


def test_without_a_number_of_values_both_terms_are_averages() -> None:
    """As in every run before there was one."""
    made, true = torch.rand(BATCH, 20, 4), torch.rand(BATCH, 20, 4)
    posterior, divergence = _posterior([(4, 4)])
    robust = get_domain("image").reconstruction_loss(made, true)[0].item()
    found = _loss("image", made, true, posterior, None)
    assert found == pytest.approx(robust + KL_WEIGHT * divergence / (2 * 4 * 4), rel=1e-5)


@pytest.mark.parametrize(
    ("preset", "values", "latents", "largest"),
    [
        ("paper-afhq", 3 * 256 * 256, 64 * 64 * 64, 0.5),
        ("paper-celebahq", 3 * 256 * 256, 64 * 64 * 64, 0.5),
        ("paper-shapenet", 2048, 3 * 64 * 16 * 16, 0.01),
        ("paper-text2shape", 2048, 3 * 64 * 16 * 16, 0.01),
        ("paper-srn-cars", 3 * 5000, 3 * 64 * 16 * 16, 0.05),
        ("paper-skytimelapse", 3 * 16 * 256 * 256, 64 * (32 * 32 + 2 * 16 * 32), 0.1),
    ],
)
def test_the_paper_s_recipes_have_its_numbers_of_values_and_its_schedule(
    preset: str, values: int, latents: int, largest: float
) -> None:
    config = RunConfig.from_preset(preset)
    stage = config.stage1
    assert stage.summed_over == values
    assert (stage.kl_start, stage.kl_weight) == (1e-4, largest)
    assert stage.kl_anneal_steps == pytest.approx(0.9 * stage.first_steps, rel=1e-3)
    with torch.device("meta"):
        autoencoder = D2CVAE(config.autoencoder)
    cells = sum(height * width for height, width in autoencoder.domain.plane_sizes(config.autoencoder.latent_size))
    assert cells * config.autoencoder.latent_channels == latents
