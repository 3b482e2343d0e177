"""What the furniture kinds share: random choices, legs and bases."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from itertools import accumulate
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from ddmi_core.data.furniture.procedural.solids import LONGEST, Builder, rotation

T = TypeVar("T")
P = ParamSpec("P")
LEG_STYLES = (
    "square",
    "square",
    "round",
    "tapered square",
    "tapered round",
    "splayed round",
    "splayed square",
    "turned",
)


THINNEST, NARROWEST = 0.072, 0.095
"""Least thickness of any part and least width of any opening, where the longest side is `LONGEST`.

Thinner ones are lost between the cells of a field's finest planes, 0.031 wide. Examples may be stretched a little.
"""


@dataclass
class Draft:
    """A shape in the making: its solids in metres and the true facts that captions may use.

    ``longest``: the longest side in metres, known from drawing the same shape before; 0 while it is not.
    """

    rng: np.random.Generator
    longest: float = 0.0
    build: Builder = field(default_factory=Builder)
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def least(self) -> float:
        """The least thickness of any part in metres."""
        return THINNEST / LONGEST * self.longest

    @property
    def gap(self) -> float:
        """The least width of any opening in metres."""
        return NARROWEST / LONGEST * self.longest

    def thick(self, low: float, high: float) -> float:
        """A thickness from low to high, but never below the least."""
        return max(self.between(low, high), self.least)

    def foot(self, low: float, high: float) -> float:
        """How far above the floor something stands, open enough to look through."""
        return max(self.between(low, high), self.gap)

    def bars(self, count: int, span: float, width: float) -> int:
        """At most ``count``, and no more bars of this width in a span than leave all openings wide enough."""
        return max(0, min(count, int((span - self.gap) / (max(width, self.least) + self.gap) + 1e-9)))

    def fits(self, height: float, size: float, top: float) -> bool:
        """Whether a bar of this size at a height leaves an opening to the floor and one to ``top``."""
        reach = max(size, self.least) / 2 + self.gap
        return reach <= height <= top - reach

    def between(self, low: float, high: float) -> float:
        """A number from low to high, all equally likely."""
        return low + (high - low) * float(self.rng.random())

    def pick(self, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of the options, equally likely or as their weights say."""
        if weights is None:
            return options[int(self.rng.random() * len(options))]
        limits = list(accumulate(weights))
        return options[bisect(limits, float(self.rng.random()) * limits[-1])]

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return bool(self.rng.random() < probability)

    def whole(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return int(self.rng.integers(low, high + 1))


def building(role: str) -> Callable[[Callable[Concatenate[Draft, P], T]], Callable[Concatenate[Draft, P], T]]:
    """Give all that a function builds a role."""

    def decorate(function: Callable[Concatenate[Draft, P], T]) -> Callable[Concatenate[Draft, P], T]:
        @wraps(function)
        def built(draft: Draft, *args: P.args, **kwargs: P.kwargs) -> T:
            with draft.build.part(role):
                return function(draft, *args, **kwargs)

        return built

    return decorate


def corner_feet(width: float, depth: float, inset: float) -> list[tuple[float, float]]:
    """The four (x, z) leg positions under a rectangle, ``inset`` from its edges."""
    x, z = width / 2 - inset, depth / 2 - inset
    return [(-x, z), (x, z), (-x, -z), (x, -z)]


def ring_feet(radius: float, count: int, start: float = 0.0) -> list[tuple[float, float]]:
    """``count`` (x, z) positions on a circle; the first at angle ``start`` from the front."""
    angles = start + np.arange(count) * 2 * np.pi / count
    return [(float(radius * np.sin(a)), float(radius * np.cos(a))) for a in angles]


@building("legs")
def legs(
    draft: Draft, feet: Sequence[tuple[float, float]], top: float, width: float, style: str, *, splay: float = 0.0
) -> None:
    """Legs from the floor to height ``top``; ``width`` at the top; slanted ones end ``splay`` further out."""
    build = draft.build
    if style not in ("square", "round"):
        width = max(width, 1.25 * draft.least)  # room to get thinner towards the floor
    thin = draft.between(0.45, 0.75)
    bulge = draft.between(-0.3, 0.5)
    collar = draft.between(0.6, 0.85) * top
    reach = max(float(np.hypot(*f)) for f in feet) or 1.0
    for x, z in feet:
        out = splay / reach if style.startswith("splayed") else 0.0
        foot, head = (x * (1 + out), 0.0, z * (1 + out)), (x, top, z)
        if style == "turned":
            build.rod((x, collar, z), head, width, is_round=False)
            build.rod(foot, (x, collar * 1.02, z), width * thin, width * 0.8, bulge=bulge)
        else:
            low = width if style in ("square", "round") else width * thin
            build.rod(foot, head, low, width, is_round="round" in style)


@building("legs")
def pedestal(draft: Draft, top: float, column: float, base: float, style: str) -> None:
    """One central leg: a column of full width ``column`` on a base of radius ``base``."""
    build = draft.build
    if style == "disc":
        thick = draft.thick(0.015, 0.05)
        build.drum(
            (0, thick / 2, 0),
            (base,),
            thick,
            taper=draft.between(-0.15, 0) * thick / base,
            rounding=draft.pick((0.0, 0.01)),
        )
        start = thick / 2
    elif style == "dome":
        thick = draft.thick(0.05, 0.1)
        build.drum((0, draft.least / 2, 0), (base,), draft.least)  # else the rim would end as a blade
        build.drum((0, draft.least + thick / 2, 0), (base * 0.68,), thick, taper=-0.4)
        start = thick / 2
    elif style == "square":
        thick = draft.thick(0.02, 0.05)
        build.box((0, thick / 2, 0), (1.7 * base, thick, 1.7 * base), rounding=draft.pick((0.0, 0.01)))
        start = thick / 2
    elif style == "cross":
        thick, wide = draft.thick(0.03, 0.05), draft.thick(0.05, 0.08)
        turn = draft.pick((0.0, np.pi / 4))
        for angle in (turn, turn + np.pi / 2):
            build.box((0, thick / 2, 0), (2 * base, thick, wide), frame=rotation(y=angle))
        start = thick / 2
    elif style == "star":
        size = draft.thick(0.03, 0.045)
        wheel = max(0.03, draft.least * 0.6)
        start = max(draft.between(0.05, 0.09), 1.6 * wheel + size / 2)
        count = draft.pick((5, 5, 5, 4, 6))
        draft.facts.update(wheels=count)
        for x, z in ring_feet(base, count):
            build.rod((x, start - 0.01, z), (0, start + 0.02, 0), size, size * 1.2)
            build.ball((x, wheel, z), (wheel, wheel, wheel))
    else:  # a plain column, wide enough to stand on
        start = 0.0
        column = max(column, base * draft.between(0.5, 0.8))
    column = max(column, draft.least)
    shape = draft.pick(("straight", "straight", "tapered", "flared", "bulged", "square"))
    if shape == "square":
        build.span((-column / 2, start, -column / 2), (column / 2, top, column / 2))
    elif shape == "bulged" and style != "star":
        build.rod((0, start, 0), (0, top, 0), column * 0.9, bulge=draft.between(0.2, 0.7))
    elif shape == "flared" and style != "star":
        build.rod((0, start, 0), (0, top, 0), column, bulge=-0.25)
        build.rod((0, start, 0), (0, start + 0.3 * (top - start), 0), column * 1.7, column * 0.8)
    else:
        build.rod((0, start, 0), (0, top, 0), column * draft.between(1.0, 1.6 if shape == "tapered" else 1.0), column)


@building("legs")
def stretchers(
    draft: Draft, feet: Sequence[tuple[float, float]], height: float, size: float, *, is_round: bool
) -> None:
    """Rails between four legs given in the order of `corner_feet`: round the outside, or as an H."""
    height = max(height, draft.gap + max(size, draft.least) / 2)
    pairs: list[tuple[int, int]] = draft.pick(
        ([(0, 2), (1, 3)], [(0, 1), (2, 3), (0, 2), (1, 3)], [(0, 2), (1, 3), (2, 3)])
    )
    for a, b in pairs:
        (xa, za), (xb, zb) = feet[a], feet[b]
        draft.build.rod((xa, height, za), (xb, height, zb), size, is_round=is_round)
    if len(pairs) == 2:
        draft.build.rod((feet[0][0], height, 0), (feet[1][0], height, 0), size, is_round=is_round)
