"""A ruler between two points of a shape or a picture: pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

Place = tuple[float, ...]
"""Coordinates, two or three."""
_SMALL_STEPS = {1: 5, 2: 4, 5: 5}
"""How many ticks come to a large one, by the first digit of what lies between large ones."""


class Tick(NamedTuple):
    """A mark on a ruler. share: of the way along it. length: of the ruler up to there, or None for a small mark."""

    share: float
    length: float | None


@dataclass(frozen=True)
class Ruler:
    """What was clicked so far: no point, one, or both."""

    ends: tuple[Place, ...] = ()

    def clicked(self, place: Place) -> Ruler:
        """Return the ruler after another click; the third one starts anew."""
        return Ruler((*self.ends, place) if len(self.ends) < 2 else (place,))

    @property
    def parts(self) -> Place | None:
        """How far the ends are apart along each axis; None without both."""
        if len(self.ends) < 2:
            return None
        return tuple(abs(a - b) for a, b in zip(*self.ends, strict=True))

    @property
    def length(self) -> float:
        """How far the ends are apart; 0 without both."""
        return math.hypot(*(self.parts or ()))


def ticks(length: float, most: int) -> list[Tick]:
    """Return the marks on a ruler so long, from its start: large ones at round lengths, at most `most`, small between.

    Round are 1, 2 and 5 with zeros before or after them.
    """
    if length <= 0 or most < 1:
        return []
    wanted = length / most
    power = math.floor(math.log10(wanted))
    digit, power = next(((one, power) for one in (1, 2, 5) if one * 10.0**power >= wanted), (1, power + 1))
    every = _SMALL_STEPS[digit]
    step = digit * 10.0**power / every
    count = math.floor(length / step * (1 + 1e-9))
    return [Tick(number * step / length, number * step if number % every == 0 else None) for number in range(count + 1)]
