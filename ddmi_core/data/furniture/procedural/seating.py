"""Chairs, stools and sofas. The front faces +z, so every back is at -z."""

from __future__ import annotations

import numpy as np

from ddmi_core.data.furniture.procedural.parts import (
    Draft,
    building,
    corner_feet,
    legs,
    pedestal,
    ring_feet,
    stretchers,
)
from ddmi_core.data.furniture.procedural.solids import rotation

_CHAIR_LEGS = ("square", "square", "round", "tapered square", "tapered round", "splayed round", "turned")


def chair(draft: Draft) -> None:
    """Draws one seat for one person: a dining chair, an armchair, an office chair or a stool."""
    kind = draft.pick((_dining, _easy, _tub, _office, _stool), (46, 12, 7, 14, 21))
    kind(draft)


@building("seat")
def _seat(draft: Draft, shape: str, width: float, depth: float, height: float, thick: float, padded: bool) -> None:
    """A seat whose upper face is at ``height``."""
    middle = (0, height - thick / 2, 0)
    rounding = thick * (0.45 if padded else draft.pick((0.0, 0.3)))
    if shape == "round":
        draft.build.drum(middle, (width / 2, depth / 2), thick, rounding=rounding)
    elif draft.chance(0.3):  # narrower at the back
        along = rotation(x=np.pi / 2)
        draft.build.box(middle, (width * 0.93, depth, thick), frame=along, taper=(0.08, 0.0), rounding=rounding)
    else:
        draft.build.box(middle, (width, thick, depth), rounding=rounding)


@building("back")
def _back(
    draft: Draft, style: str, width: float, low: float, seat: float, high: float, z: float, lean: float, thick: float
) -> str:
    """A chair's back from ``low``, within the seat, at depth ``z``, leaning backward by ``lean`` radians.

    Returns its style, which is "open" where no slat had room.
    """
    build = draft.build
    tall = high - low
    lowest = seat - low + draft.gap  # of what does not stand on the seat
    frame = rotation(x=-lean)

    def at(x: float, along: float, off: float = 0.0) -> tuple[float, float, float]:
        """A point of the back's plane: ``along`` metres up the slope."""
        return (x, low + along * np.cos(lean) + off * np.sin(lean), z - along * np.sin(lean) + off * np.cos(lean))

    if style == "solid":
        start = draft.pick((0.0, 0.0, draft.between(0.1, 0.35))) * tall
        start = max(start, lowest) if start else 0.0
        rounding = draft.pick((0.0, thick * 0.3, thick * 0.5))
        build.box(at(0, (start + tall) / 2), (width, tall - start, thick), frame=frame, rounding=rounding)
        if start:
            for x in (-0.35 * width, 0.35 * width):
                build.rod(at(x, 0), at(x, start + 0.05), 0.03)
        return style
    if style == "curved":
        radius = width * draft.between(0.55, 0.9)
        half_angle = float(np.arcsin(min(0.98, 0.5 * width / radius)))
        start = draft.pick((0.0, 0.0, draft.between(0.2, 0.45))) * tall
        start = max(start, lowest) if start else 0.0
        hole = 1 - thick / radius
        # The rear of the bow stands on the seat's rear edge.
        centre = at(0, (start + tall) / 2, radius)
        build.drum(centre, (radius,), tall - start, frame=frame, hole=hole, sector=half_angle)
        if start:
            for x in (-0.3, 0.0, 0.3) if draft.chance(0.5) else (-0.34, 0.34):
                bow = radius - np.sqrt(radius**2 - (x * width) ** 2) + thick / 2
                build.rod(at(x * width, 0, bow), at(x * width, start + 0.04, bow), 0.03)
        return style
    post = draft.thick(0.028, 0.045)
    is_round = draft.chance(0.4)
    edge = width / 2 - post / 2
    for side in (-1, 1):
        build.rod(at(side * edge, -0.02), at(side * edge, tall), post * 1.1, post, is_round=is_round)
    rail = draft.thick(0.05, 0.12)
    build.box(at(0, tall - rail / 2), (width, rail, post), frame=frame, rounding=draft.pick((0.0, 0.008)))
    if style == "slatted":
        bar = max(0.035, draft.least)
        lower = draft.pick((0.0, max(draft.between(0.08, 0.2) * tall, lowest + bar / 2)))
        if lower:
            build.box(at(0, lower), (width - post, bar, draft.least), frame=frame)
        wide = draft.thick(0.025, 0.05)
        count = draft.bars(draft.whole(2, 5) + round(6 * max(0.0, width - 0.5)), width - 2 * post, wide)
        for i in range(count):
            x = (width - 2 * post + wide) * ((i + 1) / (count + 1) - 0.5)
            build.box(at(x, (lower + tall - rail) / 2), (wide, tall - rail - lower + 0.04, draft.least), frame=frame)
    elif style == "ladder":
        wide = draft.thick(0.03, 0.08)
        free = tall - rail - (seat - low)
        count = draft.bars(draft.whole(1, 3), free, wide)
        for i in range(count):
            middle = seat - low + (free + wide) * (i + 1) / (count + 1) - wide / 2
            build.box(at(0, middle), (width - post, wide, draft.least), frame=frame)
    else:
        return "open"
    return style if count else "open"


@building("arms")
def _arms(
    draft: Draft, style: str, depth: float, seat: float, height: float, outer: float, *, is_round: bool = False
) -> None:
    """Armrests ``height`` above the seat's upper face, centred at x = +-``outer``; on struts at a round seat."""
    build = draft.build
    thick = draft.thick(0.025, 0.04)
    wide = draft.thick(0.04, 0.07)
    top, front = seat + height, depth / 2 - draft.between(0.0, 0.08)
    rear = -depth / 2 - 0.02
    for side in (-1, 1):
        x = side * outer
        inner = min(front - 0.05, 0.16)
        if is_round and style in ("post", "loop"):
            z = inner if style == "loop" else front - 0.03
            build.rod((0.35 * x, seat - 0.04, z), (x, seat - 0.04, z), 0.035)
        if style == "panel":
            build.span((x - wide / 2, seat - 0.06, rear), (x + wide / 2, top, front), rounding=0.012)
        elif style == "post":
            build.box((x, top - thick / 2, (front + rear) / 2), (wide, thick, front - rear), rounding=thick * 0.4)
            build.rod((x, seat - 0.05, front - 0.03), (x, top - 0.01, front - 0.03), 0.035)
        elif style == "loop":
            build.path([(x, seat - 0.04, inner), (x, top, inner), (x, top, rear + 0.01)], 0.035)
        else:  # a T, as on office chairs
            build.box((x, top - thick / 2, 0), (wide * 1.1, thick, depth * 0.6), rounding=thick * 0.45)
            build.box((x, (seat + top) / 2 - 0.04, 0), (0.03, height + 0.06, 0.06))
            build.box((x * 0.8, seat - 0.055, 0), (abs(x) * 0.45, 0.035, 0.06))


def _dining(draft: Draft) -> None:
    width, depth, seat = draft.between(0.38, 0.52), draft.between(0.37, 0.5), draft.between(0.41, 0.49)
    padded = draft.chance(0.4)
    thick = draft.thick(0.045, 0.1) if padded else draft.thick(0.025, 0.05)
    shape = draft.pick(("square", "round"), (85, 15))
    _seat(draft, shape, width, depth, seat, thick, padded)
    under = seat - thick * 0.6
    facts = draft.facts
    facts.update(kind="chair", type="chair", seat=shape)
    base = draft.pick(("four", "one", "panels", "cantilever"), (80, 10, 5, 5))
    leg, style = draft.thick(0.03, 0.05), draft.pick(_CHAIR_LEGS)
    if base == "four":
        splay = draft.between(0.03, 0.08) if style.startswith("splayed") else 0.0
        inset = 0.18 * width if shape == "round" else leg / 2 + draft.pick((0.0, 0.015)) + 0.5 * splay
        feet = corner_feet(width * 0.97, depth, inset)
        legs(draft, feet, under, leg, style, splay=splay)
        facts.update(legs=4, leg_style=style)
        if not splay:
            (x, z) = feet[1]
            with draft.build.part("legs"):
                if draft.chance(0.35):
                    for side in (-1, 1):
                        draft.build.box((0, under - 0.03, side * z), (2 * x, 0.06, 0.022))
                        draft.build.box((side * x, under - 0.03, 0), (0.022, 0.06, 2 * z))
            if draft.chance(0.3):
                stretchers(draft, feet, seat * draft.between(0.2, 0.5), leg * 0.65, is_round=draft.chance(0.5))
    elif base == "one":
        pedestal(
            draft,
            under,
            draft.between(0.045, 0.08),
            draft.between(0.17, 0.24),
            draft.pick(("disc", "dome", "cross", "star")),
        )
        facts.update(legs=1)
    elif base == "panels":
        with draft.build.part("legs"):
            for side in (-1, 1):
                draft.build.box(
                    (side * (width / 2 - 0.025), under / 2, 0), (draft.between(0.025, 0.045), under, depth * 0.9)
                )
        facts.update(legs=None, base="panels")
    else:
        size = draft.thick(0.028, 0.038)
        with draft.build.part("legs"):
            for side in (-1, 1):
                x, z = side * (width / 2 - size), depth / 2 - size
                draft.build.path([(x, under, z - 0.25), (x, under, z), (x, size / 2, z), (x, size / 2, -z)], size)
            draft.build.rod((-width / 2 + size, size / 2, -z), (width / 2 - size, size / 2, -z), size)
        facts.update(legs=None, base="cantilever")
    style = draft.pick(("solid", "slatted", "ladder", "open", "curved"), (34, 22, 16, 9, 19))
    high = seat + draft.between(0.28, 0.68)
    lean = draft.between(0.0, 0.22)
    back_width = width * draft.between(0.85, 1.0) * (0.88 if shape == "round" else 1)
    back_thick = draft.thick(0.05, 0.09) if padded and style == "solid" else draft.thick(0.022, 0.045)
    z = -depth / 2 + back_thick / 2 + (0.09 * depth if shape == "round" and style != "curved" else 0)
    style = _back(
        draft,
        style,
        back_width,
        seat - thick * 0.5,
        seat,
        high,
        z - (back_thick / 2 if style == "curved" else 0),
        lean,
        back_thick,
    )
    facts.update(back=style, high_back=high - seat > 0.55, low_back=high - seat < 0.34)
    facts["arms"] = draft.chance(0.3)
    if facts["arms"]:
        how = draft.pick(("post", "post", "loop", "panel"))
        outer = width / 2 + draft.between(-0.01, 0.008)
        _arms(draft, how, depth, seat, draft.between(0.17, 0.25), outer, is_round=shape == "round")


def _easy(draft: Draft) -> None:
    """An upholstered armchair, or the same without arms."""
    width, depth, seat = draft.between(0.5, 0.68), draft.between(0.5, 0.68), draft.between(0.36, 0.45)
    foot = draft.pick((0.0, draft.foot(0.06, 0.2)))
    soft = draft.between(0.01, 0.05)
    build, arms = draft.build, draft.chance(0.8)
    build.span((-width / 2, foot, -depth / 2), (width / 2, seat - 0.08, depth / 2), rounding=min(soft, 0.02))
    with build.part("seat"):
        build.box((0, seat - 0.07, 0.01), (width - 0.01, 0.14, depth), rounding=soft)
    high, thick = seat + draft.between(0.3, 0.65), draft.between(0.12, 0.2)
    lean = draft.between(0.0, 0.2)
    tall = high - foot
    frame = rotation(x=-lean)
    build.box(
        (0, (high + foot) / 2, -depth / 2 - thick * 0.3 - 0.5 * lean * tall * 0.7),
        (width, tall, thick),
        frame=frame,
        rounding=soft,
    )
    if arms:
        wide, top = draft.between(0.09, 0.18), seat + draft.between(0.14, 0.24)
        for side in (-1, 1):
            x = side * (width / 2 + wide / 2 - 0.01)
            build.span(
                (x - wide / 2, foot, -depth / 2 - thick * 0.6), (x + wide / 2, top, depth / 2 - 0.01), rounding=soft
            )
            if soft > 0.03 and draft.chance(0.4):  # rolled arms
                build.rod((x, top - 0.03, -depth / 2), (x, top - 0.03, depth / 2 + 0.01), wide * 1.15)
    if foot:
        reach = width + (0.16 if arms else 0)
        style = draft.pick(("square", "round", "tapered round"))
        legs(draft, corner_feet(reach, depth, 0.05), foot + 0.03, draft.between(0.035, 0.06), style)
        draft.facts.update(leg_style=style)
    draft.facts.update(
        kind="chair", type="easy chair", legs=4 if foot else None, arms=arms, back="solid", seat="square"
    )
    draft.facts.update(high_back=high - seat > 0.55, low_back=False, padded=True)


def _tub(draft: Draft) -> None:
    """A seat inside a bow that is back and armrests at once."""
    radius, seat, thick = draft.between(0.3, 0.38), draft.between(0.38, 0.45), draft.thick(0.05, 0.11)
    top = seat + draft.between(0.22, 0.38)
    foot = draft.pick((0.0, draft.foot(0.12, 0.25)))
    draft.build.drum((0, (foot + seat) / 2, 0), (radius - thick * 0.4,), seat - foot, rounding=draft.between(0.0, 0.03))
    angle = draft.between(1.65, 2.1)
    draft.build.drum(
        (0, (foot + top) / 2, 0), (radius,), top - foot, hole=1 - thick / radius, sector=angle, rounding=thick * 0.3
    )
    if foot:
        style = draft.pick(("square", "round", "tapered round"))
        if draft.chance(0.7):
            x = radius * 0.62
            legs(draft, [(-x, x), (x, x), (-x, -x), (x, -x)], foot + 0.02, draft.between(0.03, 0.05), style)
            draft.facts.update(legs=4, leg_style=style)
        else:
            pedestal(draft, foot + 0.02, 0.06, draft.between(0.2, 0.28), draft.pick(("disc", "dome", "star")))
            draft.facts.update(legs=1)
    draft.facts.update(
        kind="chair", type="tub chair", arms=True, back="curved", seat="round", high_back=False, low_back=False
    )
    draft.facts.setdefault("legs", None)


def _office(draft: Draft) -> None:
    width, depth, seat = draft.between(0.44, 0.54), draft.between(0.43, 0.52), draft.between(0.42, 0.52)
    thick = draft.thick(0.05, 0.1)
    shape = draft.pick(("square", "round"), (85, 15))
    _seat(draft, shape, width, depth, seat, thick, True)
    base = draft.pick(("star", "disc"), (85, 15))
    pedestal(draft, seat - thick * 0.6, draft.between(0.045, 0.07), draft.between(0.25, 0.33), base)
    high = seat + draft.between(0.4, 0.75)
    start = seat + draft.pick((-0.03, draft.foot(0.05, 0.18)))
    lean = draft.between(0.0, 0.2)
    tall, thick_back = high - start, draft.thick(0.03, 0.08)
    z = -depth / 2 - 0.01
    back_width = width * draft.between(0.75, 0.98)
    middle = (0, start + tall / 2 * np.cos(lean), z - tall / 2 * np.sin(lean))
    if draft.chance(0.4):
        radius = back_width * draft.between(0.7, 1.1)
        centre = (0, middle[1], middle[2] + radius - thick_back / 2)
        angle = float(np.arcsin(min(0.95, back_width / 2 / radius)))
        draft.build.drum(centre, (radius,), tall, frame=rotation(x=-lean), hole=1 - thick_back / radius, sector=angle)
        draft.facts.update(back="curved")
    else:
        draft.build.box(middle, (back_width, tall, thick_back), frame=rotation(x=-lean), rounding=thick_back * 0.45)
        draft.facts.update(back="solid")
    if start > seat:
        size = draft.thick(0.035, 0.06)
        draft.build.path(
            [(0, seat - thick / 2, -depth * 0.3), (0, seat - thick / 2, z - 0.02), (0, start + 0.1, z - 0.02)], size
        )
    draft.facts.update(
        kind="chair", type="office chair", legs=1, seat=shape, high_back=high - seat > 0.6, low_back=False, base=base
    )
    draft.facts["arms"] = draft.chance(0.6)
    if draft.facts["arms"]:
        style = draft.pick(("tee", "tee", "loop"))
        outer = width / 2 + (0.025 if style == "tee" else 0.0)
        _arms(draft, style, depth, seat, draft.between(0.17, 0.24), outer, is_round=shape == "round")


def _stool(draft: Draft) -> None:
    tall = draft.chance(0.45)
    seat = draft.between(0.62, 0.82) if tall else draft.between(0.38, 0.52)
    shape = draft.pick(("round", "square"), (65, 35))
    width = draft.between(0.3, 0.4)
    depth = width if shape == "round" or draft.chance(0.6) else width * draft.between(0.75, 0.95)
    thick = draft.thick(0.03, 0.1)
    _seat(draft, shape, width, depth, seat, thick, thick > 0.06)
    under = seat - thick * 0.6
    count = draft.pick((1, 3, 4), (35, 25, 40))
    style, leg = draft.pick(_CHAIR_LEGS), draft.thick(0.03, 0.05)
    ring = draft.chance(0.6 if tall else 0.2)
    level = max(draft.between(0.2, 0.38) * seat, draft.gap + draft.least / 2)
    if count == 1:
        base = draft.between(0.16, 0.24)
        pedestal(draft, under, draft.between(0.04, 0.08), base, draft.pick(("disc", "dome", "disc", "star", "square")))
        if ring and tall:
            with draft.build.part("legs"):
                draft.build.drum((0, level, 0), (base * 0.8,), 0.03, hole=0.8)
                draft.build.rod((-base * 0.7, level, 0), (base * 0.7, level, 0), 0.03)
    else:
        splay = draft.between(0.03, 0.09) if style.startswith("splayed") else 0.0
        if count == 4 and shape == "square":
            feet = corner_feet(width, depth, leg / 2 + 0.004)
        else:
            feet = ring_feet(width / 2 - leg * 0.75, count, np.pi / 4 if count == 4 else 0.0)
        legs(draft, feet, under, leg, style, splay=splay)
        draft.facts.update(leg_style=style)
        if ring:
            radius = float(np.hypot(*feet[0])) + splay * (1 - level / under)
            if count == 4 and shape == "square" and not splay:
                stretchers(draft, feet, level, leg * 0.7, is_round=True)
            else:
                with draft.build.part("legs"):
                    draft.build.drum((0, level, 0), (radius + 0.012,), 0.028, hole=1 - 0.03 / radius)
    draft.facts.update(
        kind="chair", type="bar stool" if tall else "stool", seat=shape, legs=count, arms=False, back=None
    )


def bench(draft: Draft) -> None:
    """Draws a bench for two or three, with or without a back."""
    width, depth, seat = draft.between(0.85, 1.6), draft.between(0.34, 0.46), draft.between(0.42, 0.48)
    thick, facts, build = draft.thick(0.03, 0.09), draft.facts, draft.build
    with build.part("seat"):
        build.box((0, seat - thick / 2, 0), (width, thick, depth), rounding=draft.pick((0.0, thick * 0.3)))
    facts.update(kind="bench", type="bench", back=None, arms=False)
    under = seat - thick * 0.6
    leg, style = draft.thick(0.04, 0.08), draft.pick(_CHAIR_LEGS)
    if draft.chance(0.25):
        inset = draft.pick((0.0, draft.between(0.03, 0.2)))
        with build.part("legs"):
            for side in (-1, 1):
                build.box((side * (width / 2 - leg / 2 - inset), under / 2, 0), (leg, under, depth * 0.94))
        x = width / 2 - inset - leg / 2
        facts.update(legs=None, base="panels")
    else:
        splay = draft.between(0.02, 0.06) if style.startswith("splayed") else 0.0
        feet = corner_feet(width, depth, leg / 2 + draft.pick((0.0, 0.02)) + 0.5 * splay)
        legs(draft, feet, under, leg, style, splay=splay)
        x = feet[1][0]
        facts.update(legs=4, leg_style=style)
    level, board = under * draft.between(0.3, 0.5), draft.thick(0.02, 0.03)
    if not style.startswith("splayed") and draft.chance(0.3) and draft.fits(level, board, under):
        with build.part("legs"):
            build.box((0, level, 0), (2 * x + leg * 0.5, board, depth * 0.9))
        facts.update(shelf=True)
    if draft.chance(0.45):
        high, back_thick = seat + draft.between(0.32, 0.5), draft.thick(0.03, 0.05)
        style = _back(
            draft,
            draft.pick(("solid", "slatted", "ladder")),
            width,
            seat - thick * 0.5,
            seat,
            high,
            -depth / 2 + back_thick / 2,
            draft.between(0.0, 0.2),
            back_thick,
        )
        facts.update(back=style, arms=draft.chance(0.5))
        if facts["arms"]:
            arm = draft.pick(("post", "panel"))
            _arms(draft, arm, depth, seat, draft.between(0.18, 0.25), width / 2 - 0.03)


def sofa(draft: Draft) -> None:
    """Draws a sofa with one to four places, straight or L-shaped."""
    seats = draft.pick((2, 3, 4), (45, 43, 12))
    each, depth = draft.between(0.55, 0.75), draft.between(0.55, 0.75)
    seat = draft.between(0.36, 0.46)
    foot = draft.pick((0.0, draft.foot(0.05, 0.17)))
    soft = draft.between(0.01, 0.06)
    width = seats * each
    build, facts = draft.build, draft.facts
    back_thick, back_top = draft.thick(0.12, 0.24), seat + draft.between(0.25, 0.5)
    arms = draft.chance(0.85)
    corner = seats >= 2 and draft.chance(0.2)
    cushion = draft.thick(0.1, 0.18)
    base_top = seat - cushion * 0.6
    rear = -depth / 2 - back_thick
    arm_wide = draft.between(0.1, 0.24)
    arm_top = seat + draft.between(0.12, min(0.26, back_top - seat))
    build.span((-width / 2, foot, rear), (width / 2, base_top, depth / 2), rounding=min(soft, 0.02))
    build.span((-width / 2, foot, rear), (width / 2, back_top, -depth / 2), rounding=soft)
    gap = draft.pick((0.0, 0.4 * draft.gap))  # shallow, like a seam
    split = draft.chance(0.75)
    with build.part("cushions"):
        for i in range(seats if split else 1):
            wide = each if split else width
            x = -width / 2 + (i + 0.5) * wide
            extent = (wide - gap, cushion, depth - 0.01)
            build.box((x, seat - cushion / 2, 0.005), extent, rounding=soft)
            if split:
                tall = back_top - seat + draft.pick((0.0, 0.04))
                frame = rotation(x=-0.12)
                build.box(
                    (x, seat + tall / 2 - 0.02, -depth / 2 + 0.03),
                    (wide - gap, tall, 0.14),
                    frame=frame,
                    rounding=max(soft, 0.03),
                )
    sides = (-1, 1) if arms else ()
    reach = width / 2
    if arms:
        reach += arm_wide
        rolled = draft.chance(0.3)
        for side in sides:
            x = side * (width / 2 + arm_wide / 2)
            build.span(
                (x - arm_wide / 2 - 0.002, foot, rear), (x + arm_wide / 2 + 0.002, arm_top, depth / 2), rounding=soft
            )
            if rolled:
                build.rod((x, arm_top - 0.04, rear + 0.02), (x, arm_top - 0.04, depth / 2 + 0.01), arm_wide * 1.1)
    front = depth / 2
    if corner:
        side = draft.pick((-1, 1))
        front = depth / 2 + draft.between(0.45, 0.8)
        inner, outer = side * (width / 2 - each), side * width / 2
        build.span((inner, foot, depth / 2 - 0.1), (outer, base_top, front), rounding=min(soft, 0.02))
        with build.part("cushions"):
            build.span((inner + side * gap, seat - cushion, 0), (outer, seat, front - 0.005), rounding=soft)
    if foot:
        style = draft.pick(("square", "round", "tapered round"))
        size = draft.thick(0.04, 0.07)
        legs(
            draft,
            [(s * (reach - 0.07), z) for s in (-1, 1) for z in (depth / 2 - 0.06, rear + 0.06)],
            foot + 0.03,
            size,
            style,
        )
        if corner:
            legs(
                draft,
                [(outer - side * 0.07, front - 0.07), (inner + side * 0.07, front - 0.07)],
                foot + 0.03,
                size,
                style,
            )
    facts.update(
        kind="sofa", type="sofa", seats=seats if split else None, arms=arms, corner=corner, on_legs=foot > 0.08
    )
