"""Finding actions and rooms by a few letters."""

from __future__ import annotations

import pytest

from studio.state.finding import Findable, found

THINGS = (
    Findable("Export", "Shape", "save download write convert"),
    Findable("Save a screenshot", "Shape", "picture capture"),
    Findable("Wireframe", "Display", "edges triangles mesh"),
    Findable("Images", "Room", "Generate pictures image"),
    Findable("Generate", "Generate", "create make run"),
    Findable("Settings", "Window", "preferences options"),
)


def names(typed: str) -> list[str]:
    return [thing.text for thing in found(typed, THINGS)]


def test_nothing_typed_leaves_all_in_their_order() -> None:
    assert names("  ") == [thing.text for thing in THINGS]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("save", "Save a screenshot"),  # its own name before another one's other name
        ("preferences", "Settings"),
        ("frame", "Wireframe"),  # in the middle of a word
        ("wirefraem", "Wireframe"),  # letters exchanged
        ("expotr", "Export"),
        ("setings", "Settings"),  # one left out
        ("wirf", "Wireframe"),  # a slip in what is only begun
        ("generate", "Generate"),
        ("room im", "Images"),  # words in any order, begun
        ("SHAPE EXP", "Export"),
    ],
)
def test_what_is_meant_comes_first(typed: str, first: str) -> None:
    assert names(typed)[0] == first


@pytest.mark.parametrize("typed", ["coffee", "export coffee", "xy", "wzzzframe"])
def test_what_is_not_meant_is_not_found(typed: str) -> None:
    assert names(typed) == []


def test_other_names_are_found_too() -> None:
    assert names("save") == ["Save a screenshot", "Export"]
