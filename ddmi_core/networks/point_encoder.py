"""Encoder of point sets to the latent planes (ConvONet style; paper 4, shapes and radiance fields)."""

from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ddmi_core.networks.layers import CrossPlaneMixing, PerPlane, ResidualBlock, normalisation
from ddmi_core.networks.shared_trunk import CellHead, PatchesToCells, PlaneBlock, ProfileMixing, fold, unfold
from ddmi_core.planes import Cells, PlaneLayout, Planes


class PointSet(NamedTuple):
    """Points as an encoder takes them: positions in [-1, 1], then any further features, such as colours or normals.

    An encoder without further features ignores them; one with takes zeros where they are not known.
    """

    positions: Float[Tensor, "b n 3"]
    features: Float[Tensor, "b n f"] | None = None


class PointFeatures(nn.Module):
    """Features of points from what lies around them, collected into planes: means in the first half, then maxima.

    Args:
        layout: the planes to fill.
        feature_channels: further features of every point beside its position.
        width: of the per-point network.
        channels: of the means, and of the maxima.
        size: cells along each side of the planes.
        blocks: how often every point hears of its cells' others.
    """

    def __init__(
        self, layout: PlaneLayout, feature_channels: int, width: int, channels: int, size: int, blocks: int = 3
    ) -> None:
        super().__init__()
        self.layout, self.size, self.feature_channels = layout, size, feature_channels
        # Offsets within the splat cell tell the network where in the cell a point lies, at any scale.
        self.lift = nn.Linear(6 + feature_channels, width)
        self.blocks = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(blocks))
        self.to_plane = nn.Linear(width, channels)

    def forward(self, points: PointSet) -> Planes:
        """Return planes of 2 x channels."""
        positions = points.positions
        cells = Cells(positions, self.layout, self.size)
        offsets = ((positions + 1) * (self.size / 2)).frac() * 2 - 1
        inputs = [positions, offsets]
        if self.feature_channels:
            unknown = positions.new_zeros(*positions.shape[:-1], self.feature_channels)
            inputs.append(unknown if points.features is None else points.features)
        features = self.lift(torch.cat(inputs, dim=-1))
        for block in self.blocks:
            features = features + block(F.silu(torch.cat([features, cells.pool(features)], dim=-1)))
        return cells.splat(self.to_plane(F.silu(features)))


class PatchedPointEncoder(nn.Module):
    """Local features of points in planes, patches of those as the cells of the latent, then blocks at that size alone.

    All planes go through the blocks as one batch; see `shared_trunk`.

    Args:
        layout: the planes to fill.
        out_channels: channels of each returned plane.
        feature_channels: further features of every point beside its position.
        point_channels: width of the per-point network.
        splat_channels: of the means that points leave in a cell, and as many of the maxima.
        width: channels of the latent's cells.
        blocks: how many.
        patch: cells that points are splatted into along each side of a latent's cell.
        size: side of the returned planes.
    """

    def __init__(
        self,
        layout: PlaneLayout,
        out_channels: int,
        *,
        feature_channels: int,
        point_channels: int,
        splat_channels: int,
        width: int,
        blocks: int,
        patch: int,
        size: int,
    ) -> None:
        super().__init__()
        self._planes = len(layout)
        self.points = PointFeatures(layout, feature_channels, point_channels, splat_channels, size * patch, blocks=2)
        self.cells = PatchesToCells(2 * splat_channels, width, patch, len(layout))
        mixed = [[ProfileMixing(width, layout), PlaneBlock(width, len(layout))] for _ in range(blocks)]
        self.blocks = nn.Sequential(*(module for pair in mixed for module in pair))
        self.head = CellHead(width, out_channels)

    def forward(self, points: PointSet) -> Planes:
        """Return the planes of a batch of point sets."""
        return unfold(self.head(self.blocks(self.cells(fold(self.points(points))))), self._planes)


class PointEncoder(PointFeatures):
    """Local features of points, collected into planes and convolved down to the latent size.

    Args:
        layout: the planes to fill.
        out_channels: channels of each returned plane.
        feature_channels: further features of every point beside its position.
        point_channels: width of the per-point network.
        channels: widths of the convolutions at the splat size, half of it, a quarter of it, ...
        size: side of the planes that points are splatted into; the result has side size / 2^(len(channels) - 1).
    """

    def __init__(
        self,
        layout: PlaneLayout,
        out_channels: int,
        *,
        feature_channels: int = 0,
        point_channels: int = 48,
        channels: tuple[int, ...] = (24, 48, 96),
        size: int = 64,
    ) -> None:
        super().__init__(layout, feature_channels, point_channels, channels[0], size)
        down: list[nn.Module] = []
        given = (2 * channels[0], *channels[1:-1])  # means and maxima
        for width, narrower in zip(channels[1:], given, strict=True):
            down.append(PerPlane(layout, partial(_halved, narrower, width)))
            down.append(CrossPlaneMixing(width, layout))
        self.down = nn.Sequential(*down)
        self.head = PerPlane(layout, partial(_head, channels[-1], out_channels))

    def forward(self, points: PointSet) -> Planes:
        """Return the planes of a batch of point sets."""
        return self.head(self.down(super().forward(points)))


def _halved(narrower: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(narrower, width, 4, stride=2, padding=1), ResidualBlock(width))


def _head(width: int, out_channels: int) -> nn.Module:
    return nn.Sequential(
        ResidualBlock(width), normalisation(width), nn.ReLU(inplace=True), nn.Conv2d(width, out_channels, 1)
    )
