"""What training sees of a clip: the right moments, frames that were not given, spans, turns."""

from __future__ import annotations

import numpy as np
import pytest

from ddmi_core.coordinates import cell_centres
from ddmi_core.data.clip_sources import ClipParts
from ddmi_core.data.clip_storage import compress, expand
from ddmi_core.data.clips import Clip, ClipSource, Encoded, encoder_input
from ddmi_core.data.items import Augment
from ddmi_core.support.errors import DataError
from tests.core.clips import dot_clip, dot_frames

ENCODED = Encoded(frames=8, side=32)


class Fading:
    """One clip whose red is the moment, whose green is x and whose blue is y; alpha is 1."""

    def __init__(self, count: int = 24, side: int = 64) -> None:
        self.opened = 0
        place = (cell_centres(side).numpy() + 1) / 2
        frames = np.empty((count, side, side, 4), np.float32)
        frames[..., 0] = (cell_centres(count).numpy()[:, None, None] + 1) / 2
        frames[..., 1], frames[..., 2], frames[..., 3] = place[None, None, :], place[None, :, None], 1
        self.clip = Clip((frames * 255 + 0.5).astype(np.uint8), cell_centres(count).numpy(), 2.0)

    def __len__(self) -> int:
        return 1

    def captions(self, index: int) -> list[str]:
        return ["a fade"]

    def open(self, index: int) -> Clip:
        return self.clip


def source(clips: Fading) -> ClipSource:
    return ClipSource(clips, encoded=ENCODED, queries=400, footprints=(-8.0, -4.0))


def test_unaugmented_queries_tell_x_y_and_t() -> None:
    example = source(Fading()).sample(0, np.random.default_rng(0), augment="none")
    assert {name: array.shape for name, array in example.items()} == {
        "video": (5, 8, 32, 32), "coords": (400, 3), "footprint": (400, 1), "targets": (400, 4)
    }  # fmt: skip
    assert all(array.dtype == np.float32 for array in example.values())
    x, y, t = (example["coords"].T + 1) / 2
    np.testing.assert_allclose(example["targets"][:, 0], t, atol=0.003)
    np.testing.assert_allclose(example["targets"][:, 1], x, atol=0.02)
    np.testing.assert_allclose(example["targets"][:, 2], y, atol=0.02)


@pytest.mark.parametrize("augment", ["captioned", "full"])
def test_augmented_queries_agree_with_what_the_encoder_sees(augment: Augment) -> None:
    clips = source(Fading(count=36))
    for seed in range(12):
        example = clips.sample(0, np.random.default_rng(seed), augment=augment)
        video, coords = example["video"], example["coords"]
        # The encoder's frame nearest to each query, corrected by how late it says it is, has the query's colours.
        frame = np.clip(((coords[:, 2] + 1) * 4).astype(int), 0, 7)
        late = video[4, frame, 0, 0]
        seen_at = (frame + 0.5 + late) / 4 - 1
        slope = np.polyfit(seen_at, video[0, frame, 16, 16], 1)
        np.testing.assert_allclose(np.polyval(slope, coords[:, 2]), example["targets"][:, 0], atol=0.02)
        row, column = (np.clip(((coords[:, i] + 1) * 16).astype(int), 0, 31) for i in (1, 0))
        np.testing.assert_allclose(video[1, frame, row, column], example["targets"][:, 1], atol=0.06)
        np.testing.assert_allclose(video[2, frame, row, column], example["targets"][:, 2], atol=0.06)


def test_the_paper_s_examples_are_frames_that_follow_each_other() -> None:
    clips = source(Fading(count=24))
    starts = set()
    for seed in range(8):
        video = clips.sample(0, np.random.default_rng(seed), augment="paper")["video"]
        times = video[0, :, 16, 16] * 24 - 0.5
        np.testing.assert_allclose(np.diff(times), 1, atol=0.1)
        np.testing.assert_allclose(video[4], 0, atol=1e-5)  # none is late
        starts.add(int(times[0].round()))
    assert len(starts) > 2


def test_moments_between_given_frames_are_asked_for() -> None:
    clips = source(Fading(count=36))
    new = 0
    for seed in range(10):
        example = clips.sample(0, np.random.default_rng(seed), augment="full")
        given = cell_centres(8).numpy() + example["video"][4, :, 0, 0] / 4
        asked = np.unique(example["coords"][:, 2])
        new += int((np.abs(asked[:, None] - given).min(axis=1) > 1e-3).sum())
    assert new > 20


def test_a_caption_sees_nearly_all_of_its_clip() -> None:
    clips = source(Fading(count=36))
    for seed in range(10):
        example = clips.sample(0, np.random.default_rng(seed), augment="captioned")
        red = example["video"][0, :, 16, 16]
        assert red.max() - red.min() > 0.65 and red[0] < red[-1]  # never backwards


def test_the_encoder_is_told_how_late_its_frames_are() -> None:
    video = encoder_input(dot_clip(16).every(2), Encoded(8, 32))
    np.testing.assert_allclose(video[4], -0.25, atol=1e-5)  # frame 2i of 16 is a quarter of a cell of 8 early
    assert not encoder_input(dot_clip(8), Encoded(8, 32))[4].any()


def test_parts_cover_the_clip() -> None:
    clip = dot_clip(70, 16)
    parts = ClipParts(clip, 3, 0.25)
    frames = np.concatenate([parts.open(i).frames[:, 4, :, 0].argmax(axis=1) for i in range(3)])
    assert len(parts) == 3 and {*frames.tolist()} == {*clip.frames[:, 4, :, 0].argmax(axis=1).tolist()}
    for i in range(3):
        assert np.abs(parts.open(i).times).max() <= 1


def test_storage_keeps_colours_and_transparency() -> None:
    frames = dot_frames(12, 64)
    frames[:, 40:] = 0
    content = compress(frames, quality=20)
    assert content == compress(frames, quality=20) and len(content) < 12_000
    found = expand(content)
    assert found.shape == frames.shape and found[:, 48:].max() < 8 and found[:, :32, :, 3].min() > 245
    assert np.abs(found.astype(float) - frames).mean() < 4
    with pytest.raises(DataError, match="damaged"):
        expand(content[:100])
