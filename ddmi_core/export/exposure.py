"""What each frame of a film is exposed to: the moments that it is the mean of, and films that end as they begin."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import UInt8

Loop = Literal["none", "back", "dissolve"]
"""Whether a film ends as it begins, and how so: it runs backwards again, or its end dissolves into its beginning."""

DISSOLVED = 0.25
"""Share of a take that dissolves into its beginning, by which the film is shorter."""

_LENGTHS: dict[Loop, float] = {"none": 1.0, "back": 2.0, "dissolve": 1 - DISSOLVED}
_PER_TURN = 16  # moments that a frame is the mean of where the shutter is never closed
_LEAST = 4  # of them where it is open at all
_GAMMA = 2.2


class Exposure(NamedTuple):
    """What a frame is exposed to at a second of the clip, as a share of all of its light."""

    second: float
    share: float


@dataclass(frozen=True)
class Take:
    """A stretch of a clip that is filmed.

    Attributes:
        start: where it begins, in seconds of the clip.
        stop: where it ends.
        loop: whether the film ends as it begins.
    """

    start: float
    stop: float
    loop: Loop = "none"

    @property
    def seconds(self) -> float:
        """How long the film lasts."""
        return _LENGTHS[self.loop] * (self.stop - self.start)

    def count(self, rate: Fraction) -> int:
        """Return how many frames the film has at a rate; one at least."""
        return max(1, round(self.seconds * rate))

    def exposures(self, number: int, rate: Fraction, shutter: float) -> list[Exposure]:
        """Return what a frame is exposed to, shares that sum to 1.

        Args:
            number: of the frame, which stands for the time from `number / rate` on and is taken in the middle of it.
            rate: frames a second.
            shutter: degrees of each turn, 0 to 360, in which the shutter is open.
        """
        middle, opened = (number + 0.5) / float(rate), shutter / 360
        count = max(_LEAST, round(_PER_TURN * opened)) if opened else 1
        exposed = []
        for moment in range(count):
            second = middle + ((moment + 0.5) / count - 0.5) * opened / float(rate)
            exposed += [Exposure(one.second, one.share / count) for one in self._seen(second)]
        return exposed

    def _seen(self, second: float) -> list[Exposure]:
        """What the film shows at one of its seconds, which go round if it is a loop."""
        length = self.stop - self.start
        if self.loop == "none":
            return [Exposure(self.start + min(max(second, 0.0), length), 1.0)]
        second %= self.seconds
        if self.loop == "back":
            return [Exposure(self.start + (second if second <= length else 2 * length - second), 1.0)]
        dissolved = DISSOLVED * length
        if second >= dissolved:
            return [Exposure(self.start + second, 1.0)]
        share = second / dissolved
        share = share * share * (3 - 2 * share)
        return [Exposure(self.start + second, share), Exposure(self.start + self.seconds + second, 1 - share)]


def developed(exposed: Iterable[tuple[float, UInt8[np.ndarray, "h w 4"]]]) -> UInt8[np.ndarray, "h w 4"]:
    """Return the mean of pictures by their shares, in linear light, as light falls on film.

    Args:
        exposed: shares, which sum to 1, and pictures, straight RGBA.
    """
    light: np.ndarray | None = None
    for share, picture in exposed:
        if share == 1:
            return picture
        cover = picture[..., 3:].astype(np.float32) / 255
        part = share * np.concatenate([_LINEAR[picture[..., :3]] * cover, cover], axis=-1)
        light = part if light is None else light + part
    assert light is not None, "a frame is exposed to something"
    cover = light[..., 3:]
    colour = np.divide(light[..., :3], cover, out=np.zeros_like(light[..., :3]), where=cover > 0)
    shown = np.concatenate([np.clip(colour, 0, 1) ** (1 / _GAMMA), cover], axis=-1)
    return np.round(255 * shown).astype(np.uint8)


_LINEAR = ((np.arange(256) / 255) ** _GAMMA).astype(np.float32)
