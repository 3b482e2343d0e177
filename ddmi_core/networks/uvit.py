"""U-ViT: a denoiser that convolves where maps are large and attends where they are small (Hoogeboom et al. 2023).

Two levels. At the latent's own size residual convolutions alone; at half of it most of the work: each block convolves,
then lets all cells attend to each other and to the tokens of the text in one softmax, then applies an MLP to each cell.
Time and the pooled text scale and shift every block's hidden channels.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ddmi_core.networks.attention import attend
from ddmi_core.networks.shared_trunk import CellNorm, CellsToPatches, silent

_MLP_RATIO = 2
_FREQUENCIES = 128


class UViT(nn.Module):
    """Predict the noise, or v, of noisy latents.

    Args:
        latent_channels: of the canvas, in and out.
        size: sides (height, width) of the canvas, even.
        channels: widths of the outer and of the inner level.
        blocks: residual blocks on the way down, attending blocks inside, residual blocks on the way up.
        head_width: channels of one attention head.
        text_channels: width of a text token and of the pooled text.
    """

    _no_split_modules = ("_Residual", "_Attending")  # what is computed at once where weights are spread over processes

    def __init__(
        self,
        latent_channels: int,
        size: tuple[int, int],
        *,
        channels: tuple[int, int],
        blocks: tuple[int, int, int],
        head_width: int,
        text_channels: int,
    ) -> None:
        super().__init__()
        outer, inner = channels
        down, inside, up = blocks
        height, width = size
        self.condition = Condition(text_channels, inner)
        self.text = nn.Sequential(nn.LayerNorm(text_channels), nn.Linear(text_channels, inner))
        self.enter = nn.Conv2d(latent_channels, outer, 3, padding=1)
        self.down = nn.ModuleList(_Residual(outer, inner) for _ in range(down))
        self.shrink = nn.Conv2d(4 * outer, inner, 1)
        self.place = nn.Parameter(0.02 * torch.randn(1, inner, height // 2, width // 2))
        self.inside = nn.ModuleList(_Attending(inner, inner, head_width) for _ in range(inside))
        self.grow = CellsToPatches(inner, outer)
        self.join = nn.Conv2d(2 * outer, outer, 1)
        self.up = nn.ModuleList(_Residual(outer, inner) for _ in range(up))
        self.norm = CellNorm(outer)
        self.leave = silent(nn.Conv2d(outer, latent_channels, 3, padding=1))

    def forward(
        self,
        noisy: Float[Tensor, "b c h w"],
        timestep: Int[Tensor, " b"],
        tokens: Float[Tensor, "b t d"],
        mask: Bool[Tensor, "b t"],
        pooled: Float[Tensor, "b d"],
        alone: Bool[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """Return the prediction; `mask` is true at real tokens.

        Where `alone` is true, every cell attends to nothing but itself: what that makes hangs together less, and is
        what perturbed-attention guidance leads away from (Ahn et al. 2024).
        """
        condition = self.condition(timestep, pooled)
        text = self.text(tokens)
        x = self.enter(noisy.contiguous(memory_format=torch.channels_last))
        for residual in self.down:
            x = residual(x, condition)
        skip = x
        x = self.shrink(F.pixel_unshuffle(x, 2)) + self.place
        for attending in self.inside:
            x = attending(x, condition, text, mask, alone)
        x = self.join(torch.cat([self.grow(x), skip], dim=1))
        for residual in self.up:
            x = residual(x, condition)
        return self.leave(F.silu(self.norm(x)))


class Condition(nn.Module):
    """Time and the pooled text as one vector, which a denoiser is told."""

    rates: Tensor

    def __init__(self, text_channels: int, channels: int) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(2 * _FREQUENCIES, channels), nn.SiLU(), nn.Linear(channels, channels))
        self.text = nn.Linear(text_channels, channels)
        rates = torch.exp(-math.log(10_000) * torch.arange(_FREQUENCIES) / _FREQUENCIES)
        self.register_buffer("rates", rates, persistent=False)

    def forward(self, timestep: Int[Tensor, " b"], pooled: Float[Tensor, "b d"]) -> Float[Tensor, "b c"]:
        """Return the vector of times and texts."""
        angles = timestep.float().unsqueeze(1) * self.rates
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)
        return F.silu(self.time(waves) + self.text(pooled * math.sqrt(pooled.shape[1])))


class _Residual(nn.Module):
    """Two 3x3 convolutions beside a skip connection, scaled and shifted by the condition between them."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = CellNorm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.modulate = silent(nn.Linear(condition, 2 * channels))
        self.second = silent(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Float[Tensor, "b c h w"], condition: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        scale, shift = self.modulate(condition)[:, :, None, None].chunk(2, dim=1)
        return x + self.second(F.silu(torch.addcmul(shift, self.first(self.norm(x)), scale + 1)))


class _Attending(nn.Module):
    """A residual block, attention of the cells to each other and to the text, an MLP."""

    def __init__(self, channels: int, condition: int, head_width: int) -> None:
        super().__init__()
        self.heads = channels // head_width
        self.convolve = _Residual(channels, condition)
        self.norm = nn.LayerNorm(channels)
        self.ask = nn.Linear(channels, channels)
        self.tell = nn.Linear(channels, 2 * channels)
        self.tell_text = nn.Linear(channels, 2 * channels)
        self.gather = silent(nn.Linear(channels, channels))
        self.mlp = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, _MLP_RATIO * channels),
            nn.SiLU(),
            silent(nn.Linear(_MLP_RATIO * channels, channels)),
        )

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        condition: Float[Tensor, "b d"],
        text: Float[Tensor, "b t c"],
        mask: Bool[Tensor, "b t"],
        alone: Bool[Tensor, " b"] | None,
    ) -> Float[Tensor, "b c h w"]:
        height = x.shape[-2]
        cells = rearrange(self.convolve(x, condition), "b c h w -> b (h w) c")
        normed = self.norm(cells)
        context = torch.cat([self.tell(normed), self.tell_text(text)], dim=1)
        keys, values = rearrange(context, "b n (two k d) -> two b k n d", two=2, k=self.heads)
        queries = rearrange(self.ask(normed), "b n (k d) -> b k n d", k=self.heads)
        seen = torch.cat([mask.new_ones(len(mask), cells.shape[1]), mask], dim=1)
        gathered = attend(queries, keys, values, seen)
        if alone is not None:
            gathered = torch.where(alone[:, None, None, None], values[:, :, : cells.shape[1]], gathered)
        cells = cells + self.gather(rearrange(gathered, "b k n d -> b n (k d)"))
        cells = cells + self.mlp(cells)
        return rearrange(cells, "b (h w) c -> b c h w", h=height)
