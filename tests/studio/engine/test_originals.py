from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from ddmi_core.fidelity import FitFacts
from ddmi_core.placement import Placement
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DataError
from studio.engine.originals import Original, open_original, open_original_clip, open_original_mesh
from studio.state.library import Item

WIDE = (-1.0, -0.5, 1.0, 0.5)
NOISE = np.random.default_rng(0).integers(0, 256, (20, 40, 4), np.uint8)
NOISE[..., 3] = 255


def item_of(path: Path, pixels: tuple[int, int]) -> Item:
    facts = FitFacts(fidelity="faithful", size_bytes=1, pixels=pixels)
    recipe = Recipe(domain="image", model="m", model_hash="h", source=str(path), fit=facts)
    return Item("20260101T000000.000000-abc", recipe, path.parent)


@pytest.mark.parametrize("smooth", [False, True])
def test_at_its_own_size_it_is_the_file(smooth: bool) -> None:
    drawn = Original(NOISE, WIDE).window(40, (0, 0, 40, 40), smooth=smooth)
    assert np.array_equal(drawn[10:30], NOISE)
    assert not drawn[:10].any() and not drawn[30:].any()


def test_pixels_are_squares_wherever_a_window_begins() -> None:
    squares = np.zeros((400, 400, 4), np.uint8)
    squares[100:300] = NOISE.repeat(10, axis=0).repeat(10, axis=1)
    original = Original(NOISE, WIDE)
    for left, top in ((0, 0), (133, 97), (256, 256)):
        width, height = min(256, 400 - left), min(256, 400 - top)
        drawn = original.window(400, (left, top, width, height), smooth=False)
        assert np.array_equal(drawn, squares[top : top + height, left : left + width])


@pytest.mark.parametrize("side", [13, 301, 4001])
@pytest.mark.parametrize("smooth", [False, True])
def test_windows_fit_together(side: int, smooth: bool) -> None:
    original = Original(NOISE, WIDE)
    width = min(side, 600)
    left = (side - width) // 2
    whole = original.window(side, (left, side // 3, width, 40), smooth=smooth).astype(int)
    half = width // 2
    parts = [
        original.window(side, (left, side // 3, half, 40), smooth=smooth),
        original.window(side, (left + half, side // 3, width - half, 40), smooth=smooth),
    ]
    assert np.abs(np.concatenate(parts, axis=1).astype(int) - whole).max() <= 1


def test_reduced_it_is_averaged_and_transparent_pixels_have_no_colour() -> None:
    board = np.zeros((64, 64, 4), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = (255, 255, 255, 255)
    board[..., 0] = 255  # red where nothing covers it
    board[32:] = (0, 200, 0, 255)
    drawn = Original(board, (-1.0, -1.0, 1.0, 1.0)).window(8, (0, 0, 8, 8), smooth=False)
    assert np.abs(drawn[:4].astype(int) - (255, 255, 255, 128)).max() <= 2
    assert (drawn[4:] == (0, 200, 0, 255)).all()


def test_nothing_of_it_in_view_is_nothing() -> None:
    assert not Original(NOISE, WIDE).window(400, (0, 0, 400, 90), smooth=True).any()


def test_a_file_that_is_gone_or_another_one_by_now_is_named(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    with pytest.raises(DataError, match=r"photo\.png is no longer in"):
        open_original(item_of(photo, (40, 20)))
    Image.fromarray(NOISE).save(photo)
    with pytest.raises(DataError, match=r"photo\.png is another one .* 40 × 20"):
        open_original(item_of(photo, (50, 20)))
    drawn = open_original(item_of(photo, (40, 20))).window(40, (0, 10, 40, 20), smooth=False)
    assert np.array_equal(drawn, NOISE)


def test_frames_of_a_clip_are_found_in_any_order(tmp_path: Path) -> None:
    greys = [0, 60, 120, 180, 240]
    frames = [Image.new("L", (40, 20), grey).convert("RGB") for grey in greys]
    path = tmp_path / "clip.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=800)
    recipe = item_of(path, (40, 20)).recipe.model_copy(update={"seconds": 4.0})
    clip = open_original_clip(Item("20260101T000000.000000-abc", recipe, tmp_path))
    for number in (0, 1, 4, 2, 3, 0):
        for place in (0.1, 0.9):
            drawn = clip.at(2 * (number + place) / 5 - 1).window(40, (0, 10, 40, 20), smooth=False)
            assert np.abs(drawn[..., 0].astype(int) - greys[number]).max() <= 1
    assert clip.at(1.0).window(8, (0, 2, 8, 4), smooth=False).min() >= 235
    of_part = recipe.model_copy(update={"span": (1.6, 3.2), "seconds": 1.6})
    part = open_original_clip(Item("20260101T000000.000000-abc", of_part, tmp_path))
    assert abs(int(part.at(-0.9).window(8, (0, 2, 8, 4), smooth=False)[0, 0, 0]) - 120) <= 1


def test_photographs_lie_as_they_were_taken_and_deep_ones_are_not_clipped(tmp_path: Path) -> None:
    turned = Image.fromarray(NOISE[..., :3])
    exif = turned.getexif()
    exif[274] = 6  # its top is at the right
    turned.save(tmp_path / "turned.png", exif=exif)
    drawn = open_original(item_of(tmp_path / "turned.png", (20, 40))).window(40, (10, 0, 20, 40), smooth=False)
    assert np.array_equal(drawn[..., :3], np.rot90(NOISE[..., :3], -1))
    Image.fromarray(np.full((8, 8), 0x8080, np.uint16)).save(tmp_path / "deep.png")
    assert open_original(item_of(tmp_path / "deep.png", (8, 8))).window(8, (0, 0, 8, 8), smooth=False)[0, 0, 0] == 128


def test_a_mesh_lies_where_its_item_does_and_another_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "box.stl"
    box = trimesh.creation.box((4.0, 2.0, 1.0))
    box.apply_translation((10.0, 0.0, 0.0))
    box.export(path)
    facts = FitFacts(fidelity="faithful", size_bytes=1)
    recipe = Recipe(domain="shape", model="m", model_hash="h", source=str(path), fit=facts)

    def item(placement: Placement) -> Item:
        recipe_there = recipe.model_copy(update={"placement": placement})
        return Item("20260101T000000.000000-abc", recipe_there, path.parent)

    here = Placement(centre=(10, 0, 0), unit=4 / 1.8)
    assert np.ptp(open_original_mesh(item(here)).mesh.vertices, axis=0) == pytest.approx([1.8, 0.9, 0.45])
    for other in (Placement(centre=(10, 0.1, 0), unit=4 / 1.8), Placement(centre=(10, 0, 0), unit=2.0)):
        with pytest.raises(DataError, match=r"box\.stl is another mesh than it was"):
            open_original_mesh(item(other))
    path.unlink()
    with pytest.raises(DataError, match=r"box\.stl is no longer in"):
        open_original_mesh(item(here))
