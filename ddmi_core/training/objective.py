"""The objective of stage one: what is not reconstructed, and lambda times a divergence (eq. 9)."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from ddmi_core.autoencoder import Posterior
from ddmi_core.domains import Domain


def objective(
    domain: Domain[Any, Any],
    values: Float[Tensor, "b n v"],
    targets: Float[Tensor, "b n t"],
    posterior: Posterior,
    *,
    kl_weight: float,
    summed_over: int | None,
) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
    """Return the terms of eq. 9, the mean over a batch, and the figures worth recording.

    With `summed_over` they are what the official code computes: N values of a signal and K latent values count by their
    sums, N E[-log p] + lambda sum_K KL, however few of the N a batch compares. Without it they are averages over
    elements, E[-log p] + lambda mean_K KL: the same lambda is then N / K times as strong. Latent values are those of
    all planes; the cells that fill a canvas of planes of several sizes up have no divergence.

    Args:
        domain: of the signals.
        values: what was reconstructed at n places.
        targets: what is true there.
        posterior: of the latents.
        kl_weight: lambda.
        summed_over: N.
    """
    reconstruction, figures = domain.reconstruction_loss(values, targets)
    kl = posterior.kl()
    figures = {"reconstruction": reconstruction.detach(), "kl": kl.detach(), **figures}
    if summed_over is None:
        return reconstruction + kl_weight * kl, figures
    error = domain.published_loss(values, targets)
    return summed_over * error + kl_weight * (posterior.mean[0].numel() * kl), figures
