"""Captions as a designer would type them, from the facts of a procedural shape. A caption never says what the geometry lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
Facts = Mapping[str, object]


def article(noun_phrase: str) -> str:
    """The phrase with "a" or "an" before it."""
    return ("an " if noun_phrase[0] in "aeiou" and not noun_phrase.startswith("one") else "a ") + noun_phrase


def number(count: int) -> str:
    """A small number in words."""
    return _NUMBERS[count]


def _many(count: int, thing: str) -> str:
    plural = {"shelf": "shelves"}.get(thing, thing + "s")
    return f"{number(count)} {thing if count == 1 else plural}"


def caption(facts: Facts, rng: np.random.Generator) -> str:
    """One caption with a random part of the facts; the bare name of the kind in about a quarter of the cases."""
    nouns, adjectives, clauses = _KINDS[str(facts["kind"])](facts)
    noun = nouns[int(rng.integers(len(nouns)))]
    amount = int(rng.choice(4, p=(0.24, 0.38, 0.28, 0.10)))
    words: list[str] = []
    phrases: list[str] = []
    options = [(False, a) for a in adjectives] + [(True, c) for c in clauses]
    for i in rng.permutation(len(options))[:amount]:
        is_clause, choices = options[i]
        text = choices[int(rng.integers(len(choices)))]
        (phrases if is_clause else words).append(text)
    # Words that the noun holds already ("armchair with armrests" is fine, "round round table" is not).
    words = [w for w in words if w not in noun]
    phrase = " ".join([*sorted(words, key=_rank), noun])
    if rng.random() < 0.6:
        phrase = article(phrase)
    if not phrases:
        return phrase
    if rng.random() < 0.2:
        return ", ".join([phrase, *phrases])
    return f"{phrase} with " + " and ".join(phrases)


def captions(facts: Facts, rng: np.random.Generator, count: int) -> list[str]:
    """``count`` captions; the same one may occur twice where little can be said."""
    return [caption(facts, rng) for _ in range(count)]


def _rank(word: str) -> int:
    """English puts size before shape."""
    return 1 if word in ("round", "circular", "rectangular", "square", "oval") else 0


Phrases = tuple[Sequence[str], Sequence[Sequence[str]], Sequence[Sequence[str]]]


def _legs(facts: Facts) -> list[Sequence[str]]:
    count = facts.get("legs")
    style = str(facts.get("leg_style", ""))
    if count == 1:
        return [("one leg", "a single leg", "one central leg", "a pedestal base", "a central column", "single pedestal")] * 2
    result: list[Sequence[str]] = []
    if isinstance(count, int):
        result += [(f"{number(count)} legs", f"{number(count)} legs", f"{count} legs")] * 2
        adjective = "slanted" if style.startswith("splayed") else "tapered" if style.startswith("tapered") else style if style == "turned" else ""
        if adjective:
            result.append((f"{adjective} legs", f"{number(count)} {adjective} legs"))
    return result


def _table(facts: Facts) -> Phrases:
    kind, top = str(facts["type"]), str(facts["top"])
    nouns = {
        "dining table": ["table", "table", "table", "dining table", "dining table", "kitchen table"],
        "coffee table": ["coffee table", "coffee table", "table", "low table"],
        "side table": ["side table", "side table", "end table", "small table", "table"],
        "bar table": ["bar table", "bar table", "high table", "tall table", "table"],
        "console table": ["console table", "console table", "table", "narrow table"],
        "desk": ["desk", "desk", "desk", "writing desk", "office desk", "table"],
    }[kind]
    shape: Sequence[str] = {"round": ("round", "round", "circular"), "rectangular": ("rectangular",), "square": ("square", "rectangular")}.get(top, (top,))
    adjectives: list[Sequence[str]] = [shape, shape] if kind != "desk" else [shape]
    if facts["long"] and top != "round":
        adjectives.append(("long",))
    if facts["low"]:
        adjectives.append(("low",))
    if facts["tall"]:
        adjectives.append(("tall", "high"))
    clauses: list[Sequence[str]] = []
    if top != "oval":
        clauses.append((f"a {shape[0]} top", f"a {shape[0]} table top"))
    clauses += _legs(facts)
    base = facts.get("base")
    if base == "panels":
        clauses += [("panel legs", "side panels", "panel sides")] * 2
    elif base == "trestle":
        clauses += [("trestle legs", "a trestle base", "trestles")] * 2
    elif base == "two pedestals":
        clauses += [("two pedestals", "a double pedestal base", "two columns")]
    elif base == "solid":
        clauses += [("a solid base", "a block base")]
    if facts.get("shelf"):
        clauses += [("a shelf", "a lower shelf", "a shelf below")]
    if facts.get("drawers"):
        clauses += [("drawers", "drawers", "a drawer unit")]
    return nouns, adjectives, clauses


def _chair(facts: Facts) -> Phrases:
    kind, arms, back = str(facts["type"]), bool(facts["arms"]), facts["back"]
    nouns = {
        "chair": ["chair", "chair", "chair", "dining chair", "kitchen chair"],
        "easy chair": ["easy chair", "lounge chair", "upholstered chair", "chair", "chair"],
        "tub chair": ["tub chair", "armchair", "armchair", "chair", "barrel chair"],
        "office chair": ["office chair", "office chair", "office chair", "desk chair", "swivel chair", "chair"],
        "stool": ["stool", "stool", "stool", "low stool"],
        "bar stool": ["bar stool", "bar stool", "stool", "high stool", "tall stool"],
    }[kind]
    if arms and kind in ("chair", "easy chair"):
        nouns = nouns + ["armchair"] * (5 if kind == "easy chair" else 1)
    adjectives: list[Sequence[str]] = []
    clauses = _legs(facts)
    if back is None:
        shape = str(facts["seat"])
        adjectives += [(shape,), (shape,)]
        clauses.append((f"a {shape} seat",))
        return nouns, adjectives, clauses
    clauses += [("armrests", "armrests", "arms", "arm rests")] * 2 if arms else [("no armrests", "no arms")]
    clauses.append(
        {
            "solid": ("a solid back", "a solid back", "a panel back"),
            "slatted": ("a slatted back", "a slatted back", "vertical slats"),
            "ladder": ("a ladder back", "horizontal slats"),
            "open": ("an open back", "an open frame back"),
            "curved": ("a curved back", "a rounded back"),
        }[str(back)]
    )
    if facts["high_back"]:
        clauses.append(("a high back", "a tall back"))
    if facts["low_back"]:
        clauses.append(("a low back",))
    if facts["seat"] == "round" and kind == "chair":
        clauses.append(("a round seat",))
    if facts.get("base") == "star":
        clauses.append(("a star base", "a five-star base") if facts.get("feet") == 5 else ("a star base",))
    if facts.get("base") == "cantilever":
        clauses += [("a cantilever base", "a tubular frame")]
    if facts.get("base") == "panels":
        clauses += [("panel legs", "side panels")]
    if facts.get("padded"):
        adjectives.append(("padded", "upholstered"))
    return nouns, adjectives, clauses


def _sofa(facts: Facts) -> Phrases:
    nouns = ["sofa", "sofa", "sofa", "couch", "settee"]
    adjectives: list[Sequence[str]] = []
    clauses: list[Sequence[str]] = []
    seats = facts["seats"]
    if isinstance(seats, int):
        word = number(seats)
        adjectives += [(f"{word}-seat", f"{word}-seater", f"{word} seat", f"{word} seater")] * 2
        clauses.append((f"{word} seats", f"{word} cushions"))
        if seats == 2:
            nouns.append("loveseat")
    if facts["corner"]:
        nouns = ["corner sofa", "L-shaped sofa", "sectional sofa", "sofa", "couch"]
        clauses.append(("a chaise", "a chaise longue"))
    clauses += [("armrests", "arms", "arm rests")] * 2 if facts["arms"] else [("no armrests", "no arms")]
    if facts["on_legs"]:
        clauses.append(("legs", "short legs"))
    return nouns, adjectives, clauses


def _storage(facts: Facts) -> Phrases:
    kind = str(facts["type"])
    nouns = {
        "bookcase": ["bookcase", "bookcase", "bookcase", "bookshelf", "shelves", "shelf unit", "shelving unit"],
        "wardrobe": ["wardrobe", "wardrobe", "wardrobe", "closet", "cupboard", "armoire"],
        "cabinet": ["cabinet", "cabinet", "cupboard"],
        "sideboard": ["sideboard", "sideboard", "cabinet", "buffet"],
        "chest of drawers": ["chest of drawers", "dresser", "drawer unit"],
        "nightstand": ["nightstand", "bedside table", "bedside cabinet"],
    }[kind]
    adjectives: list[Sequence[str]] = []
    clauses: list[Sequence[str]] = []
    for word, options in {"tall": ("tall", "high"), "low": ("low",), "wide": ("wide",), "narrow": ("narrow",)}.items():
        if facts.get(word):
            adjectives.append(options)
    doors, drawers, count = facts.get("doors"), facts.get("drawers"), facts.get("shelves")
    if isinstance(doors, int):
        clauses += [(_many(doors, "door"), _many(doors, "door"), "doors" if doors > 1 else "a door")]
        if kind == "wardrobe":
            adjectives.append((f"{number(doors)}-door",))
    if drawers and kind != "chest of drawers":
        clauses.append((_many(drawers, "drawer"),) if isinstance(drawers, int) and not isinstance(drawers, bool) else ("drawers",))
    elif isinstance(drawers, int):
        clauses.append((f"{number(drawers)} rows of drawers",))
    if kind == "bookcase":
        if isinstance(count, int):
            clauses += [(_many(count, "shelf"), _many(count, "shelf"), f"{count} shelves")] * 2
        clauses.append(("a closed back", "a back panel") if facts["closed_back"] else ("an open back", "no back"))
        if not facts["closed_back"]:
            adjectives.append(("open",))
    if facts.get("on_legs"):
        clauses.append(("legs", "short legs"))
    return nouns, adjectives, clauses


def _bed(facts: Facts) -> Phrases:
    if facts["bunk"]:
        return ["bunk bed", "bunk bed", "bed", "two-level bed"], [], [("two beds one above the other",)]
    size = str(facts["size"])
    nouns = ["bed", "bed", "bed", f"{size} bed"]
    adjectives: list[Sequence[str]] = [(size, size, "wide" if size == "double" else "narrow")] * 2
    board = facts["headboard"]
    clauses: list[Sequence[str]] = [("a headboard", "a headboard")] if board else [("no headboard",)]
    if board in ("slatted", "curved", "padded"):
        clauses.append((f"a {board} headboard",))
    if facts["footboard"]:
        clauses.append(("a footboard",))
    pillows = facts["pillows"]
    clauses.append(("no pillows",) if pillows == 0 else (_many(int(str(pillows)), "pillow"), "a pillow" if pillows == 1 else "pillows"))
    if facts["on_legs"]:
        clauses.append(("legs",))
    return nouns, adjectives, clauses


def _lamp(facts: Facts) -> Phrases:
    kind, shade, base = str(facts["type"]), facts["shade"], facts["base"]
    nouns = {
        "floor lamp": ["floor lamp", "floor lamp", "standing lamp", "lamp"],
        "table lamp": ["table lamp", "table lamp", "lamp", "bedside lamp"],
        "arc lamp": ["arc lamp", "arc floor lamp", "curved floor lamp", "lamp"],
        "desk lamp": ["desk lamp", "reading lamp", "lamp"],
        "pendant lamp": ["pendant lamp", "hanging lamp", "ceiling lamp", "lamp", "pendant light"],
    }[kind]
    clauses: list[Sequence[str]] = []
    if shade == "cone":
        clauses.append(("a conical shade", "a cone shade", "a shade", "a lampshade"))
    elif shade == "globe":
        clauses.append(("a globe", "a round shade", "a ball shade"))
    elif shade:
        clauses.append((f"a {shade} shade", "a shade", "a lampshade"))
    if base == "tripod":
        clauses.append(("a tripod", "three legs", "tripod legs", "a tripod base"))
    elif base in ("vase", "ball"):
        clauses.append((f"a {base} base",) if base == "vase" else ("a round body", "a ball body"))
    return nouns, [("tall",)] if kind == "floor lamp" else [], clauses


_KINDS = {"table": _table, "chair": _chair, "sofa": _sofa, "storage": _storage, "bed": _bed, "lamp": _lamp}
