"""Networks that are the same for all signals but for a vector: what the baselines have in common.

The vector takes the place of basis fields, as one plane of one cell, so that a `Field` of it is like any other.
"""

import itertools
import math
from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.domains import Domain
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import BasisReadOut, Folded

_LIVE = 4  # tensors of a layer's width that are in memory at once


def coordinates_of(domain: Domain) -> int:
    """Return how many coordinates a domain's signals have."""
    return 1 + max(max(plane) for plane in domain.layout.axes)


def as_basis(modulations: Float[Tensor, "b m"]) -> BasisFields:
    """Return modulations of signals in the shape of basis fields."""
    return ((modulations[:, :, None, None],),)


class VectorAutoencoder(Autoencoder):
    """One whose latents are vectors: a canvas of one cell.

    Args:
        config: says what is known of a signal.
        latent: numbers of a vector.
    """

    def __init__(self, config: AutoencoderConfig, latent: int) -> None:
        super().__init__(config)
        self._latent = latent

    @property
    @override
    def canvas_shape(self) -> tuple[int, int, int]:
        return self._latent, 1, 1

    @property
    @override
    def plane_sizes(self) -> tuple[tuple[int, int], ...]:
        return ((1, 1),)


class ModulatedReadOut(BasisReadOut):
    """Reads coordinates through a network that the signal's modulations change.

    It has no footprint as an input: a value is that at a point, or the mean over the pixel that was learned.

    Args:
        domain: of the signals.
        width: of the hidden layers.
        modulations: how many a signal has.
    """

    looks_up = False

    def __init__(self, domain: Domain, width: int, modulations: int) -> None:
        super().__init__(domain.layout, domain.combine, domain.value_channels)
        self.modulations = modulations
        self.bytes_per_point = 4 * _LIVE * width

    @override
    def embeddings(self, basis: BasisFields, coords: Float[Tensor, "b n d"]) -> tuple[Tensor, ...]:
        """Return the coordinates themselves (b, n, d), and the modulations (b, 1, m)."""
        ((plane,),) = basis
        return coords, plane.flatten(1).unsqueeze(1).float()

    @abstractmethod
    def forward(
        self,
        embeddings: tuple[Tensor, ...],
        footprint: Tensor | None = None,
        directions: Tensor | None = None,
    ) -> Float[Tensor, "*shape v"]:
        """Return the values at coordinates of signals with these modulations, as `embeddings` gives them."""

    @override
    def folded(self, footprint: float | None, dtype: torch.dtype = torch.float32) -> Folded:
        @torch.no_grad()
        def evaluate(embeddings: tuple[Tensor, ...], directions: Tensor | None) -> Tensor:
            return self(embeddings)

        return evaluate

    @override
    def _scaled(self, footprint: Tensor | None, coords: Tensor) -> None:
        return None


class Siren(ModulatedReadOut):
    """Layers of sines (Sitzmann et al. 2020) whose arguments the modulations shift (Dupont et al. 2022)."""

    def __init__(self, domain: Domain, *, width: int, depth: int, frequency: float) -> None:
        super().__init__(domain, width, width * depth)
        self.frequency = frequency
        inputs = coordinates_of(domain)
        sizes = [inputs] + [width] * depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.out = nn.Linear(width, domain.value_channels)
        for layer in (*self.layers, self.out):
            assert isinstance(layer, nn.Linear)
            bound = 1 / inputs if layer is self.layers[0] else math.sqrt(6 / width) / frequency
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)

    @override
    def forward(
        self, embeddings: tuple[Tensor, ...], footprint: Tensor | None = None, directions: Tensor | None = None
    ) -> Float[Tensor, "*shape v"]:
        hidden, modulations = embeddings
        for layer, shift in zip(self.layers, modulations.chunk(len(self.layers), dim=-1), strict=True):
            hidden = torch.sin(self.frequency * (layer(hidden) + shift))
        return self.out(hidden)


class FourierMlp(ModulatedReadOut):
    """Fixed random Fourier features (Tancik et al. 2020), then layers that the modulations scale and shift."""

    frequencies: Tensor

    def __init__(self, domain: Domain, *, features: int, bandwidth: float, width: int, depth: int) -> None:
        super().__init__(domain, width, 2 * width * depth)
        # Half as many cycles for a unit of [-1, 1] as for the canvas
        angles = math.pi * bandwidth * torch.randn(coordinates_of(domain), features)
        self.register_buffer("frequencies", angles)
        sizes = [2 * features] + [width] * depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.out = nn.Linear(width, domain.value_channels)
        self.bytes_per_point += 8 * features

    @override
    def forward(
        self, embeddings: tuple[Tensor, ...], footprint: Tensor | None = None, directions: Tensor | None = None
    ) -> Float[Tensor, "*shape v"]:
        coords, modulations = embeddings
        angles = coords @ self.frequencies
        hidden = torch.cat([angles.sin(), angles.cos()], dim=-1)
        for layer, part in zip(self.layers, modulations.chunk(len(self.layers), dim=-1), strict=True):
            scale, shift = part.chunk(2, dim=-1)
            hidden = torch.relu(torch.addcmul(shift, layer(hidden), 1 + scale))
        return self.out(hidden)
