"""Encoder of point sets to the latent planes (ConvONet style; paper 4, shapes and radiance fields)."""

from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ddmi_core.networks.layers import CrossPlaneMixing, PerPlane, ResidualBlock, normalisation
from ddmi_core.planes import PlaneLayout, Planes, plane_cells, pool_locally, splat


class PointSet(NamedTuple):
    """Points as an encoder takes them: positions in [-1, 1], then any further features (such as colours)."""

    positions: Float[Tensor, "b n 3"]
    features: Float[Tensor, "b n f"] | None = None


class PointEncoder(nn.Module):
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
        super().__init__()
        self.layout = layout
        self.size = size
        # Offsets within the splat cell tell the network where in the cell a point lies, at any scale.
        self.lift = nn.Linear(6 + feature_channels, point_channels)
        self.blocks = nn.ModuleList(nn.Linear(2 * point_channels, point_channels) for _ in range(3))
        self.to_plane = nn.Linear(point_channels, channels[0])
        down: list[nn.Module] = []
        given = (2 * channels[0], *channels[1:-1])  # means and maxima
        for width, narrower in zip(channels[1:], given, strict=True):
            down.append(PerPlane(layout, partial(_halved, narrower, width)))
            down.append(CrossPlaneMixing(width, layout))
        self.down = nn.Sequential(*down)
        self.head = PerPlane(layout, partial(_head, channels[-1], out_channels))

    def forward(self, points: PointSet) -> Planes:
        """Return the planes of a batch of point sets."""
        positions = points.positions
        cells = plane_cells(positions, self.layout, self.size)
        offsets = ((positions + 1) * (self.size / 2)).frac() * 2 - 1
        inputs = [positions, offsets] if points.features is None else [positions, offsets, points.features]
        features = self.lift(torch.cat(inputs, dim=-1))
        for block in self.blocks:
            pooled = pool_locally(features, cells, self.size)
            features = features + block(F.silu(torch.cat([features, pooled], dim=-1)))
        planes = splat(self.to_plane(F.silu(features)), positions, self.layout, self.size)
        return self.head(self.down(planes))


def _halved(narrower: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(narrower, width, 4, stride=2, padding=1), ResidualBlock(width))


def _head(width: int, out_channels: int) -> nn.Module:
    return nn.Sequential(
        ResidualBlock(width), normalisation(width), nn.ReLU(inplace=True), nn.Conv2d(width, out_channels, 1)
    )
