"""Captions as a designer would type them, from the facts of a procedural shape; never what the geometry lacks."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ddmi_core.data.furniture.procedural.paint import PALETTE

_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
# Shares of captions with none, one, two and three facts, cumulated.
_AMOUNTS = (0.24, 0.62, 0.90)
_SIZE = "size"
_PURPOSE_SHARE = 0.03
_PURPOSES = {
    # What a thing is for, of a type or else of the kind.
    "chair": ("something to sit on", "something to sit on", "a place to sit", "a seat"),
    "bench": ("something to sit on", "a place for two to sit"),
    "sofa": ("something to sit on", "something soft to sit on", "a place to relax"),
    "table": ("something to eat at", "something to put things on"),
    "desk": ("something to work at", "a place to work", "something to write at"),
    "bed": ("something to sleep in", "something to sleep on", "a place to sleep"),
    "bunk bed": ("a bed for two children", "something for two to sleep in"),
    "lamp": ("something that gives light", "a light", "a reading light"),
    "storage": ("something to put things in", "a place to store things"),
    "bookcase": ("something to put books on", "a place for books"),
    "wardrobe": ("something to hang clothes in", "a place for clothes"),
    "TV bench": ("something to put a TV on",),
}
_COLOUR_WORDS = (*PALETTE, "wooden")
Facts = Mapping[str, object]


def article(noun_phrase: str) -> str:
    """The phrase with "a" or "an" before it."""
    return ("an " if noun_phrase[0] in "aeiouL" and not noun_phrase.startswith("one") else "a ") + noun_phrase


def number(count: int) -> str:
    """A small number in words."""
    return _NUMBERS[count]


def _many(count: int, thing: str) -> list[str]:
    """Ways to say how many there are, in words and, one time of three, in digits."""
    things = thing if count == 1 else {"shelf": "shelves"}.get(thing, thing + "s")
    return [f"{number(count)} {things}"] * 2 + [f"{count} {things}"]


def caption(facts: Facts, rng: np.random.Generator) -> str:
    """One caption with a random part of the facts; the bare name of the kind in about a quarter of the cases."""
    if rng.random() < _PURPOSE_SHARE:
        return _any(_PURPOSES.get(str(facts["type"])) or _PURPOSES[str(facts["kind"])], rng)
    nouns, options = _KINDS[str(facts["kind"])](facts)
    if colour := str(facts.get("colour", "")):
        nouns = [noun for noun in nouns if "wooden" not in noun]
        options = [*options, *_colours(colour, facts["parts_apart"])]
    noun = _any(nouns, rng)
    if any(word in noun.split() for word in ("tall", "high", "low", "narrow")):  # as what it is called is meant
        options = [option for option in options if option.about != _SIZE]
    amount = bisect(_AMOUNTS, float(rng.random()))
    # A random order in which heavier options tend to come first (Efraimidis and Spirakis).
    keys = rng.random(len(options)) ** (1 / np.array([o.weight for o in options]))
    chosen: list[Option] = []
    for i in np.argsort(-keys):
        if len(chosen) < amount and not (options[i].about and options[i].about in {o.about for o in chosen}):
            chosen.append(options[i])
    words = [_any(o.texts, rng) for o in chosen if not o.is_clause]
    # What the noun says already is not said again.
    words = sorted((w for w in words if w not in noun), key=_rank)
    said = (_any(o.texts, rng) for o in chosen if o.is_clause)
    # "a rectangular table with a rectangular top" says twice what nobody says twice.
    phrases = [text for text in said if not any(w in text.split() for w in words)]
    phrase = " ".join([*words, noun])
    if rng.random() < 0.6:
        phrase = article(phrase)
    if rng.random() < 0.2:
        return ", ".join([phrase, *phrases])
    held = [p for p in phrases if not p.startswith("without ")]
    if held:
        phrase += " with " + " and ".join([", ".join(held[:-1]), held[-1]] if held[1:] else held)
    return " ".join([phrase, *(p for p in phrases if p.startswith("without "))])


def captions(facts: Facts, rng: np.random.Generator, count: int) -> list[str]:
    """``count`` captions; the same one may occur twice where little can be said."""
    return [caption(facts, rng) for _ in range(count)]


def _rank(word: str) -> int:
    """English puts size before shape, and shape before colour."""
    if word in _COLOUR_WORDS:
        return 2
    return 1 if word in ("round", "circular", "rectangular", "square", "oval") else 0


def _any(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.random() * len(texts))]


@dataclass(frozen=True)
class Option:
    """One true fact and the ways to say it: before the noun, or (``is_clause``) after "with".

    Of several options ``about`` one thing a caption has one.
    """

    texts: Sequence[str]
    weight: float = 1.0
    is_clause: bool = False
    about: str = ""


Phrases = tuple[Sequence[str], list[Option]]


def _word(*texts: str, weight: float = 1.0) -> Option:
    return Option(texts, weight)


def _clause(*texts: str, weight: float = 1.0) -> Option:
    return Option(texts, weight, True)


def _legs(facts: Facts) -> list[Option]:
    count, style = facts.get("legs"), str(facts.get("leg_style", ""))
    if count == 1:
        single = (
            "one leg",
            "one leg",
            "1 leg",
            "a single leg",
            "one central leg",
            "a pedestal base",
            "a central column",
        )
        return [
            Option(single, 3, True, "legs"),
            Option(("one-legged", "single-leg", "pedestal"), 0.5, about="legs"),
        ]
    if not isinstance(count, int):
        return []
    texts = _many(count, "leg") * 2
    shape = "slanted" if style.startswith("splayed") else "tapered" if style.startswith("tapered") else style
    if shape in ("slanted", "tapered", "turned"):
        texts += [f"{shape} legs", f"{number(count)} {shape} legs"]
    words = (f"{number(count)}-legged", f"{number(count)}-legged", f"{number(count)} legged", f"{count}-legged")
    return [Option(texts, 3, True, "legs"), Option(words, 1.5, about="legs")]


def _sizes(facts: Facts) -> list[Option]:
    """What its bounding box alone says."""
    words = {"tall": ("tall", "tall", "high"), "low": ("low",), "wide": ("wide",), "narrow": ("narrow", "slim")}
    return [Option(texts, about=_SIZE) for fact, texts in words.items() if facts.get(fact)]


def _colours(colour: str, apart: object) -> list[Option]:
    """What colour a thing is, and its parts that have another."""
    said = dict(apart) if isinstance(apart, Mapping) else {}
    return [
        Option((colour,), 12, about="colour"),
        *(Option((text,), 3, True, text.split()[-1]) for text in said.values()),
    ]


_TABLES = {
    "dining table": ["table", "table", "table", "dining table", "dining table", "kitchen table"],
    "coffee table": ["coffee table", "coffee table", "table", "low table"],
    "side table": ["side table", "side table", "end table", "small table", "table"],
    "bar table": ["bar table", "bar table", "high table", "tall table", "table"],
    "console table": ["console table", "console table", "table", "narrow table"],
    "desk": ["desk", "desk", "desk", "writing desk", "office desk", "table"],
}


def _table(facts: Facts) -> Phrases:
    kind, top = str(facts["type"]), str(facts["top"])
    shape = {"round": ("round", "round", "circular"), "square": ("square", "square", "rectangular")}.get(top, (top,))
    options = [
        Option(shape, 1 if kind == "desk" else 4, about="top"),
        Option((f"a {shape[0]} top", f"a {shape[0]} table top"), 0.6, True, "top"),
        *_legs(facts),
    ]
    if facts["long"] and top != "round":
        options.append(_word("long"))
    options += _sizes(facts)
    base = facts.get("base")
    if base == "panels":
        options.append(_clause("panel legs", "panel legs", "side panels", "panel sides", weight=2))
    elif base == "trestle":
        options.append(_clause("trestle legs", "a trestle base", "trestles", weight=2))
    elif base == "two pedestals":
        options.append(_clause("two pedestals", "a double pedestal base", "two columns", weight=2))
    elif base == "solid":
        options.append(_clause("a solid base", "a block base", weight=2))
    if facts.get("shelf"):
        options.append(_clause("a shelf", "a lower shelf", "a shelf below", weight=2))
    if facts.get("drawers"):
        count = int(str(facts["drawers"]))
        texts = _many(count, "drawer")
        options.append(_clause("drawers" if count > 1 else "a drawer", *texts, weight=3))
    return _TABLES[kind], options


_SEATS = {
    "chair": ["chair", "chair", "chair", "dining chair", "kitchen chair"],
    "easy chair": ["easy chair", "lounge chair", "chair", "chair"],
    "tub chair": ["tub chair", "round armchair", "armchair", "armchair", "chair", "barrel chair"],
    "office chair": ["office chair", "office chair", "office chair", "desk chair", "swivel chair", "chair"],
    "stool": ["stool"],
    "bar stool": ["bar stool", "bar stool", "stool", "high stool", "tall stool"],
}
_BACKS = {
    "solid": ("a solid back", "a solid back", "a panel back"),
    "slatted": ("a slatted back", "a slatted back", "vertical slats"),
    "ladder": ("a ladder back", "horizontal slats"),
    "open": ("an open back", "an open frame back"),
    "curved": ("a curved back", "a rounded back"),
}


def _chair(facts: Facts) -> Phrases:
    kind, arms, back, shape = str(facts["type"]), bool(facts["arms"]), facts["back"], str(facts["seat"])
    nouns = _SEATS[kind]
    options = [*_legs(facts), *_sizes(facts)]
    if facts.get("wheels"):
        options.append(_clause("wheels", "wheels", "castors", "five wheels" if facts["wheels"] == 5 else "wheels"))
    if back is None:
        return nouns, [*options, _word(shape, weight=3), _clause(f"a {shape} seat")]
    if arms and kind in ("chair", "easy chair"):
        nouns = nouns + ["armchair"] * (5 if kind == "easy chair" else 1)
    options.append(
        _clause("armrests", "armrests", "arms", "arm rests", weight=4)
        if arms
        else _clause("no armrests", "without armrests", "no arms", "without arms", weight=2)
    )
    options.append(Option(_BACKS[str(back)], 2, True))
    if facts["high_back"]:
        options.append(_clause("a high back", "a tall back"))
    if facts["low_back"]:
        options.append(_clause("a low back"))
    if shape == "round" and kind == "chair":
        options.append(_clause("a round seat"))
    base = facts.get("base")
    if base == "star":
        options.append(_clause("a star base"))
    elif base == "cantilever":
        options.append(_clause("a cantilever base", "a tubular frame", weight=2))
    elif base == "panels":
        options.append(_clause("panel legs", "side panels", weight=2))
    if facts.get("padded"):
        options.append(_word("padded", "upholstered"))
    return nouns, options


def _sofa(facts: Facts) -> Phrases:
    nouns = ["sofa", "sofa", "sofa", "couch", "settee"]
    options: list[Option] = []
    seats = facts["seats"]
    if isinstance(seats, int):
        word = number(seats)
        words = (f"{word}-seat", f"{word}-seater", f"{word} seat", f"{word} seater", f"{seats}-seat")
        options.append(Option(words, 3, about="seats"))
        options.append(Option((*_many(seats, "seat"), f"{word} cushions"), 1, True, "seats"))
        if seats == 2:
            nouns.append("loveseat")
    options += _sizes(facts)
    if facts["corner"]:
        nouns = ["corner sofa", "L-shaped sofa", "sectional sofa", "sofa", "couch"]
        options.append(_clause("a chaise", "a chaise longue", "a corner"))
    options.append(
        _clause("armrests", "arms", "arm rests", weight=2)
        if facts["arms"]
        else _clause("no armrests", "without armrests", "no arms", "without arms", weight=2)
    )
    if facts["on_legs"]:
        options.append(Option(("legs", "short legs"), 1, True, "legs"))
    return nouns, options


def _bench(facts: Facts) -> Phrases:
    options = [*_legs(facts), *_sizes(facts)]
    if facts["back"]:
        options.append(Option(("a back", "a backrest", *_BACKS[str(facts["back"])]), 2, True))
        options.append(
            _clause("armrests", "arms", weight=2) if facts["arms"] else _clause("no armrests", "without armrests")
        )
    else:
        options.append(_clause("no back", "without a back", "without a backrest"))
    if facts.get("base") == "panels":
        options.append(_clause("panel legs", "side panels", weight=2))
    if facts.get("shelf"):
        options.append(_clause("a shelf", "a shelf below", "a shelf for shoes", weight=2))
    return ["bench", "bench", "bench", "wooden bench", "garden bench" if facts["back"] else "sitting bench"], options


_STORAGE = {
    "bookcase": ["bookcase", "bookcase", "bookcase", "bookshelf", "shelf", "shelves", "shelf unit", "shelving unit"],
    "TV bench": ["TV bench", "TV bench", "TV stand", "TV unit", "media console", "lowboard"],
    "wardrobe": ["wardrobe", "wardrobe", "wardrobe", "closet", "cupboard", "armoire"],
    "cabinet": ["cabinet", "cabinet", "cupboard"],
    "sideboard": ["sideboard", "sideboard", "cabinet", "buffet"],
    "chest of drawers": ["chest of drawers", "dresser", "drawer unit"],
    "nightstand": ["nightstand", "bedside table", "bedside cabinet"],
}


def _storage(facts: Facts) -> Phrases:
    kind = str(facts["type"])
    options = _sizes(facts)
    doors, drawers, shelves = facts.get("doors"), facts.get("drawers"), facts.get("shelves")
    if isinstance(doors, int):
        options.append(Option((*_many(doors, "door"), "doors" if doors > 1 else "a door"), 2, True, "doors"))
        if kind == "wardrobe":
            options.append(Option((f"{number(doors)}-door", f"{doors}-door"), about="doors"))
    if isinstance(drawers, int):
        options.append(
            Option((*_many(drawers, "drawer"), "drawers" if drawers > 1 else "a drawer"), 2, True, "drawers")
        )
        if facts.get("rows"):
            options.append(Option((f"{number(int(str(facts['rows'])))} rows of drawers",), 0.5, True, "drawers"))
    if kind == "TV bench" and isinstance(shelves, int):
        options.append(_clause("a shelf", "an open compartment" if shelves == 1 else "shelves"))
    if kind == "bookcase":
        if isinstance(shelves, int):
            options.append(_clause(*_many(shelves, "shelf"), weight=4))
        options.append(
            _clause("a closed back", "a back panel") if facts["closed_back"] else _clause("an open back", "no back")
        )
        if not facts["closed_back"]:
            options.append(_word("open"))
    if facts.get("on_legs"):
        options.append(Option(("legs", "short legs"), 1, True, "legs"))
    return _STORAGE[kind], options


def _bed(facts: Facts) -> Phrases:
    if facts["bunk"]:
        options = [_clause("two beds one above the other")]
        options.append(_clause("a ladder") if facts["ladder"] else _clause("no ladder", "without a ladder"))
        return ["bunk bed", "bunk bed", "bed", "two-level bed"], options
    size, board, pillows = str(facts["size"]), facts["headboard"], int(str(facts["pillows"]))
    options = [_word(size, size, "wide" if size == "double" else "narrow", weight=2)]
    styled = (f"a {board} headboard",) if board in ("slatted", "curved", "padded") else ("a headboard",)
    options.append(_clause("a headboard", "a headboard", *styled) if board else _clause("no headboard"))
    if facts["footboard"]:
        options.append(_clause("a footboard"))
    texts = ("no pillows",) if pillows == 0 else (*_many(pillows, "pillow"), "a pillow" if pillows == 1 else "pillows")
    options.append(_clause(*texts))
    if facts["on_legs"]:
        options.append(Option(("legs",), 1, True, "legs"))
    return ["bed", "bed", "bed", f"{size} bed"], options


_LAMPS = {
    "floor lamp": ["floor lamp", "floor lamp", "standing lamp", "lamp"],
    "table lamp": ["table lamp", "table lamp", "lamp", "bedside lamp"],
    "arc lamp": ["arc lamp", "arc floor lamp", "curved floor lamp", "lamp"],
    "desk lamp": ["desk lamp", "reading lamp", "lamp"],
    "pendant lamp": ["pendant lamp", "hanging lamp", "ceiling lamp", "lamp", "pendant light"],
    "ceiling lamp": ["ceiling lamp", "ceiling lamp", "ceiling light", "lamp", "flush ceiling lamp"],
}


def _lamp(facts: Facts) -> Phrases:
    kind, shade, base = str(facts["type"]), facts["shade"], facts["base"]
    options: list[Option] = _sizes(facts)
    if shade == "cone":
        options.append(_clause("a conical shade", "a cone shade", "a shade", "a lampshade"))
    elif shade == "globe":
        options.append(_clause("a globe", "a round shade", "a ball shade"))
    elif shade:
        options.append(_clause(f"a {shade} shade", "a shade", "a lampshade"))
    if base == "tripod":
        options.append(_clause("a tripod", "three legs", "tripod legs", "a tripod base"))
    elif base == "vase":
        options.append(_clause("a vase base"))
    elif base == "ball":
        options.append(_clause("a round body", "a ball body"))
    return _LAMPS[kind], options


_KINDS = {
    "table": _table,
    "chair": _chair,
    "bench": _bench,
    "sofa": _sofa,
    "storage": _storage,
    "bed": _bed,
    "lamp": _lamp,
}
