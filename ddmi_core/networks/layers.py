"""Blocks that the encoders and the basis-field decoder share."""

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor, nn

from ddmi_core.planes import PlaneLayout, Planes


def on_each_plane(module: nn.Module, planes: Planes) -> Planes:
    """Apply a 2D module with shared weights to every plane, in one batch where the sizes allow it."""
    if all(plane.shape == planes[0].shape for plane in planes):
        return module(torch.cat(planes)).chunk(len(planes))
    return tuple(module(plane) for plane in planes)


def normalisation(channels: int) -> nn.GroupNorm:
    """Group normalisation with 8 groups, or fewer where the channels do not divide."""
    groups = next(groups for groups in (8, 4, 2, 1) if channels % groups == 0)
    return nn.GroupNorm(groups, channels)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a skip connection, normalised and activated once.

    On a CPU further normalisations and activations would cost as much as the convolutions.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(last.weight)
        self.body = nn.Sequential(
            normalisation(channels), nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True), last
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
        self.merge = nn.Conv2d(3 * channels, channels, 1) if len(layout) > 1 else None
        if self.merge is not None:
            nn.init.zeros_(self.merge.weight)
            nn.init.constant_(self.merge.bias, 0.0)  # type: ignore[arg-type]  # there is a bias

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
        mixed = on_each_plane(self.merge, tuple(joined))
        return tuple(plane + extra for plane, extra in zip(planes, mixed, strict=True))

    def _seen_by_others(self, planes: Planes, p: int, axis: int) -> Float[Tensor, "b c n"]:
        """What the other planes that have `axis` hold along it, averaged over their second axis and summed."""
        profiles = [
            other.mean(dim=-2 if axes[0] == axis else -1)
            for q, (other, axes) in enumerate(zip(planes, self.layout.axes, strict=True))
            if q != p and axis in axes
        ]
        return torch.stack(profiles).sum(0)
