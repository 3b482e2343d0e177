"""The read-out MLP: positional embeddings in, signal value out, conditioned coarse to fine (CFC, paper 3.1)."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Conditioning = Literal["concatenate", "coarse_to_fine"]


class _Block(nn.Module):
    """Two layers, the second beside a skip connection that is all there is at first.

    Initialised so that what enters the first block is not lost on its way through many of them.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.zeros_(self.first.bias)
        self.second = nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

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
        directed_channels: how many of the value's channels, the last ones, also depend on the direction from which the
            point is seen: a further block and output layer receive it after all others. The first channels never do.
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
        directed_channels: int = 0,
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
        self.out = nn.Linear(width, out_channels - directed_channels)
        if directed_channels:
            self.directed = _Block(width + len(_harmonics(torch.zeros(3))), width)
            self.directed_out = nn.Linear(width, directed_channels)

    def forward(
        self,
        embeddings: tuple[Float[Tensor, "*shape e"], ...],
        footprint: Float[Tensor, "*shape 1"] | None = None,
        directions: Float[Tensor, "*shape 3"] | None = None,
    ) -> Float[Tensor, "*shape o"]:
        """Evaluate at points whose embeddings, coarse to fine, are given, with their footprints where it takes them.

        Without `directions`, unit vectors along which the points are seen, the directed channels are left out.
        """
        extra = [] if footprint is None else [footprint]
        if self.conditioning == "concatenate":
            hidden = _joined([*embeddings, *extra])
            for i, block in enumerate(self.blocks):
                hidden = block(_joined([hidden, *extra]) if i else hidden)
        else:
            hidden = self.blocks[0](_joined([embeddings[0], *extra]))
            for block, embedding in zip(self.blocks[1:], embeddings[1:], strict=True):
                hidden = block(_joined([hidden, embedding, *extra]))
        hidden = self.last(_joined([hidden, *extra]))
        if directions is None:
            return self.out(hidden)
        seen = self.directed(_joined([hidden, _harmonics(directions).to(hidden.dtype)]))
        return _joined([self.out(hidden), self.directed_out(seen)])


def _harmonics(directions: Float[Tensor, "*shape 3"]) -> Float[Tensor, "*shape 8"]:
    """Real spherical harmonics of degree one and two, up to constant factors (Ramamoorthi and Hanrahan 2001, eq. 3).

    Smooth functions of the direction, as soft light makes them; degree zero is the network's own bias.
    """
    x, y, z = directions.unbind(-1)
    return torch.stack([x, y, z, x * y, y * z, x * z, x * x - y * y, 1.5 * z * z - 0.5], dim=-1)


def _joined(parts: list[Tensor]) -> Tensor:
    return torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
