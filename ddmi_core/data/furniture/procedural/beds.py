"""Beds; the headboard is at -z, the foot end at +z."""

from __future__ import annotations

import numpy as np

from ddmi_core.data.furniture.procedural.parts import Draft, corner_feet, legs


def bed(draft: Draft) -> None:
    """Draws one bed: single, double or bunk, with or without boards and pillows."""
    if draft.chance(0.14):
        _bunk(draft)
        return
    double = draft.chance(0.6)
    width, length = draft.between(1.35, 1.95) if double else draft.between(0.8, 1.1), draft.between(1.9, 2.15)
    frame_top, foot = draft.between(0.22, 0.38), draft.pick((0.0, 0.0, draft.foot(0.08, 0.2)))
    mattress, soft = draft.between(0.14, 0.26), draft.between(0.02, 0.08)
    build = draft.build
    frame_top = max(frame_top, foot + 0.12)
    build.span((-width / 2, foot, -length / 2), (width / 2, frame_top, length / 2), rounding=draft.pick((0.0, 0.02)))
    top = frame_top + mattress
    inset = draft.between(0.0, 0.05)
    size = (width - 2 * inset, mattress + 0.06, length - 2 * inset)
    with build.part("mattress"):
        build.box((0, frame_top + (mattress - 0.06) / 2, 0), size, rounding=soft)
    headboard = draft.pick(("panel", "slatted", "curved", "padded", None), (40, 12, 13, 15, 20))
    high = top + draft.between(0.2, 0.6)
    wide = width + draft.pick((0.0, 0.04, 0.2))
    thick = draft.thick(0.04, 0.09)
    if headboard in ("panel", "padded"):
        thick += 0.05 if headboard == "padded" else 0.0
        rounding = thick * 0.45 if headboard == "padded" else 0.0
        build.span((-wide / 2, 0, -length / 2 - thick), (wide / 2, high, -length / 2 + 0.01), rounding=rounding)
    elif headboard == "curved":
        low = top + 0.05
        build.span((-width / 2, 0, -length / 2 - thick), (width / 2, low, -length / 2 + 0.01))
        arch = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])  # the drum's own axis along the bed, its -z up
        build.drum(
            (0, low - 0.01, -length / 2 - thick / 2 + 0.005),
            (width / 2, high - low),
            thick + 0.01,
            frame=arch.T,
            sector=np.pi / 2,
        )
    elif headboard == "slatted":
        _rails(draft, width, high, -length / 2, thick)
    footboard = headboard is not None and draft.chance(0.4)
    if footboard:
        high_foot = draft.between(frame_top + 0.05, top + 0.15)
        if headboard == "slatted":
            _rails(draft, width, max(high_foot, top), length / 2, thick)
        else:
            build.span((-wide / 2, 0, length / 2 - 0.01), (wide / 2, high_foot, length / 2 + thick))
    pillows = draft.pick((0, 1, 2), (1, 2, 7)) if double else draft.pick((0, 1), (1, 4))
    for i in range(pillows):
        across = width / pillows
        half = (across * draft.between(0.36, 0.44), draft.between(0.06, 0.09), draft.between(0.18, 0.24))
        middle = (-width / 2 + (i + 0.5) * across, top + 0.03, -length / 2 + half[2] + 0.06)
        with build.part("pillows"):
            if draft.chance(0.5):
                build.ball(middle, (half[0], half[1], half[2]))
            else:
                build.box(middle, (2 * half[0], 1.5 * half[1], 2 * half[2]), rounding=half[1] * 0.7)
    blanket = draft.chance(0.35)
    if blanket:
        start = length * draft.between(-0.2, 0.1)
        low = draft.between(0.1, frame_top)
        with build.part("blanket"):
            build.span(
                (-width / 2 - 0.02, low, start),
                (width / 2 + 0.02, top + 0.035, length / 2 + (0.0 if footboard else 0.02)),
                rounding=0.03,
            )
    if foot:
        legs(
            draft,
            corner_feet(width, length, 0.06),
            foot + 0.03,
            draft.thick(0.05, 0.09),
            draft.pick(("square", "round")),
        )
    draft.facts.update(
        kind="bed", type="bed", size="double" if double else "single", headboard=headboard, footboard=footboard
    )
    draft.facts.update(pillows=pillows, on_legs=foot > 0.05, bunk=False)


def _rails(draft: Draft, width: float, high: float, z: float, thick: float) -> None:
    build, post = draft.build, draft.thick(0.05, 0.08)
    for side in (-1, 1):
        build.rod(
            (side * (width / 2 - post / 2), 0, z),
            (side * (width / 2 - post / 2), high, z),
            post,
            is_round=draft.chance(0.5),
        )
    build.box((0, high - 0.04, z), (width - post, 0.07, thick))
    bar = max(0.045, draft.least)
    count = draft.bars(draft.whole(3, 7), width - 2 * post, bar)
    for i in range(count):
        x = (width - 2 * post + bar) * ((i + 1) / (count + 1) - 0.5)
        build.rod((x, 0.2, z), (x, high - 0.03, z), bar)


def _bunk(draft: Draft) -> None:
    width, length = draft.between(0.85, 1.05), draft.between(1.95, 2.1)
    levels, high = (draft.between(0.25, 0.4), draft.between(1.2, 1.4)), draft.between(1.6, 1.8)
    high = max(high, levels[1] + 0.18 + draft.gap + max(0.08, draft.least))
    build, post = draft.build, draft.thick(0.06, 0.09)
    for x, z in corner_feet(width, length, post / 2):
        build.rod((x, 0, z), (x, high, z), post, is_round=False)
    for level in levels:
        build.box((0, level, 0), (width, draft.between(0.08, 0.12), length))
        with build.part("mattress"):
            build.box((0, level + 0.1, 0), (width - 0.06, 0.16, length - 0.06), rounding=0.04)
        with build.part("pillows"):
            build.ball((0, level + 0.2, -length / 2 + 0.28), (width * 0.36, 0.06, 0.18))
    for z in (-length / 2 + post / 2, length / 2 - post / 2):
        build.box((0, high - 0.05, z), (width, 0.08, 0.05))
    build.box((-width / 2 + 0.02, high - 0.05, 0), (0.05, 0.08, length))
    ladder = draft.chance(0.7)
    if ladder:
        x, rail, wide = width / 2 + draft.least / 2, max(0.05, draft.least), draft.between(0.38, 0.45)
        ends = [length / 2 - 0.2, length / 2 - 0.2 - wide]
        for z in ends:
            build.rod((x, 0, z), (x, high - 0.05, z), rail, is_round=False)
        count = draft.bars(draft.whole(4, 5), levels[1], rail)
        for i in range(count):
            y = (levels[1] + rail) * (i + 1) / (count + 1) - rail / 2
            build.rod((x, y, ends[0]), (x, y, ends[1]), rail)
    draft.facts.update(
        kind="bed", type="bunk bed", size="single", headboard=None, footboard=False, pillows=2, on_legs=True, bunk=True
    )
    draft.facts.update(ladder=ladder)
