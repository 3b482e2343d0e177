"""Where the viewer looks: whole numbers of the screen's own pixels, so that a tile is never resampled.

The canvas spans [-1, 1], x right and y down. At a zoom it is drawn with ``side`` × ``side`` pixels; the viewport shows
``width`` × ``height`` of them, from pixel (``left``, ``top``) on. All of these count device pixels, so a screen with
two of them per point simply has a larger viewport.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

BASE = 256
"""Side of the picture that the function is compared with, and the drawing that counts as zoom 1."""
SMALLEST_SIDE = 32
CAP = 64
"""Largest zoom, until the person lifts the cap."""
LARGEST_SIDE = 2**22
"""Beyond this, neighbouring pixels would have the same coordinates in single precision."""

Window = tuple[int, int, int, int]
"""A rectangle of pixels: left, top, width and height."""
Region = tuple[float, float, float, float]
"""A rectangle of the canvas: left, top, right and bottom."""
WHOLE: Region = (-1.0, -1.0, 1.0, 1.0)

_MARGIN = 0.94  # share of the viewport that a fitted picture takes
_KEPT = 48  # pixels of the canvas that always stay in view


@dataclass(frozen=True)
class Look:
    """Which part of the canvas a viewport shows, and how large. At zoom 1 it is drawn with ``base`` pixels a side."""

    width: int
    height: int
    side: int
    left: int
    top: int
    base: int = BASE

    @property
    def zoom(self) -> float:
        """Device pixels per pixel of the picture that the function stands for."""
        return self.side / self.base

    @property
    def region(self) -> Region:
        """The part of the canvas that is seen; [-1, 1] at most. Empty when none of it is."""
        left, top, width, height = self.window
        return (
            2 * left / self.side - 1,
            2 * top / self.side - 1,
            2 * (left + width) / self.side - 1,
            2 * (top + height) / self.side - 1,
        )

    @property
    def window(self) -> Window:
        """The pixels of the drawing that are seen."""
        left, top = max(0, self.left), max(0, self.top)
        right, bottom = min(self.side, self.left + self.width), min(self.side, self.top + self.height)
        return left, top, max(0, right - left), max(0, bottom - top)

    @property
    def shows_all(self) -> bool:
        """Whether the whole canvas is seen."""
        return self.window == (0, 0, self.side, self.side)

    def coordinates(self, x: float, y: float) -> tuple[float, float]:
        """The canvas coordinates of a place in the viewport, in device pixels from its corner."""
        return 2 * (self.left + x) / self.side - 1, 2 * (self.top + y) / self.side - 1

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The opposite of :meth:`coordinates`."""
        return (x + 1) / 2 * self.side - self.left, (y + 1) / 2 * self.side - self.top

    def panned(self, right: float, down: float) -> Look:
        """Moved over the canvas by so many device pixels; a corner of it always stays in view."""
        return replace(self, left=self.left + round(right), top=self.top + round(down))._kept()

    def zoomed(self, factor: float, x: float, y: float, cap: float = CAP) -> Look:
        """Larger by a factor, up to a cap of the zoom; what lies at a place of the viewport stays there."""
        side = round(self.side * factor)
        if side == self.side and factor != 1:
            side += 1 if factor > 1 else -1
        return self.sized(side, x, y, cap)

    def sized(self, side: int, x: float, y: float, cap: float = CAP) -> Look:
        """Drawn with another side; what lies at a place of the viewport stays there."""
        side = min(max(side, SMALLEST_SIDE), largest_side(cap, self.base))
        growth = side / self.side
        left, top = round((self.left + x) * growth - x), round((self.top + y) * growth - y)
        return replace(self, side=side, left=left, top=top)._kept()

    def centred(self, x: float, y: float) -> Look:
        """Moved so that canvas coordinates come to the middle of the viewport."""
        left, top = (x + 1) / 2 * self.side - self.width / 2, (y + 1) / 2 * self.side - self.height / 2
        return replace(self, left=round(left), top=round(top))._kept()

    def resized(self, width: int, height: int) -> Look:
        """In a viewport of another size, with the same middle."""
        left = self.left + (self.width - width) // 2
        top = self.top + (self.height - height) // 2
        return replace(self, width=width, height=height, left=left, top=top)._kept()

    def rescaled(self, width: int, height: int, growth: float) -> Look:
        """The same sight in a viewport of other device pixels: moved to a screen with another pixel ratio."""
        side = min(max(round(self.side * growth), SMALLEST_SIDE), LARGEST_SIDE)
        x, y = self.coordinates(self.width / 2, self.height / 2)
        return Look(width, height, side, 0, 0, self.base).centred(x, y)

    def _kept(self) -> Look:
        kept = min(_KEPT, self.side)
        left = min(max(self.left, kept - self.width), self.side - kept)
        top = min(max(self.top, kept - self.height), self.side - kept)
        return replace(self, left=left, top=top)


def fitted(width: int, height: int, region: Region = WHOLE, cap: float = CAP, base: int = BASE) -> Look:
    """The look that shows all of a region of the canvas, in the middle of a viewport of so many device pixels."""
    x0, y0, x1, y1 = region
    side = round(_MARGIN * min(2 * width / (x1 - x0), 2 * height / (y1 - y0)))
    side = min(max(side, SMALLEST_SIDE), largest_side(cap, base))
    return Look(width, height, side, 0, 0, base).centred((x0 + x1) / 2, (y0 + y1) / 2)


def one_to_one(look: Look) -> Look:
    """One device pixel for each pixel of the picture that the function stands for, with the same middle."""
    return look.sized(look.base, look.width / 2, look.height / 2)


def largest_side(cap: float, base: int = BASE) -> int:
    """The side of the largest drawing under a cap of the zoom (infinite: lifted). Tiny pictures grow as others do."""
    return round(min(cap * max(base, BASE), LARGEST_SIDE))
