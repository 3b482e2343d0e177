"""Pictures that a lens has bent come back straight."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from ddmi_core.data.lens import Lens
from ddmi_core.data.posed_pictures import read_transforms
from tests.core.data.posed_scene import pictures, write_transforms

_SIDE = 96


def bent(picture: np.ndarray, lens: Lens) -> np.ndarray:
    """What the lens makes of a straight picture: its inverse, by fixed-point iteration."""
    height, width = picture.shape[:2]
    goal = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    wanted = (goal - lens.centre) / lens.focal
    way = wanted.copy()
    for _ in range(60):
        way -= (lens.places(way[..., 0], way[..., 1])[0] - goal) / lens.focal
    rows, columns = (way[..., i] * lens.focal[1] + lens.centre[i] - 0.5 for i in (1, 0))
    values = picture.astype(np.float64)
    values[..., :3] *= values[..., 3:] / 255
    found = np.stack([ndimage.map_coordinates(values[..., i], [rows, columns], order=3) for i in range(4)], axis=-1)
    found = found.clip(0, 255)
    found[..., :3] *= 255 / np.maximum(found[..., 3:], 1)
    return found.clip(0, 255).round().astype(np.uint8)


def premultiplied(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., :3] / 255.0 * pixels[..., 3:] / 255.0


@pytest.mark.parametrize(
    "terms",
    [
        {"k1": 0.9, "k2": -1.0, "p1": 0.03, "p2": -0.02},
        {"k1": -1.2, "k2": 0.8, "k3": 0.2},
        {"camera_model": "OPENCV_FISHEYE", "k1": 1.5, "k2": 0.1, "k3": 0.05, "k4": 0.02},
        {"fl_x": 1.1},  # times what it is: pixels that are not square
    ],
)
def test_the_straight_picture_is_read_from_one_that_a_lens_bent(tmp_path: Path, terms: dict) -> None:
    cameras = write_transforms(tmp_path, 3)
    straight = pictures(cameras, _SIDE)
    file = tmp_path / "transforms.json"
    table = json.loads(file.read_text())
    focal = table["fl_y"] * _SIDE / table["h"]
    size = {"w": _SIDE, "h": _SIDE, "cx": _SIDE / 2 + 3, "cy": _SIDE / 2 - 2, "fl_y": focal, "fl_x": focal}
    table |= size | terms | {"fl_x": focal * terms.get("fl_x", 1)}
    radial = tuple(terms.get(name, 0.0) for name in ("k1", "k2", "k3", "k4"))
    lens = Lens(
        (table["fl_x"], focal),
        (table["cx"], table["cy"]),
        radial,
        (terms.get("p1", 0.0), terms.get("p2", 0.0)),
        "camera_model" in terms,
    )
    moved = [np.roll(picture, (-2, 3), (0, 1)) for picture in straight]  # with the principal point
    for i, picture in enumerate(moved):
        Image.fromarray(bent(picture, lens)).save(tmp_path / f"views/{i}.png")
    file.write_text(json.dumps(table))
    shots = read_transforms(file)
    assert len(shots.views) == 3 and not shots.unusable
    for shot, picture in zip(shots.views, moved, strict=True):
        bent_file = np.asarray(Image.open(tmp_path / shot.name))
        error, before = (np.abs(premultiplied(one) - premultiplied(picture)).mean() for one in (shot.pixels, bent_file))
        assert error < 0.005 and before > 3 * error


def test_what_is_no_lens_is_told(tmp_path: Path) -> None:
    write_transforms(tmp_path)
    file = tmp_path / "transforms.json"
    table = json.loads(file.read_text())
    table["frames"][0]["camera_model"] = "EQUIRECTANGULAR"
    table["frames"][1]["k1"] = float("nan")
    file.write_text(json.dumps(table))
    reasons = [one.reason for one in read_transforms(file).unusable]
    assert "of the model equirectangular" in reasons[0] and "not numbers" in reasons[1]


def test_a_lens_that_folds_shows_nothing_beyond() -> None:
    lens = Lens((100.0, 100.0), (50.0, 50.0), (-1.0, 0.0, 0.0, 0.0))
    _, seen = lens.places(np.array([0.3, 0.57, 0.6, 1.0]), np.zeros(4))
    assert seen.tolist() == [True, True, False, False]
