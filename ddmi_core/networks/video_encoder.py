"""Encoder of clips to the three latent planes xy, xt and yt (paper 4.3)."""

from functools import partial

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.networks.layers import CrossPlaneMixing, PerPlane, ResidualBlock, normalisation, parts_of_whole
from ddmi_core.planes import PlaneLayout, Planes

STEM = 4
"""Side of the patches that the first layer turns into one cell each, unless frames are of another size."""
FRAMES_A_CELL = 2
"""Frames that a cell of the latent planes' time axis stands for, unless clips have another number of them."""

_BLOCKS = 2


class VideoEncoder(nn.Module):
    """Patches, then convolutions over space and time in turn, then one learned projection along each axis.

    A plane keeps two axes and gives up the third; a projection with weights of its own for each place along that axis
    keeps where things were there, which a mean would lose.

    The paper takes a TimeSformer (Bertasius et al. 2021: divided space-time attention). Compared by cost at the sizes
    of the preset emoji-motion, one clip forwards, and forwards and backwards in one CPU thread: this encoder 0.8 GFLOP
    and 0.03 s; four blocks of divided attention with the same projections 2.4 GFLOP and 0.12 s on patches of 8 pixels
    (width 128), 2.3 GFLOP and 0.23 s on patches of 4 (width 64). Most of a training step would go into attention.

    Args:
        layout: the planes xy, xt, yt.
        in_channels: channels of the frames; the first four are colours in [0, 1].
        out_channels: channels of the returned planes.
        channels: widths of the space-time grid and of the planes.
        size: side of the returned xy plane; the time axis of the other planes has size / 2 cells.
        side: of frames, a multiple of size, of which None takes four times as much.
        frames: of clips, a multiple of size / 2, of which None takes twice as many. Clips of other sizes are brought
            to it by averaging areas.
    """

    def __init__(
        self,
        layout: PlaneLayout,
        in_channels: int,
        out_channels: int,
        *,
        channels: tuple[int, int],
        size: int,
        side: int | None = None,
        frames: int | None = None,
    ) -> None:
        super().__init__()
        narrow, wide = channels
        moments = size // 2
        self.frames, self.side = frames or moments * FRAMES_A_CELL, side or size * STEM
        stem = parts_of_whole(self.side, size, "resolution")
        frames_a_cell = parts_of_whole(self.frames, moments, "frames")
        self.stem = nn.Conv2d(in_channels, narrow, stem, stride=stem)
        self.blocks = nn.Sequential(*(SpaceTimeBlock(narrow) for _ in range(_BLOCKS)))
        self.norm = normalisation(narrow)
        self.to_xy = nn.Conv2d(self.frames * narrow, wide, 1)
        self.to_xt = nn.Conv2d(size * narrow, wide, (frames_a_cell, 1), stride=(frames_a_cell, 1))
        self.to_yt = nn.Conv2d(size * narrow, wide, (frames_a_cell, 1), stride=(frames_a_cell, 1))
        self.mixing = CrossPlaneMixing(wide, layout)
        self.head = PerPlane(layout, partial(_head, wide, out_channels))

    @override
    def forward(self, video: Float[Tensor, "b c t h w"]) -> Planes:
        """Return the planes of a batch of clips."""
        if video.shape[-3:] != (self.frames, self.side, self.side):
            video = F.interpolate(video, size=(self.frames, self.side, self.side), mode="area")
        clips = len(video)
        frames = rearrange(torch.cat([2 * video[:, :4] - 1, video[:, 4:]], dim=1), "b c t h w -> (b t) c h w")
        grid = rearrange(self.stem(frames), "(b t) c h w -> b c t h w", b=clips)
        grid = F.relu(self.norm(self.blocks(grid)))
        planes = (
            self.to_xy(rearrange(grid, "b c t h w -> b (t c) h w")),
            self.to_xt(rearrange(grid, "b c t h w -> b (h c) t w")),
            self.to_yt(rearrange(grid, "b c t h w -> b (w c) t h")),
        )
        return self.head(self.mixing(planes))


class SpaceTimeBlock(nn.Module):
    """A residual block over space, then one over time: (2+1)D convolutions (Tran et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.space = ResidualBlock(channels)
        self.norm = normalisation(channels)
        self.time = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        nn.init.zeros_(self.time.weight)

    @override
    def forward(self, grid: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t h w"]:
        """Add what both found."""
        clips, _, _, height, _ = grid.shape
        grid = rearrange(self.space(rearrange(grid, "b c t h w -> (b t) c h w")), "(b t) c h w -> b c t (h w)", b=clips)
        grid = grid + self.time(F.relu(self.norm(grid)))
        return rearrange(grid, "b c t (h w) -> b c t h w", h=height)


def _head(width: int, out_channels: int) -> nn.Module:
    return nn.Sequential(
        ResidualBlock(width), normalisation(width), nn.ReLU(inplace=True), nn.Conv2d(width, out_channels, 1)
    )
