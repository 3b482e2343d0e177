"""D2CVAE: discrete data in, a posterior over latent planes between, continuous functions out (paper 3.1, eq. 9)."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.domains import get_domain
from ddmi_core.fields.field import Field
from ddmi_core.networks.basis_decoder import BasisFieldDecoder, BasisFields, DecoderSizes, SharedBasisFieldDecoder
from ddmi_core.networks.readout import BasisReadOut, ReadOut
from ddmi_core.planes import pack, unpack
from ddmi_core.support.devices import field_precision
from ddmi_core.support.errors import ModelError


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


class Autoencoder(nn.Module, ABC):
    """What turns signals of one domain into latents, and latents into continuous signals.

    Args:
        config: says what its encoder is given.
    """

    readout: BasisReadOut

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.domain = get_domain(config.domain)

    @property
    @abstractmethod
    def plane_sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each plane of a latent."""

    @property
    @abstractmethod
    def canvas_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the packed latent."""

    @abstractmethod
    def posterior(self, batch: dict[str, Any]) -> Posterior:
        """Return the posterior of a batch of examples, on the autoencoder's device."""

    @abstractmethod
    def decode(self, latent: Float[Tensor, "b c h w"]) -> BasisFields:
        """Return the basis fields of a batch of packed latents."""

    @torch.no_grad()
    def field(self, latent: Float[Tensor, "c h w"]) -> Field:
        """Decode one latent into a continuous signal."""
        device = next(self.parameters()).device
        basis = self.decode(latent.unsqueeze(0).to(device))
        dtype = field_precision(device)
        laid_out = (
            tuple(plane.to(dtype).contiguous(memory_format=torch.channels_last) for plane in planes) for planes in basis
        )
        return self.domain.field(self.readout, tuple(laid_out))


class D2CVAE(Autoencoder):
    """Encoder, basis-field decoder and read-out of one domain."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        domain = self.domain
        if config.trunk not in domain.trunks:
            raise ModelError(f"{domain.title} have no {config.trunk} trunk: set it to {' or '.join(domain.trunks)}.")
        self.encoder = domain.encoder(config)
        self.decoder: nn.Module
        build = self._build_official if config.trunk == "official" else self._build
        build(3 if config.hdbf == "hierarchical" else 1)

    def _build(self, scales: int) -> None:
        """Build the basis-field decoder and the read-out."""
        config, domain = self.config, self.domain
        decoder = SharedBasisFieldDecoder if config.trunk == "shared" else BasisFieldDecoder
        self.decoder = decoder(
            DecoderSizes(
                domain.layout,
                config.latent_channels,
                config.decoder_channels,
                config.decoder_blocks,
                config.basis_channels,
                levels=scales,
            )
        )
        self.readout = ReadOut(
            domain.layout,
            domain.combine,
            config.basis_channels,
            scales,
            domain.value_channels,
            width=config.readout_width,
            conditioning=config.conditioning,
            footprint=domain.footprint,
            directed_channels=domain.directed_channels,
        )

    def _build_official(self, scales: int) -> None:
        from ddmi_core.networks.official.ldm import LdmBasisDecoder
        from ddmi_core.networks.official.styled_readout import StyledReadOut

        config = self.config
        self.decoder = LdmBasisDecoder(
            config.latent_channels,
            channels=config.encoder_channels,
            blocks=config.encoder_blocks + 1,
            inner_channels=config.inner_channels,
            basis_channels=config.basis_channels,
            levels=scales,
        )
        self.readout = StyledReadOut(
            config.basis_channels,
            scales,
            self.domain.value_channels - 1,
            width=config.readout_width,
            anchor=config.latent_size * 2 ** (len(config.encoder_channels) - 1),
        )

    @property
    @override
    def canvas_shape(self) -> tuple[int, int, int]:
        heights, widths = zip(*self.plane_sizes, strict=True)
        return len(heights) * self.config.latent_channels, max(heights), max(widths)

    @property
    @override
    def plane_sizes(self) -> tuple[tuple[int, int], ...]:
        return self.domain.plane_sizes(self.config.latent_size)

    @override
    def posterior(self, batch: dict[str, Any]) -> Posterior:
        return self.encode(self.domain.inputs(batch))

    def encode(self, inputs: Any) -> Posterior:
        """Return the posterior of a batch of the domain's encoder inputs."""
        planes = self.encoder(inputs)
        halves = [plane.chunk(2, dim=1) for plane in planes]
        mean = pack(tuple(mean for mean, _ in halves))
        log_variance = pack(tuple(log_variance for _, log_variance in halves))
        return Posterior(mean, log_variance.clamp(-20, 5))

    @override
    def decode(self, latent: Float[Tensor, "b c h w"]) -> BasisFields:
        return self.decoder(unpack(latent, self.plane_sizes))
