"""The read-out MLP: positional embeddings in, signal value out, conditioned coarse to fine (CFC, paper 3.1)."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Conditioning = Literal["concatenate", "coarse_to_fine"]


class _Block(nn.Module):
    """Two layers with a skip connection where the widths allow it."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.second = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "... i"]) -> Float[Tensor, "... w"]:
        hidden = F.silu(self.first(x))
        return F.silu(self.second(hidden) + hidden)


class ReadOut(nn.Module):
    """Read the embeddings of all scales and return the signal's value.

    With `coarse_to_fine`, block i receives the output of block i - 1 joined with the embedding of scale i, so that
    each finer basis field adds what the coarser ones miss. With `concatenate` (the paper's ablation) all embeddings
    enter the first block at once. Both have one block a scale and a last one.

    Args:
        embedding_channels: channels of the embedding of one scale.
        scales: number of scales.
        out_channels: channels of the signal's value.
        width: width of the hidden layers.
        conditioning: see above.
    """

    def __init__(
        self,
        embedding_channels: int,
        scales: int,
        out_channels: int,
        *,
        width: int = 64,
        conditioning: Conditioning = "coarse_to_fine",
    ) -> None:
        super().__init__()
        self.conditioning = conditioning
        if conditioning == "coarse_to_fine":
            inputs = [embedding_channels + (width if i else 0) for i in range(scales)]
        else:
            inputs = [embedding_channels * scales] + [width] * (scales - 1)
        self.blocks = nn.ModuleList(_Block(count, width) for count in inputs)
        self.last = _Block(width, width)
        self.out = nn.Linear(width, out_channels)

    def forward(self, embeddings: tuple[Float[Tensor, "*shape e"], ...]) -> Float[Tensor, "*shape o"]:
        """Evaluate at points whose embeddings, coarse to fine, are given."""
        if self.conditioning == "concatenate":
            hidden = torch.cat(embeddings, dim=-1)
            for block in self.blocks:
                hidden = block(hidden)
        else:
            hidden = self.blocks[0](embeddings[0])
            for block, embedding in zip(self.blocks[1:], embeddings[1:], strict=True):
                hidden = block(torch.cat([hidden, embedding], dim=-1))
        return self.out(self.last(hidden))
