"""Skies as a set of clips, and the examples that are drawn from them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from typing_extensions import override

from ddmi_core.coordinates import cell_centres
from ddmi_core.data.clips import Clip, ClipSource, Encoded
from ddmi_core.data.items import Augment
from ddmi_core.data.pictures import Part, choose_window
from ddmi_core.data.skies.captions import caption
from ddmi_core.data.skies.function import colours
from ddmi_core.data.skies.rendered import rendered
from ddmi_core.data.skies.scene import Scene, draw_scene

FRAMES, SIDE, SECONDS = 32, 96, 4.0
"""Of a sky as a clip of frames."""
CAPTIONS = 8

_SHORTEST_SPAN = {"none": 1.0, "paper": 1.0, "captioned": 0.8, "full": 0.5}
_EXACT = 0.5  # share of the augmented examples whose frames are of just the encoder's moments
_FEWEST, _MOST = 0.5, 2.0  # frames that the encoder is given, as a share of those that it takes


class Skies:
    """``count`` skies."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed

    def __len__(self) -> int:
        return self.count

    def scene(self, index: int) -> Scene:
        """What is to be seen in a sky."""
        if not 0 <= index < self.count:
            raise IndexError(f"sky {index} of {self.count}")
        return draw_scene(self.seed, index)

    def captions(self, index: int) -> Sequence[str]:
        """True captions; common ones may repeat."""
        rng = np.random.default_rng((self.seed, index, 1))
        return [caption(self.scene(index), rng) for _ in range(CAPTIONS)]

    def open(self, index: int) -> Clip:
        """Return a sky as frames, each of its own moment."""
        times = cell_centres(FRAMES).numpy().astype(np.float32)
        frames = pictures(self.scene(index), times, SIDE)
        values = np.concatenate([frames, np.ones((*frames.shape[:-1], 1), np.float32)], axis=-1)
        return Clip(np.rint(255 * values).astype(np.uint8), times, SECONDS)


class SkySource(ClipSource):
    """Skies as training items, asked for at places and moments of their own rather than in frames.

    Args:
        skies: the set.
        encoded: the encoder's input.
        queries: pixels an example.
        footprints: log2 of the smallest and the largest pixel's side, as a share of the canvas.
    """

    clips: Skies

    def __init__(self, skies: Skies, *, encoded: Encoded, queries: int, footprints: tuple[float, float]) -> None:
        super().__init__(skies, encoded=encoded, queries=queries, footprints=footprints)

    @override
    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw the middle of a sky as a small picture."""
        [seen] = pictures(self.clips.scene(index), np.zeros(1, np.float32), size)
        return np.rint(255 * np.concatenate([seen, np.ones_like(seen[..., :1])], axis=-1)).astype(np.uint8)

    @override
    def sample(self, index: int, rng: np.random.Generator, *, augment: Augment) -> dict[str, np.ndarray]:
        """Draw `video` (5, frames, side, side), `coords` (n, 3), `footprint` (n, 1), `targets` (n, 4).

        Augmented, a span of time and a part of the canvas count as a whole, and for every other sky the encoder gets
        frames of some rate and phase, each with how much later than its moment it is; see `encoder_input`.
        """
        sight = self._sight(index, augment)
        frames, side = self.encoded
        name = f"{self.clips.seed}-{index}-{augment}-{frames}x{side}"
        given = rendered(name, lambda: sight.colours(_grid(sight.given, side), 1 / side).reshape(frames, side, side, 3))
        video = np.ones((5, frames, side, side), np.float32)
        video[:3] = np.moveaxis(given, -1, 0)
        video[4] = ((sight.given - cell_centres(frames).numpy()) * (frames / 2))[:, None, None]
        coords = rng.uniform(-1, 1, (self._queries, 3)).astype(np.float32)
        footprint = rng.uniform(*self._footprints, (self._queries, 1)).astype(np.float32)
        targets = sight.colours(coords, 2.0 ** footprint[:, 0])
        return {
            "video": video,
            "coords": coords,
            "footprint": footprint,
            "targets": np.concatenate([targets, np.ones_like(targets[:, :1])], axis=1),
        }

    def _sight(self, index: int, augment: Augment) -> "_Sight":
        """How a sky is seen: always in the same way, so that what the encoder is given can be kept."""
        rng = np.random.default_rng((self.clips.seed, index, 2))
        part, length = choose_window(rng, augment), rng.uniform(_SHORTEST_SPAN[augment], 1.0)
        start = rng.uniform(-1, 1 - 2 * length) if length < 1 else -1.0
        mirrored = augment == "full" and rng.random() < 0.5
        frames = self.encoded.frames
        exact = augment in ("none", "paper") or rng.random() < _EXACT
        count = frames if exact else int(rng.integers(round(_FEWEST * frames), round(_MOST * frames) + 1))
        phase = 0.5 if exact else rng.uniform(0.2, 0.8)
        there = (np.arange(count) + phase) * 2 / count - 1
        nearest = there[np.abs(there[None] - cell_centres(frames).numpy()[:, None]).argmin(axis=1)]
        return _Sight(self.clips.scene(index), part, start, length, mirrored, nearest.astype(np.float32))


class _Sight(NamedTuple):
    """A part of a sky and a span of its time, which an example takes for the whole.

    Attributes:
        scene: the sky.
        part: of the canvas.
        start, length: of the span, a moment of the sky's and a share of its time.
        mirrored: whether left is right.
        given: moments of the example's at which the encoder gets its frames.
    """

    scene: Scene
    part: Part
    start: float
    length: float
    mirrored: bool
    given: Float32[np.ndarray, " t"]

    def colours(
        self, places: Float[np.ndarray, "n 3"], footprint: float | Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n 3"]:
        """Colours at places of the example, averaged over pixels whose sides are shares of its canvas."""
        x = 2 * (self.part.left + self.part.side * (places[:, 0] + 1) / 2) - 1
        y = 2 * (self.part.top + self.part.side * (places[:, 1] + 1) / 2) - 1
        moments = self.start + self.length * (places[:, 2] + 1)
        where = np.stack([-x if self.mirrored else x, y, moments], axis=1).astype(np.float32)
        return colours(self.scene, torch.from_numpy(where), torch.as_tensor(2 * self.part.side * footprint)).numpy()


def pictures(scene: Scene, moments: Float32[np.ndarray, " n"], side: int) -> Float32[np.ndarray, "n side side 3"]:
    """Draw square pictures of a sky at some moments."""
    drawn = [colours(scene, torch.from_numpy(_grid(moments[i : i + 1], side)), 2 / side) for i in range(len(moments))]
    return torch.stack(drawn).view(len(moments), side, side, 3).numpy()


def _grid(moments: Float[np.ndarray, " n"], side: int) -> Float32[np.ndarray, "p 3"]:
    """The middles of pixels, row by row, at each moment."""
    along = cell_centres(side).numpy()
    t, y, x = np.meshgrid(moments, along, along, indexing="ij")
    return np.stack([x, y, t], axis=-1).reshape(-1, 3).astype(np.float32)
