"""Decoder of latent planes to hierarchically decomposed basis fields (paper 3.1)."""

from functools import partial
from itertools import pairwise
from typing import NamedTuple

from torch import nn

from ddmi_core.networks.layers import CrossPlaneMixing, PerPlane, ResidualBlock, Upsample, normalisation
from ddmi_core.networks.shared_trunk import CellHead, CellsToPatches, PlaneBias, PlaneBlock, ProfileMixing, fold, unfold
from ddmi_core.planes import PlaneLayout, Planes

BasisFields = tuple[Planes, ...]
"""The planes of each scale, coarse to fine."""


class DecoderSizes(NamedTuple):
    """What a decoder is made of. Its first level has the side of the latent, every further one twice that before it.

    Attributes:
        layout: the planes.
        latent_channels: channels of each latent plane.
        channels: width of each level, coarse to fine.
        blocks: residual blocks of each level.
        basis_channels: channels of every basis field.
        levels: how many of the finest levels are returned: all (hierarchical) or 1 (the single-scale ablation).
    """

    layout: PlaneLayout
    latent_channels: int
    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    basis_channels: int
    levels: int


class SharedBasisFieldDecoder(nn.Module):
    """The planes as one batch: wide where the maps are small, linear where they are large.

    A level without blocks has no map of its own: its basis field is the level before it, every cell turned into 2x2 by
    one matrix. The first level has blocks, and after a level without none follow; the width of one without is not used.
    """

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        layout, latent_channels, channels, blocks, basis_channels, levels = sizes
        self.levels, self._planes = levels, len(layout)
        self.lift = nn.Conv2d(latent_channels, channels[0], 3, padding=1, bias=False)
        self.bias = PlaneBias(channels[0], len(layout))
        mapped = [width for width, count in zip(channels, blocks, strict=True) if count]
        self.stages = nn.ModuleList(
            nn.Sequential(ProfileMixing(width, layout), *(PlaneBlock(width, len(layout)) for _ in range(count)))
            for width, count in zip(mapped, blocks, strict=False)
        )
        self.upsamplers = nn.ModuleList(CellsToPatches(width, finer) for width, finer in pairwise(mapped))
        # Single-scale fields come from the last level alone, and coarser heads would learn nothing
        first = len(channels) - levels
        self.heads = nn.ModuleDict(
            {str(level): CellHead(width, basis_channels) for level, width in enumerate(mapped) if level >= first}
        )
        self.refiners = nn.ModuleList(
            CellsToPatches(mapped[-1] if level == len(mapped) else basis_channels, basis_channels)
            for level in range(len(mapped), len(channels))
        )

    def forward(self, latents: Planes) -> BasisFields:
        """Return the basis fields of the latent planes, each level's side double that of the one before."""
        x = self.bias(self.lift(fold(latents)))
        fields = []
        for level, stage in enumerate(self.stages):
            if level > 0:
                x = self.upsamplers[level - 1](x)
            x = stage(x)
            if str(level) in self.heads:
                fields.append(self.heads[str(level)](x))
        for refiner in self.refiners:
            x = refiner(x)
            fields.append(x)
        return tuple(unfold(field, self._planes) for field in fields[-self.levels :])


class BasisFieldDecoder(nn.Module):
    """2D convolutions on every plane; the feature maps of each level become a basis field by a 1x1 convolution.

    A level without blocks refines its parent's cells by the upsampler alone.
    """

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        layout, latent_channels, channels, blocks, basis_channels, levels = sizes
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
