"""The colours of an empty sky, of the sun and of what they light, by the sun's elevation."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

# Elevation in degrees: sRGB at the zenith, half way and the horizon; of clouds in the light and in their own shade.
_STOPS: dict[float, tuple[tuple[int, int, int], ...]] = {
    -24: ((5, 8, 20), (9, 15, 34), (19, 28, 52), (44, 52, 76), (14, 18, 32)),
    -10: ((14, 22, 52), (30, 40, 84), (70, 64, 100), (70, 70, 104), (26, 30, 54)),
    -4: ((36, 54, 104), (96, 86, 134), (222, 122, 96), (214, 122, 116), (62, 58, 92)),
    1: ((62, 96, 156), (168, 136, 154), (250, 166, 96), (252, 170, 120), (112, 92, 122)),
    7: ((78, 126, 190), (178, 184, 200), (250, 214, 150), (255, 228, 184), (138, 132, 152)),
    20: ((62, 124, 204), (130, 178, 228), (214, 222, 224), (255, 250, 240), (160, 170, 188)),
    60: ((40, 102, 192), (98, 158, 224), (180, 210, 236), (255, 255, 255), (168, 180, 200)),
}
_ELEVATIONS = torch.tensor(sorted(_STOPS))
_COLOURS = torch.tensor([_STOPS[key] for key in sorted(_STOPS)], dtype=torch.float32) / 255


class Light(NamedTuple):
    """Colours (n, 3) each."""

    zenith: Float[Tensor, "n 3"]
    middle: Float[Tensor, "n 3"]
    horizon: Float[Tensor, "n 3"]
    lit: Float[Tensor, "n 3"]
    shade: Float[Tensor, "n 3"]

    def at(self, height: Float[Tensor, " n"]) -> Float[Tensor, "n 3"]:
        """The colour of the empty sky from 0, the horizon, to 1."""
        low, high = smooth(height, 0.0, 0.45)[:, None], smooth(height, 0.25, 1.1)[:, None]
        return torch.lerp(torch.lerp(self.horizon, self.middle, low), self.zenith, high)


class Look(NamedTuple):
    """Places and moments that are looked at, (n,) each.

    `x` to the right and `v` upward, in [-1, 1]; `moment` in [-1, 1]; `size` of the pixels; the sun's `elevation` in
    degrees then; and its `lights`.
    """

    x: Float[Tensor, " n"]
    v: Float[Tensor, " n"]
    moment: Float[Tensor, " n"]
    size: Float[Tensor, " n"]
    elevation: Float[Tensor, " n"]
    lights: Light

    def some(self, which: Int[Tensor, " m"]) -> "Look":
        """Those of some numbers."""
        x, v, moment, size, elevation, lights = self
        some = Light(*(colours[which] for colours in lights))
        return Look(x[which], v[which], moment[which], size[which], elevation[which], some)


def light(elevation: Float[Tensor, " n"]) -> Light:
    """Interpolate the colours of a sun at some degrees above the horizon."""
    upper = torch.searchsorted(_ELEVATIONS, elevation.contiguous()).clamp(1, len(_ELEVATIONS) - 1)
    low, high = _ELEVATIONS[upper - 1], _ELEVATIONS[upper]
    share = ((elevation - low) / (high - low)).clamp(0, 1)[:, None, None]
    return Light(*torch.lerp(_COLOURS[upper - 1], _COLOURS[upper], share).unbind(1))


def smooth(values: Float[Tensor, " n"], low: float, high: float) -> Float[Tensor, " n"]:
    """A smooth step from 0 at `low` to 1 at `high`."""
    share = ((values - low) / (high - low)).clamp(0, 1)
    return share * share * (3 - 2 * share)


def night(elevation: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """How dark it is, in [0, 1]: stars are seen and lamps are lit."""
    return 1 - smooth(elevation, -13.0, -3.0)


PURE_SUN = torch.tensor([1.0, 0.96, 0.86])
LOW_SUN = torch.tensor([1.0, 0.62, 0.28])
