"""Clips are read upright, at their own moments, and refused with a reason."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ddmi_core.coordinates import cell_centres
from ddmi_core.data import clip_files
from ddmi_core.data.clip_files import clip_facts, read_clip
from ddmi_core.data.full_pictures import read_whole_picture
from ddmi_core.export.frames import write_frames
from ddmi_core.support.animations import is_clip, is_picture
from ddmi_core.support.errors import DataError, TooLongError
from tests.core.clips import dot_frames, write_sound, write_video


def place_of_red(frame: np.ndarray) -> tuple[float, float]:
    """Where the red is, as shares of the width and the height."""
    red = frame[..., 0].astype(float) * (frame[..., 0] > 128)
    rows, columns = np.indices(red.shape)
    return float((red * (columns + 0.5)).sum() / red.sum() / red.shape[1]), float(
        (red * (rows + 0.5)).sum() / red.sum() / red.shape[0]
    )


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi", ".mkv", ".mov"])
def test_videos_are_read_frame_by_frame(tmp_path: Path, suffix: str) -> None:
    file = write_video(tmp_path / f"dot{suffix}", dot_frames(10, 64))
    clip = read_clip(file)
    assert clip.frames.shape == (10, 64, 64, 4) and clip.frames[..., 3].min() == 255
    assert clip.seconds == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(clip.times, cell_centres(10).numpy(), atol=0.02)
    for i, frame in enumerate(clip.frames):
        x, y = place_of_red(frame)
        assert abs(x - (i + 0.5) / 10) < 0.05 and abs(y - 0.25) < 0.05
    assert clip_facts(file)[:2] == (64, 64)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animations_keep_transparency_and_their_delays(tmp_path: Path, suffix: str) -> None:
    frames = dot_frames(4, 64)
    frames[:, 32:] = 0
    pictures = [Image.fromarray(frame) for frame in frames]
    file = tmp_path / f"dot{suffix}"
    kinds: dict[str, dict[str, Any]] = {".webp": {"lossless": True}, ".gif": {"disposal": 2}, ".png": {}}
    pictures[0].save(
        file, save_all=True, append_images=pictures[1:], duration=[100, 100, 100, 300], loop=0, **kinds[suffix]
    )
    clip = read_clip(file)
    assert clip.seconds == pytest.approx(0.6)
    np.testing.assert_allclose(clip.times, np.array([0.05, 0.15, 0.25, 0.35]) / 0.3 - 1, atol=1e-5)
    assert clip.frames[:, 40:].max() == 0 and clip.frames[:, :30, :, 3].min() == 255
    for i, frame in enumerate(clip.frames):
        assert abs(place_of_red(frame)[0] - (i + 0.5) / 4) < 0.05
    assert is_clip(file) and not is_picture(file)


def test_a_picture_before_the_animation_is_none_of_its_frames(tmp_path: Path) -> None:
    pictures = [Image.fromarray(frame) for frame in dot_frames(4, 64)]
    file, alone = tmp_path / "dot.png", tmp_path / "alone.png"
    cover = Image.new("RGBA", (64, 64), (0, 255, 0, 255))
    cover.save(file, save_all=True, append_images=pictures, duration=100, default_image=True)
    clip = read_clip(file)
    assert len(clip.frames) == 4 and place_of_red(clip.frames[0])[0] < 0.2
    cover.save(alone, save_all=True, append_images=pictures[:1], duration=100, default_image=True)
    assert is_clip(file) and is_picture(alone) and not is_clip(alone)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_a_single_frame_is_a_picture(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"one{suffix}"
    Image.new("RGB", (30, 20), (200, 100, 50)).save(file)
    assert is_picture(file) and not is_clip(file)
    seen = read_whole_picture(file).pixels
    assert seen.shape == (3, 20, 30) and np.abs(255 * seen[:, 0, 0] - (200, 100, 50)).max() < 8
    file.write_bytes(file.read_bytes()[:12])  # what is wrong with it is said when it is read
    assert is_picture(file) and not is_clip(file)


def test_webm_keeps_its_transparency(tmp_path: Path) -> None:
    frames = dot_frames(6, 64)
    frames[:, 32:] = 0
    clip = read_clip(write_frames(iter(frames), tmp_path / "dot.webm", rate=Fraction(12)))
    assert clip.frames.shape[0] == 6 and clip.seconds == pytest.approx(0.5, abs=0.01)
    assert clip.frames[:, 40:].max() < 12 and clip.frames[:, :24, :, 3].min() > 240


def test_a_variable_rate_is_honoured(tmp_path: Path) -> None:
    file = write_video(tmp_path / "slow.mkv", dot_frames(6, 32), rate=100, pts=[0, 10, 20, 50, 60, 70])
    clip = read_clip(file)
    gaps = np.diff(clip.times)
    assert gaps[2] == pytest.approx(3 * gaps[0], rel=0.05)
    assert clip.times[0] > -1 and clip.times[-1] < 1


def turned(file: Path) -> Path:
    """Write a quarter turn clockwise into an MP4, as telephones do."""
    content = bytearray(file.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of other facts
    assert struct.unpack_from(">9i", content, at)[0] == 0x10000
    struct.pack_into(">9i", content, at, 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    file.write_bytes(content)
    return file


def test_a_phone_held_upright_gives_an_upright_clip(tmp_path: Path) -> None:
    frames = dot_frames(4, 32, width=64)
    file = turned(write_video(tmp_path / "phone.mp4", frames))
    assert clip_facts(file)[:2] == (32, 64)
    clip = read_clip(file)
    assert clip.frames[0, :, :14, 3].max() == 0 and clip.frames[0, :, 20:44, 3].min() == 255
    # What was at the top is at the right, and the dot goes down.
    places = [place_of_red(frame) for frame in clip.frames]
    assert places[0][1] < places[1][1] < places[3][1] and places[0][0] > 0.55


def test_a_wide_clip_lies_in_the_middle(tmp_path: Path) -> None:
    clip = read_clip(write_video(tmp_path / "wide.mp4", dot_frames(4, 64, width=128)))
    assert clip.frames.shape[1] == 128
    assert clip.frames[:, :30, :, 3].max() == 0 and clip.frames[:, 36:90, :, 3].min() == 255


def test_a_folder_of_frames_is_a_clip(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for i, frame in enumerate(dot_frames(12, 64)):
        Image.fromarray(frame[..., :3]).save(folder / f"frame{i}.png")  # 10 comes after 9, not after 1
    clip = read_clip(folder)
    places = [place_of_red(frame)[0] for frame in clip.frames]
    assert places == sorted(places) and clip.seconds == pytest.approx(12 / clip_files.FOLDER_RATE)


def test_a_range_is_cut_out(tmp_path: Path) -> None:
    file = write_video(tmp_path / "dot.mp4", dot_frames(40, 32))
    clip = read_clip(file, (1.0, 2.0))
    assert len(clip.times) == 10 and clip.seconds == pytest.approx(1.0, abs=0.02)
    assert place_of_red(clip.frames[0])[0] == pytest.approx(10.5 / 40, abs=0.04)


def test_a_film_is_asked_for_a_range(tmp_path: Path) -> None:
    file = write_video(tmp_path / "film.mkv", dot_frames(3, 32), rate=1, pts=[0, 1, 10800])
    with pytest.raises(TooLongError, match=r"3:00:0. h is too long.*Give a range") as refused:
        read_clip(file)
    assert refused.value.seconds == pytest.approx(10801, abs=1)
    with pytest.raises(DataError, match="there is nothing at 20000 s"):
        read_clip(file, (20000, 20001))
    with pytest.raises(DataError, match="is no range"):
        read_clip(file, (3, 2))


def test_too_many_frames_are_asked_for_a_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_files, "MOST_FRAMES", 5)
    file = write_video(tmp_path / "dot.mp4", dot_frames(9, 32))
    with pytest.raises(DataError, match="more than 5 frames"):
        read_clip(file)


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    cases: dict[str, tuple[Path, str]] = {"missing": (tmp_path / "no.mp4", "no file")}
    (tmp_path / "empty.mp4").write_bytes(b"")
    cases["empty"] = tmp_path / "empty.mp4", "is empty"
    cases["sound"] = write_sound(tmp_path / "sound.mp4"), "sound but no pictures"
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    cases["noise"] = tmp_path / "noise.mp4", "damaged, or no video"
    cases["still"] = write_video(tmp_path / "still.mp4", dot_frames(1, 32)), "1 frame from"
    small = dot_frames(4, 6, width=6)
    cases["small"] = write_video(tmp_path / "small.webm", small), "at least 8 a side"
    whole = write_video(tmp_path / "whole.mkv", np.random.default_rng(0).integers(0, 255, (40, 64, 64, 4), np.uint8))
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    cases["cut"] = tmp_path / "cut.mkv", "breaks off"
    Image.new("RGB", (20, 20)).save(tmp_path / "one.gif")
    cases["one"] = tmp_path / "one.gif", "1 frame"
    (tmp_path / "broken.gif").write_bytes(b"GIF89a" + b"\0" * 10)
    cases["broken"] = tmp_path / "broken.gif", "damaged|1 frame|at least"
    for path, message in cases.values():
        with pytest.raises(DataError, match=message) as caught:
            read_clip(path)
        assert path.name in str(caught.value)
