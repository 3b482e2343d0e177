"""The one place where pixels, voxels, rays and frames become coordinates in [-1, 1].

Of N samples along an axis, sample i sits at the centre of its cell, (2 i + 1) / N - 1. The last axis of coordinates is
ordered (x, y), (x, y, z) or (x, y, t).
"""

import torch
from jaxtyping import Float
from torch import Tensor


def cell_centres(count: int, device: torch.device | str = "cpu") -> Float[Tensor, " n"]:
    """Return the coordinates of `count` samples along one axis of [-1, 1]."""
    return (2 * torch.arange(count, dtype=torch.float32, device=device) + 1) / count - 1


def grid(*counts: int, device: torch.device | str = "cpu") -> Float[Tensor, "*shape d"]:
    """Return the coordinates of a dense grid, indexed as [i_x, i_y, ...] with `counts` samples an axis.

    Example:
        >>> grid(2, 4)[1, 0]
        tensor([ 0.5000, -0.7500])
    """
    axes = [cell_centres(count, device) for count in counts]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
