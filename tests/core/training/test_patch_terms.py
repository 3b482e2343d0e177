from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ddmi_core.coordinates import grid
from ddmi_core.domains import get_domain
from ddmi_core.metrics.feature_networks import weights_folder
from ddmi_core.pipeline import Pipeline
from ddmi_core.support.errors import DDMIError, ModelError
from ddmi_core.training import loop
from ddmi_core.training.config import RunConfig, StageOneConfig
from ddmi_core.training.patch_terms import Critic, FeatureDistance, PatchTerms
from ddmi_core.training.run import train
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.sizes import networks


def _settings(*settings: str) -> StageOneConfig:
    return RunConfig.from_preset("image-tiny").with_overrides([f"stage1.{one}" for one in settings]).stage1


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
    terms = PatchTerms(_settings("adversarial_weight=0.5"))
    made = torch.rand(1, 3, 32, 32, requires_grad=True)
    terms(made, torch.rand(1, 3, 32, 32), 0.0, second_phase=False)[0].backward()
    assert made.grad is not None and made.grad.abs().max() == 0


def test_a_critic_with_a_phase_of_its_own_neither_learns_nor_is_heard_before() -> None:
    terms = PatchTerms(_settings("steps=10", "second_phase={steps: 4}"))
    assert terms.critic is not None
    for phase in (False, True):
        terms.zero_grad()
        made = torch.rand(2, 3, 32, 32, requires_grad=True)
        loss, _ = terms(made, torch.rand(2, 3, 32, 32), 1.0, second_phase=phase)
        (loss + 0 * made.sum()).backward()
        assert made.grad is not None and bool(made.grad.abs().sum() > 0) is phase
        grads = [weight.grad for weight in terms.critic.parameters()]
        assert all(grad is not None and bool(grad.abs().sum() > 0) is phase for grad in grads[:3])


def test_the_second_phase_has_the_official_code_s_terms() -> None:
    """50 x (how little the critic likes what was made + how differently it sees it, level by level)."""
    torch.manual_seed(0)
    terms = PatchTerms(_settings("steps=10", "second_phase={steps: 4}"))
    critic = terms.critic
    assert critic is not None
    made, true = torch.rand(2, 2, 3, 64, 64)
    loss, figures = terms(made, true, 1.0, second_phase=True)
    seen = {}
    for name, patches in (("made", made), ("true", true)):
        x, seen[name] = 2 * patches - 1, []
        for block in critic:
            x = block(x)
            seen[name].append(x)
    assert [level.shape[1] for level in seen["made"]] == [64, 128, 256, 512, 1]
    scores = seen["made"][-1], seen["true"][-1]
    apart = sum((a - b).abs().mean() for a, b in zip(seen["made"][:-1], seen["true"][:-1], strict=True))
    hinge = (1 + scores[0]).clamp(min=0).mean() + (1 - scores[1]).clamp(min=0).mean()
    torch.testing.assert_close(loss, hinge - 50 * scores[0].mean() + 50 * apart)
    assert {"critic", "objection", "critic_features"} == set(figures)


def test_the_second_phase_has_a_rate_of_its_own_and_the_first_one_all_of_the_cosine() -> None:
    settings = _settings("steps=100", "warmup_steps=1", "decay=0.01", "second_phase={steps: 40, learning_rate: 5.0e-5}")
    assert settings.rate(59) == pytest.approx(0.01 * settings.learning_rate, rel=0.1)
    assert {settings.rate(step) for step in range(60, 100)} == {5e-5}
    with pytest.raises(DDMIError, match="last ones of steps"):
        _settings("steps=10", "second_phase={steps: 10}")


def test_lpips_is_the_paper_s_and_its_weights_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchmetrics.functional.image import lpips
    from torchvision.models.vgg import cfgs, make_layers

    # Without its classifier, whose random weights take longer to draw than all else
    monkeypatch.setattr(lpips, "_get_tv_model_features", lambda *_: make_layers(cfgs["D"]))
    with pytest.raises(
        ModelError, match=r"LPIPS by VGG-16 needs its weights.*vgg16-397923af\.pth.*download\.pytorch\.org"
    ):
        PatchTerms(_settings("perceptual_weight=1", "perceptual_network=vgg"))
    torch.manual_seed(0)
    reference = lpips._LPIPS(net="vgg", pnet_rand=True)
    weights = {f"features.{name.split('.', 1)[1]}": value for name, value in reference.net.state_dict().items()}
    weights_folder().mkdir(parents=True)
    torch.save(weights, weights_folder() / "vgg16-397923af.pth")
    terms = PatchTerms(_settings("perceptual_weight=0.5", "perceptual_network=vgg"))
    made, true = torch.rand(2, 2, 3, 64, 64)
    loss, _ = terms(made, true, 1.0, second_phase=False)
    torch.testing.assert_close(loss, 0.5 * reference(2 * made - 1, 2 * true - 1).mean())


def test_a_patch_of_a_clip_is_of_one_frame_at_its_own_moment() -> None:
    domain = get_domain("video")
    frames = torch.zeros(2, 5, 4, 16, 16)
    frames[:, 0] = torch.tensor([0.125, 0.375, 0.625, 0.875])[:, None, None]  # red is the moment of a frame
    frames[:, 4] = 0.25  # and all frames are a quarter of one late
    patch = domain.patch({"video": frames}, 8, torch.Generator().manual_seed(1))
    assert patch.coords.shape == (2, 64, 3)
    torch.testing.assert_close((patch.coords[..., 2] + 1) / 2, patch.targets[..., 0] + 0.0625)
    assert domain.pictures(patch.targets, 8).shape == (2, 3, 8, 8)


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


@pytest.mark.slow
def test_a_run_with_a_second_phase_teaches_its_critic_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RECORD_SECONDS", 0.0)
    more = ("stage1.steps=4", "stage1.second_phase={steps: 2}", "stage1.patch_side=32", "stage1.spectral_weight=0.1")
    train(_quick("image-tiny", *more, "stage1.spectral_start=5"), tmp_path / "run", device="cpu")
    events = [event for event in RunFolder(tmp_path / "run").events() if event["stage"] == "autoencoder"]
    taught = {event["step"]: "critic" in event["losses"] for event in events if "losses" in event}
    assert taught == {1: False, 2: False, 3: True, 4: True}
    assert all(event["losses"]["spectral"] > 0 for event in events if "losses" in event)


def test_the_authors_networks_are_trained_as_the_paper_trains_them(tmp_path: Path) -> None:
    """Their encoder, decoder, styled read-out and UNet, small, without texts."""
    small = (
        *("trunk=official", "latent_size=8", "encoder_channels=[32, 32, 32]", "encoder_blocks=1"),
        *("inner_channels=32", "resolution=32"),
    )
    config = _quick(
        "image-tiny",
        *(f"autoencoder.{one}" for one in small),
        *("denoiser.kind=adm", "denoiser.mixed=true", "denoiser.text_channels=1", "text_encoder={kind: none}"),
        *("stage1.summed_over=3072", "stage1.scales=[1, 0.5]", "stage1.augment=paper", "stage1.spectral_weight=0.1"),
        *("stage1.clip_norm=null", "stage2.posterior_samples=true", "stage2.unit_latents=false"),
        "stage2.sample_prompts=['']",
    )
    autoencoder, _ = networks(config)
    assert autoencoder.encoder.side == config.autoencoder.encoder_input.side == 32
    pipeline = Pipeline.from_pretrained(train(config, tmp_path / "run", device="cpu"), device="cpu")
    values = pipeline.decode(torch.zeros(4, 8, 8))(torch.zeros(5, 2))
    assert values.shape == (5, 4) and (values[:, 3] == 1).all()
    events = RunFolder(tmp_path / "run").events()
    assert any("losses" in event and event["losses"]["spectral"] > 0 for event in events)


def test_domains_without_patches_say_so(tmp_path: Path) -> None:
    with pytest.raises(DDMIError, match="Shapes have no patches"):
        train(_quick("shape-tiny", "stage1.perceptual_weight=1"), tmp_path / "run", device="cpu")
