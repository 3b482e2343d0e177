"""The file that an item stands for, beside which the item is looked at."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ddmi_core.frame_size import Extent
from ddmi_core.placement import Placement
from ddmi_core.support.errors import DataError
from studio.engine.pictures import Window
from studio.state.library import Item

if TYPE_CHECKING:
    import trimesh

    from ddmi_core.data.clip_files import Shown
    from ddmi_core.data.scene_views import SceneViews

_READ_ON = 1.0  # seconds: what is further away is sought
_LEAST_LEFT = 0.02  # share of a clip that is read at least: its end itself has no frame


class Original:
    """A picture file's own pixels on the canvas of the item that was made of it.

    Args:
        pixels: straight alpha.
        extent: the part of the canvas that they cover.
    """

    def __init__(self, pixels: UInt8[np.ndarray, "h w 4"], extent: Extent) -> None:
        # Premultiplied, as colours of transparent pixels must not bleed into the others
        self._picture = Image.fromarray(pixels).convert("RGBa")
        self._extent = extent

    @classmethod
    def of_premultiplied(cls, pixels: UInt8[np.ndarray, "h w 4"], extent: Extent) -> Original:
        """Take pixels whose colours are multiplied by alpha."""
        made = cls.__new__(cls)
        height, width, _ = pixels.shape
        made._picture = Image.frombytes("RGBa", (width, height), np.ascontiguousarray(pixels).tobytes())
        made._extent = extent
        return made

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


class OriginalClip:
    """A clip file's own frames on the canvas of the item that was made of it.

    The file is read on where the next frame is wanted, and sought in where another one is; few frames are kept.

    Args:
        path: the file.
        span: the part of it that the item stands for, in seconds; None: all.
        seconds: how long the item lasts.
    """

    def __init__(self, path: Path, span: tuple[float, float] | None, seconds: float) -> None:
        from ddmi_core.coordinates import in_the_middle
        from ddmi_core.data.clip_files import clip_facts

        self._path, self._seconds = path, seconds
        facts = clip_facts(path)
        self.pixels = facts.width, facts.height
        self._extent = in_the_middle(*self.pixels)
        self._begin, self._end = span or (0.0, facts.seconds)
        self.nbytes = 3 * 4 * facts.width * facts.height
        """Memory that it takes."""
        self._lock = threading.Lock()
        self._frames, self._shown = self._opened(self._begin)
        self._next = self._read()
        self._begin = self._shown.second  # where the item's time begins

    def at(self, moment: float) -> Original:
        """Return the frame that the file shows at a moment in [-1, 1].

        Raises:
            DataError: the file cannot be read any more.
        """
        wanted = self._begin + (moment + 1) / 2 * self._seconds
        with self._lock:
            if not self._shown.second <= wanted < self._shown.second + _READ_ON:
                self._frames, self._shown = self._opened(wanted)
                self._next = self._read()
            while self._next is not None and self._next.second <= wanted + 1e-6:
                self._shown = self._next
                self._next = self._read()
            return Original.of_premultiplied(self._shown.pixels, self._extent)

    def _opened(self, second: float) -> tuple[Iterator[Shown], Shown]:
        """Return the file from about a second on, and its first frame there."""
        from ddmi_core.data.clip_files import open_full_clip

        start = min(second, self._end - _LEAST_LEFT * (self._end - self._begin))
        frames = open_full_clip(self._path, (max(start, 0.0), self._end)).frames
        return frames, next(frames)

    def _read(self) -> Shown | None:
        """The next frame; None at the end, where what is left may be too little for a clip."""
        try:
            return next(self._frames, None)
        except DataError:
            return None


def open_original_clip(item: Item) -> OriginalClip:
    """Open the clip that an item stands for.

    Raises:
        DataError: it is gone, or cannot be read.
    """
    path = _path(item)
    clip = OriginalClip(path, item.recipe.span, item.recipe.seconds or 1.0)
    _check_size(item, path, *clip.pixels)
    return clip


def open_original(item: Item) -> Original:
    """Read the file that an item stands for.

    Raises:
        DataError: it is gone, cannot be read, or is another picture by now.
    """
    from ddmi_core.coordinates import in_the_middle
    from ddmi_core.data.full_pictures import read_pixels

    path = _path(item)
    pixels = read_pixels(path)
    height, width, _ = pixels.shape
    _check_size(item, path, width, height)
    return Original(pixels, in_the_middle(width, height))


def _check_size(item: Item, path: Path, width: int, height: int) -> None:
    """See whether the file of an item has as many pixels as it had."""
    known = item.recipe.fit.pixels if item.recipe.fit is not None else None
    if known not in (None, (width, height)):
        raise DataError(
            f"{path.name} is another one than it was: it has {width} × {height} pixels now. Drop it again to fit what "
            "it is now."
        )


class OriginalMesh(NamedTuple):
    """A mesh file's own surface where the item lies that was made of it."""

    mesh: trimesh.Trimesh
    placement: Placement

    @property
    def nbytes(self) -> int:
        """Memory that it takes, with what is computed of it."""
        return 4 * (self.mesh.vertices.nbytes + self.mesh.faces.nbytes)


def open_original_mesh(item: Item) -> OriginalMesh:
    """Read the mesh that an item stands for.

    Raises:
        DataError: it is gone, cannot be read, is a point cloud, or is another mesh by now.
    """
    from ddmi_core.data.shape_folders import read_mesh

    path, known = _path(item), item.recipe.placement
    mesh, placement = read_mesh(path, known.up if known is not None else "y")
    if known is not None and not placement.is_near(known):
        raise DataError(
            f"{path.name} is another mesh than it was: its size or its place are different. Drop it again to fit what "
            "it is now."
        )
    return OriginalMesh(mesh, placement)


def open_original_scene(item: Item) -> SceneViews:
    """Read the posed pictures that an item stands for.

    Raises:
        DataError: they are gone, cannot be read, or are another scene by now.
    """
    from ddmi_core.data.scene_views import read_scene

    path, known = _path(item), item.recipe.placement
    scene = read_scene(path)
    if known is not None and not scene.placement.is_near(known):
        raise DataError(
            f"{path.name} is another scene than it was: its size or its place are different. Drop it again to fit what "
            "it is now."
        )
    return scene


def last_written(item: Item) -> int:
    """When the file of an item was written, in nanoseconds.

    Raises:
        DataError: it is gone.
    """
    return _path(item).stat().st_mtime_ns


def _path(item: Item) -> Path:
    """Where the file of an item is.

    Raises:
        DataError: it is gone.
    """
    path = Path(item.recipe.source or "")
    if not path.is_file():
        raise DataError(f"{path.name} is no longer in {path.parent}, so there is nothing to compare with.")
    return path
