"""Blocks that the encoders and the basis-field decoder share."""

from collections.abc import Callable

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor, nn

from ddmi_core.planes import PlaneLayout, Planes
from ddmi_core.support.errors import DDMIError


class PerPlane(nn.Module):
    """A 2D module of each plane's own.

    One set of weights for all planes would not know which of them it works on. With their features summed, what stands
    at the crossings of two side views is then taken for a leg that the view from above does not show.

    Args:
        layout: the planes.
        make: makes the module of one plane.
    """

    def __init__(self, layout: PlaneLayout, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.planes = nn.ModuleList(make() for _ in range(len(layout)))

    def forward(self, planes: Planes) -> Planes:
        """Apply each plane's module to it."""
        return tuple(module(plane) for module, plane in zip(self.planes, planes, strict=True))


def normalisation(channels: int) -> nn.GroupNorm:
    """Group normalisation with 8 groups, or fewer where the channels do not divide."""
    groups = next(groups for groups in (8, 4, 2, 1) if channels % groups == 0)
    return nn.GroupNorm(groups, channels)


def parts_of_whole(samples: int, cells: int, setting: str) -> int:
    """Return how many samples along an axis each cell of an encoder's first map is made of.

    Raises:
        DDMIError: it is no whole number; the message names the `setting` of the autoencoder that says how many samples.
    """
    if samples % cells:
        raise DDMIError(f"autoencoder.{setting} must be a multiple of the {cells} cells of the encoder's first map.")
    return samples // cells


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a skip connection, normalised and activated once.

    On a CPU further normalisations and activations would cost as much as the convolutions.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            normalisation(channels),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            _silent(nn.Conv2d(channels, channels, 3, padding=1)),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Add what the convolutions found."""
        return x + self.body(x)


class Upsample(nn.ConvTranspose2d):
    """Double height and width, each input cell giving a 2x2 block: cheaper than convolving the enlarged map."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(channels, out_channels, kernel_size=2, stride=2)


class CrossPlaneMixing(nn.Module):
    """Let every plane see the others: each receives their averages along the axis they do not share.

    Two planes share one coordinate axis; the other plane's mean over its own second axis is a signal along the shared
    one and is broadcast over this plane (Wang et al. 2023, "Rodin", 3D-aware convolution). With a single plane there
    is nothing to mix and the module is the identity.
    """

    def __init__(self, channels: int, layout: PlaneLayout) -> None:
        super().__init__()
        self.layout = layout
        self.merge = (
            PerPlane(layout, lambda: _silent(nn.Conv2d(3 * channels, channels, 1))) if len(layout) > 1 else None
        )

    def forward(self, planes: Planes) -> Planes:
        """Return planes of the same sizes."""
        if self.merge is None:
            return planes
        joined = []
        for p, (plane, (width_axis, height_axis)) in enumerate(zip(planes, self.layout.axes, strict=True)):
            height, width = plane.shape[-2:]
            along_width = repeat(self._seen_by_others(planes, p, width_axis), "b c w -> b c h w", h=height)
            along_height = repeat(self._seen_by_others(planes, p, height_axis), "b c h -> b c h w", w=width)
            joined.append(torch.cat([plane, along_width, along_height], dim=1))
        mixed = self.merge(tuple(joined))
        return tuple(plane + extra for plane, extra in zip(planes, mixed, strict=True))

    def _seen_by_others(self, planes: Planes, p: int, axis: int) -> Float[Tensor, "b c n"]:
        """What the other planes that have `axis` hold along it, averaged over their second axis and summed."""
        profiles = [
            other.mean(dim=-2 if axes[0] == axis else -1)
            for q, (other, axes) in enumerate(zip(planes, self.layout.axes, strict=True))
            if q != p and axis in axes
        ]
        return torch.stack(profiles).sum(0)


def _silent(convolution: nn.Conv2d) -> nn.Conv2d:
    """Let a convolution add nothing at first."""
    nn.init.zeros_(convolution.weight)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
