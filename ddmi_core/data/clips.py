"""Clips as training sees them: frames at moments of their own, and the examples drawn from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from typing_extensions import override

from ddmi_core.coordinates import cell_centres
from ddmi_core.data.items import Augment, ItemSource, Order
from ddmi_core.data.pictures import WHOLE_PICTURE, Part, areas, choose_window

VIEWS = 8
"""Frames, each seen with its own pixel footprint, that an example's queries are taken from."""

_VIEW_SIDE = 48
_SHORTEST_SPAN = {"none": 1.0, "paper": 1.0, "captioned": 0.85, "full": 0.4}
"""Share of a clip that is taken for all of it, at least."""
_MOST_FRAMES = 40  # that an example spans: longer clips are learned piece by piece
_LEAST_FRAMES = 8
_LARGEST_STRIDE = 3  # every third frame given


@dataclass(frozen=True)
class Clip:
    """A clip in memory.

    Attributes:
        frames: premultiplied RGBA on a square canvas.
        times: when each frame is, rising, in [-1, 1]; the clip spans [-1, 1].
        seconds: how long it lasts.
    """

    frames: UInt8[np.ndarray, "n s s 4"]
    times: Float32[np.ndarray, " n"]
    seconds: float

    @property
    def pixel(self) -> float:
        """Side of a pixel as a share of the canvas."""
        return 1 / self.frames.shape[1]

    def between(self, start: float, stop: float) -> "Clip":
        """Return the frames at moments in [start, stop], as a clip of that span."""
        kept = np.flatnonzero((self.times >= start) & (self.times <= stop))
        times = (self.times[kept] - start) * (2 / (stop - start)) - 1
        return Clip(self.frames[kept], times.astype(np.float32), self.seconds * (stop - start) / 2)

    def every(self, stride: int, offset: int = 0) -> "Clip":
        """Return every `stride`-th frame from `offset` on, at its own moment."""
        return Clip(self.frames[offset::stride], self.times[offset::stride], self.seconds)

    def view(self, which: Sequence[int], part: Part, size: int) -> Float[np.ndarray, "k p p 4"]:
        """Return a part of some frames with size x size pixels in [0, 1], exact area averages."""
        side = self.frames.shape[1]
        columns, across = areas(part.left, part.side / size, size, side)
        rows, down = areas(part.top, part.side / size, size, side)
        found = torch.from_numpy(self.frames[list(which), rows, columns].astype(np.float32) / 255)
        # torch's products, because NumPy's threads would fight with those of the training.
        narrowed = torch.einsum("rh,khwc->krwc", down, found)
        return torch.matmul(across, narrowed).numpy()


def small_frame(clip: Clip, size: int) -> UInt8[np.ndarray, "s s 4"]:
    """Return the middle frame of a clip as a thumbnail, premultiplied."""
    return (clip.view([len(clip.times) // 2], WHOLE_PICTURE, size)[0] * 255).round().astype(np.uint8)


@runtime_checkable
class ClipSet(Protocol):
    """A data set of clips."""

    def __len__(self) -> int:
        """Return the number of clips."""

    def captions(self, index: int) -> Sequence[str]:
        """Return the captions of a clip, all true; may be empty."""

    def open(self, index: int) -> Clip:
        """Return a clip."""


class Encoded(NamedTuple):
    """What a video encoder takes: how many frames of which side."""

    frames: int
    side: int


def encoder_input(clip: Clip, encoded: Encoded, part: Part = WHOLE_PICTURE) -> Float[np.ndarray, "5 t s s"]:
    """Return a clip as the encoder sees it: for each of its moments the nearest frame, and how far off that frame is.

    The moments are the cell centres of the encoder's frames. Frames are not blended, which would show things twice; the
    fifth channel says how much later than the moment the frame is, in encoder frames.
    """
    moments = cell_centres(encoded.frames).numpy()
    nearest = np.abs(clip.times[None] - moments[:, None]).argmin(axis=1)
    colours = clip.view(nearest.tolist(), part, encoded.side)
    late = (clip.times[nearest] - moments) * (encoded.frames / 2)
    late = np.broadcast_to(late[:, None, None, None], (*colours.shape[:-1], 1))
    return np.ascontiguousarray(np.moveaxis(np.concatenate([colours, late], axis=-1), -1, 0), dtype=np.float32)


class ClipSource(ItemSource):
    """A set of clips as training items.

    An example is a clip (or, augmented, a span of time and a part of the canvas that count as a whole) of which the
    encoder is given every frame, every second or every third, and the colours of pixels of random sizes at random
    places of any of its frames, the ones that were not given included. So what happens between frames is learned, at
    any frame rate.

    Args:
        clips: the set.
        encoded: the encoder's input.
        queries: pixels an example.
        footprints: log2 of the smallest and the largest pixel's side, as a share of the canvas.
    """

    def __init__(self, clips: ClipSet, *, encoded: Encoded, queries: int, footprints: tuple[float, float]) -> None:
        self.clips = clips
        self.order: Order | None = getattr(clips, "order", None)
        self.encoded = encoded
        self._queries = queries
        self._footprints = footprints

    def __len__(self) -> int:
        return len(self.clips)

    @override
    def captions(self, index: int) -> Sequence[str]:
        return self.clips.captions(index)

    @override
    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return small_frame(self.clips.open(index), size)

    @override
    def sample(self, index: int, rng: np.random.Generator, *, augment: Augment) -> dict[str, np.ndarray]:
        """Draw `video` (5, frames, side, side), `coords` (n, 3), `footprint` (n, 1), `targets` (n, 4)."""
        clip = self.clips.open(index)
        if augment == "paper":
            clip = _run_of(clip, self.encoded.frames, rng)
        clip = _span(clip, rng, augment)
        part = choose_window(rng, augment)
        # Turning things round would make "left" and any writing untrue, and turn motion round.
        mirrored = augment == "full" and rng.random() < 0.5
        backwards = augment == "full" and rng.random() < 0.25
        stride = 1 if augment in ("none", "paper") else int(rng.integers(1, _LARGEST_STRIDE + 1))
        stride = max(1, min(stride, len(clip.times) // _LEAST_FRAMES))
        video = encoder_input(clip.every(stride, int(rng.integers(stride))), self.encoded, part)
        looks = [self._look(clip, part, share, rng) for share in _shares(self._queries)]
        coords, footprints, targets = (np.concatenate(column) for column in zip(*looks, strict=True))
        if mirrored:
            video, coords = video[..., ::-1], coords * np.array([-1, 1, 1], np.float32)
        if backwards:
            video, coords = video[:, ::-1].copy(), coords * np.array([1, 1, -1], np.float32)
            video[4] *= -1
        return {
            "video": np.ascontiguousarray(video),
            "coords": coords,
            "footprint": footprints,
            "targets": targets,
        }

    def _look(
        self, clip: Clip, part: Part, count: int, rng: np.random.Generator
    ) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 1"], Float[np.ndarray, "k 4"]]:
        """Return coordinates, footprints and colours of pixels of one size in a random part of a random frame."""
        finest, coarsest = self._footprints
        # Half a pixel shows that there is nothing beyond; smaller steps would only show it again.
        finest = max(finest, math.log2(clip.pixel / part.side) - 1)
        step = 2.0 ** rng.uniform(finest, coarsest)
        size = min(_VIEW_SIDE, int(1 / step))
        left, top = rng.uniform(0, 1 - size * step, 2)
        seen = Part(part.left + left * part.side, part.top + top * part.side, size * step * part.side)
        frame = int(rng.integers(len(clip.times)))
        pixels = clip.view([frame], seen, size)[0]
        rows, columns = rng.integers(size, size=(2, count))
        x, y = (np.array([[left], [top]]) + (np.stack([columns, rows]) + 0.5) * step) * 2 - 1
        coords = np.stack([x, y, np.full(count, clip.times[frame])], axis=-1)
        footprint = np.full((count, 1), math.log2(step), dtype=np.float32)
        return coords.astype(np.float32), footprint, pixels[rows, columns]


def _run_of(clip: Clip, count: int, rng: np.random.Generator) -> Clip:
    """Return frames that follow each other, as a clip of their own; all of a clip that has no more."""
    total = len(clip.times)
    if total <= count:
        return clip
    first = int(rng.integers(total - count + 1))
    kept = slice(first, first + count)
    return Clip(clip.frames[kept], cell_centres(count).numpy(), clip.seconds * count / total)


def _span(clip: Clip, rng: np.random.Generator, augment: Augment) -> Clip:
    """Return the span of a clip that an example takes for the whole; never more than can be learned at once."""
    count = len(clip.times)
    longest = min(1.0, _MOST_FRAMES / count)
    shortest = min(longest, max(_SHORTEST_SPAN[augment] * longest, _LEAST_FRAMES / count))
    length = 2 * (longest - (longest - shortest) * rng.random())
    start = rng.uniform(-1, 1 - length) if length < 2 else -1.0
    return clip.between(start, start + length)


def _shares(queries: int) -> list[int]:
    """Divide the queries between the frames looked at."""
    return [queries // VIEWS + (i < queries % VIEWS) for i in range(VIEWS)]
