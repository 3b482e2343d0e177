"""Where shots lie that follow each other and overlap while one leads into the next. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise


@dataclass(frozen=True)
class SequenceLayout:
    """Shots along the time of their sequence, in seconds.

    Attributes:
        lengths: how long each shot lasts.
        overlaps: how long each shot but the last leads into the next.
        starts: where each shot begins.
    """

    lengths: tuple[float, ...]
    overlaps: tuple[float, ...]
    starts: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """How long all of it lasts."""
        return self.starts[-1] + self.lengths[-1]

    def place_at(self, second: float) -> int:
        """Return the place of the shot that is seen at a second; in a transition, of the one that it leads to."""
        return max(place for place, start in enumerate(self.starts) if place == 0 or start <= second)


def lay_out(lengths: Sequence[float], shapes: Sequence[tuple[int, ...]], transition: float) -> SequenceLayout:
    """Lay shots out one after the other.

    Args:
        lengths: seconds that each shot lasts; one at least.
        shapes: shapes of their latents. Only between latents of one shape is there a way; others are cut hard.
        transition: seconds that neighbours overlap; half of the shorter shot at most.
    """
    overlaps = tuple(
        min(transition, before / 2, after / 2) if shape == following else 0.0
        for (before, after), (shape, following) in zip(pairwise(lengths), pairwise(shapes), strict=True)
    )
    steps = [length - overlap for length, overlap in zip(lengths, overlaps, strict=False)]
    return SequenceLayout(tuple(lengths), overlaps, tuple(accumulate(steps, initial=0.0)))
