"""What was deleted goes for good by itself, after the days that a person has set."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ddmi_core.recipe import Recipe
from studio.engine.trash import Trash
from studio.state.library import DELETED, Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library")
    yield library
    library.close()


@pytest.mark.parametrize(("days", "gone"), [(7, 2), (30, 1), (0, 0)])
def test_it_is_emptied_by_age(qtbot, library: Library, days: int, gone: int) -> None:
    for age in (1, 10, 100):
        recipe, thumbnail = Recipe(domain="shape", model="m", model_hash="0"), np.zeros((8, 8, 4), np.uint8)
        item = library.delete(library.add(np.zeros((1, 2, 2), np.float32), recipe, thumbnail))
        then = (datetime.now(UTC) - timedelta(days=age)).timestamp()
        os.utime(item.folder / DELETED, (then, then))
    trash = Trash(library)
    assert trash.empty_older_than(days) == gone
    assert len(library.items(deleted=True)) == 3 - gone
    assert trash.shutdown(10)
