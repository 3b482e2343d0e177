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
        footprint: whether every block also receives the footprint: how much of the signal one sample stands for.
    """

    def __init__(
        self,
        embedding_channels: int,
        scales: int,
        out_channels: int,
        *,
        width: int = 64,
        conditioning: Conditioning = "coarse_to_fine",
        footprint: bool = False,
    ) -> None:
        super().__init__()
        self.conditioning = conditioning
        self.footprint = footprint
        if conditioning == "coarse_to_fine":
            inputs = [embedding_channels + (width if i else 0) for i in range(scales)]
        else:
            inputs = [embedding_channels * scales] + [width] * (scales - 1)
        self.blocks = nn.ModuleList(_Block(count + footprint, width) for count in inputs)
        self.last = _Block(width + footprint, width)
        self.out = nn.Linear(width, out_channels)

    def forward(
        self, embeddings: tuple[Float[Tensor, "*shape e"], ...], footprint: Float[Tensor, "*shape 1"] | None = None
    ) -> Float[Tensor, "*shape o"]:
        """Evaluate at points whose embeddings, coarse to fine, are given, with their footprints where it takes them."""
        extra = [] if footprint is None else [footprint]
        if self.conditioning == "concatenate":
            hidden = _joined([*embeddings, *extra])
            for i, block in enumerate(self.blocks):
                hidden = block(_joined([hidden, *extra]) if i else hidden)
        else:
            hidden = self.blocks[0](_joined([embeddings[0], *extra]))
            for block, embedding in zip(self.blocks[1:], embeddings[1:], strict=True):
                hidden = block(_joined([hidden, embedding, *extra]))
        return self.out(self.last(_joined([hidden, *extra])))


def _joined(parts: list[Tensor]) -> Tensor:
    return torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
