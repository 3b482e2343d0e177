"""Parts of a signal that are drawn anew: what lies near one of its sides."""

from __future__ import annotations

from dataclasses import dataclass

from ddmi_core.recipe import Inpainting, Span

USUAL_SHARE = 0.5
_ALL: Span = (-1.0, 1.0)


@dataclass(frozen=True)
class Side:
    """A side of a room's signals."""

    name: str
    axis: int
    """Of the coordinates, across the side."""
    is_high: bool
    """Whether the side is where that coordinate is 1, and not -1."""

    def part(self, share: float, axes: int) -> tuple[Span, ...]:
        """What reaches from the side so far into a signal of so many coordinates; ``share`` of it, 0..1."""
        depth = round(2 * share - 1, 6)
        span = (-depth, 1.0) if self.is_high else (-1.0, depth)
        return tuple(span if axis == self.axis else _ALL for axis in range(axes))


OF_PICTURES = (
    Side("Top", 1, is_high=False),  # y leads down
    Side("Bottom", 1, is_high=True),
    Side("Left", 0, is_high=False),
    Side("Right", 0, is_high=True),
)
OF_CLIPS = (*OF_PICTURES, Side("Beginning", 2, is_high=False), Side("End", 2, is_high=True))
OF_OBJECTS = (
    Side("Top", 1, is_high=True),
    Side("Bottom", 1, is_high=False),
    Side("Left", 0, is_high=False),
    Side("Right", 0, is_high=True),
    Side("Front", 2, is_high=True),
    Side("Back", 2, is_high=False),
)


def measured_from(inpaint: Inpainting, sides: tuple[Side, ...]) -> tuple[Side, float] | None:
    """From which side a part is measured, and how much of the signal it is; None of another part."""
    axes = len(inpaint.region)
    for side in sides:
        start, stop = inpaint.region[side.axis]
        share = round((1 - start) / 2 if side.is_high else (stop + 1) / 2, 6)
        if inpaint.region == side.part(share, axes):
            return side, share
    return None
