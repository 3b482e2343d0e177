"""Walks between latents."""

import torch
from jaxtyping import Float
from torch import Tensor


def slerp(a: Float[Tensor, "*shape"], b: Float[Tensor, "*shape"], t: float) -> Float[Tensor, "*shape"]:
    """Interpolate spherically from `a` (t = 0) to `b` (t = 1): Shoemake 1985; for latents White 2016, arXiv 1609.04468.

    sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b, where w is the angle between them. Latents of many dimensions lie
    near a sphere about the origin; the straight line between two leads through its inside, where the decoder has seen
    nothing. So give latents in the units of the diffusion, which have unit variance, not raw ones. Where the two point
    the same or opposite ways there is no one arc, and the straight line is taken.

    Example:
        >>> slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 0.5)
        tensor([0.7071, 0.7071])
    """
    first, second = a.double().flatten(), b.double().flatten()
    lengths = first.norm() * second.norm()
    cosine = (first @ second / lengths).clamp(-1, 1) if lengths > 0 else torch.ones((), dtype=torch.float64)
    angle = cosine.arccos()
    if angle.sin() < 1e-6:
        return a + (b - a) * t
    mixed = (((1 - t) * angle).sin() * first + (t * angle).sin() * second) / angle.sin()
    return mixed.view(a.shape).to(a.dtype)
