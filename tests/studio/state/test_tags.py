"""Tags: how they are written, and what becomes of them."""

from __future__ import annotations

import pytest

from studio.state.tags import MAX_TAG, as_tags, retagged, tag_name, tags_from_json, tags_to_json


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  living \n room ", "living room"),
        ("#chairs", "chairs"),
        ("# chairs", "chairs"),
        ("C#", "C#"),
        (" # ", ""),
        (39 * "x" + " yes", 39 * "x"),  # no space at the end
        (100 * "x", MAX_TAG * "x"),
    ],
)
def test_a_tag_is_one_short_line(typed: str, name: str) -> None:
    assert tag_name(typed) == name


def test_an_item_has_each_tag_once_whatever_its_case() -> None:
    assert as_tags(["tables", "Chairs", "chairs", "", "ÄPFEL", "Äpfel"]) == ("Chairs", "tables", "ÄPFEL")


def test_some_come_and_some_go() -> None:
    assert retagged(("chairs", "tables"), add=["Beds"], remove=["TABLES"]) == ("Beds", "chairs")
    assert retagged(("chairs",), add=["Chairs"], remove=["chairs"]) == ("Chairs",)  # another spelling


def test_what_is_stored_comes_back_and_nothing_else() -> None:
    tags = ("chairs", "für Größe")
    assert tags_from_json(tags_to_json(tags)) == tags and "ö" in tags_to_json(tags)
    assert tags_to_json(()) == "" and tags_from_json("") == ()
    assert [tags_from_json(text) for text in ("{", "3", '["a", 1]', 9000 * "[")] == [None] * 4
