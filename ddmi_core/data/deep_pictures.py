"""Colours of 16 bits in PNG and TIFF files, of which Pillow gives 8."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import tifffile
from av.error import FFmpegError
from jaxtyping import UInt16
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

_GREY_ALPHA, _COLOURS, _COLOURS_ALPHA = 4, 2, 6  # PNG's kinds of pixels
_PREMULTIPLIED = 1  # of TIFF's extra samples
_TURNED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
"""How a picture is brought upright, by the orientation that EXIF has of it."""


def deep_pixels(path: Path, picture: Image.Image) -> UInt16[np.ndarray, "h w c"] | None:
    """Return the pixels of a file, upright, straight alpha a fourth channel if it has any; None if it has 8 bits.

    Grey pictures without alpha are Pillow's: it keeps their depth. So are TIFF files compressed in ways that are not
    read here.

    Args:
        path: the file.
        picture: the same, opened by Pillow.
    """
    pixels = None
    if isinstance(picture, PngImageFile):
        pixels = _png(path)
    elif isinstance(picture, TiffImageFile):
        pixels = _tiff(path)
    if pixels is None:
        return None
    turned = _TURNED.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return np.ascontiguousarray(pixels if turned is None else turned(pixels))


def _png(path: Path) -> UInt16[np.ndarray, "h w c"] | None:
    with path.open("rb") as file:
        *_, bits, kind = file.read(26)
    if bits != 16 or kind not in (_GREY_ALPHA, _COLOURS, _COLOURS_ALPHA):
        return None
    return _decoded(path, "png_pipe")


def _tiff(path: Path) -> UInt16[np.ndarray, "h w c"] | None:
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        is_colour = page.photometric == tifffile.PHOTOMETRIC.RGB and page.samplesperpixel in (3, 4)
        if page.dtype != np.uint16 or not is_colour:
            return None
        premultiplied = _PREMULTIPLIED in page.extrasamples
        try:
            pixels = page.asarray()
        except ValueError:  # a compression that it does not know without more packages
            return _decoded(path, "tiff_pipe") if not page.is_tiled and not premultiplied else None
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
            pixels = np.moveaxis(pixels, 0, -1)
    if premultiplied:
        alpha = np.maximum(pixels[..., 3:], 1).astype(np.float32)
        straight = np.rint(np.minimum(pixels[..., :3] / alpha, 1) * 65535).astype(np.uint16)
        pixels = np.concatenate([straight, pixels[..., 3:]], axis=-1)
    return pixels


def _decoded(path: Path, kind: str) -> UInt16[np.ndarray, "h w c"] | None:
    """Decode a file with FFmpeg."""
    try:
        with av.open(str(path), format=kind) as container:
            frame = next(container.decode(video=0))
        return frame.to_ndarray(format="rgba64le" if "a" in frame.format.name.replace("gray", "") else "rgb48le")
    except (FFmpegError, StopIteration, ValueError):
        return None
