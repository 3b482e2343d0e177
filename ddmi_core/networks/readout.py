"""The read-out: from basis fields and coordinates to the signal's values, coarse to fine (CFC, paper 3.1)."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.planes import PlaneLayout, look_up

Combine = Literal["sum", "concatenate"]
"""How the embeddings that the planes of one scale give are joined."""
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


class BasisReadOut(nn.Module, ABC):
    """What turns basis fields and coordinates into a signal's values.

    Args:
        layout: the planes of the basis fields.
        combine: whether the planes' embeddings of one scale are added or stand side by side.
        value_channels: channels of the signal's value.
        directed_channels: how many of them, the last ones, also depend on the direction from which a point is seen.
    """

    bytes_per_point: int
    """Memory that evaluating one point takes at its peak."""
    looks_up: bool = True
    """Whether its embeddings are what `look_up` finds in planes."""

    def __init__(
        self, layout: PlaneLayout, combine: Combine, value_channels: int, *, directed_channels: int = 0
    ) -> None:
        super().__init__()
        self.layout, self.combine = layout, combine
        self.value_channels, self.directed_channels = value_channels, directed_channels

    def evaluate(
        self,
        basis: BasisFields,
        coords: Float[Tensor, "b n d"],
        footprint: Float[Tensor, "b n 1"] | None = None,
        directions: Float[Tensor, "b n 3"] | None = None,
    ) -> Float[Tensor, "b n v"]:
        """Return the signal's values at `coords` in [-1, 1].

        `footprint` is the log2 of the spacing of the samples, as a share of the canvas, and the finest if not given; a
        read-out without footprints takes none. `directions` are unit vectors along which the points are seen; without
        them the directed channels are left out.
        """
        return self(self.embeddings(basis, coords), self._scaled(footprint, coords), directions)

    def embeddings(self, basis: BasisFields, coords: Float[Tensor, "b n d"]) -> tuple[Float[Tensor, "b n e"], ...]:
        """Return the embedding of each scale, coarse to fine: its planes' features, added or side by side."""
        return tuple(self.joined(look_up(planes, coords, self.layout)) for planes in basis)

    def joined(self, features: tuple[Float[Tensor, "*shape c"], ...]) -> Float[Tensor, "*shape e"]:
        """Return the embedding of one scale, of what its planes give."""
        return torch.cat(features, dim=-1) if self.combine == "concatenate" else functools.reduce(torch.add, features)

    @abstractmethod
    def folded(self, footprint: float | None, dtype: torch.dtype = torch.float32) -> "Folded":
        """Return the read-out for many points of one footprint; which footprints there are, see `evaluate`.

        Its embeddings are of `dtype`; values are float32.
        """

    @abstractmethod
    def _scaled(
        self, footprint: Float[Tensor, "b n 1"] | None, coords: Float[Tensor, "b n d"]
    ) -> Float[Tensor, "#b #n 1"] | None:
        """Map footprints to what the network is given of them."""


Folded = Callable[[tuple[Tensor, ...], Tensor | None], Tensor]
"""A read-out as its weights are now, for one footprint: takes embeddings (n, e), and directions (n, 3), to values."""


class ReadOut(BasisReadOut):
    """Look basis fields up at coordinates, and turn the embeddings of all scales into the signal's value.

    With `coarse_to_fine`, block i receives the output of block i - 1 joined with the embedding of scale i, so that
    each finer basis field adds what the coarser ones miss. With `concatenate` (the paper's ablation) all embeddings
    enter the first block at once. Both have one block a scale and a last one.

    Args:
        layout: the planes of the basis fields.
        combine: whether the planes' embeddings of one scale are added or stand side by side.
        basis_channels: channels of every basis field.
        scales: number of scales.
        value_channels: channels of the signal's value.
        width: width of the hidden layers.
        conditioning: see above.
        footprint: finest and coarsest spacing of samples, as log2 of a share of the canvas, if every block also
            receives how much of the signal one sample stands for.
        directed_channels: how many of the value's channels, the last ones, also depend on the direction from which the
            point is seen: a further block and output layer receive it after all others. The first channels never do.
    """

    def __init__(
        self,
        layout: PlaneLayout,
        combine: Combine,
        basis_channels: int,
        scales: int,
        value_channels: int,
        *,
        width: int = 64,
        conditioning: Conditioning = "coarse_to_fine",
        footprint: tuple[float, float] | None = None,
        directed_channels: int = 0,
    ) -> None:
        super().__init__(layout, combine, value_channels, directed_channels=directed_channels)
        self.conditioning, self.footprint = conditioning, footprint
        embedded = basis_channels * (len(layout) if combine == "concatenate" else 1)
        if conditioning == "coarse_to_fine":
            inputs = [embedded + (width if i else 0) for i in range(scales)]
        else:
            inputs = [embedded * scales] + [width] * (scales - 1)
        more = 0 if footprint is None else 1
        self.blocks = nn.ModuleList(_Block(count + more, width) for count in inputs)
        self.last = _Block(width + more, width)
        self.out = nn.Linear(width, value_channels - directed_channels)
        if directed_channels:
            self.directed = _Block(width + len(_harmonics(torch.zeros(3))), width)
            self.directed_out = nn.Linear(width, directed_channels)
        self.bytes_per_point = 4 * (3 * (len(layout) + 1) * basis_channels + 6 * width)
        """Memory that evaluating one point takes at its peak: all embeddings and a few hidden layers, float32."""

    def forward(
        self,
        embeddings: tuple[Float[Tensor, "*shape e"], ...],
        footprint: Float[Tensor, "*shape 1"] | None = None,
        directions: Float[Tensor, "*shape 3"] | None = None,
    ) -> Float[Tensor, "*shape o"]:
        """Evaluate at points whose embeddings, coarse to fine, are given, with their footprints where it takes them.

        Footprints lie in [-1, 1], from the finest to the coarsest. Without `directions`, unit vectors along which the
        points are seen, the directed channels are left out.
        """
        extra = () if footprint is None else (footprint,)
        hidden = _through([*self.blocks, self.last], self.conditioning, embeddings, *extra)
        if directions is None:
            return self.out(hidden)
        seen = self.directed(hidden, _harmonics(directions).to(hidden.dtype))
        return _joined([self.out(hidden), self.directed_out(seen)])

    @override
    def folded(self, footprint: float | None, dtype: torch.dtype = torch.float32) -> "FoldedReadOut":
        scaled = self._scaled(None if footprint is None else torch.tensor([[[footprint]]]), torch.zeros(1, 1, 1))
        return FoldedReadOut(self, None if scaled is None else scaled.item(), dtype)

    @torch.no_grad()
    def make_adding(self) -> "ReadOut":
        """Set the weights so that the value is the sum of all scales' embeddings, and 1 in the channels after these.

        x = silu(x) - silu(-x), so that a number passes a layer as a pair of hidden units; `width` has to be twice
        `basis_channels`. For `coarse_to_fine`, without footprints and directed channels.
        """
        channels = self.out.in_features // 2
        both = torch.eye(channels).repeat_interleave(2, dim=0)
        both[1::2] *= -1  # a channel to its pair of hidden units
        pairs = both @ both.T  # from the pairs of one layer to those of the next
        swapped = pairs - torch.eye(2 * channels)  # the skip connection does the rest
        for index, block in enumerate([*self.blocks, self.last]):
            parts = ([pairs] if index else []) + ([both] if index < len(self.blocks) else [])
            block.first.weight.copy_(torch.cat(parts, dim=1))
            block.first.bias.zero_()
            block.second.weight.copy_(swapped)
            block.second.bias.zero_()
        self.out.weight.zero_()
        self.out.weight[:channels] = both.T
        self.out.bias.zero_()
        self.out.bias[channels:] = 1
        return self

    @override
    def _scaled(
        self, footprint: Float[Tensor, "b n 1"] | None, coords: Float[Tensor, "b n d"]
    ) -> Float[Tensor, "b n 1"] | None:
        """Map footprints, kept to the read-out's range, to [-1, 1], the finest where none are given."""
        if self.footprint is None:
            return None
        finest, coarsest = self.footprint
        if footprint is None:
            return coords.new_full((*coords.shape[:-1], 1), -1.0)
        return (footprint.clamp(finest, coarsest) - finest) * (2 / (coarsest - finest)) - 1


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
