"""Encoder of pictures to the latent plane (paper 4.1)."""

from itertools import pairwise

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ddmi_core.networks.layers import ResidualBlock, normalisation, parts_of_whole
from ddmi_core.networks.shared_trunk import CellHead, PatchesToCells, PlaneBlock
from ddmi_core.planes import SINGLE_PLANE, Planes

STEM = 4
"""Side of the patches that the first layer turns into one cell each, unless pictures are of another size."""


class ImageEncoder(nn.Module):
    """A strided stem, then residual blocks on ever smaller maps.

    Args:
        in_channels: channels of the pictures, values in [0, 1].
        out_channels: channels of the returned plane.
        channels: widths of the maps at a quarter of the picture's side, an eighth, ...
        size: side of the returned plane.
        side: of pictures, a multiple of size x 2^(len(channels) - 1), of which None takes four times as much; others
            are brought to it by averaging areas.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, channels: tuple[int, ...], size: int, side: int | None = None
    ) -> None:
        super().__init__()
        cells = size * 2 ** (len(channels) - 1)
        self.side = side or cells * STEM
        stem = parts_of_whole(self.side, cells, "resolution")
        layers: list[nn.Module] = [nn.Conv2d(in_channels, channels[0], stem, stride=stem), ResidualBlock(channels[0])]
        for width, deeper in pairwise(channels):
            layers += [nn.Conv2d(width, deeper, 4, stride=2, padding=1), ResidualBlock(deeper)]
        self.body = nn.Sequential(*layers, ResidualBlock(channels[-1]))
        self.head = nn.Sequential(
            normalisation(channels[-1]), nn.ReLU(inplace=True), nn.Conv2d(channels[-1], out_channels, 1)
        )

    def forward(self, pictures: Float[Tensor, "b c h w"]) -> Planes:
        """Return the one plane of a batch of pictures."""
        if pictures.shape[-1] != self.side:
            pictures = F.interpolate(pictures, size=(self.side, self.side), mode="area")
        return (self.head(self.body(2 * pictures - 1)),)


class PatchedImageEncoder(nn.Module):
    """Patches of the picture as the cells of the latent, then blocks at that size alone.

    Args:
        in_channels: channels of the pictures, values in [0, 1].
        out_channels: channels of the returned plane.
        width: channels of the cells.
        blocks: how many.
        patch: side of a patch in pixels.
        size: side of the returned plane; pictures have the side size x patch, others are brought to it by averaging
            areas.
    """

    def __init__(self, in_channels: int, out_channels: int, *, width: int, blocks: int, patch: int, size: int) -> None:
        super().__init__()
        self.side = size * patch
        planes = len(SINGLE_PLANE)
        self.cells = PatchesToCells(in_channels, width, patch, planes)
        self.blocks = nn.Sequential(*(PlaneBlock(width, planes) for _ in range(blocks)))
        self.head = CellHead(width, out_channels)

    def forward(self, pictures: Float[Tensor, "b c h w"]) -> Planes:
        """Return the one plane of a batch of pictures."""
        if pictures.shape[-1] != self.side:
            pictures = F.interpolate(pictures, size=(self.side, self.side), mode="area")
        return (self.head(self.blocks(self.cells(2 * pictures - 1))),)
