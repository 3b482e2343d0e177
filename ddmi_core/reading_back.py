"""How torn a sample is, told with the encoder's help: it reads what was drawn, and knows nothing but what is sound."""

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.tries import Latent


@torch.no_grad()
def judged(
    autoencoder: Autoencoder, latent: Latent, scale: Float[Tensor, "c 1 1"], *, may_mend: bool = True
) -> tuple[Latent, int | None]:
    """Return what is to be kept of a latent, and how many flaws that has; None in domains that can't tell.

    What the denoiser is a little wrong about, such as a frayed edge, the encoder takes for what it knows: an edge. In
    domains that keep what it reads, that is kept unless it has more flaws than the signal tells of itself. In those
    that compare it, flaws are the thousandths of the latents' variance by which the two differ: what the encoder never
    saw it reads as something else.

    Args:
        autoencoder: whose latent it is.
        latent: on any device.
        scale: standard deviation of each channel of its latents.
        may_mend: whether anything but the latent itself may be kept.
    """
    domain, field = autoencoder.domain, autoencoder.field(latent)
    flaws = field.flaws()
    if domain.reading is None or (domain.reading == "kept" and (flaws is None or not may_mend)):
        return latent, flaws
    given = domain.read_back(field, autoencoder.config.encoder_input)
    if given is None:
        return latent, flaws
    device = next(autoencoder.parameters()).device
    again = autoencoder.posterior({name: values.to(device) for name, values in given.items()}).mean[0].cpu()
    if domain.reading == "compared":
        return latent, round(1000 * ((again - latent.cpu()) / scale.cpu()).square().mean().item())
    left = autoencoder.field(again).flaws() or 0
    return (again, left) if left <= (flaws or 0) else (latent, flaws)
