"""Pictures as training sees them: area-averaged views of any part at any size, and the examples drawn from them."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from typing_extensions import override

from ddmi_core.data.items import Augment, ItemSource, Order

VIEWS = 4
"""Parts of a picture, each with its own pixel footprint, that an example's queries are taken from."""

_VIEW_SIDE = 64
_SMALLEST_LEVEL = 64
_SMALLEST_WINDOW = {"none": 1.0, "paper": 1.0, "captioned": 0.85, "full": 0.5}
"""Side of the smallest part that is taken for a whole picture; whatever has a caption must stay in sight."""


class Part(NamedTuple):
    """A square part of a picture's canvas, in shares of its side: left, top, side. x right, y down."""

    left: float
    top: float
    side: float


WHOLE_PICTURE = Part(0.0, 0.0, 1.0)


@runtime_checkable
class Picture(Protocol):
    """A square canvas of premultiplied RGBA that can be looked at as closely as it has detail."""

    pixel: float
    """Side of the smallest detail, as a share of the canvas."""

    def view(self, part: Part, size: int) -> Float[np.ndarray, "s s 4"]:
        """Return a part with size x size pixels in [0, 1], each the average over its own area."""


@runtime_checkable
class WordedPictures(Protocol):
    """A data set of pictures that can word any number of captions."""

    def draw_captions(self, index: int, rng: np.random.Generator, count: int) -> list[str]:
        """Word new captions of a picture, all true."""


@runtime_checkable
class PictureSet(Protocol):
    """A data set of pictures."""

    def __len__(self) -> int:
        """Return the number of pictures."""

    def captions(self, index: int) -> Sequence[str]:
        """Return the captions of a picture, all true; may be empty."""

    def open(self, index: int) -> Picture:
        """Return a picture."""


class Raster:
    """A picture given by pixels, with ever smaller copies of it (a mip pyramid) for views from afar.

    Args:
        pixels: premultiplied RGBA.
    """

    def __init__(self, pixels: UInt8[np.ndarray, "s s 4"]) -> None:
        self.pixel = 1 / len(pixels)
        self._levels = [pixels]
        while len(self._levels[-1]) % 2 == 0 and len(self._levels[-1]) > _SMALLEST_LEVEL:
            self._levels.append(_halved(self._levels[-1]))

    @property
    def pixels(self) -> UInt8[np.ndarray, "s s 4"]:
        """All pixels, premultiplied."""
        return self._levels[0]

    def view(self, part: Part, size: int) -> Float[np.ndarray, "s s 4"]:
        """Return a part with size x size pixels, exact area averages; nearer than the pixels it is bilinear."""
        step = part.side / size
        # A level whose pixels are at most half as large as the view's keeps the averages exact.
        level = next((level for level in reversed(self._levels) if len(level) * step >= 2), self._levels[0])
        columns, across = areas(part.left, step, size, len(level))
        rows, down = areas(part.top, step, size, len(level))
        found = torch.from_numpy(level[rows, columns].astype(np.float32) / 255)
        # A step touches few pixels. torch's products, because NumPy's threads would fight with those of the training.
        narrowed = torch.sparse.mm(down.to_sparse(), found.flatten(1)).view(size, -1, 4)
        turned = torch.sparse.mm(across.to_sparse(), narrowed.transpose(0, 1).flatten(1)).view(size, size, 4)
        return turned.transpose(0, 1).contiguous().numpy()


def _halved(pixels: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h2 w2 4"]:
    # Pillow is fast at it; in this mode it takes the channels as they are, not as colours to be multiplied by alpha
    whole = Image.frombuffer("CMYK", pixels.shape[1::-1], np.ascontiguousarray(pixels), "raw", "CMYK", 0, 1)
    return np.asarray(whole.reduce(2))


def areas(start: float, step: float, count: int, pixels: int) -> tuple[slice, Float[Tensor, "n p"]]:
    """Return which pixels of an axis `count` steps touch, and the share of each pixel in every step's average.

    A step smaller than a pixel averages over a pixel's width about its centre, which is bilinear interpolation.
    """
    half = max(step * pixels, 1.0) / 2
    centre = (start + (np.arange(count) + 0.5) * step) * pixels
    low = np.clip(centre - half, 0, pixels - 2 * half)
    high = low + 2 * half
    first, last = math.floor(low[0] + 1e-9), min(pixels, math.ceil(high[-1] - 1e-9))
    edges = np.arange(first, last)
    overlap = np.minimum(high[:, None], edges + 1) - np.maximum(low[:, None], edges)
    return slice(first, last), torch.from_numpy((np.maximum(overlap, 0) / (2 * half)).astype(np.float32))


def premultiplied(picture: Image.Image) -> UInt8[np.ndarray, "h w 4"]:
    """Return the pixels of a Pillow picture, colours multiplied by alpha."""
    if picture.mode == "RGB":
        return np.asarray(picture.convert("RGBA"))
    return np.asarray(picture.convert("RGBA").convert("RGBa"))


def small(picture: Picture, size: int) -> UInt8[np.ndarray, "s s 4"]:
    """Return the whole of a picture as a thumbnail, premultiplied."""
    return (picture.view(WHOLE_PICTURE, size) * 255).round().astype(np.uint8)


class PictureSource(ItemSource):
    """A set of pictures as training items.

    An example is a picture (or, augmented, a part of one that counts as a whole) as the encoder sees it, and the
    colours of pixels of random sizes at random places in it. Pixels may be far smaller than the encoder's, so detail
    beyond the base resolution is learned where a picture has it, or far larger, so that small drawings do not alias.

    Args:
        pictures: the set.
        encoded_side: side of the encoder's input.
        queries: pixels an example.
        footprints: log2 of the smallest and the largest pixel's side, as a share of the canvas.
        scales: sizes of the pixels, as shares of the encoder's: all of an example's are then of one of them, in one
            crop as many pixels wide as the encoder's input.
    """

    def __init__(
        self,
        pictures: PictureSet,
        *,
        encoded_side: int,
        queries: int,
        footprints: tuple[float, float],
        scales: Sequence[float] | None = None,
    ) -> None:
        self.pictures = pictures
        self.order: Order | None = getattr(pictures, "order", None)
        self.encoded_side = encoded_side
        self._queries = queries
        self._footprints = footprints
        self._scales = scales

    def __len__(self) -> int:
        return len(self.pictures)

    @override
    def captions(self, index: int) -> Sequence[str]:
        return self.pictures.captions(index)

    @override
    def draw_captions(self, index: int, rng: np.random.Generator, count: int) -> list[str]:
        if isinstance(self.pictures, WordedPictures):
            return self.pictures.draw_captions(index, rng, count)
        return super().draw_captions(index, rng, count)

    @override
    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return small(self.pictures.open(index), size)

    @override
    def sample(self, index: int, rng: np.random.Generator, *, augment: Augment) -> dict[str, np.ndarray]:
        """Draw `image` (4, side, side), `coords` (n, 2), `footprint` (n, 1), `targets` (n, 4)."""
        picture = self.pictures.open(index)
        window = choose_window(rng, augment)
        # Turning a picture round would make "left" and any writing untrue.
        mirrored = augment in ("full", "paper") and rng.random() < 0.5
        image = picture.view(window, self.encoded_side)
        looks = (
            (self._look(picture, window, share, rng) for share in _shares(self._queries))
            if self._scales is None
            else [self._crop(picture, window, float(rng.choice(self._scales)), rng)]
        )
        coords, footprints, targets = (np.concatenate(column) for column in zip(*looks, strict=True))
        if mirrored:
            image, coords = image[:, ::-1], coords * np.array([-1, 1], np.float32)
        return {
            "image": np.ascontiguousarray(np.moveaxis(image, -1, 0)),
            "coords": coords,
            "footprint": footprints,
            "targets": targets,
        }

    def _look(
        self, picture: Picture, window: Part, count: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return coordinates in the window, footprints and colours of pixels of one size in a random part of it."""
        finest, coarsest = self._footprints
        # Half a pixel shows that there is nothing beyond; smaller steps would only show it again.
        finest = max(finest, math.log2(picture.pixel / window.side) - 1)
        step = 2.0 ** rng.uniform(finest, coarsest)
        size = min(_VIEW_SIDE, int(1 / step))
        left, top = rng.uniform(0, 1 - size * step, 2)
        rows, columns = rng.integers(size, size=(2, count))
        return _pixels(picture, window, (left, top, step, size), rows, columns)

    def _crop(
        self, picture: Picture, window: Part, scale: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the same of different pixels of a crop of the window at 1 / scale of the encoder's resolution."""
        size = self.encoded_side
        whole = round(size / scale)
        left, top = rng.integers(whole - size + 1, size=2) / whole
        rows, columns = np.divmod(rng.permutation(size * size)[: self._queries], size)
        return _pixels(picture, window, (left, top, 1 / whole, size), rows, columns)


def _pixels(
    picture: Picture, window: Part, grid: tuple[float, float, float, int], rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates in a window, footprints and colours of some pixels of a grid.

    The grid begins `left`, `top` in the window, has a `step` between pixels, shares of its side, and `size` x `size`.
    """
    left, top, step, size = grid
    part = Part(window.left + left * window.side, window.top + top * window.side, size * step * window.side)
    pixels = picture.view(part, size)
    coords = np.stack([left + (columns + 0.5) * step, top + (rows + 0.5) * step], axis=-1) * 2 - 1
    footprint = np.full((len(rows), 1), math.log2(step), dtype=np.float32)
    return coords.astype(np.float32), footprint, pixels[rows, columns]


def _shares(queries: int) -> list[int]:
    """Divide the queries between the views."""
    return [queries // VIEWS + (i < queries % VIEWS) for i in range(VIEWS)]


def choose_window(rng: np.random.Generator, augment: Augment) -> Part:
    """Return the part of a picture that an example takes for the whole: half of the time nearly everything."""
    smallest = _SMALLEST_WINDOW[augment]
    side = 1 - (1 - smallest) * rng.random() ** 2
    left, top = rng.uniform(0, 1 - side, 2)
    return Part(left, top, side)
