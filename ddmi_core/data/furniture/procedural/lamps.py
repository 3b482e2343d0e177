"""Floor, table, pendant, desk and arc lamps."""

from __future__ import annotations

import numpy as np

from ddmi_core.data.furniture.procedural.parts import Draft, building, legs, ring_feet


def lamp(draft: Draft) -> None:
    """Draws one lamp."""
    draft.pick((_floor, _table, _arc, _desk, _pendant, _ceiling), (31, 31, 8, 10, 14, 6))(draft)


@building("shade")
def _shade(draft: Draft, x: float, low: float, high: float, radius: float, z: float = 0.0) -> str:
    """A shade between two heights with its largest radius; returns what it is called."""
    tall, middle = high - low, (x, (low + high) / 2, z)
    shape = draft.pick(("cone", "cone", "drum", "ball", "bell", "square"))
    open_below = draft.chance(0.35)
    if shape == "ball":
        radius = min(radius, tall * 0.75)
        draft.build.ball(middle, (radius, tall / 2, radius))
    elif shape == "square":
        share = draft.between(0.4, 1.0)
        taper = -(1 - share) / (1 + share)
        wide = 2 * radius / (1 - taper)
        draft.build.box(middle, (wide, tall, wide), taper=(taper, taper))
    else:
        share = {"drum": draft.between(0.88, 1.0), "cone": draft.between(0.3, 0.75), "bell": draft.between(0.35, 0.6)}[
            shape
        ]
        taper, bulge = -(1 - share) / (1 + share), 0.15 if shape == "bell" else 0.0
        # A hollow shade keeps a lid, which holds it to its pole.
        hole = draft.between(0.86, 0.9) if open_below else 0.0
        draft.build.drum(middle, (radius / (1 - taper),), tall, taper=taper, bulge=bulge, hole=hole)
        if open_below:
            lid = radius * share * 0.98
            draft.build.drum((x, high - 0.06 * tall, z), (lid,), 0.12 * tall)
    return {"cone": "cone", "drum": "drum", "ball": "globe", "bell": "bell", "square": "square"}[shape]


def _floor(draft: Draft) -> None:
    height, radius = draft.between(1.3, 1.8), draft.between(0.15, 0.28)
    tall = draft.between(0.2, 0.42)
    pole, base = draft.thick(0.03, 0.05), draft.between(0.13, 0.2)
    tripod = draft.chance(0.25)
    if tripod:
        hub = height - tall - draft.between(0.0, 0.15)
        size = draft.thick(0.035, 0.05)
        for x, z in ring_feet(draft.between(0.22, 0.35), 3):
            draft.build.rod((x, 0, z), (x * 0.08, hub, z * 0.08), size)
        draft.build.rod((0, hub - 0.06, 0), (0, height - tall * 0.05, 0), 0.06)
    else:
        thick = draft.thick(0.03, 0.06)
        if draft.chance(0.8):
            draft.build.drum((0, thick / 2, 0), (base,), thick, taper=draft.between(-0.15, 0.0) * thick / base)
        else:
            draft.build.box((0, thick / 2, 0), (base * 1.7, thick, base * 1.7))
        draft.build.rod((0, thick / 2, 0), (0, height - tall * 0.05, 0), pole)  # up to the lid of an open shade
        if draft.chance(0.2):
            draft.build.ball((0, height * draft.between(0.3, 0.6), 0), (pole, pole * 1.3, pole))
    shade = _shade(draft, 0, height - tall, height, radius)
    draft.facts.update(kind="lamp", type="floor lamp", shade=shade, base="tripod" if tripod else "disc")


def _table(draft: Draft) -> None:
    height = draft.between(0.35, 0.7)
    tall, radius = height * draft.between(0.35, 0.55), height * draft.between(0.2, 0.38)
    body = draft.pick(("pole", "vase", "ball", "block", "stack", "tripod"), (30, 26, 16, 10, 12, 6))
    top, width = height - tall, height * draft.between(0.1, 0.2)
    build, base = draft.build, radius * draft.between(0.5, 0.75)
    if body == "tripod":
        legs(draft, ring_feet(radius * 0.7, 3), top + 0.02, 0.03, "round")
        build.drum((0, top, 0), (radius * 0.85,), 0.04)
    elif body == "block":
        shrink = draft.between(-0.3, 0.2)
        build.box((0, top / 2, 0), (width * 1.4, top, width * 1.4), taper=(shrink, shrink))
    else:
        thick = max(height * draft.between(0.04, 0.08), draft.least)
        build.drum((0, thick / 2, 0), (base,), thick, taper=draft.between(-0.15, 0.0) * thick / base)
        if body == "vase":
            build.rod((0, thick / 2, 0), (0, top * 0.85, 0), width * 1.1, width * 0.7, bulge=draft.between(0.4, 1.2))
        elif body == "ball":
            build.ball((0, thick * 0.8 + top * 0.36, 0), (top * 0.4, top * 0.38, top * 0.4))
        elif body == "stack":
            count = draft.whole(2, 4)
            for i in range(count):
                r = top / count / 2
                build.ball(
                    (0, thick * 0.5 + (2 * i + 1) * r, 0),
                    (width * draft.between(0.5, 0.9), r * 1.12, width * draft.between(0.5, 0.9)),
                )
    build.rod((0, 0.01, 0), (0, height - tall * 0.05, 0), height * 0.06)
    shade = _shade(draft, 0, top, height, radius)
    draft.facts.update(kind="lamp", type="table lamp", shade=shade, base=body)


def _arc(draft: Draft) -> None:
    height, reach = draft.between(1.5, 1.9), draft.between(0.7, 1.2)
    pole, base = draft.thick(0.035, 0.05), draft.between(0.15, 0.22)
    draft.build.drum((0, 0.03, 0), (base,), 0.06)
    rise = height * draft.between(0.45, 0.65)
    turns = np.linspace(0, np.pi * draft.between(0.75, 0.95), 9)
    rx, ry = reach / (1 - np.cos(turns[-1])), height - rise
    bow = [(rx * (1 - np.cos(a)), rise + ry * np.sin(a), 0.0) for a in turns]
    draft.build.path([(0, 0.03, 0), *bow], pole)
    x, y, _ = bow[-1]
    tall = draft.between(0.18, 0.3)
    shade = _shade(draft, x, y - tall, y + 0.02, draft.between(0.14, 0.22))
    draft.facts.update(kind="lamp", type="arc lamp", shade=shade, base="disc")


def _desk(draft: Draft) -> None:
    """A jointed reading lamp."""
    low, high = draft.between(0.2, 0.32), draft.between(0.2, 0.3)
    tilt, bend = draft.between(0.1, 0.5), draft.between(0.7, 1.3)
    size, build = draft.thick(0.018, 0.028), draft.build
    build.drum((0, 0.015, 0), (draft.between(0.07, 0.1),), 0.03, taper=-0.05)
    elbow = np.array([0, 0.02 + low * np.cos(tilt), -low * np.sin(tilt)])
    head = elbow + high * np.array([0, np.cos(bend), np.sin(bend)])
    build.path([(0, 0.02, 0), elbow, head], size)
    build.ball(elbow, (size * 0.8,) * 3)
    aim = np.array([0, -np.cos(0.5), np.sin(0.5)])
    with build.part("shade"):
        build.rod(
            head - 0.03 * aim, head + draft.between(0.1, 0.14) * aim, draft.thick(0.05, 0.08), draft.between(0.13, 0.18)
        )
    draft.facts.update(kind="lamp", type="desk lamp", shade=None, base="disc")


def _pendant(draft: Draft) -> None:
    drop, tall, radius = draft.between(0.25, 0.8), draft.between(0.18, 0.4), draft.between(0.15, 0.3)
    shade = _shade(draft, 0, 0, tall, radius)
    draft.build.rod((0, tall * 0.7, 0), (0, tall + drop, 0), draft.between(0.02, 0.03))
    draft.build.drum((0, tall + drop - 0.015, 0), (draft.between(0.05, 0.08),), 0.04, taper=0.2)
    draft.facts.update(kind="lamp", type="pendant lamp", shade=shade, base=None)


def _ceiling(draft: Draft) -> None:
    """A lamp right under the ceiling: a plate, and a bowl of glass below it."""
    radius, plate = draft.between(0.15, 0.3), draft.thick(0.02, 0.04)
    tall = radius * draft.between(0.4, 0.8)
    rounding = draft.pick((0.1, 0.3, 0.6)) * tall
    with draft.build.part("shade"):
        draft.build.drum((0, -tall / 2, 0), (radius,), tall, taper=draft.between(0.0, 0.2), rounding=rounding)
    draft.build.drum((0, plate / 2, 0), (radius * draft.between(1.2, 1.35),), plate + 0.02)
    draft.facts.update(kind="lamp", type="ceiling lamp", shade=None, base=None)
