"""Model folders that take seconds to make: of balls, whatever the latent and the prompt, or of nothing learned."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
import torch.nn.functional as F

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.pipeline import Pipeline
from ddmi_core.text import TextEncoderConfig, load_text_encoder

RADIUS = 0.6
_STEPS = 120
_DENOISER = DenoiserConfig(channels=(32, 32), layers_per_block=1, head_width=32, prediction="v")


def save_tiny_model(folder: Path) -> Path:
    """Save the model in a folder, which is returned."""
    with torch.random.fork_rng():  # whoever comes first is left with the same numbers as the others
        _trained().save_pretrained(folder)
    return folder


def save_untrained_model(folder: Path, autoencoder: AutoencoderConfig) -> Path:
    """Save a model that has learned nothing, whose autoencoder has these sizes, in a folder, which is returned."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = D2CVAE(autoencoder)
        diffusion = LatentDiffusion(_DENOISER, module.canvas_shape)
        Pipeline("tiny", module, diffusion, load_text_encoder(TextEncoderConfig())).save_pretrained(folder)
    return folder


@functools.cache
def _trained() -> Pipeline:
    """Train the decoder until it makes balls of `RADIUS`; the denoiser passes noise through."""
    torch.manual_seed(0)
    autoencoder = D2CVAE(
        AutoencoderConfig(
            domain="shape",
            latent_channels=2,
            latent_size=4,
            point_channels=8,
            encoder_channels=(8, 8),
            decoder_channels=(16, 16, 16),
            basis_channels=8,
            readout_width=16,
        )
    )
    optimiser = torch.optim.AdamW(autoencoder.parameters(), lr=1e-2)
    for _ in range(_STEPS):
        coords = torch.rand(4, 512, 3) * 2 - 1
        inside = (coords.norm(dim=-1, keepdim=True) < RADIUS).float()
        latents = torch.randn(4, *autoencoder.canvas_shape)
        loss = F.binary_cross_entropy_with_logits(
            autoencoder.readout.evaluate(autoencoder.decode(latents), coords), inside
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    diffusion = LatentDiffusion(_DENOISER, autoencoder.canvas_shape)
    torch.nn.init.zeros_(diffusion.unet.conv_out.weight)
    torch.nn.init.zeros_(diffusion.unet.conv_out.bias)
    return Pipeline("tiny", autoencoder, diffusion, load_text_encoder(TextEncoderConfig()))
