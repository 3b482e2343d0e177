"""The one place where pixels, voxels, rays and frames become coordinates in [-1, 1].

Of N samples along an axis, sample i sits at the centre of its cell, (2 i + 1) / N - 1. The last axis of coordinates is
ordered (x, y), (x, y, z) or (x, y, t).
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

Region = tuple[float, float, float, float]
"""A rectangle of a picture's canvas: left, top, right and bottom (x right, y down)."""
Window = tuple[int, int, int, int]
"""A rectangle of pixels: left, top, width and height."""

WHOLE: Region = (-1.0, -1.0, 1.0, 1.0)
"""The whole canvas."""


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


def in_the_middle(width: int, height: int) -> Region:
    """Return what a picture of width x height pixels covers of the canvas: the middle, the longer side all of it."""
    longest = max(width, height)
    return (-width / longest, -height / longest, width / longest, height / longest)


def region_axes(
    width: int, height: int, region: Region = WHOLE, *, window: Window | None = None
) -> tuple[Float[Tensor, " w"], Float[Tensor, " h"]]:
    """Return where the columns and rows of pixels lie when `region` is drawn with width x height pixels.

    Args:
        width: pixels over the whole region's width.
        height: pixels over its height.
        region: what is drawn.
        window: return those of these pixels only. Each coordinate is computed in float64 from the pixel's number in the
            whole drawing, so a window of a large drawing has the very coordinates that the large drawing has there.
    """
    x0, y0, x1, y1 = region
    left, top, columns, rows = window or (0, 0, width, height)
    x = x0 + (x1 - x0) * (torch.arange(left, left + columns, dtype=torch.float64) + 0.5) / width
    y = y0 + (y1 - y0) * (torch.arange(top, top + rows, dtype=torch.float64) + 0.5) / height
    return x.float(), y.float()


def crossed(x: Shaped[Tensor, " w"], y: Shaped[Tensor, " h"]) -> Shaped[Tensor, "h w 2"]:
    """Return the places, or their numbers, where columns at `x` and rows at `y` cross."""
    down, right = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([right, down], dim=-1)


def region_grid(
    width: int, height: int, region: Region = WHOLE, *, window: Window | None = None
) -> Float[Tensor, "h w 2"]:
    """Return the coordinates of the pixel centres when `region` is drawn, row by row; see `region_axes`.

    Example:
        >>> region_grid(4, 2, window=(3, 0, 1, 1))
        tensor([[[ 0.7500, -0.5000]]])
    """
    return crossed(*region_axes(width, height, region, window=window))


def overlapping_spans(count: int, overlap: float) -> list[tuple[float, float]]:
    """Return `count` equal spans that cover [-1, 1], each sharing `overlap` (0..1) of its length with the next.

    Example:
        >>> overlapping_spans(2, 0.5)
        [(-1.0, 0.333...), (-0.333..., 1.0)]
    """
    length = 2 / (1 + (count - 1) * (1 - overlap))
    starts = [-1 + i * length * (1 - overlap) for i in range(count)]
    return [(start, start + length) for start in starts]
