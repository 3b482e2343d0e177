"""Ways between latents."""

import torch
from jaxtyping import Float
from torch import Tensor

_PARALLEL = 1e-4  # radians


def slerp(a: Float[Tensor, "*shape"], b: Float[Tensor, "*shape"], t: float) -> Float[Tensor, "*shape"]:
    """Return what lies at share `t` of the way from `a` to `b` on the sphere.

    Gaussian latents have much the same length, and a straight way would cut through shorter ones, which the decoder
    has not seen. Latents of different lengths are met half-way in length too.

    Example:
        >>> slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 0.5)
        tensor([0.7071, 0.7071])
    """
    unit_a, unit_b = a / a.norm().clamp(min=1e-12), b / b.norm().clamp(min=1e-12)
    angle = torch.arccos((unit_a * unit_b).sum().clamp(-1, 1))
    if angle < _PARALLEL or torch.pi - angle < _PARALLEL:
        return torch.lerp(a, b, t)
    length = torch.lerp(a.norm(), b.norm(), t)
    return length * (torch.sin((1 - t) * angle) * unit_a + torch.sin(t * angle) * unit_b) / torch.sin(angle)
