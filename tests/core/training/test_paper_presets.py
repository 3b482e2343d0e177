"""The paper's recipes at full size, on the meta device: shapes without contents."""

from __future__ import annotations

import json

import pytest
import torch

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
        text = torch.zeros(1, 4, config.denoiser.text_channels)
        time = torch.zeros(1, dtype=torch.long)
        noise = denoiser.unet(latent, time, encoder_hidden_states=text).sample
        noise.mean().backward()
    assert noise.shape == latent.shape
    assert all(parameter.grad is not None for parameter in denoiser.unet.conv_in.parameters())


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
