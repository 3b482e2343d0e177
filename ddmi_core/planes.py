"""Which feature planes a domain has, how a coordinate is looked up in them, and how they share one 2D canvas.

A plane (a, b) has axis a along its width and axis b along its height, sampled at cell centres, so its look-up is
`grid_sample(align_corners=False, padding_mode="border")`.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from ddmi_core.support.rows import Groups, interpolate

Planes = tuple[Float[Tensor, "b _c _h _w"], ...]
"""One feature grid per plane of a layout, in the layout's order; sizes may differ between planes."""


@dataclass(frozen=True)
class PlaneLayout:
    """The planes of a domain, each a pair of coordinate axes (width axis, height axis), the lower one first."""

    axes: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.axes)


Axes = Sequence[Float[Tensor, " _n"]]
"""Of a lattice: its places along each axis."""

SINGLE_PLANE = PlaneLayout(((0, 1),))
"""xy: images."""
TRI_PLANE = PlaneLayout(((0, 1), (0, 2), (1, 2)))
"""xy, xz, yz (shapes, radiance fields) or xy, xt, yt (videos)."""


def look_up(planes: Planes, coords: Float[Tensor, "b n d"], layout: PlaneLayout) -> tuple[Float[Tensor, "b n c"], ...]:
    """Interpolate each plane bilinearly at the orthogonal projection of `coords` (paper 3.1: p = phi(c; Xi))."""
    features = []
    for plane, (width_axis, height_axis) in zip(planes, layout.axes, strict=True):
        where = coords[..., width_axis : height_axis + 1 : height_axis - width_axis]  # a view; a pair of indices copies
        # In half precision grid_sample would round the coordinates too, to a quarter of a fine plane's cell
        exact = plane.dtype == where.dtype
        if not where.requires_grad and (plane.device.type == "cpu" or not exact):
            features.append(interpolate(plane, where))
            continue
        sampled = F.grid_sample(
            plane, where.unsqueeze(1).to(plane.dtype), mode="bilinear", padding_mode="border", align_corners=False
        )
        features.append(rearrange(sampled, "b c 1 n -> b n c"))
    return tuple(features)


class LatticePlanes:
    """Planes as they are at the places of a lattice: each is interpolated once, not once for every place.

    Args:
        planes: batch size one.
        axes: the places along each axis, in [-1, 1].
        layout: the planes.
        known: another lattice in the same planes; what is alike is taken from it.
    """

    def __init__(
        self, planes: Planes, axes: Axes, layout: PlaneLayout, *, known: "LatticePlanes | None" = None
    ) -> None:
        self._layout, self._axes = layout, axes
        self._tables: list[Float[Tensor, "_m c"]] = []
        for number, (plane, pair) in enumerate(zip(planes, layout.axes, strict=True)):
            if known is not None and all(torch.equal(known._axes[axis], axes[axis]) for axis in pair):
                self._tables.append(known._tables[number])
                continue
            pairs = torch.cartesian_prod(axes[pair[1]], axes[pair[0]]).flip(-1).unsqueeze(0)  # the width runs fastest
            self._tables.append(look_up((plane,), pairs, SINGLE_PLANE)[0][0])

    @property
    def nbytes(self) -> int:
        """Memory that is kept."""
        return sum(table.nbytes for table in self._tables)

    def look_up(self, places: Int[Tensor, "n d"]) -> tuple[Float[Tensor, "n c"], ...]:
        """Return what the function `look_up` does at places that are given by their positions along each axis."""
        columns = places.unbind(-1)
        return tuple(
            table.index_select(0, columns[height_axis] * len(self._axes[width_axis]) + columns[width_axis])
            for table, (width_axis, height_axis) in zip(self._tables, self._layout.axes, strict=True)
        )


class Cells:
    """Which cell of each plane every point projects into, and what the points of a cell have in common.

    Args:
        coords: of the points, in [-1, 1].
        layout: the planes.
        size: cells along each side of a plane.
    """

    def __init__(self, coords: Float[Tensor, "b n d"], layout: PlaneLayout, size: int) -> None:
        self.size = size
        batch = len(coords)
        position = ((coords + 1) * (size / 2)).long().clamp_(0, size - 1)
        first = torch.arange(batch, device=coords.device).unsqueeze(1) * size * size
        self._groups = [
            Groups((position[..., height] * size + position[..., width] + first).reshape(-1), batch * size * size)
            for width, height in layout.axes
        ]

    def pool(self, features: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Give every point the mean feature of its cell, summed over the planes (ConvONet's local pooling)."""
        flat = features.flatten(0, 1)
        pooled = [groups.give_back(groups.means(flat)) for groups in self._groups]
        return functools.reduce(torch.add, pooled).view_as(features)

    def splat(self, features: Float[Tensor, "b n c"]) -> Planes:
        """Collect the features of all points that fall into a cell of each plane; empty cells are zero.

        The first half of a plane's channels are averages (ConvONet), the second maxima: seen from above, few points of
        a table's leg are among many of its top, and an average would hide them.
        """
        flat = features.flatten(0, 1)
        found = [groups.spread(torch.cat([groups.means(flat), groups.maxima(flat)], dim=-1)) for groups in self._groups]
        return tuple(rearrange(cells, "(b h w) c -> b c h w", b=len(features), h=self.size) for cells in found)


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
