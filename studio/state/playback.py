"""How a clip is played: where, how fast, which way, and between which marks. Has no clock of its own."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SPEEDS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0)
"""How fast a clip can be played."""
RATE = 24
"""Frames a second that are shown while a clip plays, at any speed."""
LEVELS = (48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Sides of the drawings that are played; few, so that the picture does not waver."""

Between = Literal["function", "repeated", "blended"]
"""What stands between the base frames: the function's own values, the nearest frame, or a blend of two."""
Moment = tuple[float, float, float]
"""Two moments in [-1, 1] and the share of the second one in what is shown."""

_HEADROOM = 0.75  # share of the time between two frames that drawing one may take


@dataclass
class Playback:
    """The state of a player. All moments are in seconds from the beginning of the clip.

    Attributes:
        seconds: how long the clip lasts.
        position: the playhead.
        speed: one of `SPEEDS`.
        direction: 1 onwards, -1 backwards.
        playing: whether the playhead moves.
        looping: whether it begins anew at the end of the range.
        mark_in: where the range begins; None: with the clip.
        mark_out: where it ends; None: with the clip.
    """

    seconds: float = 3.0
    position: float = 0.0
    speed: float = 1.0
    direction: int = 1
    playing: bool = False
    looping: bool = True
    mark_in: float | None = None
    mark_out: float | None = None

    @property
    def range(self) -> tuple[float, float]:
        """Where playing begins and ends."""
        return self.mark_in or 0.0, self.seconds if self.mark_out is None else self.mark_out

    def seek(self, second: float) -> None:
        """Put the playhead somewhere in the clip."""
        self.position = min(max(second, 0.0), self.seconds)

    def set_in(self) -> None:
        """Begin the range at the playhead; an end before it is forgotten."""
        self.mark_in = self.position if self.position > 0 else None
        if self.mark_out is not None and self.mark_out <= self.position:
            self.mark_out = None

    def set_out(self) -> None:
        """End the range at the playhead; a beginning after it is forgotten."""
        self.mark_out = self.position if 0 < self.position < self.seconds else None
        if self.mark_in is not None and self.mark_in >= self.position:
            self.mark_in = None

    def clear_marks(self) -> None:
        """Play the whole clip."""
        self.mark_in = self.mark_out = None

    def shuttle(self, direction: int) -> None:
        """Play in a direction; pressed again, twice as fast (J and L of an editing desk)."""
        if self.playing and direction == self.direction:
            self.faster(1)
        else:
            self.direction, self.playing, self.speed = direction, True, 1.0

    def faster(self, steps: int) -> None:
        """Go so many steps up the ladder of speeds, or down."""
        place = min(range(len(SPEEDS)), key=lambda i: abs(math.log(SPEEDS[i] / self.speed)))
        self.speed = SPEEDS[min(max(place + steps, 0), len(SPEEDS) - 1)]

    def step(self, frames: int, rate: float = RATE) -> None:
        """Stop, and move by whole frames of a rate."""
        self.playing = False
        self.seek(self.position + frames / rate)

    def after(self, position: float, elapsed: float) -> float | None:
        """Return where the playhead is `elapsed` seconds of the wall clock after `position`; None: it has arrived."""
        start, stop = self.range
        length = stop - start
        if length <= 0:
            return None
        moved = position + self.direction * self.speed * elapsed
        if start <= moved < stop:
            return moved
        outside = position < start or position >= stop
        if not self.looping and not outside:
            return None
        if outside and not self.looping:  # it begins where the range does
            return start if self.direction > 0 else max(start, stop - elapsed * self.speed)
        return start + (moved - start) % length

    def ahead(self, position: float, count: int) -> list[float]:
        """Return the positions of the next frames that are shown, up to the end of the range."""
        found: list[float] = []
        for _ in range(count):
            following = self.after(position, 1 / RATE)
            if following is None:
                break
            found.append(following)
            position = following
        return found

    def to_moment(self, second: float) -> float:
        """Return the time coordinate of a second."""
        return 2 * second / self.seconds - 1


def moment_between(t: float, marks: Sequence[float], between: Between) -> Moment:
    """Return what to draw at a moment in [-1, 1], given the moments of the base frames."""
    if between == "function" or not marks:
        return t, t, 0.0
    after = min(bisect_right(marks, t), len(marks) - 1)
    before = max(after - 1, 0)
    if after == before or t >= marks[after]:
        return marks[after], marks[after], 0.0
    share = min(max((t - marks[before]) / (marks[after] - marks[before]), 0.0), 1.0)
    if between == "repeated":
        nearest = marks[before] if share < 0.5 else marks[after]
        return nearest, nearest, 0.0
    return marks[before], marks[after], share


class Pace:
    """How large the frames can be drawn without the rate suffering, from how long the last ones took.

    The size is what gives way; only when the smallest is too much are there fewer frames.
    """

    def __init__(self, first: int = LEVELS[3]) -> None:
        """`first`: the side before anything is known."""
        self._first = first
        self._pixels_a_second: float | None = None

    @property
    def pixels_a_second(self) -> float | None:
        """How quickly pixels are drawn, once that is known."""
        return self._pixels_a_second

    def learn(self, pixels: int, seconds: float) -> None:
        """Take note of a frame that was drawn."""
        found = pixels / max(seconds, 1e-6)
        known = self._pixels_a_second
        self._pixels_a_second = found if known is None else 0.8 * known + 0.2 * found

    def side(self, wanted: int, visible_share: float, rate: float = RATE) -> int:
        """Return the side to draw at: that of the screen, or the largest level that can be kept up.

        Args:
            wanted: side of the whole drawing at the screen's own pixels.
            visible_share: pixels that are drawn, as a share of the square of the side.
            rate: frames a second.
        """
        if self._pixels_a_second is None:
            affordable = float(self._first)
        else:
            affordable = math.sqrt(self._pixels_a_second * _HEADROOM / rate / max(visible_share, 1e-9))
        if affordable >= wanted:
            return wanted
        return min(wanted, max((level for level in LEVELS if level <= affordable), default=LEVELS[0]))
