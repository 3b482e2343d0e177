from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig
from ddmi_core.training.noise import Chance
from ddmi_core.training.optimisation import Optimisation
from tests.core.training.quick import quick

CPU = torch.device("cpu")


def test_a_draw_has_its_numbers_whatever_is_drawn_with_it() -> None:
    together, alone = Chance(5, 3, [7, 8, 2**40], CPU), Chance(5, 3, [8], CPU)
    assert torch.equal(together.uniform()[1:2], alone.uniform())
    many, one = together.normal(4, 6, 6), alone.normal(4, 6, 6)
    assert torch.equal(many[1:2], one) and not torch.equal(many[0], many[2])
    assert torch.equal(together.normal(2)[1:2], alone.normal(2))  # what is asked for next, too
    for other in (Chance(5, 4, [8], CPU), Chance(6, 3, [8], CPU)):
        other.uniform()
        assert not torch.equal(other.normal(4, 6, 6), one)


def test_the_numbers_are_spread_as_they_should_be() -> None:
    chance = Chance(0, 3, range(2000), CPU)
    uniform, normal = chance.uniform(), chance.normal(3, 4, 4)
    assert uniform.min() >= 0 and uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.02) and uniform.std() == pytest.approx(12**-0.5, abs=0.01)
    assert normal.mean().abs() < 0.01 and normal.std() == pytest.approx(1, abs=0.01)
    between = torch.corrcoef(normal.flatten(1)[:40])  # draws that follow each other tell nothing of each other
    assert (between - torch.eye(40)).abs().max() < 0.6


@pytest.mark.parametrize("domain", ["shape", "image", "nerf", "video"])
def test_every_weight_has_a_part_in_the_loss(domain: str) -> None:
    """Processes that exchange gradients wait for those of all weights."""
    config = RunConfig.from_preset(f"{domain}-tiny").with_overrides(["stage1.batch=1", "precision=float32"])
    stage = AutoencoderStage(config, D2CVAE(config.autoencoder))
    Optimisation(stage, CPU).add_gradients(stage.batch(range(1), CPU), 0)
    assert [name for name, weights in stage.module.named_parameters() if weights.grad is None] == []


def _flat(tensors: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def test_a_step_moves_the_weights_and_their_average() -> None:
    config = quick()
    stage = AutoencoderStage(config, D2CVAE(config.autoencoder))
    trained = Optimisation(stage, CPU)
    weights = _flat(stage.module.parameters())
    figures = trained.add_gradients(stage.batch(range(2), CPU), 0)
    assert trained.advance(1e-3, 20) > 0 and figures["loss"] > 0
    moved = _flat(stage.module.parameters()) - weights
    assert 0 < moved.abs().max() < 2e-3
    averaged = _flat(trained.average.weights[name] for name, _ in stage.module.named_parameters())
    torch.testing.assert_close(averaged, weights + moved * (1 - 21 / 30), atol=1e-6, rtol=1e-4)
    assert all(parameter.grad is None for parameter in stage.module.parameters())
