from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image

from ddmi_core.errors import ExportError
from ddmi_core.progress import Cancelled
from studio.engine.pictures import basis_scale, enlarged, write_walk


def test_enlarged_windows_fit_together() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 4), np.uint8)
    picture[..., 3] = 255
    whole = np.asarray(Image.fromarray(picture).resize((400, 400), Image.Resampling.BICUBIC))
    windows = [(left, top, 200, 200) for top in (0, 200) for left in (0, 200)]
    for left, top, width, height in windows:
        part = enlarged(picture, 400, (left, top, width, height))
        assert np.abs(part.astype(int) - whole[top : top + height, left : left + width]).max() <= 1


def test_a_wave_is_one_peak_of_the_spectrum() -> None:
    x = (np.arange(64) + 0.5) / 64
    features = np.stack([np.cos(2 * np.pi * 12 * x)[None, :] * np.ones((64, 1)) * k for k in (1.0, 2.0)])
    scale = basis_scale(features.astype(np.float32))
    assert (scale.size, scale.channels) == (64, 2)
    assert scale.frequencies[np.argmax(scale.profile)] == 12 and scale.profile.max() == 1.0
    assert {tuple(place) for place in np.argwhere(scale.spectrum == 255)} == {(32, 20), (32, 44)}
    assert scale.picture.shape == (64, 64, 3) and np.ptp(scale.picture) > 200


def test_basis_fields_without_detail_are_no_trouble() -> None:
    scale = basis_scale(np.zeros((1, 8, 8), np.float32))
    assert np.isfinite(scale.profile).all() and scale.picture.shape == (8, 8, 3)


def frames(count: int, fail_at: int = -1) -> Iterator[np.ndarray]:
    for number in range(count):
        if number == fail_at:
            raise Cancelled
        yield np.full((33, 33, 4), (20 * number, 100, 50, 255), np.uint8)


def test_a_video_has_even_sides_and_all_frames(tmp_path: Path) -> None:
    pytest.importorskip("av")
    write_walk(frames(10), tmp_path / "walk.mp4", rate=24)
    video = imageio.imread(tmp_path / "walk.mp4", plugin="pyav")
    assert video.shape == (10, 32, 32, 3)
    assert abs(int(video[9, 16, 16, 0]) - 180) < 8
    with pytest.raises(Cancelled):
        write_walk(frames(10, fail_at=5), tmp_path / "other.mp4", rate=24)
    assert [path.name for path in tmp_path.iterdir()] == ["walk.mp4"]


def test_pictures_come_all_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        write_walk(frames(10, fail_at=5), tmp_path / "walk", rate=24)
    assert not list(tmp_path.iterdir())
    write_walk(frames(3), tmp_path / "walk", rate=24)
    assert sorted(path.name for path in (tmp_path / "walk").iterdir()) == ["0000.png", "0001.png", "0002.png"]
    with pytest.raises(ExportError, match="could not be written"):
        write_walk(frames(3), tmp_path / "missing" / "walk", rate=24)
