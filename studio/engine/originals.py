"""The file that an item stands for, beside which the item is looked at."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ddmi_core.support.errors import DataError
from studio.engine.pictures import Window
from studio.state.library import Item


class Original:
    """A picture file's own pixels on the canvas of the item that was made of it.

    Args:
        pixels: straight alpha.
        extent: the part of the canvas that they cover.
    """

    def __init__(self, pixels: UInt8[np.ndarray, "h w 4"], extent: tuple[float, float, float, float]) -> None:
        # Premultiplied, as colours of transparent pixels must not bleed into the others
        self._picture = Image.fromarray(pixels).convert("RGBa")
        self._extent = extent

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        width, height = self._picture.size
        return 4 * width * height

    def window(self, side: int, window: Window, *, smooth: bool) -> UInt8[np.ndarray, "h w 4"]:
        """A window of the canvas drawn with side × side pixels; windows fit together.

        Enlarged, the pixels are squares, or `smooth` by bicubic interpolation; reduced, they are averaged.
        """
        left, top, width, height = window
        columns = _part(left, width, side, self._extent[0], self._extent[2], self._picture.width)
        rows = _part(top, height, side, self._extent[1], self._extent[3], self._picture.height)
        drawn = np.zeros((height, width, 4), np.uint8)
        if columns is None or rows is None:
            return drawn
        enlarges = columns.scale <= 1
        kind = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST if enlarges else Image.Resampling.BOX
        size = (columns.stop - columns.start, rows.stop - rows.start)
        box = (columns.low, rows.low, columns.high, rows.high)
        part = self._picture.resize(size, kind, box=box).convert("RGBA")
        drawn[rows.start : rows.stop, columns.start : columns.stop] = np.asarray(part)
        return drawn


class _Part(NamedTuple):
    """What of a window a picture covers along an axis, and what of the picture that is, in its own pixels."""

    start: int
    stop: int
    low: float
    high: float
    scale: float


def _part(first: int, count: int, side: int, begin: float, end: float, pixels: int) -> _Part | None:
    """The part of a window of `count` samples of `side` that a picture from `begin` to `end` covers; None if none."""
    near, far = (begin + 1) / 2 * side, (end + 1) / 2 * side
    scale = pixels / (far - near)
    start, stop = max(first, math.ceil(near - 0.5)), min(first + count, math.ceil(far - 0.5))
    if stop <= start:
        return None
    low, high = max(0.0, (start - near) * scale), min(float(pixels), (stop - near) * scale)
    return _Part(start - first, stop - first, low, high, scale)


def open_original(item: Item) -> Original:
    """Read the file that an item stands for.

    Raises:
        DataError: it is gone, cannot be read, or is another picture by now.
    """
    from ddmi_core.coordinates import in_the_middle
    from ddmi_core.data.full_pictures import read_pixels

    path = Path(item.recipe.source or "")
    if not path.is_file():
        raise DataError(f"{path.name} is no longer in {path.parent}, so there is nothing to compare with.")
    pixels = read_pixels(path)
    height, width, _ = pixels.shape
    known = item.recipe.fit.pixels if item.recipe.fit is not None else None
    if known not in (None, (width, height)):
        raise DataError(
            f"{path.name} is another picture than it was: it has {width} × {height} pixels now. Drop it again to fit "
            "what it is now."
        )
    return Original(pixels, in_the_middle(width, height))
