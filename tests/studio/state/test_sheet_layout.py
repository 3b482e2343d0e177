"""Where items stand on a sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ddmi_core.recipe import Recipe
from studio.state.library import Item, Library
from studio.state.sheet_layout import laid_out


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def made(library: Library, prompt: str, seed: int, **more: object) -> Item:
    recipe = Recipe(domain="shape", model="m", model_hash="00", prompt=prompt, seed=seed, **more)
    return library.add(np.zeros((1, 2, 2), np.float32), recipe, np.zeros((8, 8, 4), np.uint8))


def test_alternatives_of_the_prompt_that_stands_for_all_are_the_axes(library: Library) -> None:
    items = [made(library, f"a {one} {two}", 3) for one in ("red", "blue") for two in ("chair", "sofa")]
    layout = laid_out(items[::-1], "a {red|blue} {chair|sofa}")
    assert layout.rows == ["red", "blue"] and layout.columns == ["chair", "sofa"] and layout.items == items
    assert laid_out(items[:3], "a {red|blue} {chair|sofa}").items == [*items[:3], None]


def test_else_each_prompt_has_a_row_and_seeds_are_named_where_they_are_the_same(library: Library) -> None:
    items = [made(library, prompt, seed) for prompt in ("a bed", "a lamp") for seed in (1, 2)]
    layout = laid_out(items[::-1], "a {red|blue} chair")
    assert (layout.rows, layout.columns) == (["a lamp", "a bed"], ["seed 1", "seed 2"])
    assert layout.items == [*items[2:], *items[:2]]
    uneven = laid_out([items[3], made(library, "a desk", 9), items[2]], "")
    assert (uneven.rows, uneven.columns) == (["a lamp", "a desk"], ["", ""]) and uneven.items[-1] is None


def test_a_file_is_called_by_its_name(library: Library) -> None:
    items = [made(library, "", 0, source="C:\\home\\chair.obj"), made(library, "a bed", 1)]
    assert laid_out(items, "{" + "a|" * 99 + "b}").rows == ["chair.obj", "a bed"]
