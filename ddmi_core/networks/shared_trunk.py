"""Blocks of networks whose planes share one set of weights and go through them as one batch.

The planes of a signal are folded into the batch, plane after plane: a tensor of (p b) maps. Convolutions are then as
wide as the batch of all planes, which on any device is what makes them fast, and every plane's examples teach the same
weights. What tells the planes apart is a bias of each plane's own in every block: with weights alone the network would
not know which plane it works on, and what stands at the crossings of two side views would be taken for a leg that the
view from above does not show.

Maps are channels last; normalisation is over the channels of a cell, which in that layout is one pass over memory.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ddmi_core.planes import PlaneLayout, Planes


def fold(planes: Planes) -> Float[Tensor, "pb c h w"]:
    """Put planes of one size into one batch, plane after plane."""
    return torch.cat(planes) if len(planes) > 1 else planes[0]


def unfold(folded: Float[Tensor, "pb c h w"], planes: int) -> Planes:
    """Undo `fold`."""
    return folded.chunk(planes) if planes > 1 else (folded,)


class CellNorm(nn.Module):
    """Normalise the channels of each cell to zero mean and unit variance, then scale and shift them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return a map of the same size, channels last as it came."""
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class PlaneBias(nn.Module):
    """Add to every plane a bias of its own: which plane it is."""

    def __init__(self, channels: int, planes: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(planes, channels))

    def forward(self, x: Float[Tensor, "pb c h w"]) -> Float[Tensor, "pb c h w"]:
        """Return the map with the biases added."""
        planes, channels = self.bias.shape
        return x + self.bias.repeat_interleave(len(x) // planes, dim=0).view(len(x), channels, 1, 1)


class PlaneBlock(nn.Module):
    """Two 3x3 convolutions beside a skip connection, normalised once; the second adds nothing at first."""

    def __init__(self, channels: int, planes: int) -> None:
        super().__init__()
        self.norm = CellNorm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bias = PlaneBias(channels, planes)
        self.second = silent(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Float[Tensor, "pb c h w"]) -> Float[Tensor, "pb c h w"]:
        """Add what the convolutions found."""
        return x + self.second(F.silu(self.bias(self.first(self.norm(x)))))


class ProfileMixing(nn.Module):
    """Let every plane see the others: each receives what they hold along the axis that they share.

    Two planes share one coordinate axis. The other plane's mean and maximum over its own second axis are a profile
    along the shared one, and are broadcast over this plane (after Wang et al. 2023, "Rodin", 3D-aware convolution). The
    maximum, because a leg that fills one cell of a column is lost in the column's mean. A single plane has nothing to
    mix, and the module is the identity.

    The cost is that of two 1D layers: it is the profiles that are projected, not the maps.
    """

    def __init__(self, channels: int, layout: PlaneLayout) -> None:
        super().__init__()
        self.layout = layout
        if len(layout) > 1:
            self.along_width = silent(nn.Linear(2 * channels, channels))
            self.along_height = silent(nn.Linear(2 * channels, channels))

    def forward(self, x: Float[Tensor, "pb c h w"]) -> Float[Tensor, "pb c h w"]:
        """Return a map of the same size."""
        if len(self.layout) == 1:
            return x
        planes = unfold(x, len(self.layout))
        over_height = [_profile(plane, -2) for plane in planes]  # along the width axis
        over_width = [_profile(plane, -1) for plane in planes]

        def seen_by_others(p: int, axis: int) -> Float[Tensor, "b n c"]:
            """What the planes other than p hold along an axis."""
            return sum(
                (over_height if axes[0] == axis else over_width)[q]
                for q, axes in enumerate(self.layout.axes)
                if q != p and axis in axes
            )  # type: ignore[return-value]

        widths = torch.cat([seen_by_others(p, axes[0]) for p, axes in enumerate(self.layout.axes)])
        heights = torch.cat([seen_by_others(p, axes[1]) for p, axes in enumerate(self.layout.axes)])
        across = rearrange(self.along_width(widths), "b w c -> b c 1 w")
        down = rearrange(self.along_height(heights), "b h c -> b c h 1")
        return x + (across + down)


def _profile(plane: Float[Tensor, "b c h w"], over: int) -> Float[Tensor, "b n c2"]:
    return rearrange(torch.cat([plane.mean(dim=over), plane.amax(dim=over)], dim=1), "b c n -> b n c")


class PatchesToCells(nn.Module):
    """Turn square patches of a map into one cell each, by one matrix.

    Args:
        channels: of the map.
        out_channels: of the cells.
        patch: side of a patch.
        planes: how many planes are folded into the batch.
    """

    def __init__(self, channels: int, out_channels: int, patch: int, planes: int) -> None:
        super().__init__()
        self.patch = patch
        self.project = nn.Conv2d(channels * patch * patch, out_channels, 1, bias=False)
        self.bias = PlaneBias(out_channels, planes)

    def forward(self, x: Float[Tensor, "pb c h w"]) -> Float[Tensor, "pb o h2 w2"]:
        """Return a map whose sides are those of `x` divided by the patch's."""
        return self.bias(self.project(F.pixel_unshuffle(x, self.patch)))


class CellsToPatches(nn.Module):
    """Turn every cell into a 2x2 block of cells, by one matrix."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, 4 * out_channels, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b o h2 w2"]:
        """Return a map of twice the sides."""
        return F.pixel_shuffle(self.project(x), 2)


class CellHead(nn.Module):
    """Normalise, activate and project every cell."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm = CellNorm(channels)
        self.project = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b o h w"]:
        """Return a map of the same sides."""
        return self.project(F.silu(self.norm(x)))


def silent(layer: nn.Conv2d | nn.Linear) -> nn.Conv2d | nn.Linear:
    """Let a layer add nothing at first."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
