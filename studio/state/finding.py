"""Finding by a few letters: words in any order, begun or in the middle, with a slip or by another name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

from rapidfuzz.distance import OSA

_BEGINS, _CONTAINS = 1.0, 0.8
_ALIKE = 0.7
"""How alike a typed word and the one that it was meant for are at least: one slip in four letters, two in seven."""
_OTHER_NAME, _PLACE = 0.9, 0.8
"""What finding something by another name, or by where it belongs, counts beside finding it by its own."""
_LEAST = 4
"""Letters that a word has at least for a slip in it to be forgiven."""


@dataclass(frozen=True)
class Findable:
    """Something with a name, the place where it belongs, and other words that people may call it by."""

    text: str
    place: str
    also: str


One = TypeVar("One", bound=Findable)


def found(typed: str, things: Iterable[One]) -> list[One]:
    """The things that every typed word fits, best first; things that fit alike keep their order."""
    wanted = typed.lower().split()
    scored = [(sum(scores), thing) for thing in things if all(scores := [_fit(word, thing) for word in wanted])]
    return [thing for _, thing in sorted(scored, key=lambda pair: -pair[0])]


def meant(typed: str, words: Collection[str]) -> set[str]:
    """The words that a typed one is in or, if it is in none, that it is but for a slip; a number begins them."""
    wanted = typed.lower()
    if wanted.isdecimal():
        return {word for word in words if word.startswith(wanted)}
    return {word for word in words if wanted in word} or {word for word in words if _alike(wanted, word)}


def _fit(wanted: str, thing: Findable) -> float:
    """How well a typed word fits, 0..1; 0: not at all."""
    names = ((thing.text, 1.0), (thing.also, _OTHER_NAME), (thing.place, _PLACE))
    return max((weight * _alike(wanted, word) for text, weight in names for word in text.lower().split()), default=0.0)


def _alike(wanted: str, word: str) -> float:
    """How alike a typed word is to another or, while it is being typed, to how that begins; 0 below `_ALIKE`."""
    if word.startswith(wanted):
        return _BEGINS
    if wanted in word:
        return _CONTAINS
    if len(wanted) < _LEAST:
        return 0.0
    begun = word[: len(wanted)]
    return _CONTAINS * max(OSA.normalized_similarity(wanted, one, score_cutoff=_ALIKE) for one in (word, begun))
