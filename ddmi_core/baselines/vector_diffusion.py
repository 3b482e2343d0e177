"""Diffusion of latents that are vectors: the same noise, target and samplers, a residual MLP (Dupont et al. 2022)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.baselines.plan import VectorDenoiserSizes
from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.networks.shared_trunk import silent
from ddmi_core.networks.uvit import Condition
from ddmi_core.text import TextEmbedding


class VectorDiffusion(LatentDiffusion):
    """A latent diffusion over vectors, which are canvases of one cell; of a text it reads the pooled vector.

    Args:
        config: target, noise schedule and width of texts; its network does not matter.
        channels: of a latent.
        sizes: of the network.
    """

    def __init__(self, config: DenoiserConfig, channels: int, sizes: VectorDenoiserSizes) -> None:
        super().__init__(config, (channels, 1, 1))
        self.unet = ResidualMlp(channels, config.text_channels, width=sizes.width, blocks=sizes.blocks)

    @override
    def predict(
        self,
        noisy: Float[Tensor, "b c 1 1"],
        timestep: Int[Tensor, " b"],
        text: TextEmbedding,
        alone: Bool[Tensor, " b"] | None = None,  # there is only one cell
    ) -> Float[Tensor, "b c 1 1"]:
        return self.unet(noisy.flatten(1), timestep, text.pooled)[:, :, None, None]


class ResidualMlp(nn.Module):
    """Residual blocks of two layers, the hidden one scaled and shifted by the time and the text."""

    def __init__(self, channels: int, text_channels: int, *, width: int, blocks: int) -> None:
        super().__init__()
        self.condition = Condition(text_channels, width)
        self.enter = nn.Linear(channels, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.leave = silent(nn.Linear(width, channels))

    def forward(
        self, noisy: Float[Tensor, "b c"], timestep: Int[Tensor, " b"], pooled: Float[Tensor, "b t"]
    ) -> Float[Tensor, "b c"]:
        """Return the prediction."""
        condition = self.condition(timestep, pooled)
        x = self.enter(noisy)
        for block in self.blocks:
            x = block(x, condition)
        return self.leave(F.silu(self.norm(x)))


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.modulate = silent(nn.Linear(width, 2 * width))
        self.second = silent(nn.Linear(width, width))

    def forward(self, x: Float[Tensor, "b w"], condition: Float[Tensor, "b w"]) -> Float[Tensor, "b w"]:
        scale, shift = self.modulate(condition).chunk(2, dim=1)
        return x + self.second(F.silu(torch.addcmul(shift, self.first(self.norm(x)), 1 + scale)))
