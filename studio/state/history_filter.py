"""Which items of the library the history lists: those whose words and facts fit what a person asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.state.finding import meant
from studio.state.library import Item

_WORD = re.compile(r"[^\W_]+")
_TYPED = re.compile(r"#?[^\W_]+")


@dataclass(frozen=True)
class HistoryFilter:
    """What is asked of an item. Each value that is left out fits all."""

    typed: str = ""
    """Words of its prompt, of its file's name, of its model or of its tags, its seed, or the month it was made in, in
    any order. A word after # is one of its tags alone."""
    model: str = ""
    tag: str = ""
    starred: bool = False

    @property
    def fits_all(self) -> bool:
        """Whether nothing is asked."""
        return self == HistoryFilter(typed=self.typed) and not self.typed.strip()


class ItemFinder:
    """Finds items by a filter. The words of each are read once: it is asked again with every letter typed."""

    def __init__(self) -> None:
        self._words: dict[str, frozenset[str]] = {}

    def test(self, wanted: HistoryFilter, items: Sequence[Item]) -> Callable[[Item], bool]:
        """Whether an item fits. What is typed with a slip means what is there, among the words of the items."""
        typed = _TYPED.findall(wanted.typed.lower())
        known = frozenset().union(*map(self._words_of, items)) if typed else frozenset()
        of_tags = {word for word in known if word.startswith("#")}
        groups = [meant(word, of_tags if word.startswith("#") else known - of_tags) for word in typed]
        tag = wanted.tag.casefold()

        def fits(item: Item) -> bool:
            return (
                (not wanted.starred or item.starred)
                and (not wanted.model or item.recipe.model == wanted.model)
                and (not tag or any(tag == one.casefold() for one in item.tags))
                and all(not group.isdisjoint(self._words_of(item)) for group in groups)
            )

        return fits

    def forget(self, item: Item) -> None:
        """Read the words of an item again the next time: it has changed."""
        self._words.pop(item.id, None)

    def _words_of(self, item: Item) -> frozenset[str]:
        words = self._words.get(item.id)
        if words is None:
            recipe = item.recipe
            texts = [recipe.model, item.created.astimezone().strftime("%B")]
            texts += [Path(recipe.source).name] if recipe.source is not None else [recipe.prompt, str(recipe.seed)]
            of_tags = _WORD.findall(" ".join(item.tags).lower())
            known = [*_WORD.findall(" ".join(texts).lower()), *of_tags, *(f"#{word}" for word in of_tags)]
            words = self._words[item.id] = frozenset(known)
        return words
