"""Streams of frames become files with exact counts and rates, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from ddmi_core.export.frames import write_frames
from ddmi_core.export.recipe_files import read_recipe
from ddmi_core.frame_size import frame_size, size_notice
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DataError, ExportError
from ddmi_core.support.progress import Cancelled

MADE = Recipe(domain="video", model="paint", model_hash="00ff", prompt="a heart, ein Herz, сердце", seed=2**40)


def frames(count: int, fail_at: int = -1, *, height: int = 32, width: int = 46) -> Iterator[np.ndarray]:
    """Ever more red on the left, nothing on the right."""
    for number in range(count):
        if number == fail_at:
            raise Cancelled
        frame = np.zeros((height, width, 4), np.uint8)
        frame[:, : width // 2] = 20 * number % 256, 100, 50, 255
        yield frame


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(25, 2), Fraction(120)])
def test_videos_have_the_exact_rate_and_count(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    file = write_frames(frames(11), tmp_path / f"x{suffix}", rate=rate, recipe=MADE)
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (46, 32)
        if suffix == ".mp4":
            assert stream.average_rate == rate and stream.duration * stream.time_base == 11 / rate
        shown = [frame.pts * frame.time_base for frame in container.decode(stream)]
    assert len(shown) == 11
    for number, second in enumerate(shown):
        assert abs(second - number / rate) <= Fraction(1, 1000)  # WebM counts milliseconds


def test_colours_survive_and_mp4_lies_on_white(tmp_path: Path) -> None:
    file = write_frames(frames(10), tmp_path / "x.mp4", rate=Fraction(24), quality=95)
    with av.open(str(file)) as container:
        last = list(container.decode(video=0))[9].to_ndarray(format="rgb24", src_colorspace=1)
    assert np.abs(last[16, 10].astype(int) - (180, 100, 50)).max() < 8
    assert last[16, 40].min() > 250


def test_webm_and_webp_keep_transparency(tmp_path: Path) -> None:
    file = write_frames(frames(5), tmp_path / "x.webm", rate=Fraction(10), quality=95)
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(file)) as container:
        decoded = [frame for packet in container.demux(video=0) for frame in decoder.decode(packet)]
    alpha = decoded[-1].to_ndarray(format="rgba")[..., 3]
    assert alpha[16, 10] > 240 and alpha[16, 40] < 15
    file = write_frames(frames(5, height=33, width=47), tmp_path / "x.webp", rate=Fraction(30000, 1001), quality=95)
    with Image.open(file) as picture:
        assert picture.n_frames == 5 and picture.size == (47, 33) and picture.info["loop"] == 0, "it goes on"
        delays = []
        for number in range(5):
            picture.seek(number)
            alpha = np.asarray(picture.convert("RGBA"))[..., 3]
            assert alpha[16, 10] == 255 and alpha[16, 40] == 0
            delays.append(picture.info["duration"])
    assert sum(delays) == pytest.approx(5 * 1001 / 30, abs=1)


def test_a_gif_plays_at_its_rate_whatever_its_hundredths(tmp_path: Path) -> None:
    file = write_frames(frames(24, height=33, width=47), tmp_path / "x.gif", rate=Fraction(24))
    with Image.open(file) as picture:
        assert picture.n_frames == 24 and picture.size == (47, 33)
        total = 0
        for number in range(24):
            picture.seek(number)
            total += picture.info["duration"]
            pixels = np.asarray(picture.convert("RGBA"))
            assert pixels[16, 40, 3] == 0 and pixels[16, 10, 3] == 255
            assert np.abs(pixels[16, 10, :3].astype(int) - (20 * number % 256, 100, 50)).max() < 12
    assert total == 1000
    with pytest.raises(ExportError, match="up to 50 frames"):
        write_frames(frames(3), tmp_path / "y.gif", rate=Fraction(60))


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp"])
@pytest.mark.parametrize("prompt", ["a heart, сердце", "", "long " * 399 + "long"])
def test_every_format_brings_its_recipe_back(tmp_path: Path, suffix: str, prompt: str) -> None:
    made = MADE.model_copy(update={"prompt": prompt})
    file = write_frames(frames(3), tmp_path / f"x{suffix}", rate=Fraction(10), recipe=made)
    assert read_recipe(file) == made
    with av.open(str(file)) if suffix in (".mp4", ".webm") else Image.open(file) as whole:
        assert (len(list(whole.decode(video=0))) if suffix in (".mp4", ".webm") else whole.n_frames) == 3
    assert read_recipe(write_frames(frames(3), tmp_path / f"bare{suffix}", rate=Fraction(10))) is None


def test_comments_of_others_are_no_recipes(tmp_path: Path) -> None:
    for number, comment in enumerate(("made with love", '{"domain": 3}', "[" * 5000)):
        Image.new("P", (9, 9)).save(tmp_path / f"{number}.gif", comment=comment.encode())
        assert read_recipe(tmp_path / f"{number}.gif") is None
    (tmp_path / "cut.gif").write_bytes(b"GIF89a")
    for file in (tmp_path / "cut.gif", tmp_path / "none.mp4"):
        with pytest.raises(DataError):
            read_recipe(file)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_sizes_are_refused_where_the_format_has_none(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ExportError, match="even sides only, not 47 x 32"):
        write_frames(frames(3, width=47), tmp_path / f"x{suffix}", rate=Fraction(24))
    assert frame_size(47, 33, suffix) == (48, 34) and frame_size(47, 33, ".gif") == (47, 33)
    assert "47 × 33 px becomes 48 × 34 px" in size_notice(47, 33, suffix) and not size_notice(48, 34, suffix)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp", ".png"])
def test_nothing_half_written_stays(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(Cancelled):
        write_frames(frames(10, fail_at=5), tmp_path / f"x{suffix}", rate=Fraction(24))
    assert not list(tmp_path.iterdir())


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    folder = write_frames(frames(3), tmp_path / "walk.png", rate=Fraction(24))
    assert folder == tmp_path / "walk"
    assert [path.name for path in sorted(folder.iterdir())] == [f"frame0000{i}.png" for i in range(3)]
    assert np.asarray(Image.open(folder / "frame00002.png"))[0, 0].tolist() == [40, 100, 50, 255]
    with pytest.raises(ExportError, match="there already"):
        write_frames(frames(3), tmp_path / "walk", rate=Fraction(24))


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="Could not write"):
        write_frames(frames(3), tmp_path / "file" / "x.mp4", rate=Fraction(24))
    with pytest.raises(ExportError, match="Could not write"):
        write_frames(frames(3), tmp_path / "file" / "walk", rate=Fraction(24))
    with pytest.raises(ExportError, match="no frames"):
        write_frames(iter(()), tmp_path / "x.mp4", rate=Fraction(24))
    with pytest.raises(ExportError, match="video format"):
        write_frames(frames(3), tmp_path / "x.ogv", rate=Fraction(24))
