"""Skies as a set of clips, and the examples that are drawn from them."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from typing_extensions import override

from ddmi_core.coordinates import cell_centres
from ddmi_core.data.clips import Clip, ClipSource, Encoded, shares
from ddmi_core.data.items import Augment
from ddmi_core.data.pictures import choose_window
from ddmi_core.data.skies.captions import caption
from ddmi_core.data.skies.function import colours
from ddmi_core.data.skies.scene import Scene, draw_scene

FRAMES, SIDE, SECONDS = 32, 96, 4.0
"""Of a sky as a clip of frames."""
CAPTIONS = 8

_SHORTEST_SPAN = {"none": 1.0, "paper": 1.0, "captioned": 0.8, "full": 0.5}
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

        Augmented, a span of time and a part of the canvas count as a whole, and the encoder gets frames of some rate
        and phase, each with how much later than its moment it is; see `encoder_input`.
        """
        scene, part = self.clips.scene(index), choose_window(rng, augment)
        length = rng.uniform(_SHORTEST_SPAN[augment], 1.0)
        start = rng.uniform(-1, 1 - 2 * length) if length < 1 else -1.0
        mirrored = augment == "full" and rng.random() < 0.5

        def seen(places: Float[np.ndarray, "n 3"], footprint: float) -> Float[np.ndarray, "n 3"]:
            """Colours at places of the whole that the example takes for one."""
            x = 2 * (part.left + part.side * (places[:, 0] + 1) / 2) - 1
            y = 2 * (part.top + part.side * (places[:, 1] + 1) / 2) - 1
            moments = start + length * (places[:, 2] + 1)
            where = np.stack([-x if mirrored else x, y, moments], axis=1).astype(np.float32)
            return colours(scene, torch.from_numpy(where), 2 * part.side * footprint).numpy()

        frames, side = self.encoded
        moments = cell_centres(frames).numpy()
        exact = augment in ("none", "paper")
        count = frames if exact else int(rng.integers(round(_FEWEST * frames), round(_MOST * frames) + 1))
        phase = 0.5 if exact else rng.uniform(0.2, 0.8)
        given = (np.arange(count) + phase) * 2 / count - 1
        nearest = given[np.abs(given[None] - moments[:, None]).argmin(axis=1)]
        video = np.ones((5, frames, side, side), np.float32)
        video[:3] = np.moveaxis(seen(_grid(nearest, side), 1 / side).reshape(frames, side, side, 3), -1, 0)
        video[4] = ((nearest - moments) * (frames / 2))[:, None, None]
        looks = [self._look_anywhere(count, rng) for count in shares(self._queries)]
        targets = [seen(coords, 2.0**footprint) for coords, footprint in looks]
        return {
            "video": video,
            "coords": np.concatenate([coords for coords, _ in looks]).astype(np.float32),
            "footprint": np.concatenate([np.full((len(coords), 1), size, np.float32) for coords, size in looks]),
            "targets": np.concatenate([np.concatenate([found, np.ones_like(found[:, :1])], 1) for found in targets]),
        }

    def _look_anywhere(self, count: int, rng: np.random.Generator) -> tuple[Float[np.ndarray, "k 3"], float]:
        """Places at random moments, and log2 of the side of the pixels that are asked for, as a share of the canvas."""
        footprint = float(rng.uniform(*self._footprints))
        return rng.uniform(-1, 1, (count, 3)), footprint


def pictures(scene: Scene, moments: Float32[np.ndarray, " n"], side: int) -> Float32[np.ndarray, "n side side 3"]:
    """Draw square pictures of a sky at some moments."""
    drawn = [colours(scene, torch.from_numpy(_grid(moments[i : i + 1], side)), 2 / side) for i in range(len(moments))]
    return torch.stack(drawn).view(len(moments), side, side, 3).numpy()


def _grid(moments: Float[np.ndarray, " n"], side: int) -> Float32[np.ndarray, "p 3"]:
    """The middles of pixels, row by row, at each moment."""
    along = cell_centres(side).numpy()
    t, y, x = np.meshgrid(moments, along, along, indexing="ij")
    return np.stack([x, y, t], axis=-1).reshape(-1, 3).astype(np.float32)
