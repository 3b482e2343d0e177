"""Fitting a latent to the one signal that it stands for, from where the encoder put it.

The encoder guesses a latent at one glance. Where the true values of the signal are known, gradient descent on the
latent alone, the decoder fixed, comes much nearer to it (as in auto-decoders; Park et al. 2019, "DeepSDF").
"""

import math
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.support.progress import Progress, report

STEPS = 100
"""Steps after which little more is gained."""
QUERIES = 4096
"""Coordinates of the signal that a step compares."""

_LEARNING_RATE = 0.03
_FINAL_SHARE = 0.1  # of the learning rate at the end


Examples = Callable[[int], Mapping[str, Tensor]]
"""Numbered batches of one and the same signals, on the autoencoder's device: what the domain predicts from, as a rule
`coords` (b, n, d), and `targets` (b, n, v)."""


def refine(
    autoencoder: Autoencoder,
    latent: Float[Tensor, "b c h w"],
    examples: Examples,
    *,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> Float[Tensor, "b c h w"]:
    """Return the latents after `steps` of Adam on the reconstruction loss, the learning rate falling like a cosine.

    Args:
        autoencoder: its weights stay as they are.
        latent: where to start, such as the mean of the posterior.
        examples: what is true of the signals; step k asks for batch k.
        steps: 0 returns the latent itself.
        progress: called before every step; may raise `Cancelled`.
    """
    domain = autoencoder.domain
    fitted = latent.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([fitted], lr=_LEARNING_RATE)
    for step in range(steps):
        report(progress, step / steps, "refining")
        falling = 0.5 * (1 + math.cos(math.pi * step / steps))
        optimiser.param_groups[0]["lr"] = _LEARNING_RATE * (_FINAL_SHARE + (1 - _FINAL_SHARE) * falling)
        batch = examples(step)
        with torch.enable_grad():
            values = domain.predict(autoencoder.readout, autoencoder.decode(fitted), batch)
            loss, _ = domain.reconstruction_loss(values, batch["targets"])
            (fitted.grad,) = torch.autograd.grad(loss, fitted)
        optimiser.step()
    return fitted.detach()
