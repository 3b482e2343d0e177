"""Bookcases, wardrobes, cabinets, dressers and nightstands: boxes that stand against a wall."""

from __future__ import annotations

from ddmi_core.data.furniture.procedural.parts import Draft, building, corner_feet, legs


def storage(draft: Draft) -> None:
    """Draws one piece of storage furniture."""
    draft.pick((_bookcase, _wardrobe, _cabinet, _tv_bench), (36, 24, 31, 9))(draft)


def _bookcase(draft: Draft) -> None:
    width, height, depth = draft.between(0.5, 1.4), draft.between(0.7, 2.2), draft.between(0.25, 0.42)
    wall, board = draft.thick(0.02, 0.05), draft.thick(0.02, 0.045)
    count = max(2, min(7, round(height / draft.between(0.28, 0.42))))
    closed = draft.chance(0.65)
    build, foot = draft.build, draft.pick((0.0, 0.0, draft.foot(0.06, 0.15)))
    ladder = draft.chance(0.12)
    if ladder:  # corner posts in place of side walls
        closed = False
        for x, z in corner_feet(width, depth, wall / 2):
            build.rod((x, 0, z), (x, height, z), wall, is_round=draft.chance(0.5))
        foot = draft.foot(0.05, 0.2)
    else:
        for side in (-1, 1):
            low = foot if foot else 0.0
            build.span((side * width / 2, low, -depth / 2), (side * (width / 2 - wall), height, depth / 2))
        if foot:
            legs(
                draft,
                corner_feet(width, depth, max(0.05, draft.least) / 2 + 0.005),
                foot + 0.02,
                0.05,
                draft.pick(("square", "round", "tapered round")),
            )
    first = foot + (draft.pick((0.0, 0.08)) if not foot else 0.0)
    count = draft.bars(count - 1, height - first - 2 * board, board) + 1
    if first and not foot:  # the plinth
        build.span((-width / 2 + wall / 2, 0, -depth / 2), (width / 2 - wall / 2, first + board / 2, depth / 2 - 0.02))
    for i in range(count + 1):
        y = first + board / 2 + (height - board - first) * i / count
        build.box((0, y, 0), (width - wall, board, depth))
    if closed:
        build.span((-width / 2 + wall / 2, first, -depth / 2), (width / 2 - wall / 2, height, -depth / 2 + wall))
    dividers = draft.pick((0, 1, 2), (70, 20, 10)) if width > 0.8 and not ladder else 0
    dividers = draft.bars(dividers, width - 2 * wall, wall)
    for i in range(dividers):
        x = width * ((i + 1) / (dividers + 1) - 0.5)
        build.span((x - wall / 2, first, -depth / 2 + 0.01), (x + wall / 2, height, depth / 2 - 0.005))
    doors = closed and count >= 4 and draft.chance(0.2)
    if doors:  # the lowest compartments are shut
        top = first + (height - first) * (2 / count)
        build.span((-width / 2 + wall / 2, first, 0), (width / 2 - wall / 2, top, depth / 2 - 0.01))
        _fronts(draft, width - wall, first, top, depth / 2, 2, 1, draft.pick(("knob", "none")))
    facts = draft.facts
    facts.update(
        kind="storage",
        type="bookcase",
        shelves=None if doors else count,
        closed_back=closed,
        doors=2 if doors else None,
    )
    facts.update(on_legs=bool(foot))


@building("fronts")
def _fronts(
    draft: Draft,
    width: float,
    low: float,
    high: float,
    front: float,
    columns: int,
    rows: int,
    knobs: str,
    *,
    middle: float = 0.0,
) -> None:
    """Doors or drawer fronts that stand out of a body's front face, so that shallow grooves part them."""
    groove = draft.between(0.5, 0.65) * draft.gap
    ahead = max(0.03, 0.6 * draft.least)  # how far they stand out
    wide, tall = width / columns, (high - low) / rows
    for i in range(columns):
        for j in range(rows):
            x, y = middle - width / 2 + (i + 0.5) * wide, low + (j + 0.5) * tall
            draft.build.box((x, y, front), (wide - groove, tall - groove, 2 * ahead))
            if rows == 1:  # doors: the handle is on the side away from the hinge
                side = 1 if columns == 1 or i % 2 == 0 else -1
                x += side * (wide / 2 - groove - max(0.025, draft.least))
            with draft.build.part("handles"):
                if knobs == "knob":
                    draft.build.ball((x, y, front + ahead), (0.025, 0.025, 0.025))
                elif knobs == "bar":
                    size = (0.025, 0.2, 0.03) if rows == 1 else (min(0.2, wide * 0.4), 0.025, 0.03)
                    draft.build.box((x, y, front + ahead), size)


def _wardrobe(draft: Draft) -> None:
    doors = draft.pick((1, 2, 3, 4), (8, 55, 22, 15))
    width, height, depth = doors * draft.between(0.42, 0.6), draft.between(1.7, 2.3), draft.between(0.5, 0.65)
    foot = draft.pick((0.0, draft.foot(0.05, 0.15)))
    build = draft.build
    build.span((-width / 2, foot, -depth / 2), (width / 2, height, depth / 2 - 0.01), rounding=draft.pick((0.0, 0.02)))
    drawers = max(1, doors // 2) if draft.chance(0.25) else None
    low = foot + 0.04
    knobs = draft.pick(("knob", "bar", "none"))
    if drawers:
        split = low + draft.between(0.2, 0.4)
        _fronts(draft, width - 0.06, low, split, depth / 2, drawers, 1, "none")
        low = split
    _fronts(draft, width - 0.06, low, height - 0.05, depth / 2, doors, 1, knobs)
    if draft.chance(0.3):
        build.span((-width / 2 - 0.03, height - 0.06, -depth / 2), (width / 2 + 0.03, height, depth / 2 + 0.045))
    if foot:
        legs(
            draft,
            corner_feet(width, depth - 0.02, 0.06),
            foot + 0.02,
            draft.thick(0.06, 0.09),
            draft.pick(("square", "round")),
        )
    draft.facts.update(kind="storage", type="wardrobe", doors=doors, drawers=drawers, on_legs=bool(foot))


def _cabinet(draft: Draft) -> None:
    kind = draft.pick(("sideboard", "chest of drawers", "nightstand", "cabinet"), (30, 25, 20, 25))
    sizes = {
        "sideboard": ((1.1, 1.9), (0.5, 0.9), (0.38, 0.5)),
        "chest of drawers": ((0.6, 1.1), (0.7, 1.2), (0.4, 0.52)),
        "nightstand": ((0.38, 0.55), (0.4, 0.65), (0.33, 0.45)),
        "cabinet": ((0.6, 1.1), (0.9, 1.6), (0.35, 0.5)),
    }
    width, height, depth = (draft.between(*r) for r in sizes[kind])
    foot = draft.pick((0.0, max(min(draft.foot(0.06, 0.22), height * 0.3), draft.gap)))
    build = draft.build
    build.span((-width / 2, foot, -depth / 2), (width / 2, height, depth / 2 - 0.01), rounding=draft.pick((0.0, 0.015)))
    if draft.chance(0.4):
        build.span((-width / 2 - 0.02, height - 0.03, -depth / 2), (width / 2 + 0.02, height + 0.01, depth / 2 + 0.05))
    knobs = draft.pick(("knob", "bar", "none"))
    low, high, front = foot + 0.03, height - 0.04, depth / 2
    doors: int | None = None
    drawers: int | None = None
    if kind == "chest of drawers":
        rows, columns = draft.whole(3, 5), draft.pick((1, 1, 2)) if width > 0.7 else 1
        drawers = rows * columns
        draft.facts.update(rows=rows)
        _fronts(draft, width - 0.05, low, high, front, columns, rows, knobs)
    elif kind == "nightstand":
        drawers = draft.whole(1, 3)
        if drawers == 1:
            split = high - draft.between(0.35, 0.5) * (high - low)
            # An open compartment below the drawer cannot be carved out of a union, so the body is built around it.
            build.solids.clear()
            wall = max(0.03, draft.least)
            build.span((-width / 2, split - 0.02, -depth / 2), (width / 2, height, depth / 2 - 0.01))
            for side in (-1, 1):
                build.span((side * width / 2, foot, -depth / 2), (side * (width / 2 - wall), height, depth / 2 - 0.01))
            build.span((-width / 2, foot, -depth / 2), (width / 2, foot + wall, depth / 2 - 0.01))
            build.span((-width / 2, foot, -depth / 2), (width / 2, height, -depth / 2 + wall))
            _fronts(draft, width - 0.05, split + 0.01, high, front, 1, 1, "none")
            with build.part("handles"):
                build.ball((0, (split + high) / 2, front + 0.03), (0.025, 0.025, 0.025))
        else:
            _fronts(draft, width - 0.05, low, high, front, 1, drawers, knobs)
    else:
        doors = max(2, min(4, round(width / 0.45)))
        _fronts(draft, width - 0.05, low, high, front, doors, 1, knobs)
    if foot:
        style = draft.pick(("square", "round", "tapered round", "splayed round"))
        size = draft.thick(0.04, 0.06)
        legs(
            draft,
            corner_feet(width, depth - 0.02, 0.07),
            foot + 0.02,
            size,
            style,
            splay=0.05 if "splayed" in style else 0.0,
        )
    draft.facts.update(kind="storage", type=kind, doors=doors, drawers=drawers, on_legs=bool(foot))


def _tv_bench(draft: Draft) -> None:
    """A low, wide board: shut at its ends or on one side, open where the devices stand."""
    width, height, depth = draft.between(1.1, 1.9), draft.between(0.4, 0.6), draft.between(0.36, 0.46)
    foot, board = draft.pick((0.0, draft.foot(0.08, 0.16))), draft.thick(0.025, 0.05)
    build, unit = draft.build, width * draft.between(0.26, 0.34)
    height = max(height, foot + 2 * board + 1.5 * draft.gap)
    build.span((-width / 2, height - board, -depth / 2), (width / 2, height, depth / 2))
    build.span((-width / 2, foot, -depth / 2), (width / 2, foot + board, depth / 2))
    build.span((-width / 2, foot, -depth / 2), (width / 2, height, -depth / 2 + board))
    sides, drawers = draft.pick(((-1, 1), (-1,), (1,))), draft.chance(0.5)
    rows = 2 if drawers and height - foot > 5 * draft.gap else 1
    for side in (-1, 1):
        outer, inner = side * width / 2, side * (width / 2 - (unit if side in sides else board))
        build.span((outer, foot, -depth / 2), (inner, height, depth / 2 - 0.01))
        if side in sides:
            middle = (outer + inner) / 2
            _fronts(draft, unit, foot + 0.02, height - 0.02, depth / 2, 1, rows, "none", middle=middle)
    inside = (height - foot - board) / 2
    shelf = draft.chance(0.4) and inside - board >= draft.gap
    if shelf:
        build.box((0, foot + board / 2 + inside, 0), (width - board, board, depth - 0.02))
    if foot:
        style = draft.pick(("square", "round", "tapered round"))
        legs(draft, corner_feet(width, depth - 0.02, 0.07), foot + 0.02, draft.thick(0.04, 0.06), style)
    draft.facts.update(kind="storage", type="TV bench", on_legs=bool(foot), shelves=1 if shelf else None)
    draft.facts.update({"drawers": rows * len(sides), "doors": None} if drawers else {"doors": len(sides)})
