from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ddmi_core.coordinates import grid
from ddmi_core.domains import get_domain
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.config import RunConfig
from ddmi_core.training.patch_terms import Critic, FeatureDistance, PatchTerms
from ddmi_core.training.run import train
from ddmi_core.training.run_folder import RunFolder

BOTH = ["stage1.perceptual_weight=0.1", "stage1.adversarial_weight=0.05", "stage1.patch_side=32"]


def _quick(preset: str, *settings: str) -> RunConfig:
    short = ("stage1.steps=3", "stage1.batch=2", "stage1.queries=64", "stage1.sample_every=3")
    shorter = ("stage2.steps=1", "stage2.batch=2", "stage2.cached_latents=2", "stage2.sample_prompts=[cat]")
    return RunConfig.from_preset(preset).with_overrides([*short, *shorter, *settings])


def test_blurring_is_seen_and_only_the_made_patches_learn() -> None:
    distance = FeatureDistance()
    true = torch.rand(2, 3, 64, 64)
    blurred = torch.nn.functional.avg_pool2d(true, 5, stride=1, padding=2).requires_grad_()
    assert distance(true, true) == 0
    found = distance(blurred, true)
    found.backward()
    assert found > 0.01
    assert blurred.grad is not None and blurred.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in distance.parameters())


def test_the_critic_and_what_it_criticises_learn_apart() -> None:
    critic = Critic()
    made = torch.rand(2, 3, 32, 32, requires_grad=True)
    critic.loss(made, torch.rand(2, 3, 32, 32)).backward()
    assert made.grad is None
    assert all(parameter.grad is not None for parameter in critic.parameters())
    critic.zero_grad()
    critic.objection(made).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in critic.parameters())


def test_a_critic_comes_to_tell_noise_from_flat_patches() -> None:
    critic = Critic()
    optimiser = torch.optim.Adam(critic.parameters(), lr=1e-3)
    for _ in range(60):
        optimiser.zero_grad()
        critic.loss(torch.rand(4, 3, 32, 32), torch.rand(4, 3, 1, 1).expand(-1, -1, 32, 32)).backward()
        optimiser.step()
    assert critic.objection(torch.rand(4, 3, 32, 32)) > 0 > critic.objection(torch.full((4, 3, 32, 32), 0.3))


def test_the_critic_is_not_heard_before_its_time() -> None:
    terms = PatchTerms(0.0, 0.5)
    made = torch.rand(1, 3, 32, 32, requires_grad=True)
    terms(made, torch.rand(1, 3, 32, 32), 0.0)[0].backward()
    assert made.grad is not None and made.grad.abs().max() == 0


def test_a_patch_lies_where_its_coordinates_say() -> None:
    domain = get_domain("image")
    across, down = grid(128, 128).unbind(-1)
    picture = torch.stack([across.T, down.T, across.T * 0, across.T * 0 + 1]).expand(2, -1, -1, -1)
    patch = domain.patch({"image": picture}, 32, torch.Generator().manual_seed(3))
    assert torch.allclose(patch.coords, patch.targets[..., :2])
    assert patch.footprint is not None and (patch.footprint == -7).all()
    assert domain.pictures(patch.targets, 32).shape == (2, 3, 32, 32)


def test_runs_with_both_terms_train_and_keep_their_critic(tmp_path: Path) -> None:
    folder = train(_quick("image-tiny", *BOTH), tmp_path / "run", device="cpu")
    run = RunFolder(tmp_path / "run")
    losses = [event["losses"] for event in run.events() if event["stage"] == "autoencoder" and "losses" in event]
    assert {"perceptual", "critic", "objection"} <= set(losses[-1])
    assert folder.joinpath("model_index.json").exists()


def test_domains_without_patches_say_so(tmp_path: Path) -> None:
    with pytest.raises(DDMIError, match="Shapes have no patches"):
        train(_quick("shape-tiny", "stage1.perceptual_weight=1"), tmp_path / "run", device="cpu")
