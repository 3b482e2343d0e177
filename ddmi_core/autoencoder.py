"""D2CVAE: discrete data in, a posterior over latent planes between, continuous functions out (paper 3.1, eq. 9)."""

import functools
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Setting
from torch import Tensor, nn

from ddmi_core.data.items import USUAL_SURFACE
from ddmi_core.devices import field_precision
from ddmi_core.fields import Field
from ddmi_core.networks.basis_decoder import BasisFieldDecoder, BasisFields, SharedBasisFieldDecoder
from ddmi_core.networks.readout import Conditioning, FoldedReadOut, ReadOut
from ddmi_core.planes import look_up, pack, unpack


class AutoencoderConfig(BaseModel):
    """Sizes and switches of a D2CVAE; `hdbf` and `conditioning` reproduce the paper's ablation (Table 8)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: str
    latent_channels: int = Setting(8, ge=1)
    latent_size: int = Setting(16, ge=4)
    trunk: Literal["separate", "shared"] = "separate"
    """How encoder and decoder treat their planes: each with weights of its own, as in version 0.1, or all as one batch
    with a bias of each plane's own, wide where the maps are small and linear where they are large."""
    normals: bool = False
    """Whether an encoder of shapes is given the normals of its points; only with a shared trunk."""
    point_channels: int = Setting(48, ge=8)
    surface_points: int = Setting(USUAL_SURFACE.count, ge=64)
    """Points of a surface that an encoder of points is given, in training and afterwards."""
    encoder_channels: tuple[int, ...] = Setting((32, 64), min_length=1)
    """Separate trunk: widths of the encoder's levels. Shared trunk: the width of its blocks, and for points before it
    the number of features that they leave in a cell."""
    encoder_blocks: int = Setting(3, ge=1)
    """Blocks of a shared trunk's encoder, all at the size of the latent."""
    patch: int = Setting(4, ge=1)
    """With a shared trunk: pixels, or cells that points are collected into, along each side of a latent's cell."""
    decoder_channels: tuple[int, ...] = Setting((64, 48, 24), min_length=3)
    decoder_blocks: tuple[int, ...] = Setting((2, 2, 0), min_length=3)
    """Widths and residual blocks of the decoder's levels, each twice the side of the one before, the first as large as
    the latent. The basis fields are the last three (hierarchical) or the last one (single)."""
    basis_channels: int = Setting(24, ge=4)
    readout_width: int = Setting(64, ge=8)
    hdbf: Literal["hierarchical", "single"] = "hierarchical"
    conditioning: Conditioning = "coarse_to_fine"

    @model_validator(mode="after")
    def _levels_fit(self) -> "AutoencoderConfig":
        if len(self.decoder_channels) != len(self.decoder_blocks):
            raise ValueError("decoder_channels and decoder_blocks must be equally long: each has an entry a level")
        if self.trunk == "separate" and self.normals:
            raise ValueError("normals are for a shared trunk: set trunk to shared")
        if self.trunk == "shared":
            mapped = sum(1 for count in self.decoder_blocks if count)
            if not mapped or not all(self.decoder_blocks[:mapped]):
                raise ValueError(
                    "no level of a shared trunk's decoder has blocks after one without, and the first has some"
                )
        return self


class Posterior(NamedTuple):
    """A diagonal Gaussian over the packed latent canvas."""

    mean: Float[Tensor, "b c h w"]
    log_variance: Float[Tensor, "b c h w"]

    def sample(self, generator: torch.Generator | None = None) -> Float[Tensor, "b c h w"]:
        """Draw one latent per item (reparameterised)."""
        noise = torch.randn(self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean + noise * (0.5 * self.log_variance).exp()

    def kl(self) -> Float[Tensor, ""]:
        """Return the divergence from N(0, I), averaged over items and latent cells, in nats a cell."""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance).mean()


class D2CVAE(nn.Module):
    """Encoder, basis-field decoder and read-out of one domain."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        from ddmi_core.domains import get_domain  # domains build on this module

        self.config = config
        self.domain = get_domain(config.domain)
        layout = self.domain.layout
        scales = 3 if config.hdbf == "hierarchical" else 1
        embedding = config.basis_channels * (len(layout) if self.domain.combine == "concatenate" else 1)
        self.encoder = self.domain.encoder(config)
        decoder = SharedBasisFieldDecoder if config.trunk == "shared" else BasisFieldDecoder
        self.decoder = decoder(
            layout,
            config.latent_channels,
            channels=config.decoder_channels,
            blocks=config.decoder_blocks,
            basis_channels=config.basis_channels,
            levels=scales,
        )
        self.readout = ReadOut(
            embedding,
            scales,
            self.domain.value_channels,
            width=config.readout_width,
            conditioning=config.conditioning,
            footprint=self.domain.footprint is not None,
            directed_channels=self.domain.directed_channels,
        )

    @property
    def canvas_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the packed latent."""
        heights, widths = zip(*self._plane_sizes, strict=True)
        return len(heights) * self.config.latent_channels, max(heights), max(widths)

    @property
    def _plane_sizes(self) -> tuple[tuple[int, int], ...]:
        return self.domain.plane_sizes(self.config.latent_size)

    @property
    def bytes_per_point(self) -> int:
        """Memory that evaluating one point takes at its peak: all embeddings and a few hidden layers, float32."""
        config = self.config
        return 4 * (3 * (len(self.domain.layout) + 1) * config.basis_channels + 6 * config.readout_width)

    def encode(self, inputs: Any) -> Posterior:
        """Return the posterior of a batch of the domain's encoder inputs."""
        planes = self.encoder(inputs)
        halves = [plane.chunk(2, dim=1) for plane in planes]
        mean = pack(tuple(mean for mean, _ in halves))
        log_variance = pack(tuple(log_variance for _, log_variance in halves))
        return Posterior(mean, log_variance.clamp(-20, 5))

    def decode(self, latent: Float[Tensor, "b c h w"]) -> BasisFields:
        """Return the basis fields of a batch of packed latents."""
        return self.decoder(unpack(latent, self._plane_sizes))

    def evaluate(
        self,
        basis: BasisFields,
        coords: Float[Tensor, "b n d"],
        footprint: Float[Tensor, "b n 1"] | None = None,
        directions: Float[Tensor, "b n 3"] | None = None,
    ) -> Float[Tensor, "b n v"]:
        """Return the signal's values at `coords` in [-1, 1].

        `footprint` is the log2 of the spacing of the samples, as a share of the canvas. It is kept to the range that
        the domain trains on, and is the finest if not given; a domain without footprints takes none. `directions` are
        unit vectors along which the points are seen; without them the domain's directed channels are left out.
        """
        return self.readout(self.embeddings(basis, coords), self._scaled(footprint, coords), directions)

    def embeddings(self, basis: BasisFields, coords: Float[Tensor, "b n d"]) -> tuple[Float[Tensor, "b n e"], ...]:
        """Return what the read-out gets of each scale, coarse to fine: its planes' features, added or side by side."""
        found = [look_up(planes, coords, self.domain.layout) for planes in basis]
        if self.domain.combine == "concatenate":
            return tuple(torch.cat(features, dim=-1) for features in found)
        return tuple(functools.reduce(torch.add, features) for features in found)

    def folded_readout(self, footprint: float | None, dtype: torch.dtype = torch.float32) -> FoldedReadOut:
        """Return the read-out for many points of one footprint; which footprints there are, see `evaluate`."""
        scaled = self._scaled(None if footprint is None else torch.tensor([[[footprint]]]), torch.zeros(1, 1, 1))
        return FoldedReadOut(self.readout, None if scaled is None else scaled.item(), dtype)

    def _scaled(
        self, footprint: Float[Tensor, "b n 1"] | None, coords: Float[Tensor, "b n d"]
    ) -> Float[Tensor, "b n 1"] | None:
        """Map footprints from the domain's range to [-1, 1], the finest where none are given."""
        if self.domain.footprint is None:
            return None
        finest, coarsest = self.domain.footprint
        if footprint is None:
            return coords.new_full((*coords.shape[:-1], 1), -1.0)
        return (footprint.clamp(finest, coarsest) - finest) * (2 / (coarsest - finest)) - 1

    @torch.no_grad()
    def field(self, latent: Float[Tensor, "c h w"]) -> Field:
        """Decode one latent into a continuous signal."""
        device = next(self.parameters()).device
        basis = self.decode(latent.unsqueeze(0).to(device))
        dtype = field_precision(device)
        laid_out = (
            tuple(plane.to(dtype).contiguous(memory_format=torch.channels_last) for plane in planes) for planes in basis
        )
        return self.domain.field(self, tuple(laid_out))
