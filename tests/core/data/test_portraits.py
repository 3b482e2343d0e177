from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ddmi_core.data.image_sources import open_pictures
from ddmi_core.data.pictures import WHOLE_PICTURE, Part
from ddmi_core.data.portraits.pictures import RASTER_SIDE, portraits
from ddmi_core.data.portraits.storage import Portrait, read_portraits, save_portraits, shipped_portraits
from ddmi_core.data.vector_pictures import draw
from ddmi_core.errors import DataError

STYLES = {"personas", "toonHead", "bigSmile", "micah", "adventurer", "miniavs", "openPeeps"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDMI_HOME", str(tmp_path))


def test_the_parts_of_the_set_have_no_picture_in_common() -> None:
    train, held_out = portraits("train"), portraits("held_out")
    assert len(train) >= 30_000 and len(held_out) == 1000
    assert not set(train.seeds) & set(held_out.seeds)
    kept = {held_out.portrait(i).svg for i in range(len(held_out))}
    assert len(kept) == 1000
    assert not any(train.portrait(i).svg in kept for i in range(len(train)))
    assert {held_out.portrait(i).style for i in range(7)} == STYLES


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    made = [shipped_portraits()[seed] for seed in range(20)]
    save_portraits(tmp_path, made)
    read = read_portraits(tmp_path)
    assert [read[i] for i in range(len(read))] == made
    (file,) = tmp_path.iterdir()
    first = file.read_bytes()
    save_portraits(tmp_path, (Portrait(one.style, one.parts, one.svg) for one in made))
    assert file.read_bytes() == first
    file.write_bytes(first[:-9])
    with pytest.raises(DataError, match=r"scripts/build_portraits\.py"):
        read_portraits(tmp_path)


@pytest.mark.parametrize("side", [1 / 4, 1 / 32])
def test_any_view_shows_the_averages_over_its_pixels(side: float) -> None:
    """Of what the raster has, and of what only the drawing has."""
    held_out = portraits("held_out")
    for index in range(7):
        part = Part(0.45, 0.3, side)
        seen = held_out.open(index).view(part, 64)
        true = np.asarray(draw(held_out.portrait(index).svg, 512, part)).astype(np.float32) / 255
        averages = true.reshape(64, 8, 64, 8, 4).mean((1, 3))
        assert np.abs(seen - averages).mean() < 0.006
        assert seen[..., 3].min() == 1


def test_a_view_from_afar_has_the_colours_of_the_whole() -> None:
    held_out = portraits("held_out")
    for index in range(7):
        picture = held_out.open(index)
        near = picture.view(WHOLE_PICTURE, RASTER_SIDE)
        far = picture.view(WHOLE_PICTURE, 16)
        np.testing.assert_allclose(far, near.reshape(16, 32, 16, 32, 4).mean((1, 3)), atol=0.02)


def test_training_draws_down_to_a_thousandth_of_the_canvas() -> None:
    source = open_pictures("portraits", "held_out", encoded_side=128, queries=64, footprints=(-10, -5))
    seen = np.concatenate([source.sample(0, np.random.default_rng(i), augment="full")["footprint"] for i in range(30)])
    assert -10 <= seen.min() < -9 and -6 < seen.max() <= -5
