"""Tables: dining, coffee, side, bar and console tables, and desks."""

from __future__ import annotations

import numpy as np

from ddmi_core.data.furniture.procedural.parts import (
    LEG_STYLES,
    Draft,
    building,
    corner_feet,
    legs,
    pedestal,
    ring_feet,
    stretchers,
)

# type: (height, longer side of the top) in metres
_SIZES = {
    "dining table": ((0.68, 0.8), (0.75, 2.0)),
    "coffee table": ((0.28, 0.5), (0.55, 1.3)),
    "side table": ((0.45, 0.7), (0.35, 0.6)),
    "bar table": ((0.95, 1.15), (0.5, 0.8)),
    "console table": ((0.7, 0.9), (0.8, 1.5)),
    "desk": ((0.7, 0.78), (0.9, 1.8)),
}


def table(draft: Draft) -> None:
    """Draws one table of any type."""
    kind = draft.pick(tuple(_SIZES), (42, 17, 11, 8, 7, 15))
    heights, lengths = _SIZES[kind]
    height, length = draft.between(*heights), draft.between(*lengths)
    shapes = ("rectangular", "square", "round", "oval")
    weights = {
        "console table": (1, 0, 0, 0),
        "desk": (1, 0, 0, 0),
        "bar table": (2, 3, 6, 0),
        "side table": (3, 4, 6, 1),
    }
    top = draft.pick(shapes, weights.get(kind, (9, 4, 9, 2)))
    if top in ("round", "square"):
        length = min(length, 1.5)
        depth = length
    elif kind == "console table":
        depth = draft.between(0.3, 0.42)
    elif kind == "side table":
        depth = length * draft.between(0.6, 0.8)
    else:
        depth = min(length * draft.between(0.42, 0.75), 1.1)
    draft.facts.update(kind="table", type=kind, top=top, long=length > 2.2 * depth)
    if kind == "desk":
        _desk(draft, length, depth, height)
        return
    thick = draft.thick(0.025, 0.07)
    _top(draft, top, length, depth, height, thick)
    under = height - 0.6 * thick
    is_round = top in ("round", "oval")
    if kind == "console table":
        base = draft.pick(("legs", "panels"), (8, 2))
    elif is_round:
        base = draft.pick(("one", "three", "legs", "box"), (42, 24, 32, 2) if top == "round" else (20, 0, 70, 10))
    else:
        base = draft.pick(("one", "legs", "panels", "trestle", "double", "box"), (14, 60, 12, 7, 4, 3))
        if base == "one" and length > 1.35:
            base = "legs"
        if base in ("double", "trestle") and (length < 1.1 or kind != "dining table"):
            base = "panels"
    _BASES[base](draft, is_round, length, depth, under)


@building("top")
def _top(draft: Draft, shape: str, length: float, depth: float, height: float, thick: float) -> None:
    middle = (0, height - thick / 2, 0)
    rounding = draft.pick((0.0, 0.0, thick * 0.3, thick * 0.5))
    if shape in ("round", "oval"):
        draft.build.drum(
            middle,
            (length / 2, depth / 2),
            thick,
            taper=draft.pick((0.0, 0.0, 0.3)) * thick / length,
            rounding=rounding,
        )
    else:
        draft.build.box(middle, (length, thick, depth), rounding=rounding)


@building("legs")
def _one(draft: Draft, is_round: bool, length: float, depth: float, under: float) -> None:
    base = draft.between(0.28, 0.42) * depth
    style = draft.pick(("disc", "dome", "square", "cross", "column"), (40, 15, 15, 15, 15))
    pedestal(draft, under, draft.between(0.05, 0.16) * min(depth, 1.0) + 0.02, base, style)
    draft.facts.update(legs=1)


@building("legs")
def _three(draft: Draft, is_round: bool, length: float, depth: float, under: float) -> None:
    style = draft.pick(LEG_STYLES)
    width = draft.thick(0.03, 0.08)
    radius = length / 2 * draft.between(0.6, 0.85)
    splay = draft.between(0.04, 0.12) if style.startswith("splayed") else 0.0
    feet = ring_feet(radius - splay, 3, draft.pick((0.0, np.pi)))
    legs(draft, feet, under, width, style, splay=splay)
    draft.facts.update(legs=3, leg_style=style)
    level = under * draft.between(0.25, 0.5)
    if draft.chance(0.25) and draft.fits(level, 0.025, under):
        draft.build.drum((0, level, 0), (radius,), 0.025)
        draft.facts.update(shelf=True)


@building("legs")
def _legs(draft: Draft, is_round: bool, length: float, depth: float, under: float) -> None:
    style = draft.pick(LEG_STYLES)
    width = max(draft.between(0.035, 0.1) * min(1.0, 0.6 + 0.4 * depth), draft.least)
    splay = draft.between(0.04, 0.12) if style.startswith("splayed") else 0.0
    if is_round:
        share = draft.between(0.5, 0.64)
        inset_x, inset_z = (length * (0.5 - share / 2), depth * (0.5 - share / 2))
        x, z = length / 2 - inset_x - splay / 2, depth / 2 - inset_z - splay / 2
        feet = [(-x, z), (x, z), (-x, -z), (x, -z)]
    else:
        feet = corner_feet(length, depth, width / 2 + draft.pick((0.0, draft.between(0.01, 0.1))) + splay)
    legs(draft, feet, under, width, style, splay=splay)
    draft.facts.update(legs=4, leg_style=style)
    (x, z), straight = feet[1], not style.startswith("splayed")
    if draft.chance(0.45):  # the apron between the legs, under the top
        tall, thin = max(draft.between(0.04, 0.12) * min(1, under / 0.6), draft.least), draft.thick(0.02, 0.03)
        for side in (-1, 1):
            draft.build.box((0, under - tall / 2, side * z), (2 * x, tall, thin))
            draft.build.box((side * x, under - tall / 2, 0), (thin, tall, 2 * z))
    level, board = under * draft.between(0.2, 0.45), draft.thick(0.02, 0.035)
    if straight and draft.chance(0.22) and draft.fits(level, board, under):
        draft.build.box((0, level, 0), (2 * x + width * 0.5, board, 2 * z + width * 0.5))
        draft.facts.update(shelf=True)
    elif straight and draft.chance(0.2) and under > 4 * draft.gap:
        stretchers(draft, feet, under * draft.between(0.15, 0.4), width * 0.55, is_round="square" not in style)


@building("legs")
def _panels(draft: Draft, is_round: bool, length: float, depth: float, under: float) -> None:
    thick, inset = draft.thick(0.025, 0.07), draft.pick((0.0, draft.between(0.02, 0.15)))
    deep = depth * draft.pick((1.0, draft.between(0.7, 1.0)))
    x = length / 2 - thick / 2 - inset
    for side in (-1, 1):
        draft.build.box((side * x, under / 2, 0), (thick, under, deep))
    draft.facts.update(legs=None, base="panels")
    level, board = under * draft.between(0.2, 0.5), draft.thick(0.02, 0.04)
    if draft.chance(0.4) and draft.fits(level, board, under):
        draft.build.box((0, level, 0), (2 * x, board, deep))
        draft.facts.update(shelf=True)


@building("legs")
def _trestle(draft: Draft, is_round: bool, length: float, depth: float, under: float) -> None:
    x, width = length * draft.between(0.3, 0.4), draft.thick(0.05, 0.09)
    spread = depth * draft.between(0.3, 0.42)
    for side in (-1, 1):
        for z in (-1, 1):
            draft.build.rod((side * x, 0, z * spread), (side * x, under, z * spread * 0.25), width, is_round=False)
        draft.build.box((side * x, under - 0.03, 0), (width, 0.06, spread * 1.4))
        draft.build.box((side * x, under * 0.35, 0), (width * 0.8, width * 0.8, spread * 1.45))
    draft.build.box((0, under * 0.35, 0), (2 * x, width * 0.8, width * 0.8))
    draft.facts.update(legs=None, base="trestle")


@building("legs")
def _double(draft: Draft, is_round: bool, length: float, depth: float, under: float) -> None:
    x, width, deep = length * draft.between(0.25, 0.36), draft.thick(0.08, 0.14), depth * draft.between(0.6, 0.8)
    for side in (-1, 1):
        draft.build.rod((side * x, 0.02, 0), (side * x, under, 0), width, is_round=draft.chance(0.5))
        draft.build.box((side * x, 0.03, 0), (width * 1.2, 0.06, deep))
    draft.facts.update(legs=2, base="two pedestals")


@building("legs")
def _box(draft: Draft, is_round: bool, length: float, depth: float, under: float) -> None:
    share = draft.between(0.6, 0.9)
    if is_round:
        draft.build.drum(
            (0, under / 2, 0), (length / 2 * share, depth / 2 * share), under, taper=draft.between(-0.1, 0.1)
        )
    else:
        draft.build.box((0, under / 2, 0), (length * share, under, depth * share))
    draft.facts.update(legs=None, base="solid")


_BASES = {
    "one": _one,
    "three": _three,
    "legs": _legs,
    "panels": _panels,
    "trestle": _trestle,
    "double": _double,
    "box": _box,
}


def _desk(draft: Draft, length: float, depth: float, height: float) -> None:
    thick = draft.thick(0.025, 0.05)
    depth = min(max(depth, 0.5), 0.8)
    draft.facts["long"] = length > 2.2 * depth
    _top(draft, "rectangular", length, depth, height, thick)
    under = height - 0.5 * thick
    unit = draft.between(0.32, 0.45)
    sides = draft.pick(((1,), (-1,), (-1, 1), ()), (3, 3, 2, 3))
    if len(sides) == 2:
        unit = min(unit, length * 0.3)
    leg, style = draft.thick(0.04, 0.07), draft.pick(("square", "round", "tapered square"))
    feet = corner_feet(length, depth, leg / 2 + draft.between(0, 0.02))
    on_legs = not sides or draft.chance(0.5)
    raised = max(draft.between(0.3, 0.55) * under, draft.gap) if on_legs and sides else 0.0
    rows = draft.whole(1, 2) if raised else draft.whole(3, 4)
    for side in sides:
        x = side * (length / 2 - unit / 2 - 0.01)
        _drawers(draft, x, unit, raised, under, depth * 0.94, rows)
    if on_legs:
        legs(draft, feet, under, leg, style)
        draft.facts.update(legs=4, leg_style=style)
    else:
        for side in {-1, 1} - set(sides):
            draft.build.box((side * (length / 2 - thick / 2 - 0.005), under / 2, 0), (thick, under, depth * 0.94))
        draft.facts.update(legs=None, base="panels")
    if draft.chance(0.35):  # the modesty panel at the back
        tall = draft.between(0.3, 0.7) * under
        draft.build.box((0, under - tall / 2, -depth / 2 + 0.05), (length - 2 * leg, tall, 0.025))
    draft.facts.update(drawers=rows * len(sides))


def _drawers(draft: Draft, x: float, width: float, low: float, high: float, depth: float, count: int) -> None:
    draft.build.box((x, (low + high) / 2, 0), (width, high - low, depth))
    tall = (high - low) / count
    for i in range(count):
        middle = low + (i + 0.5) * tall
        ahead, groove = max(0.02, 0.5 * draft.least), 0.55 * draft.gap
        with draft.build.part("fronts"):
            draft.build.box((x, middle, depth / 2), (width - groove, tall - groove, 2 * ahead))
        with draft.build.part("handles"):
            draft.build.ball((x, middle, depth / 2 + ahead), (0.02, 0.02, 0.02))
