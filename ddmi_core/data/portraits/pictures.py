"""Portraits as pictures to train on: rasters for all but the closest views, the drawing itself for these."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ddmi_core.data.pictures import Part, Raster, premultiplied
from ddmi_core.data.portraits.captions import caption
from ddmi_core.data.portraits.facts import Facts, facts_of
from ddmi_core.data.portraits.rasters import RASTER_SIDE, raster
from ddmi_core.data.portraits.storage import HELD_OUT, Portrait, StoredPortraits, shipped_portraits
from ddmi_core.data.vector_pictures import draw

CAPTIONS = 8
"""How many captions a portrait has where none are drawn anew."""


class PortraitPicture:
    """A portrait at any scale.

    Args:
        svg: the drawing.
    """

    pixel = 1 / RASTER_SIDE

    def __init__(self, svg: str) -> None:
        self._svg = svg
        self._raster = Raster(premultiplied(raster(svg)))

    def view(self, part: Part, size: int) -> Float[np.ndarray, "s s 4"]:
        """Return a part with size x size pixels in [0, 1], each the average over its own area, however small."""
        if part.side / size >= 2 / RASTER_SIDE:  # else averages of the raster's pixels would be too soft
            return self._raster.view(part, size)
        return premultiplied(draw(self._svg, size, part)).astype(np.float32) / 255


class PortraitPictures:
    """A part of the set.

    Args:
        portraits: all of the set.
        seeds: of those that belong to the part.
    """

    def __init__(self, portraits: StoredPortraits, seeds: Sequence[int]) -> None:
        self._portraits = portraits
        self.seeds = seeds

    def __len__(self) -> int:
        return len(self.seeds)

    def portrait(self, index: int) -> Portrait:
        """Return a portrait's style, parts and drawing."""
        return self._portraits[self.seeds[index]]

    def facts(self, index: int) -> Facts:
        """Return what can be seen of a portrait."""
        portrait = self.portrait(index)
        return facts_of(portrait.style, portrait.parts)

    def captions(self, index: int) -> list[str]:
        """Return captions of a portrait, the same each time."""
        return self.draw_captions(index, np.random.default_rng(self.seeds[index]), CAPTIONS)

    def draw_captions(self, index: int, rng: np.random.Generator, count: int) -> list[str]:
        """Word new captions of a portrait."""
        facts = self.facts(index)
        return [caption(facts, rng) for _ in range(count)]

    def open(self, index: int) -> PortraitPicture:
        """Return a portrait, drawn when it is first asked for and kept in the cache."""
        return PortraitPicture(self.portrait(index).svg)


def portraits(split: str) -> PortraitPictures:
    """Return the `train` or the `held_out` part (1,000, fixed).

    Raises:
        DataError: the set is missing or damaged.
    """
    stored = shipped_portraits()
    return PortraitPictures(stored, range(HELD_OUT) if split == "held_out" else range(HELD_OUT, len(stored)))
