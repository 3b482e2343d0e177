"""Which feature planes a domain has, how a coordinate is looked up in them, and how they share one 2D canvas.

A plane (a, b) has axis a along its width and axis b along its height, sampled at cell centres, so its look-up is
`grid_sample(align_corners=False, padding_mode="border")`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

Planes = tuple[Float[Tensor, "b _c _h _w"], ...]
"""One feature grid per plane of a layout, in the layout's order; sizes may differ between planes."""


@dataclass(frozen=True)
class PlaneLayout:
    """The planes of a domain, each a pair of coordinate axes (width axis, height axis), the lower one first."""

    axes: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.axes)


SINGLE_PLANE = PlaneLayout(((0, 1),))
"""xy: images."""
TRI_PLANE = PlaneLayout(((0, 1), (0, 2), (1, 2)))
"""xy, xz, yz (shapes, radiance fields) or xy, xt, yt (videos)."""


def look_up(planes: Planes, coords: Float[Tensor, "b n d"], layout: PlaneLayout) -> tuple[Float[Tensor, "b n c"], ...]:
    """Interpolate each plane bilinearly at the orthogonal projection of `coords` (paper 3.1: p = phi(c; Xi))."""
    features = []
    for plane, (width_axis, height_axis) in zip(planes, layout.axes, strict=True):
        where = coords[..., width_axis : height_axis + 1 : height_axis - width_axis]  # a view; a pair of indices copies
        where = where.unsqueeze(1).to(plane.dtype)
        sampled = F.grid_sample(plane, where, mode="bilinear", padding_mode="border", align_corners=False)
        features.append(rearrange(sampled, "b c 1 n -> b n c"))
    return tuple(features)


def splat(features: Float[Tensor, "b n c"], coords: Float[Tensor, "b n d"], layout: PlaneLayout, size: int) -> Planes:
    """Collect the features of all points that fall into a cell of each plane; empty cells are zero.

    The first half of a plane's channels are averages (ConvONet), the second maxima: seen from above, few points of a
    table's leg are among many of its top, and an average would hide them.
    """
    return tuple(
        rearrange(
            torch.cat([_cell_means(features, index, size), _cell_maxima(features, index, size)], dim=-1),
            "b (h w) c -> b c h w",
            h=size,
        )
        for index in plane_cells(coords, layout, size)
    )


def plane_cells(coords: Float[Tensor, "b n d"], layout: PlaneLayout, size: int) -> tuple[Tensor, ...]:
    """Return, for each plane, the row-major index of the cell that every point projects into: int64 (b, n)."""
    position = ((coords + 1) * (size / 2)).long().clamp_(0, size - 1)
    return tuple(position[..., height] * size + position[..., width] for width, height in layout.axes)


def pool_locally(features: Float[Tensor, "b n c"], cells: tuple[Tensor, ...], size: int) -> Float[Tensor, "b n c"]:
    """Give every point the mean feature of its cell, summed over the planes (ConvONet's local pooling)."""
    pooled = torch.zeros_like(features)
    for index in cells:
        means = _cell_means(features, index, size)
        pooled = pooled + means.gather(1, index.unsqueeze(-1).expand_as(features))
    return pooled


def _cell_means(features: Float[Tensor, "b n c"], index: Tensor, size: int) -> Float[Tensor, "b cells c"]:
    batch, _, channels = features.shape
    flat = _flat_cells(index, size)
    sums = features.new_zeros(batch * size * size, channels)
    sums = sums.index_add(0, flat, features.reshape(-1, channels))
    counts = torch.bincount(flat, minlength=batch * size * size).clamp_(min=1).to(features.dtype)
    return (sums / counts.unsqueeze(1)).reshape(batch, size * size, channels)


def _cell_maxima(features: Float[Tensor, "b n c"], index: Tensor, size: int) -> Float[Tensor, "b cells c"]:
    batch, _, channels = features.shape
    flat = _flat_cells(index, size).unsqueeze(1).expand(-1, channels)
    found = features.new_zeros(batch * size * size, channels)
    found = found.scatter_reduce(0, flat, features.reshape(-1, channels), "amax", include_self=False)
    return found.reshape(batch, size * size, channels)


def _flat_cells(index: Tensor, size: int) -> Tensor:
    """Number the cells of all batch elements through: int64 (b n)."""
    return (index + torch.arange(len(index), device=index.device).unsqueeze(1) * size * size).reshape(-1)


def pack(planes: Planes) -> Float[Tensor, "b pc h w"]:
    """Stack all planes along the channels of one canvas, smaller planes padded with zeros at the right and bottom.

    One canvas means that one 2D denoiser, one trainer and one sampler serve every domain.
    """
    height = max(plane.shape[-2] for plane in planes)
    width = max(plane.shape[-1] for plane in planes)
    padded = [F.pad(plane, (0, width - plane.shape[-1], 0, height - plane.shape[-2])) for plane in planes]
    return torch.cat(padded, dim=1)


def unpack(canvas: Float[Tensor, "b pc h w"], sizes: Sequence[tuple[int, int]]) -> Planes:
    """Undo `pack`: `sizes` gives the (height, width) of each plane."""
    stacked = canvas.chunk(len(sizes), dim=1)
    return tuple(plane[..., :height, :width] for plane, (height, width) in zip(stacked, sizes, strict=True))
