from __future__ import annotations

import numpy as np
import pytest

from ddmi_core.data.emoji.pictures import emoji
from ddmi_core.data.faces import faces
from ddmi_core.data.image_sources import open_pictures
from ddmi_core.data.items import Augment
from ddmi_core.data.pictures import WHOLE_PICTURE, Part, PictureSource, Raster
from ddmi_core.data.vector_pictures import draw
from ddmi_core.support.errors import DataError


class One:
    """A set of one picture."""

    def __init__(self, picture: Raster) -> None:
        self.picture = picture

    def __len__(self) -> int:
        return 1

    def captions(self, index: int) -> list[str]:
        return []

    def open(self, index: int) -> Raster:
        return self.picture


def ramp(side: int) -> np.ndarray:
    """Red grows to the right, green downwards; opaque."""
    x = (np.arange(side) + 0.5) / side * 255
    pixels = np.full((side, side, 4), 255, np.uint8)
    pixels[..., 0], pixels[..., 1] = x[None].round(), x[:, None].round()
    return pixels


@pytest.mark.parametrize("size", [256, 100, 32, 7])
def test_a_view_averages_areas_exactly(size: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 4), dtype=np.uint8)
    found = Raster(pixels).view(WHOLE_PICTURE, size)
    fine = np.repeat(np.repeat(pixels, 25, 0), 25, 1) if size == 100 else pixels
    cells = len(fine) // size
    expected = fine[: cells * size, : cells * size].reshape(size, cells, size, cells, 4).mean((1, 3)) / 255
    if size == 7:  # 256 is no multiple of it: the average over all is
        np.testing.assert_allclose(found.mean((0, 1)), pixels.mean((0, 1)) / 255, atol=0.004)
    else:
        np.testing.assert_allclose(found, expected, atol=0.003)


def test_parts_of_a_view_lie_where_they_should() -> None:
    picture = Raster(ramp(256))
    for part in (Part(0.25, 0.5, 0.25), Part(0.61, 0.13, 0.05), Part(0.0, 0.0, 1 / 64)):
        view = picture.view(part, 16)
        x = part.left + (np.arange(16) + 0.5) / 16 * part.side
        np.testing.assert_allclose(view[8, :, 0], x.clip(0.5 / 256, None), atol=0.006)
        y = part.top + (np.arange(16) + 0.5) / 16 * part.side
        np.testing.assert_allclose(view[:, 8, 1], y.clip(0.5 / 256, None), atol=0.006)
        assert view[..., 3].min() == pytest.approx(1)


@pytest.mark.parametrize("scale", [1, 2 / 3, 1 / 2])
def test_a_scale_compares_a_crop_of_as_many_pixels_as_the_encoder_sees(scale: float) -> None:
    """As in the paper: of all sizes of pixels one, whole crops, on the pixels of the picture at that size."""
    source = PictureSource(One(Raster(ramp(96))), encoded_side=16, queries=256, footprints=(-10, -5), scales=(scale,))
    whole = round(16 / scale)
    corners = set()
    for seed in range(5):
        example = source.sample(0, np.random.default_rng(seed), augment="none")
        np.testing.assert_allclose(example["footprint"], -np.log2(whole), rtol=1e-6)
        cells = ((example["coords"] + 1) / 2 * whole - 0.5).round(3)
        np.testing.assert_allclose(cells, cells.round(), atol=1e-2)
        assert len(np.unique(cells.round(), axis=0)) == 256
        assert (np.ptp(cells, axis=0).round() == 15).all()
        corners.add(tuple(cells.min(axis=0).round()))
        np.testing.assert_allclose(example["targets"][:, :2], (example["coords"] + 1) / 2, atol=0.01)
    assert (len(corners) == 1) is (scale == 1)


@pytest.mark.parametrize("augment", ["none", "paper", "captioned", "full"])
def test_an_example_is_of_one_picture(augment: Augment) -> None:
    """Encoder input and queries show the same: on a ramp each colour says where in the picture it is."""
    source = PictureSource(One(Raster(ramp(256))), encoded_side=32, queries=203, footprints=(-10, -5))
    for seed in range(6):
        example = source.sample(0, np.random.default_rng(seed), augment=augment)
        image, coords = example["image"], example["coords"]
        assert image.shape == (4, 32, 32) and coords.shape == (203, 2)
        assert example["targets"].shape == (203, 4) and {array.dtype.name for array in example.values()} == {"float32"}
        footprint = example["footprint"]
        assert footprint.shape == (203, 1) and footprint.min() >= -10 and footprint.max() <= -5
        assert np.abs(coords).max() < 1
        column = ((coords[:, 0] + 1) * 16).astype(int)
        row = ((coords[:, 1] + 1) * 16).astype(int)
        np.testing.assert_allclose(image[:2, row, column].T, example["targets"][:, :2], atol=0.04)
    if augment == "none":
        np.testing.assert_allclose(image[0, 5], (np.arange(32) + 0.5) / 32, atol=0.01)


def test_a_draw_is_decided_by_its_number() -> None:
    source = open_pictures("emoji", "train", encoded_side=64, queries=64, footprints=(-10, -5))
    first, again = (source.sample(3, np.random.default_rng(5), augment="full") for _ in range(2))
    assert all((first[name] == again[name]).all() for name in first)


def test_the_emoji_are_there_with_captions_and_a_fixed_split() -> None:
    train, held_out = emoji("train"), emoji("held_out")
    assert (len(train), len(held_out)) == (1407, 192)
    assert not {entry.captions[0] for entry in train.entries} & {entry.captions[0] for entry in held_out.entries}
    assert all(entry.captions for entry in train.entries + held_out.entries)
    names = {entry.captions[0] for entry in train.entries + held_out.entries}
    assert {"grinning face", "red apple", "dog face"} <= names
    picture = train.open(0)
    assert picture.pixels.shape == (256, 256, 4) and (picture.pixels[..., :3] <= picture.pixels[..., 3:]).all()


def test_the_faces_have_true_detail() -> None:
    train, held_out = faces("train"), faces("held_out")
    assert len(train) + len(held_out) == 800 and len(held_out) > 60
    assert all(face.captions[0].startswith("a ") for face in train.faces)
    assert {"lorelei", "notionists", "openPeeps", "pixelArt", "thumbs"} == {face.style for face in held_out.faces}
    svg = next(face.svg for face in train.faces if face.style == "pixelArt")
    small = np.asarray(draw(svg, 64)).astype(float)
    part = np.asarray(draw(svg, 64, (0.25, 0.5, 0.25))).astype(float)
    np.testing.assert_allclose(part.reshape(16, 4, 16, 4, 4).mean((1, 3)), small[32:48, 16:32], atol=40)
    assert train.open(0).pixels.shape == (1024, 1024, 4)


def test_unknown_sources_are_refused() -> None:
    with pytest.raises(DataError, match="give portraits, emoji, faces or a folder"):
        open_pictures("flowers", "train", encoded_side=64, queries=64, footprints=(-10, -5))
