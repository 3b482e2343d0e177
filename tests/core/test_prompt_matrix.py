"""Prompts that stand for several, and the sheet of what they stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ddmi_core.prompt_matrix import (
    MOST_PROMPTS,
    PromptMatrix,
    as_one,
    in_few,
    prompt_matrix,
    read_prompt_file,
    read_prompts,
)
from ddmi_core.rendering.matrix_sheet import matrix_sheet
from ddmi_core.support.errors import DataError


def test_every_combination_has_its_prompt_the_last_axis_fastest() -> None:
    matrix = prompt_matrix("a {red| blue } chair {with|without} armrests")
    assert matrix.axes == (("red", "blue"), ("with", "without"))
    assert matrix.prompts == (
        "a red chair with armrests", "a red chair without armrests",
        "a blue chair with armrests", "a blue chair without armrests",
    )  # fmt: skip
    assert matrix.sheet([7]) == (["red", "blue"], ["with", "without"])
    assert matrix.sheet([7, 8])[1] == ["with, seed 7", "with, seed 8", "without, seed 7", "without, seed 8"]


def test_an_alternative_may_be_empty_and_leaves_no_gap() -> None:
    assert prompt_matrix("a {round|} table").prompts == ("a round table", "a table")
    assert prompt_matrix("{|two} {a|b} {c|d}").sheet([1])[0] == ["a", "b", "two, a", "two, b"]


@pytest.mark.parametrize("prompt", ["", "a table", "a {round} table", "a {b", "b} {", "two\nlines  apart"])
def test_other_braces_are_text(prompt: str) -> None:
    assert prompt_matrix(prompt) == PromptMatrix((), (prompt,))
    assert prompt_matrix(prompt).sheet([3]) == ([""], [""])


def test_a_slip_of_the_keyboard_fills_no_disk() -> None:
    many = "{" + "|".join("abcdefghi") + "}"
    assert len(prompt_matrix(many).prompts) == 9
    with pytest.raises(DataError, match=f"729 prompts, and {MOST_PROMPTS}"):
        prompt_matrix(many * 3)


def test_a_text_has_a_prompt_a_line() -> None:
    assert read_prompts("\ufeff# chairs\n\n a chair \r\n{a|b}\n".lstrip("\ufeff")) == ["a chair", "{a|b}"]
    with pytest.raises(DataError, match="no prompt"):
        read_prompts("# nothing\n\n")


def test_several_prompts_become_one_that_stands_for_them(tmp_path: Path) -> None:
    file = tmp_path / "chairs.txt"
    file.write_text("\ufeff# chairs\na chair\na {red|blue} stool\n", encoding="utf-8")
    prompts = read_prompt_file(file)
    assert prompts == ("a chair", "a red stool", "a blue stool")
    assert prompt_matrix(as_one(prompts)).prompts == prompts
    assert as_one(["a {round} table"]) == "a {round} table"
    with pytest.raises(DataError, match=r"“a \{round\} table” cannot be one of several"):
        as_one(["a chair", "a {round} table"])
    with pytest.raises(DataError, match="65 prompts"):
        as_one([f"chair {number}" for number in range(65)])
    many = [f"chair {number}" for number in range(65)]
    assert [prompt_matrix(few).prompts for few in in_few(many)] == [tuple(many[:64]), ("chair 64",)]
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"chairs\.txt cannot be read"):
        read_prompt_file(file)


def test_a_sheet_has_the_pictures_in_their_places_and_words_at_its_edges() -> None:
    pictures = [np.full((40, 60, 3), 40 * number, np.uint8) for number in range(1, 6)]
    plain = matrix_sheet([*pictures, None], ["", ""], ["", "", ""], background=(9, 9, 9))
    assert plain.shape == (2 * 48 + 8, 3 * 68 + 8, 3)
    assert [int(plain[28, x, 0]) for x in (38, 106, 174)] == [40, 80, 120]
    assert [int(plain[76, x, 0]) for x in (38, 106, 174)] == [160, 200, 9]
    named = matrix_sheet([*pictures, None], ["red", "blue"], ["one", "two", "a long word after another"])
    above, beside = named.shape[0] - plain.shape[0], named.shape[1] - plain.shape[1]
    assert above > 20 and beside == 40
    assert (named[above:, beside:][8:48, 8:68] == 40).all()
    assert named[:above].max() > 180 and named[above:, :beside].max() > 180  # written on
