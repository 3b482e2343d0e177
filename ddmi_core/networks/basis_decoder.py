"""Decoder of latent planes to hierarchically decomposed basis fields (paper 3.1)."""

from functools import partial
from itertools import pairwise

from torch import nn

from ddmi_core.networks.layers import CrossPlaneMixing, PerPlane, ResidualBlock, Upsample, normalisation
from ddmi_core.planes import PlaneLayout, Planes

BasisFields = tuple[Planes, ...]
"""The planes of each scale, coarse to fine."""


class BasisFieldDecoder(nn.Module):
    """2D convolutions on every plane; the feature maps of each level become a basis field by a 1x1 convolution.

    The first level has the side of the latent, every further level twice the side of the one before.

    Args:
        layout: the planes.
        latent_channels: channels of each latent plane.
        channels: width of each level, coarse to fine.
        blocks: residual blocks of each level; a level without any refines its parent's cells by the upsampler alone.
        basis_channels: channels of every basis field.
        levels: how many of the finest levels are returned: all (hierarchical) or 1 (the single-scale ablation).
    """

    def __init__(
        self,
        layout: PlaneLayout,
        latent_channels: int,
        *,
        channels: tuple[int, ...],
        blocks: tuple[int, ...],
        basis_channels: int,
        levels: int,
    ) -> None:
        super().__init__()
        self.levels = levels
        self.lift = PerPlane(layout, lambda: nn.Conv2d(latent_channels, channels[0], 3, padding=1))
        self.mixings = nn.ModuleList(
            CrossPlaneMixing(width, layout) if count else nn.Identity()
            for width, count in zip(channels, blocks, strict=True)
        )
        self.blocks = nn.ModuleList(
            PerPlane(layout, partial(_residual_blocks, width, count))
            for width, count in zip(channels, blocks, strict=True)
        )
        self.upsamplers = nn.ModuleList(
            PerPlane(layout, partial(Upsample, width, finer)) for width, finer in pairwise(channels)
        )
        self.heads = nn.ModuleList(
            PerPlane(layout, partial(_head, width, basis_channels)) for width in channels[len(channels) - levels :]
        )

    def forward(self, latents: Planes) -> BasisFields:
        """Return the basis fields of the latent planes, each level's side double that of the one before."""
        planes = self.lift(latents)
        maps = []
        for level, (mixing, block) in enumerate(zip(self.mixings, self.blocks, strict=True)):
            if level > 0:
                planes = self.upsamplers[level - 1](planes)
            planes = block(mixing(planes))
            maps.append(planes)
        return tuple(head(planes) for head, planes in zip(self.heads, maps[-self.levels :], strict=True))


def _residual_blocks(width: int, count: int) -> nn.Module:
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))


def _head(width: int, basis_channels: int) -> nn.Module:
    return nn.Sequential(normalisation(width), nn.ReLU(inplace=True), nn.Conv2d(width, basis_channels, 1))
