"""Finding items of the history."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddmi_core.recipe import Recipe
from studio.state.history_filter import HistoryFilter, ItemFinder
from studio.state.library import Item


def item(number: int, prompt: str, seed: int, **values: object) -> Item:
    recipe = Recipe(domain="shape", model="furniture", model_hash="", prompt=prompt, seed=seed, **values)  # type: ignore[arg-type]
    tags = {1: ("For Kitchen", "2026"), 2: ("chairs",)}.get(number, ())
    return Item(f"202611{number:02d}T120000.000000-abcdef", recipe, Path("nowhere"), starred=number == 1, tags=tags)


ITEMS = (
    item(1, "A tall chair, red", 4711),
    item(2, "a chain of steel", 20),
    item(3, "", 0, source="/files/My-Old_Table.obj"),
    item(4, "ein Stuhl für Größere", 47),
)


def found(typed: str = "", **values: object) -> list[int]:
    fits = ItemFinder().test(HistoryFilter(typed=typed, **values), ITEMS)  # type: ignore[arg-type]
    return [int(one.id[6:8]) for one in ITEMS if fits(one)]


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("  ", [1, 2, 3, 4]),
        ("chair", [1, 2]),  # what is there is meant, not what is alike
        ("chiar", [1, 2]),
        ("kitchen", [1]),
        ("kitchne tall", [1]),  # a slip in a tag, and a word of the prompt
        ("#kitchen", [1]),
        ("#kit #for", [1]),
        ("#chiars", [2]),
        ("#chair", [2]),  # of the tags alone
        ("#tall", []),
        ("#tble", []),  # no slip for a word of something else
        ("#2026", [1]),
        ("202", [1]),
        ("#", [1, 2, 3, 4]),  # no word yet
        ("cha", [1, 2]),
        ("red TALL", [1]),  # in any order
        ("tall steel", []),
        ("47", [1, 4]),  # a seed as it is typed
        ("4711", [1]),
        ("11", []),  # not in the middle of a number
        ("0", []),  # what comes from a file has no seed
        ("old-table.obj", [3]),
        ("files", []),  # where a file lay
        ("größere", [4]),
        ("november furniture", [1, 2, 3, 4]),
        ("%", [1, 2, 3, 4]),  # no word
    ],
)
def test_words_and_facts_are_found(typed: str, numbers: list[int]) -> None:
    assert found(typed) == numbers


def test_the_rest_of_the_filter_counts_as_well() -> None:
    assert found(starred=True) == [1] and found("chain", starred=True) == []
    assert found(model="furniture") == [1, 2, 3, 4] and found(model="other") == []
    assert found(tag="for kitchen") == [1] and found("steel", tag="chairs") == [2] and found(tag="kitchen") == []


def test_an_item_that_changed_is_found_by_what_it_is_now() -> None:
    finder = ItemFinder()
    assert finder.test(HistoryFilter(typed="red"), ITEMS)(ITEMS[0])
    changed = item(1, "a blue chair", 1)
    finder.forget(changed)
    assert not finder.test(HistoryFilter(typed="red"), (changed, *ITEMS[1:]))(changed)
