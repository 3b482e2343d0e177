"""How large the networks of a recipe are, without making them."""

from typing import NamedTuple

import torch

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.training.config import RunConfig

_BYTES = 4 * (1 + 2 + 1)  # a parameter's weight, AdamW's two moments and the average, float32


class Sizes(NamedTuple):
    """Parameters of both networks, the latent canvas, and the bytes that each stage holds.

    The bytes are those of weights, AdamW's moments and averaged weights, apart from gradients and activations.
    """

    autoencoder: int
    denoiser: int
    canvas: tuple[int, int, int]
    autoencoder_bytes: int
    denoiser_bytes: int


def networks(config: RunConfig) -> tuple[D2CVAE, LatentDiffusion]:
    """Return the networks of a recipe on the meta device: shapes without contents."""
    with torch.device("meta"):
        autoencoder = D2CVAE(config.autoencoder)
        return autoencoder, LatentDiffusion(config.denoiser, autoencoder.canvas_shape)


def sizes(config: RunConfig) -> Sizes:
    """Measure the networks of a recipe."""
    autoencoder, denoiser = networks(config)
    first, second = (sum(part.numel() for part in network.parameters()) for network in (autoencoder, denoiser))
    return Sizes(first, second, autoencoder.canvas_shape, first * _BYTES, second * _BYTES)
