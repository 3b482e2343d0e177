"""The paper's recipes at full size, on the meta device: shapes without contents."""

from __future__ import annotations

import json

import pytest
import torch
from diffusers.models.attention_processor import Attention

from ddmi_core import cli
from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.config import RunConfig
from ddmi_core.training.sizes import networks, sizes

# canvas, and the sides of the first plane's basis fields, as published
PUBLISHED = {
    "paper-afhq": ((64, 64, 64), (64, 128, 256)),
    "paper-celebahq": ((64, 64, 64), (64, 128, 256)),
    "paper-shapenet": ((192, 16, 16), (16, 32, 64)),
    "paper-text2shape": ((192, 16, 16), (16, 32, 64)),
    "paper-srn-cars": ((192, 16, 16), (16, 32, 64)),
    "paper-skytimelapse": ((192, 32, 32), (64, 128, 256)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_has_the_published_shapes(name: str) -> None:
    config = RunConfig.from_preset(name)
    assert config.name == name
    canvas, sides = PUBLISHED[name]
    autoencoder, denoiser = networks(config)
    assert autoencoder.canvas_shape == canvas
    with torch.device("meta"):
        latent = torch.zeros(1, *canvas)
        basis = autoencoder.decode(latent)
        assert tuple(planes[0].shape[-1] for planes in basis) == sides
        assert all(plane.shape[1] == 64 for planes in basis for plane in planes)
        text = {"encoder_hidden_states": torch.zeros(1, 4, config.denoiser.text_channels)}
        time = torch.zeros(1, dtype=torch.long)
        noise = denoiser.unet(latent, time, **(text if config.denoiser.kind == "unet2d" else {})).sample
        noise.mean().backward()
    assert noise.shape == latent.shape
    assert all(parameter.grad is not None for parameter in denoiser.unet.conv_in.parameters())


@pytest.mark.parametrize(("name", "shown"), [("paper-afhq", (4, 256, 256)), ("paper-skytimelapse", (5, 16, 256, 256))])
def test_a_recipe_s_encoder_sees_all_of_its_base_resolution(name: str, shown: tuple[int, ...]) -> None:
    """None of it is lost to a coarser map: the first one has as many cells as the latent, each of whole pixels."""
    config = RunConfig.from_preset(name)
    autoencoder, _ = networks(config)
    given = config.autoencoder.encoder_input
    encoder = autoencoder.encoder
    assert (given.side, encoder.side) == (256, 256) and given.frames == (None if name == "paper-afhq" else 16)
    with torch.device("meta"):
        posterior = autoencoder.encode(torch.zeros(1, *shown))
    assert tuple(posterior.mean.shape[1:]) == autoencoder.canvas_shape
    assert config.autoencoder.latent_size == (64 if name == "paper-afhq" else 32)


@pytest.mark.parametrize("setting", ["resolution=100", "frames=15"])
def test_cells_of_broken_pixels_are_refused(setting: str) -> None:
    config = RunConfig.from_preset("paper-skytimelapse").with_overrides([f"autoencoder.{setting}"])
    with pytest.raises(DDMIError, match=f"autoencoder.{setting.split('=')[0]} must be a multiple"):
        networks(config)


STAGE_TWO = {
    "paper-afhq": ([224, 448, 896, 1344], 50),
    "paper-celebahq": ([256, 512, 1024, 2048], 50),
    "paper-shapenet": ([256, 512, 1024, 1536], 200),
    "paper-text2shape": ([256, 512, 1024, 1536], 200),
    "paper-srn-cars": ([256, 512, 1024, 1536], 200),
    "paper-skytimelapse": ([256, 512, 1024, 1536], 200),
}


@pytest.mark.parametrize("name", STAGE_TWO)
def test_stage_two_is_the_paper_s(name: str) -> None:
    config = RunConfig.from_preset(name)
    denoiser, stage = config.denoiser, config.stage2
    widths, steps = STAGE_TWO[name]
    assert list(denoiser.channels) == widths
    assert (denoiser.prediction, denoiser.mixed, denoiser.layers_per_block, denoiser.head_width) == (
        "epsilon", True, 2, 32
    )  # fmt: skip
    with torch.device("meta"):
        unet = LatentDiffusion(denoiser, (64, 64, 64)).unet
    attended = [hasattr(block, "attentions") for block in unet.down_blocks]
    assert attended == [False, True, True, True]  # at factors 2, 4 and 8
    heads = {attention.heads for module in unet.modules() if isinstance(attention := module, Attention)}
    assert heads == {width // 32 for width in widths[1:]}
    assert stage.posterior_samples and not stage.unit_latents
    assert (stage.learning_rate, stage.second_moment) == (1e-4, 0.99)
    assert (stage.ema, stage.ema_every) == (0.9999, 10)
    assert stage.accumulate == 5
    assert (stage.sampling.sampler, stage.sampling.steps) == ("ddim", steps)
    for either in (config.stage1, stage):
        assert (either.learning_rate, either.second_moment, either.weight_decay) == (1e-4, 0.99, 0.01)
        assert either.clip_norm is None and either.learning_rate * either.decay == pytest.approx(1e-6)


def test_the_noise_schedule_is_the_recipe_s() -> None:
    config = RunConfig.from_preset("paper-afhq").denoiser
    small = config.model_copy(update={"channels": (32, 32), "layers_per_block": 1})
    betas = LatentDiffusion(small, (4, 8, 8)).training_schedule.betas
    expected = torch.linspace(0.0015**0.5, 0.0195**0.5, 1000) ** 2
    assert torch.allclose(betas, expected)
    with pytest.raises(ValueError, match="beta_start"):
        DenoiserConfig(beta_start=0.5, beta_end=0.1)
    with pytest.raises(DDMIError, match="beta_start"):
        RunConfig.from_preset("image-tiny").with_overrides(["denoiser.beta_start=0.5"])


def test_sizes_count_every_parameter() -> None:
    config = RunConfig.from_preset("shape-tiny")
    found = sizes(config)
    assert found.autoencoder == sum(part.numel() for part in D2CVAE(config.autoencoder).parameters())
    assert found.autoencoder_bytes == 16 * found.autoencoder


def test_the_command_lists_all_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["presets", "--json"]) == 0
    rows = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(PUBLISHED) <= set(rows)
    assert rows["paper-shapenet"]["canvas"] == [192, 16, 16]
