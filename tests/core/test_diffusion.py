import pytest
import torch

from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.progress import Cancelled
from ddmi_core.text import TextEmbedding

CANVAS = (4, 8, 8)


def _text(value: float, channels: int = 16) -> TextEmbedding:
    tokens = torch.full((1, 3, channels), value)
    return TextEmbedding(tokens, torch.ones(1, 3, dtype=torch.bool), tokens[:, 0])


def _diffusion(**settings: object) -> LatentDiffusion:
    torch.manual_seed(0)
    config = DenoiserConfig(channels=(32, 32), text_channels=16, **settings)
    return LatentDiffusion(config, CANVAS).eval()


@pytest.mark.parametrize("sampler", ["dpm++", "ddim", "ddpm"])
def test_an_item_depends_on_its_seed_alone(sampler: str) -> None:
    diffusion = _diffusion()
    alone = diffusion.sample(_text(1.0), _text(0.0), [7], steps=4, sampler=sampler)
    among = diffusion.sample(_text(1.0), _text(0.0), [3, 7, 5], steps=4, sampler=sampler)
    torch.testing.assert_close(alone[0], among[1], atol=1e-4, rtol=1e-4)
    assert (among[0] - among[1]).abs().max() > 0.1


def test_guidance_moves_from_the_empty_prompt_to_the_text() -> None:
    diffusion = _diffusion()
    empty, text = _text(0.0), _text(1.0)
    unconditional = diffusion.sample(empty, empty, [1], steps=3, guidance=1.0)
    zero = diffusion.sample(text, empty, [1], steps=3, guidance=0.0)
    torch.testing.assert_close(zero, unconditional, atol=1e-4, rtol=1e-4)
    assert (diffusion.sample(text, empty, [1], steps=3, guidance=5.0) - zero).abs().max() > 1e-3


def test_sampling_reports_every_step_and_can_be_cancelled() -> None:
    diffusion = _diffusion()
    seen: list[str] = []
    diffusion.sample(_text(1.0), _text(0.0), [1], steps=3, progress=lambda _, text: seen.append(text))
    assert seen == ["step 1 of 3", "step 2 of 3", "step 3 of 3"]

    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        diffusion.sample(_text(1.0), _text(0.0), [1], steps=3, progress=stop)


@pytest.mark.parametrize("prediction", ["epsilon", "v"])
@pytest.mark.parametrize("mixed", [False, True])
def test_every_target_learns_one_latent(prediction: str, mixed: bool) -> None:
    diffusion = _diffusion(prediction=prediction, mixed=mixed)
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


def test_latents_leave_in_the_scale_they_came_in() -> None:
    diffusion = _diffusion()
    plain = diffusion.sample(_text(1.0), _text(0.0), [1, 2], steps=2)
    diffusion.fit_scale(torch.randn(4000, *CANVAS) * 5 + 3)
    scaled = diffusion.sample(_text(1.0), _text(0.0), [1, 2], steps=2)
    torch.testing.assert_close(scaled, plain * 5 + 3, atol=0.1, rtol=0.02)
