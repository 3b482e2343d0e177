"""The bar that parts the viewport: the function on its left, what pixels would have shown on its right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from studio.widgets.deep_zoom.geometry import Look

Compare = Literal["off", "nearest", "bicubic"]

_GRIP = 7.0  # points on either side of the bar that take hold of it
_EDGE = 0.02


@dataclass(frozen=True)
class Split:
    """What is compared, and where the bar is as a share of the viewport's width."""

    compare: Compare = "off"
    share: float = 0.5

    @property
    def is_on(self) -> bool:
        """Whether there is a bar."""
        return self.compare != "off"

    def moved(self, by: float) -> Split:
        """With the bar moved by a share of the width; it never leaves the viewport."""
        return self.at(self.share + by)

    def at(self, share: float) -> Split:
        """With the bar at a share of the width."""
        return replace(self, share=min(max(share, _EDGE), 1 - _EDGE))

    def bar(self, width: float) -> float:
        """Where the bar is in a viewport of that width; at its right edge when nothing is compared."""
        return round(self.share * width) if self.is_on else width

    def holds(self, x: float, width: float) -> bool:
        """Whether a place is near enough to the bar to take hold of it."""
        return self.is_on and abs(x - self.bar(width)) <= _GRIP

    def parts(self, look: Look) -> tuple[Look, Look]:
        """What the two sides of the bar look at."""
        bar = round(self.bar(look.width))
        return replace(look, width=bar), replace(look, left=look.left + bar, width=look.width - bar)
