"""Prompts for furniture, as people write them, each with what has to be true of a shape that obeys it."""

from dataclasses import dataclass
from typing import Literal

Top = Literal["round", "rectangular"]


@dataclass(frozen=True)
class FurniturePrompt:
    """A prompt; None stands for what it does not ask for.

    `kind` is one of `classifier.KINDS`, and the rest is what `geometry.measure` finds.
    """

    text: str
    kind: str
    top: Top | None = None
    legs: int | None = None
    armrests: bool | None = None


def _table(text: str, top: Top | None = None, legs: int | None = None) -> FurniturePrompt:
    return FurniturePrompt(text, "table", top, legs)


def _chair(text: str, armrests: bool | None = None, legs: int | None = None) -> FurniturePrompt:
    return FurniturePrompt(text, "chair", legs=legs, armrests=armrests)


def _all(kind: str, *texts: str) -> list[FurniturePrompt]:
    return [FurniturePrompt(text, kind) for text in texts]


PROMPTS: tuple[FurniturePrompt, ...] = (
    _table("a table"),
    _table("kitchen table"),
    _table("a round table", "round"),
    _table("round dining table", "round"),
    _table("a table with a round top", "round"),
    _table("a low round coffee table", "round"),
    _table("a circular table with four legs", "round", 4),
    _table("a round table with one leg", "round", 1),
    _table("round table, single pedestal", "round", 1),
    _table("a tall round bar table with one leg", "round", 1),
    _table("a round table with three legs", "round", 3),
    _table("round coffee table with 3 legs", "round", 3),
    _table("a three-legged side table", None, 3),
    _table("a small round side table, three legs", "round", 3),
    _table("a table with three legs", None, 3),
    _table("a rectangular table", "rectangular"),
    _table("a table with a rectangular top", "rectangular"),
    _table("rectangular dining table with four legs", "rectangular", 4),
    _table("a long rectangular table", "rectangular"),
    _table("a rectangular coffee table with a shelf", "rectangular"),
    _table("a square table with four legs", "rectangular", 4),
    _table("a square side table", "rectangular"),
    _table("a rectangular table with one leg", "rectangular", 1),
    _table("four-legged kitchen table", None, 4),
    _table("narrow console table, rectangular", "rectangular"),
    _table("a table with a single leg", None, 1),
    _table("something to eat at"),
    _table("a desk", "rectangular"),
    _table("a writing desk with four legs", "rectangular", 4),
    _table("office desk with drawers", "rectangular"),
    _chair("a chair"),
    _chair("a wooden chair with four legs", legs=4),
    _chair("something to sit on"),
    _chair("a chair with armrests", True),
    _chair("an armchair", True),
    _chair("a chair with arms", True),
    _chair("dining chair with armrests and a high back", True),
    _chair("an office chair with armrests", True),
    _chair("a lounge chair with armrests", True),
    _chair("a chair with four legs and armrests", True, 4),
    _chair("a padded armchair", True),
    _chair("a chair without armrests", False),
    _chair("a kitchen chair with no arms", False),
    _chair("dining chair with a slatted back, no armrests", False),
    _chair("a chair with a solid back and no armrests", False),
    _chair("an office chair without armrests", False, 1),
    _chair("four-legged chair without arms", False, 4),
    _chair("a chair with a curved back and no arms", False),
    _chair("a dining chair with no armrests", False),
    _chair("a stool", legs=None),
    _chair("a stool with three legs", legs=3),
    _chair("round stool, three legs", legs=3),
    _chair("a three-legged bar stool", legs=3),
    _chair("a stool with four legs", legs=4),
    _chair("a square bar stool with four legs", legs=4),
    _chair("a bar stool with one leg", legs=1),
    _chair("a swivel chair on one leg", legs=1),
    *_all("bench", "a bench", "a garden bench with a back"),
    *_all("sofa", "a sofa", "couch", "a two-seat sofa", "three-seater sofa with armrests", "a corner sofa"),
    *_all("bed", "a bed", "a double bed", "a single bed with a pillow", "a bed with a headboard", "bunk bed"),
    *_all("lamp", "a lamp", "a floor lamp", "table lamp with a round shade", "a ceiling lamp", "a desk lamp"),
    *_all("storage", "a wardrobe", "a wardrobe with two doors", "a tall bookcase with five shelves"),
    *_all("storage", "chest of drawers", "a nightstand", "a low TV bench"),
)
"""80 prompts."""

SHEET: tuple[str, ...] = (
    "a round table with one leg",
    "a rectangular table with four legs",
    "a round table with three legs",
    "a coffee table",
    "a desk with drawers",
    "a side table",
    "a chair",
    "a chair with armrests",
    "an office chair",
    "an armchair",
    "a stool with three legs",
    "a bar stool",
    "a bench",
    "a sofa",
    "a corner sofa",
    "a double bed",
    "a bunk bed",
    "a floor lamp",
    "a table lamp",
    "a ceiling lamp",
    "a bookcase with five shelves",
    "a wardrobe",
    "a chest of drawers",
    "a TV bench",
)
"""24 prompts whose samples are looked at."""
