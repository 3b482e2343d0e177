import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.networks.uvit import UViT
from ddmi_core.recipe import Denoising, SamplerName
from ddmi_core.support.progress import Cancelled
from ddmi_core.text import TextEmbedding

CANVAS = (4, 8, 8)


def _text(value: float, channels: int = 16) -> TextEmbedding:
    tokens = torch.full((1, 3, channels), value)
    return TextEmbedding(tokens, torch.ones(1, 3, dtype=torch.bool), tokens[:, 0])


def _diffusion(**settings: object) -> LatentDiffusion:
    torch.manual_seed(0)
    config = DenoiserConfig(channels=(32, 32), text_channels=16, **settings)
    diffusion = LatentDiffusion(config, CANVAS).eval()
    if config.kind == "uvit":  # whose layers add nothing at first
        for weights in diffusion.parameters():
            torch.nn.init.normal_(weights, std=0.1)
    return diffusion


@pytest.mark.parametrize("kind", ["unet2d", "uvit"])
@pytest.mark.parametrize("sampler", ["dpm++", "sde-dpm++", "ddim", "ddpm"])
def test_an_item_depends_on_its_seed_alone(sampler: str, kind: str) -> None:
    diffusion = _diffusion(kind=kind)
    alone = diffusion.sample(_text(1.0), _text(0.0), [7], Denoising(steps=4, sampler=sampler))
    among = diffusion.sample(_text(1.0), _text(0.0), [3, 7, 5], Denoising(steps=4, sampler=sampler))
    torch.testing.assert_close(alone[0], among[1], atol=1e-4, rtol=1e-4)
    assert (among[0] - among[1]).abs().max() > 0.1


@pytest.mark.parametrize("prediction", ["epsilon", "v"])
def test_ddpm_is_that_of_diffusers(prediction: str) -> None:
    diffusion = _diffusion(prediction=prediction)
    sampled = diffusion.sample(_text(1.0), _text(0.0), [7], Denoising(steps=6, sampler="ddpm", guidance=1.0))
    generator, scheduler = torch.Generator().manual_seed(7), diffusion.scheduler("ddpm")
    z = torch.randn(1, *CANVAS, generator=generator)
    scheduler.set_timesteps(6)
    with torch.no_grad():
        for t in scheduler.timesteps:
            predicted = diffusion.predict(z, t.expand(1), _text(1.0))
            z = scheduler.step(predicted, t, z, generator=generator).prev_sample
    torch.testing.assert_close(sampled, z, atol=1e-4, rtol=1e-4)


def test_noise_is_added_only_once_the_layout_stands() -> None:
    diffusion = _diffusion(prediction="v")

    def sample(sampler: SamplerName, steps: int) -> Tensor:
        return diffusion.sample(_text(1.0), _text(0.0), [7], Denoising(steps=steps, sampler=sampler))

    assert torch.equal(sample("sde-dpm++", 1), sample("dpm++", 1))  # whose only step is that from pure noise
    assert (sample("sde-dpm++", 4) - sample("dpm++", 4)).abs().max() > 0.01


@pytest.mark.parametrize("sampler", ["dpm++", "sde-dpm++", "ddim", "ddpm"])
def test_a_variation_leads_from_the_item_to_another(sampler: str) -> None:
    diffusion, denoising = _diffusion(), Denoising(steps=4, sampler=sampler)

    def sample(seed: int, *like: tuple[int, float]) -> Tensor:
        return diffusion.sample(_text(1.0), _text(0.0), [seed], denoising, like=like)

    item, other = sample(7), sample(9)
    assert torch.equal(sample(9, (7, 0.0)), item) and torch.equal(sample(9, (7, 1.0)), other)
    away = [(sample(9, (7, difference)) - item).std().item() for difference in (0.02, 0.35, 0.7)]
    assert 0 < 5 * away[0] < away[1] < away[2]


@pytest.mark.parametrize("kind", ["unet2d", "uvit"])
def test_guidance_moves_from_the_empty_prompt_to_the_text(kind: str) -> None:
    diffusion = _diffusion(kind=kind)
    empty, text = _text(0.0), _text(1.0)
    unconditional = diffusion.sample(empty, empty, [1], Denoising(steps=3, guidance=1.0))
    zero = diffusion.sample(text, empty, [1], Denoising(steps=3, guidance=0.0))
    torch.testing.assert_close(zero, unconditional, atol=1e-4, rtol=1e-4)
    assert (diffusion.sample(text, empty, [1], Denoising(steps=3, guidance=5.0)) - zero).abs().max() > 1e-3


def test_attention_guides_away_from_what_lonely_cells_predict() -> None:
    diffusion, empty, text = _diffusion(kind="uvit", prediction="v"), _text(0.0), _text(1.0)

    def sample(attention: float | None, guidance: float, steps: int = 1) -> Tensor:
        how = Denoising(steps=steps, sampler="dpm++", guidance=guidance, attention=attention)
        return diffusion.sample(text, empty, [1, 2], how)

    for guidance in (1.0, 3.0):
        without, once, twice = (sample(attention, guidance) for attention in (0.0, 1.0, 2.0))
        assert torch.equal(sample(None, guidance), without)
        assert (once - without).abs().max() > 1e-3
        torch.testing.assert_close(twice - without, 2 * (once - without), atol=1e-3, rtol=1e-3)


def test_cells_that_attend_alone_hear_of_nothing_far_away() -> None:
    torch.manual_seed(0)
    network = UViT(4, (64, 64), channels=(8, 8), blocks=(1, 1, 1), head_width=8, text_channels=16)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    noisy, time, text = torch.randn(2, 4, 64, 64), torch.tensor([300, 300]), _text(1.0)
    told = [part.expand(2, *part.shape[1:]) for part in text]
    changed = noisy.clone()
    changed[..., :4, :4] += 3.0
    with torch.no_grad():
        before, after = (network(x, time, *told, torch.tensor([True, False])) for x in (noisy, changed))
        assert torch.equal(network(noisy, time, *told)[1], before[1])
    reached = (after - before)[..., -8:, -8:].abs().amax(dim=(1, 2, 3))
    assert reached[0] == 0.0 and reached[1] > 1e-5


def test_sampling_reports_every_step_and_can_be_cancelled() -> None:
    diffusion = _diffusion()
    seen: list[str] = []
    diffusion.sample(_text(1.0), _text(0.0), [1], Denoising(steps=3), progress=lambda _, text: seen.append(text))
    assert seen == ["step 1 of 3", "step 2 of 3", "step 3 of 3"]

    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        diffusion.sample(_text(1.0), _text(0.0), [1], Denoising(steps=3), progress=stop)


@pytest.mark.parametrize("kind", ["unet2d", "uvit"])
@pytest.mark.parametrize("prediction", ["epsilon", "v"])
@pytest.mark.parametrize("mixed", [False, True])
def test_every_target_learns_one_latent(prediction: str, mixed: bool, kind: str) -> None:
    torch.manual_seed(0)
    sizes = DenoiserConfig(kind=kind, channels=(32, 32), text_channels=16, prediction=prediction, mixed=mixed)
    diffusion = LatentDiffusion(sizes, CANVAS)
    if diffusion.mixing is not None:  # its share takes longer to grow than a test has time
        torch.nn.init.constant_(diffusion.mixing, 0.0)
    target = torch.randn(CANVAS, generator=torch.Generator().manual_seed(1))
    optimiser = torch.optim.Adam(diffusion.parameters(), 3e-3)
    text = TextEmbedding(*(part.expand(16, *part.shape[1:]) for part in _text(1.0)))
    losses = []
    for _ in range(60):
        noise, timestep = torch.randn(16, *CANVAS), torch.randint(diffusion.config.train_steps, (16,))
        loss = diffusion.loss(target.expand(16, *CANVAS), text, noise, timestep)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.6 * sum(losses[:10])


def test_mixed_prediction_begins_as_the_paper_s() -> None:
    """Of the network's say as much as a logit of -6 gives it; the rest is what a standard normal latent implies."""
    torch.manual_seed(0)
    sizes = DenoiserConfig(channels=(32, 32), text_channels=16, mixed=True)
    diffusion, noisy, time = LatentDiffusion(sizes, CANVAS), torch.randn(2, *CANVAS), torch.tensor([10, 700])
    text = TextEmbedding(*(part.expand(2, *part.shape[1:]) for part in _text(1.0)))
    network = diffusion.unet(noisy, time, encoder_hidden_states=text.tokens).sample
    betas = torch.linspace(sizes.beta_start**0.5, sizes.beta_end**0.5, 1000, dtype=torch.float64) ** 2
    kept = (1 - betas).cumprod(0)[time].float().view(-1, 1, 1, 1)
    share = 1 / (1 + math.exp(6))
    expected = share * network + (1 - share) * (1 - kept).sqrt() * noisy
    torch.testing.assert_close(diffusion.predict(noisy, time, text), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("steps", [50, 200])
def test_ddim_steps_are_the_paper_s(steps: int) -> None:
    """The official code's times, -1 and then evenly to the last, and its step, written out."""
    diffusion = LatentDiffusion(DenoiserConfig(channels=(32, 32), text_channels=16), CANVAS)
    calls: list[int] = []

    def predict(noisy: Tensor, timestep: Tensor, text: TextEmbedding, alone: Tensor | None = None) -> Tensor:
        calls.append(int(timestep[0]))
        return noisy.tanh() * 0.3

    diffusion.predict = predict  # type: ignore[method-assign]
    found = diffusion.sample(_text(1.0), _text(0.0), [7], Denoising(steps=steps, sampler="ddim", guidance=1.0))[0]
    times = [int(t) for t in torch.linspace(-1, 999, steps + 1).flip(0).tolist()]
    assert calls == times[:-1]
    kept = diffusion.training_schedule.alphas_cumprod
    z = torch.randn(CANVAS, generator=torch.Generator().manual_seed(7))
    for now, then in pairwise(times):
        noise = z.tanh() * 0.3
        clean = (z - (1 - kept[now]).sqrt() * noise) / kept[now].sqrt()
        z = clean if then < 0 else kept[then].sqrt() * clean + (1 - kept[then]).sqrt() * noise
    torch.testing.assert_close(found, z, atol=1e-3, rtol=1e-4)


def test_latents_leave_in_the_scale_they_came_in() -> None:
    diffusion = _diffusion()
    plain = diffusion.sample(_text(1.0), _text(0.0), [1, 2], Denoising(steps=2))
    diffusion.set_scale(torch.full((CANVAS[0],), 3.0), torch.full((CANVAS[0],), 5.0))
    scaled = diffusion.sample(_text(1.0), _text(0.0), [1, 2], Denoising(steps=2))
    torch.testing.assert_close(scaled, plain * 5 + 3, atol=1e-4, rtol=1e-4)


def test_a_uvit_ignores_what_is_behind_the_end_of_a_text() -> None:
    diffusion = _diffusion(kind="uvit")
    noisy, time = torch.randn(1, *CANVAS), torch.tensor([500])
    text = _text(1.0)
    padded = TextEmbedding(
        torch.cat([text.tokens, 9 * torch.ones(1, 2, 16)], dim=1),
        torch.cat([text.mask, torch.zeros(1, 2, dtype=torch.bool)], dim=1),
        text.pooled,
    )
    torch.testing.assert_close(diffusion.predict(noisy, time, padded), diffusion.predict(noisy, time, text))


@pytest.mark.parametrize("wrong", [{"channels": (32, 32, 32)}, {"channels": (32, 48)}])
def test_sizes_that_a_uvit_cannot_have_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"uvit|head_width"):
        DenoiserConfig(kind="uvit", **wrong)


@pytest.mark.parametrize("kind", ["unet2d", "uvit"])
def test_a_weaker_copy_guides_away_from_its_own_errors(kind: str) -> None:
    diffusion, weak = _diffusion(kind=kind), _diffusion(kind=kind)
    with torch.no_grad():
        for weights in weak.unet.parameters():
            weights.mul_(0.8)
    text, empty = _text(1.0), _text(0.0)

    def sample(model: LatentDiffusion, guidance: float, weak: LatentDiffusion | None = None) -> torch.Tensor:
        return model.sample(text, empty, [1], Denoising(steps=3, guidance=guidance), weak=weak)

    torch.testing.assert_close(sample(diffusion, 0.0, weak), sample(weak, 1.0), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(sample(diffusion, 1.0, weak), sample(diffusion, 1.0), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(sample(diffusion, 4.0, diffusion), sample(diffusion, 1.0), atol=1e-4, rtol=1e-4)
    assert (sample(diffusion, 3.0, weak) - sample(diffusion, 3.0)).abs().max() > 1e-3
