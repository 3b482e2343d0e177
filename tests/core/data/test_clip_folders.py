"""A user's folder of clips and of frame folders, with what is left out and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddmi_core.data import clip_folders
from ddmi_core.data.clip_folders import clip_folder
from ddmi_core.data.clip_sources import open_clips
from ddmi_core.data.clips import Encoded
from ddmi_core.support.errors import DataError
from tests.core.clips import dot_frames, write_sound, write_video


def write_frames(folder: Path, count: int, shade: int = 0) -> None:
    folder.mkdir(parents=True)
    for i, frame in enumerate(dot_frames(count, 32)):
        Image.fromarray(np.maximum(frame[..., :3], shade)).save(folder / f"frame{i:05d}.png")


def test_clips_and_what_is_left_out(tmp_path: Path) -> None:
    for n in range(4):
        write_video(tmp_path / f"clip{n}.mp4", np.roll(dot_frames(20, 32), n, axis=2))
    write_video(tmp_path / "short.mp4", dot_frames(5, 32))
    write_sound(tmp_path / "song.mp4")
    (tmp_path / "captions.csv").write_text("file,caption\nclip0.mp4,a dot\nclip0.mp4,a red dot\n")
    parts = [clip_folder(tmp_path, split) for split in ("train", "held_out")]
    names = [name for part in parts for name in part.names]
    assert sorted(names) == [f"clip{n}.mp4" for n in range(4)] and parts[1].names
    reasons = {entry.path.name: entry.reason for entry in parts[0].unusable}
    assert "fewer than 16 frames" in reasons["short.mp4"] and "no pictures" in reasons["song.mp4"]
    part = next(part for part in parts if "clip0.mp4" in part.names)
    index = list(part.names).index("clip0.mp4")
    assert part.captions(index) == ["a dot", "a red dot"]
    clip = part.open(index)
    assert clip.frames.shape == (20, 64, 64, 4) and clip.seconds == pytest.approx(2, abs=0.01)


def test_frame_folders_of_sky_timelapse(tmp_path: Path) -> None:
    write_frames(tmp_path / "train" / "a" / "one", 18)
    write_frames(tmp_path / "train" / "a" / "two", 20, shade=60)
    write_frames(tmp_path / "train" / "short", 7)
    write_frames(tmp_path / "test" / "three", 18, shade=90)
    parts = [clip_folder(tmp_path, split) for split in ("train", "held_out")]
    assert sorted(name for part in parts for name in part.names) == ["train/a/one", "train/a/two"]
    assert [entry.path.name for entry in parts[0].unusable] == ["short"]
    assert "fewer than 16 frames" in parts[0].unusable[0].reason


def test_long_clips_are_trained_on_in_pieces(tmp_path: Path) -> None:
    write_video(tmp_path / "long.mp4", dot_frames(120, 32), rate=30)
    clips = clip_folder(tmp_path, "train")
    assert len(clips) == 3 and [len(clips.open(i).times) for i in range(3)] == [40, 40, 40]
    assert sum(clips.open(i).seconds for i in range(3)) == pytest.approx(4, abs=0.02)
    places = [clips.open(i).frames[:, 16, :, 0].astype(int).argmax(axis=1).mean() for i in range(3)]
    assert places == sorted(places)


def test_copies_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "clip.mp4", dot_frames(20, 32))
    first = clip_folder(tmp_path, "train").open(0)
    monkeypatch.setattr(clip_folders, "read_clip", None)
    np.testing.assert_array_equal(clip_folder(tmp_path, "train").open(0).frames, first.frames)


def test_a_folder_is_a_source_by_its_path(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", dot_frames(20, 32))
    found = open_clips(str(tmp_path), "held_out", seed=0, encoded=Encoded(16, 64), queries=32, footprints=(-8.0, -4.0))
    assert len(found) == 1
    with pytest.raises(DataError, match="no clips called"):
        open_clips("nowhere", "train", seed=0, encoded=Encoded(16, 64), queries=32, footprints=(-8.0, -4.0))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no usable clip"):
        clip_folder(tmp_path / "empty", "train")
