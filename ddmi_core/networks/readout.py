"""The read-out MLP: positional embeddings in, signal value out, conditioned coarse to fine (CFC, paper 3.1)."""

from collections.abc import Callable, Sequence
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

    def forward(self, *parts: Float[Tensor, "*shape _"]) -> Float[Tensor, "*shape w"]:
        hidden = F.silu(self.first(_joined(parts)))
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
        self.directed_channels = directed_channels
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
        extra = () if footprint is None else (footprint,)
        hidden = _through([*self.blocks, self.last], self.conditioning, embeddings, *extra)
        if directions is None:
            return self.out(hidden)
        seen = self.directed(hidden, _harmonics(directions).to(hidden.dtype))
        return _joined([self.out(hidden), self.directed_out(seen)])


class FoldedReadOut:
    """A read-out as its weights are now: the same function up to rounding and without gradients, faster.

    What is the same for all points is worked out once, and parts of an input are not joined: see `_FoldedBlock`.

    Args:
        readout: left as it is.
        footprint: that of all points, for a read-out that takes footprints.
        dtype: in which it computes, that of the embeddings it will be given; values are float32.
    """

    def __init__(self, readout: ReadOut, footprint: float | None, dtype: torch.dtype = torch.float32) -> None:
        self._readout = readout
        self._blocks = [_FoldedBlock(block, footprint, dtype) for block in (*readout.blocks, readout.last)]
        self._out = _FoldedLayer(readout.out, dtype)
        if readout.directed_channels:
            self._directed = _FoldedBlock(readout.directed, None, dtype)
            self._directed_out = _FoldedLayer(readout.directed_out, dtype)

    @torch.no_grad()
    def __call__(
        self, embeddings: tuple[Float[Tensor, "n e"], ...], directions: Float[Tensor, "n 3"] | None = None
    ) -> Float[Tensor, "n o"]:
        """Evaluate at points: as `ReadOut` does."""
        hidden = _through(self._blocks, self._readout.conditioning, embeddings)
        value = self._out(hidden)
        if directions is None or not self._readout.directed_channels:
            return value
        seen = self._directed(hidden, _harmonics(directions).to(hidden.dtype))
        return _joined([value, self._directed_out(seen)])


class _FoldedLayer:
    """A layer in some precision, whose result is float32."""

    def __init__(self, layer: nn.Linear, dtype: torch.dtype) -> None:
        self._weight, self._bias = layer.weight.detach().T.to(dtype), layer.bias.detach().to(dtype)

    def __call__(self, x: Float[Tensor, "n w"]) -> Float[Tensor, "n o"]:
        return torch.addmm(self._bias, x, self._weight).float()


class _FoldedBlock:
    """A block whose skip connection is part of its second layer, W h + h = (W + I) h, and a footprint of its bias."""

    def __init__(self, block: _Block, footprint: float | None, dtype: torch.dtype) -> None:
        self._first, self._bias = block.first.weight.detach().T, block.first.bias.detach()
        if footprint is not None:
            self._bias = self._bias + footprint * self._first[-1]
            self._first = self._first[:-1]
        self._second = block.second.weight.detach().T + torch.eye(block.second.in_features, device=self._bias.device)
        self._second_bias = block.second.bias.detach()
        for name in ("_first", "_bias", "_second", "_second_bias"):
            setattr(self, name, getattr(self, name).to(dtype))

    def __call__(self, *parts: Float[Tensor, "n _"]) -> Float[Tensor, "n w"]:
        weights = self._first.split([part.shape[-1] for part in parts])
        hidden = torch.addmm(self._bias, parts[0], weights[0])
        for part, weight in zip(parts[1:], weights[1:], strict=True):
            hidden.addmm_(part, weight)
        return F.silu(torch.addmm(self._second_bias, F.silu(hidden, inplace=True), self._second), inplace=True)


def _through(
    blocks: Sequence[Callable[..., Tensor]],
    conditioning: Conditioning,
    embeddings: tuple[Float[Tensor, "*shape e"], ...],
    *extra: Float[Tensor, "*shape 1"],
) -> Float[Tensor, "*shape w"]:
    """Take embeddings through the blocks, each of which also gets what is `extra`; see `ReadOut`."""
    if conditioning == "concatenate":
        hidden = blocks[0](*embeddings, *extra)
        rest = blocks[1:]
    else:
        hidden = blocks[0](embeddings[0], *extra)
        for block, embedding in zip(blocks[1:], embeddings[1:], strict=False):
            hidden = block(hidden, embedding, *extra)
        rest = blocks[len(embeddings) :]
    for block in rest:
        hidden = block(hidden, *extra)
    return hidden


def _harmonics(directions: Float[Tensor, "*shape 3"]) -> Float[Tensor, "*shape 8"]:
    """Real spherical harmonics of degree one and two, up to constant factors (Ramamoorthi and Hanrahan 2001, eq. 3).

    Smooth functions of the direction, as soft light makes them; degree zero is the network's own bias.
    """
    x, y, z = directions.unbind(-1)
    return torch.stack([x, y, z, x * y, y * z, x * z, x * x - y * y, 1.5 * z * z - 0.5], dim=-1)


def _joined(parts: tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    return torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
