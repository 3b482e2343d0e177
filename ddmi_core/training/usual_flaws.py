"""How torn what a model is taught comes out: what a sample may be like, too, before it is worth another try."""

import numpy as np
import torch

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.training.tensor_file import Rows

_DECODED = 32
_SHARE = 2 / 3


@torch.no_grad()
def usual_flaws(autoencoder: Autoencoder, latents: Rows) -> int | None:
    """Return how many flaws two thirds of some signals have at most; None in domains that can't tell.

    Args:
        autoencoder: trained.
        latents: of signals that were not learned from.
    """
    found = []
    for latent in latents[:_DECODED]:
        flaws = autoencoder.field(latent.float()).flaws()
        if flaws is None:
            return None
        found.append(flaws)
    return int(np.quantile(found, _SHARE))
