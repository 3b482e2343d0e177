"""What of a latent is kept while the rest is drawn anew (after RePaint; Lugmayr et al. 2022)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.planes import PlaneLayout, pack
from ddmi_core.recipe import Span

_HELD_WHERE_BOTH_LIE = 0.5
"""How long what belongs to both parts is kept: it leads what is new to where the old one was, and then gives way."""


@dataclass(frozen=True)
class Kept:
    """A latent, and for how long each of its values is held.

    Attributes:
        latent: (c, h, w), in the autoencoder's own units.
        until: (c, h, w), which share of the way from noise to a latent: 1 keeps a value, below 0 it is drawn anew.
    """

    latent: Float[Tensor, "c h w"]
    until: Float[Tensor, "c h w"]


def keep_outside(
    latent: Float[Tensor, "c h w"], region: Sequence[Span], layout: PlaneLayout, sizes: Sequence[tuple[int, int]]
) -> Kept:
    """Keep all of a latent but what tells of a region.

    A cell of a plane stands for the column of all points that project into it. Those whose column lies outside of the
    region are kept, those whose column lies in it alone are drawn anew. Some planes show the region and what lies
    before or behind it in the same cells: from above, all of a chair is behind its back. They are held for half of the
    way only.

    Args:
        latent: packed, of a plane for each pair of axes.
        region: from where to where along each axis, in [-1, 1].
        layout: the planes.
        sizes: (height, width) of each plane.
    """
    planes = []
    for (across, down), (height, width) in zip(layout.axes, sizes, strict=True):
        inside = _inside(region[down], height).unsqueeze(1) & _inside(region[across], width)
        hidden = [span for axis, span in enumerate(region) if axis not in (across, down)]
        in_column = all(span[0] <= -1 and span[1] >= 1 for span in hidden)
        planes.append(torch.where(inside, -1.0 if in_column else _HELD_WHERE_BOTH_LIE, 1.0))
    canvas = pack(tuple(plane[None, None] for plane in planes))[0]
    return Kept(latent, canvas.repeat_interleave(len(latent) // len(planes), dim=0))


def _inside(span: Span, cells: int) -> Tensor:
    """Which cells of an axis have their centre in a span."""
    centres = (2 * torch.arange(cells) + 1) / cells - 1
    return (centres >= span[0]) & (centres <= span[1])
