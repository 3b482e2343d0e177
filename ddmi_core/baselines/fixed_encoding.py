"""A model of one scale with fixed positional encodings: what is generated is the network that reads them."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder import Posterior
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.baselines.modulated import FourierMlp, VectorAutoencoder, as_basis
from ddmi_core.baselines.plan import FixedEncodingSizes
from ddmi_core.networks.basis_decoder import BasisFields

_POOLED = 8  # cells along each side of an encoder's planes, at most, that a latent is read from


class FixedEncoding(VectorAutoencoder):
    """The method's own encoder, a vector for a latent, and an MLP over fixed Fourier features that it modulates.

    Args:
        config: of the encoder.
        sizes: of the rest.
    """

    def __init__(self, config: AutoencoderConfig, sizes: FixedEncodingSizes) -> None:
        super().__init__(config, sizes.latent)
        self.encoder = self.domain.encoder(config)
        readout = FourierMlp(
            self.domain,
            features=sizes.features,
            bandwidth=sizes.bandwidth,
            width=sizes.width,
            depth=sizes.depth,
        )
        self.readout = readout
        cells = [min(h, _POOLED) * min(w, _POOLED) for h, w in self.domain.plane_sizes(config.latent_size)]
        self.to_latent = nn.Linear(2 * config.latent_channels * sum(cells), 2 * sizes.latent)
        self.modulations = nn.Sequential(
            nn.Linear(sizes.latent, sizes.hidden), nn.SiLU(), nn.Linear(sizes.hidden, readout.modulations)
        )

    @override
    def posterior(self, batch: dict[str, Any]) -> Posterior:
        planes = self.encoder(self.domain.inputs(batch))
        pooled = [
            F.adaptive_avg_pool2d(plane, tuple(min(side, _POOLED) for side in plane.shape[-2:])) for plane in planes
        ]
        found = self.to_latent(torch.cat([plane.flatten(1) for plane in pooled], dim=1))
        mean, log_variance = found[:, :, None, None].chunk(2, dim=1)
        return Posterior(mean, log_variance.clamp(-20, 5))

    @override
    def decode(self, latent: Float[Tensor, "b c 1 1"]) -> BasisFields:
        return as_basis(self.modulations(latent.flatten(1)))
