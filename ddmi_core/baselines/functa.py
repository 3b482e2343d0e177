"""Functa (Dupont et al. 2022): a latent of a signal is what a few gradient steps make of zero."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder import Posterior
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.baselines.modulated import Siren, VectorAutoencoder, as_basis
from ddmi_core.baselines.plan import FunctaSizes
from ddmi_core.coordinates import region_grid
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.training.autoencoder_stage import AutoencoderStage

_SLOWEST, _FASTEST = 0.005, 0.1  # rates of the inner steps at first
_AT_ONCE = 4  # signals that are fitted together once the network is learned
_CERTAIN = -20.0  # log-variance of a latent that is no distribution


class Functa(VectorAutoencoder):
    """A SIREN whose shifts a latent decides; encoding is a gradient descent on the latent alone.

    The rates of that descent, one for each number of a latent, are learned with the weights (Meta-SGD; Li et al. 2017).

    Args:
        config: says what is known of a signal.
        sizes: of the network, and how it is fitted.
    """

    def __init__(self, config: AutoencoderConfig, sizes: FunctaSizes) -> None:
        super().__init__(config, sizes.latent)
        self.sizes = sizes
        siren = Siren(self.domain, width=sizes.width, depth=sizes.depth, frequency=sizes.frequency)
        self.readout = siren
        self.shifts = nn.Linear(sizes.latent, siren.modulations)
        self.rates = nn.Parameter(torch.empty(sizes.latent).uniform_(_SLOWEST, _FASTEST))

    @override
    def decode(self, latent: Float[Tensor, "b c 1 1"]) -> BasisFields:
        return as_basis(self.shifts(latent.flatten(1)))

    @override
    def posterior(self, batch: dict[str, Any]) -> Posterior:
        """Fit all that is known of each signal: every pixel of a picture, every place with its occupancy."""
        parts = [self.fitted(*known, learning=False) for known in _known(batch)]
        mean = torch.cat(parts).detach()[:, :, None, None]
        return Posterior(mean, torch.full_like(mean, _CERTAIN))

    def fitted(
        self, coords: Float[Tensor, "b n d"], targets: Float[Tensor, "b n v"], *, learning: bool
    ) -> Float[Tensor, "b c"]:
        """Return the latents that the inner steps find; `learning`: so that weights and rates have gradients of it."""
        with torch.enable_grad():
            latent = coords.new_zeros(len(coords), self.sizes.latent, requires_grad=True)
            for _ in range(self.sizes.inner_steps):
                values = self.readout.evaluate(self.decode(latent[:, :, None, None]), coords)
                loss, _ = self.domain.reconstruction_loss(values, targets)
                # Each signal has a loss of its own, and the mean over the batch is of no matter to it
                (gradient,) = torch.autograd.grad(
                    len(coords) * loss, latent, create_graph=learning and self.sizes.second_order
                )
                latent = latent - self.rates.clamp(min=0) * gradient
                if not learning:
                    latent = latent.detach().requires_grad_()
        return latent


class FunctaStage(AutoencoderStage):
    """Learns the network, and the rates, from which a few steps come near to any signal."""

    @override
    def chance(self, numbers: Sequence[int], device: torch.device) -> dict[str, Tensor]:
        """Nothing is random beside the data."""
        return {}

    @override
    def loss(self, batch: dict[str, Any], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        module = self.autoencoder
        assert isinstance(module, Functa)
        coords, targets = batch["coords"], batch["targets"]
        latent = module.fitted(coords, targets, learning=True)
        values = module.readout.evaluate(module.decode(latent[:, :, None, None]), coords)
        loss, figures = module.domain.reconstruction_loss(values, targets)
        return loss, {"reconstruction": loss.detach(), **figures}


def _known(batch: Mapping[str, Tensor]) -> Iterator[tuple[Float[Tensor, "b n d"], Float[Tensor, "b n v"]]]:
    """Yield places, and what is true there, of a few signals of a batch after the others."""
    for start in range(0, len(batch["targets"]), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        if "image" in batch:
            pictures = batch["image"][part]
            height, width = pictures.shape[-2:]
            coords = region_grid(width, height).to(pictures)
            yield (
                repeat(coords, "h w d -> b (h w) d", b=len(pictures)),
                rearrange(pictures, "b c h w -> b (h w) c"),
            )
        else:
            yield batch["coords"][part], batch["targets"][part]
