"""How torn what a model is taught comes out: what a sample may be like, too, before it is worth another try."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.reading_back import judged
from ddmi_core.training.tensor_file import Rows

_DECODED = 32
_SHARE = 2 / 3
_MORE_OF_SAMPLES = 6
"""Where the encoder's reading tells flaws, even a faultless sample has several times as many as what it was taught. Of
the portraits that the shipped model draws one in six has more than that, and hardly one of these is clean by eye."""


def usual_flaws(autoencoder: Autoencoder, latents: Rows, scale: Float[Tensor, "c 1 1"]) -> int | None:
    """Return how many flaws two thirds of some signals have at most; None in domains that can't tell.

    Where flaws are what the encoder reads otherwise, six times as many.

    Args:
        autoencoder: trained.
        latents: of signals that were not learned from.
        scale: standard deviation of each of their channels.
    """
    found = [judged(autoencoder, latent.float(), scale, may_mend=False)[1] for latent in latents[:_DECODED]]
    known = [flaws for flaws in found if flaws is not None]
    if not known:
        return None
    times = _MORE_OF_SAMPLES if autoencoder.domain.reading == "compared" else 1
    return int(np.quantile(known, _SHARE) * times)
