"""What is drawn after a sketch: begun from the latent of something else, with noise (SDEdit; Meng et al. 2022)."""

import base64
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.recipe import Sketch
from ddmi_core.support.errors import ModelError


@dataclass(frozen=True)
class Start:
    """Where the way from noise to a latent begins.

    Attributes:
        latent: of the sketch, (c, h, w), in the autoencoder's own units.
        closeness: the share of the way that is left out, 0 to 1.
    """

    latent: Float[Tensor, "c h w"]
    closeness: float

    def skipped(self, steps: int) -> int:
        """Return how many of so many steps are left out; the last one never is."""
        return min(round(self.closeness * steps), steps - 1)


def start_from(sketch: Sketch, canvas_shape: tuple[int, int, int]) -> Start:
    """Return what a sketch says to a model whose latents have such a shape.

    Raises:
        ModelError: it is one of a model with other latents, or of something that takes several.
    """
    values = np.frombuffer(base64.b64decode(sketch.latent), dtype="<f2")
    if len(values) != np.prod(canvas_shape):
        raise ModelError("This sketch is of another model, or longer than one latent. Choose it anew with this model.")
    if not np.isfinite(values).all():
        raise ModelError("This sketch has values that are not numbers. Choose it anew.")
    return Start(torch.from_numpy(values.astype(np.float32)).reshape(canvas_shape), sketch.closeness)
