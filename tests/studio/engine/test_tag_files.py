from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ddmi_core.recipe import Recipe
from studio.engine.tag_files import TagFiles
from studio.state.library import Item, Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library")
    yield library
    library.close()


def add(library: Library) -> Item:
    recipe, thumbnail = Recipe(domain="shape", model="m", model_hash="0"), np.zeros((8, 8, 4), np.uint8)
    return library.add(np.zeros((1, 2, 2), np.float32), recipe, thumbnail)


def test_what_was_asked_for_is_written_before_the_end_and_the_last_counts(library: Library) -> None:
    files, items = TagFiles(library), [add(library) for _ in range(20)]
    for tags in (["a"], ["b"], ["b", "c"]):
        files.write(library.tag({item.id: tags for item in items}))
    files.shutdown()
    library.close()
    again = Library(library.folder)
    assert {item.tags for item in again.items()} == {("b", "c")}
    again.close()


def test_what_cannot_be_written_is_told(qtbot, library: Library) -> None:
    files, item = TagFiles(library), add(library)
    shutil.rmtree(item.folder)
    with qtbot.waitSignal(files.failed) as told:
        files.write(library.tag({item.id: ["a"]}))
    assert "tags of an item" in told.args[0]
    files.shutdown()
