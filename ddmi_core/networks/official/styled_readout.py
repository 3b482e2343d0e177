"""The read-out of the authors' image models, every layer of which is modulated by how large a pixel is (paper 4.1)."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.networks.readout import BasisReadOut
from ddmi_core.planes import SINGLE_PLANE

_FINEST = -10.0
"""Footprint of a point: log2 of a share of the canvas."""
_SCALE_INPUTS = 2
"""How many times every block gets the scale, beside what it is modulated by: once for each coordinate."""
_GAIN = math.sqrt(2)
"""Of an activation, so that variances stay (Karras et al. 2020)."""
_LONGEST_PERIOD = 10_000
_LEAST = 1e-8


class StyledReadOut(BasisReadOut):
    """Coarse to fine through blocks that know the scale, colours alone; coverage is whole everywhere.

    The scale is the side of a pixel in pixels of the anchor resolution, at which the encoder works. An embedding of it
    styles every layer (Karras et al. 2020; Anokhin et al. 2021), and it is an input of the first three blocks too. The
    original adds noise in every layer, new in each evaluation; here none is.

    Args:
        basis_channels: channels of every basis field.
        scales: how many basis fields there are.
        colours: channels that the network gives, in [-1, 1]; values have them in [0, 1], and coverage.
        width: width of the hidden layers.
        anchor: pixels along a side at which the scale is 1.
    """

    def __init__(self, basis_channels: int, scales: int, colours: int, *, width: int, anchor: int) -> None:
        super().__init__(SINGLE_PLANE, "sum", colours + 1)
        self.anchor = anchor
        self.style = nn.Sequential(_Waves(width // 4), nn.Linear(width // 4, width), nn.GELU(), nn.Linear(width, width))
        given = basis_channels + _SCALE_INPUTS
        inputs = [given, *[width + given] * (scales - 1), width]
        self.blocks = nn.ModuleList(_StyledBlock(count, width) for count in inputs)
        self.out = _Modulated(width, colours, width)
        self.out_bias = nn.Parameter(torch.zeros(colours))
        self.bytes_per_point = 4 * (scales * basis_channels + 4 * width)

    def forward(
        self,
        embeddings: tuple[Float[Tensor, "*shape e"], ...],
        scale: Float[Tensor, "*#shape 1"],
        directions: None = None,
    ) -> Float[Tensor, "*shape v"]:
        """Evaluate at points whose embeddings, coarse to fine, and scales are given."""
        style = self.style(scale)
        scales = scale.expand(*embeddings[0].shape[:-1], _SCALE_INPUTS)
        first, *finer = embeddings
        hidden = self.blocks[0](torch.cat([first, scales], dim=-1), style)
        for block, embedding in zip(self.blocks[1:-1], finer, strict=True):
            hidden = block(torch.cat([hidden, embedding, scales], dim=-1), style)
        colours = self.out(self.blocks[-1](hidden, style), style) + self.out_bias
        return _with_coverage(colours)

    @override
    def folded(self, footprint: float | None, dtype: torch.dtype = torch.float32) -> "FoldedStyledReadOut":
        scale = self._scaled(None if footprint is None else torch.tensor([[[footprint]]]), torch.zeros(1, 1, 1))
        return FoldedStyledReadOut(self, scale.item(), dtype)

    @override
    def _scaled(
        self, footprint: Float[Tensor, "b n 1"] | None, coords: Float[Tensor, "b n d"]
    ) -> Float[Tensor, "#b #n 1"]:
        """A pixel's side in pixels of the anchor resolution."""
        if footprint is None:
            footprint = coords.new_full((1, 1, 1), _FINEST)
        return self.anchor * 2**footprint


class FoldedStyledReadOut:
    """A styled read-out at one scale: matrices and biases alone, and without gradients.

    Styles are multiplied into the matrices, the scale as an input and gains into what follows, so that a layer is one
    product of matrices, whatever else it was.

    Args:
        readout: left as it is.
        scale: that of all points.
        dtype: in which it computes, that of the embeddings it will be given; values are float32.
    """

    @torch.no_grad()
    def __init__(self, readout: StyledReadOut, scale: float, dtype: torch.dtype = torch.float32) -> None:
        at = readout.out_bias.new_tensor([scale])
        style = readout.style(at)
        scales = at.expand(_SCALE_INPUTS)
        *self._blocks, self._last = (
            _FoldedBlock(block, style, scales if block is not readout.blocks[-1] else at[:0], dtype)
            for block in readout.blocks
            if isinstance(block, _StyledBlock)
        )
        self._out, self._bias = readout.out.matrix(style).T.to(dtype), readout.out_bias.to(dtype)

    @torch.no_grad()
    def __call__(self, embeddings: tuple[Float[Tensor, "n e"], ...], directions: None = None) -> Float[Tensor, "n v"]:
        """Evaluate at points: as `StyledReadOut` does."""
        hidden = self._blocks[0](embeddings[0])
        for block, embedding in zip(self._blocks[1:], embeddings[1:], strict=True):
            hidden = block(hidden, embedding)
        return _with_coverage(torch.addmm(self._bias, self._last(hidden), self._out).float())


class _Waves(nn.Module):
    """Sines, then cosines, of a number, of periods from 2 pi to 10,000 times that (Vaswani et al. 2017)."""

    frequencies: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        steps = torch.arange(channels // 2) / (channels // 2 - 1)
        self.register_buffer("frequencies", torch.exp(-math.log(_LONGEST_PERIOD) * steps), persistent=False)

    def forward(self, x: Float[Tensor, "*shape 1"]) -> Float[Tensor, "*shape c"]:
        phases = x * self.frequencies
        return torch.cat([phases.sin(), phases.cos()], dim=-1)


class _Modulated(nn.Module):
    """A layer whose inputs are scaled by what a style says."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / math.sqrt(inputs))
        self.modulation = nn.Linear(width, inputs)
        nn.init.ones_(self.modulation.bias)

    def forward(self, x: Float[Tensor, "*shape i"], style: Float[Tensor, "*#shape w"]) -> Float[Tensor, "*shape o"]:
        return F.linear(x * self.modulation(style), self.weight)

    def matrix(self, style: Float[Tensor, " w"]) -> Float[Tensor, "o i"]:
        """The layer with a style."""
        return self.weight * self.modulation(style)


class _Demodulated(_Modulated):
    """A modulated layer whose outputs have the variance that its inputs have."""

    @override
    def forward(self, x: Float[Tensor, "*shape i"], style: Float[Tensor, "*#shape w"]) -> Float[Tensor, "*shape o"]:
        scales = self.modulation(style)
        norm = F.linear(scales.square(), self.weight.square()) + _LEAST
        return F.linear(x * scales, self.weight) * norm.rsqrt()

    @override
    def matrix(self, style: Float[Tensor, " w"]) -> Float[Tensor, "o i"]:
        modulated = super().matrix(style)
        return modulated * (modulated.square().sum(dim=1, keepdim=True) + _LEAST).rsqrt()


class _StyledBlock(nn.Module):
    """Three layers beside a skip connection, both of half the variance."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Demodulated(count, width, width) for count in (inputs, width, width))
        self.biases = nn.ParameterList(torch.zeros(width) for _ in self.layers)
        self.skip = nn.Linear(inputs, width, bias=False) if inputs != width else nn.Identity()

    def forward(self, x: Float[Tensor, "*shape i"], style: Float[Tensor, "*#shape w"]) -> Float[Tensor, "*shape w"]:
        hidden = x
        for layer, bias in zip(self.layers, self.biases, strict=True):
            hidden = _activated(layer(hidden, style) + bias) * _GAIN
        return (hidden + self.skip(x)) / _GAIN


class _FoldedBlock:
    """A block with a style; what its last inputs are, the scale, is part of its biases.

    A leaky ReLU takes a positive factor along, so gains wait for the next matrix.
    """

    def __init__(
        self, block: _StyledBlock, style: Float[Tensor, " w"], constant: Float[Tensor, " k"], dtype: torch.dtype
    ) -> None:
        first, *others = (layer.matrix(style) for layer in block.layers if isinstance(layer, _Modulated))
        first_bias, *biases = block.biases
        width = len(first_bias)
        skip = (block.skip.weight if isinstance(block.skip, nn.Linear) else torch.eye(width).to(first)) / _GAIN
        varying = first.shape[1] - len(constant)
        self._first = first[:, :varying].T.to(dtype)
        self._first_bias = (first_bias + first[:, varying:] @ constant).to(dtype)
        self._layers = [(_GAIN * layer.T.to(dtype), bias.to(dtype)) for layer, bias in zip(others, biases, strict=True)]
        self._skip = skip[:, :varying].T.to(dtype)
        self._skip_bias = (skip[:, varying:] @ constant).to(dtype)

    def __call__(self, *parts: Float[Tensor, "n _"]) -> Float[Tensor, "n w"]:
        hidden = _activated_(_product(self._first_bias, parts, self._first))
        for layer, bias in self._layers:
            hidden = _activated_(torch.addmm(bias, hidden, layer))
        return hidden.add_(_product(self._skip_bias, parts, self._skip))


def _product(bias: Tensor, parts: tuple[Tensor, ...], matrix: Tensor) -> Tensor:
    """The product with a matrix of parts that stand side by side, without joining them."""
    first, *others = matrix.split([part.shape[-1] for part in parts])
    found = torch.addmm(bias, parts[0], first)
    for part, rows in zip(parts[1:], others, strict=True):
        found.addmm_(part, rows)
    return found


def _activated(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def _activated_(x: Tensor) -> Tensor:
    return F.leaky_relu_(x, 0.2)


def _with_coverage(colours: Float[Tensor, "*shape c"]) -> Float[Tensor, "*shape v"]:
    """Colours of [-1, 1] in [0, 1], and coverage after them, whole."""
    return F.pad((colours + 1) / 2, (0, 1), value=1.0)
