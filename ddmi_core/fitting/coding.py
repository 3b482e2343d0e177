"""Basis fields whose values are multiples of a step, as lossless WebP pictures: a fifth of what plain numbers take.

A field of three or four channels is a picture, and neighbouring cells are alike, which is what such a codec is made
for. The multiples are told apart into a low and a high byte; the high one is the same nearly everywhere, and left out
where it is zero.
"""

import io
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from ddmi_core.support.errors import DataError

_MODES = {3: "RGB", 4: "RGBA"}
_LONGEST = 16_383  # cells a side, of a WebP picture
_EFFORT, _METHOD = 20, 2  # of the encoder: a third of a second for two million cells
_MIDDLE, _BYTE = 128, 256


class Coded(NamedTuple):
    """A basis field as bytes. `lowest`: the multiple that is coded as zero."""

    lowest: int
    low: UInt8[np.ndarray, " n"]
    high: UInt8[np.ndarray, " m"] | None

    @property
    def nbytes(self) -> int:
        """How many bytes."""
        return self.low.nbytes + (self.high.nbytes if self.high is not None else 0)


def can_be_coded(channels: int, height: int, width: int) -> bool:
    """Return whether there are pictures of such a size."""
    return channels in _MODES and max(height, width) <= _LONGEST


def coded(field: Float32[np.ndarray, "c h w"], step: float) -> Coded:
    """Code a basis field whose values are multiples of a step, within about 32,000 of zero; see `can_be_coded`."""
    multiples = np.rint(field / step).astype(np.int32).transpose(1, 2, 0)
    below = max(0, -_MIDDLE - int(multiples.min()))
    lowest = -_MIDDLE - _BYTE * -(-below // _BYTE)  # so that what is around zero has one high byte
    found = (multiples - lowest).astype(np.uint16)
    high = (found >> 8).astype(np.uint8)
    return Coded(lowest, _webp((found & 0xFF).astype(np.uint8)), _webp(high) if high.any() else None)


def decoded(found: Coded, step: float, channels: int) -> Float32[np.ndarray, "c h w"]:
    """Return the basis field.

    Raises:
        DataError: the bytes are damaged.
    """
    values = _pixels(found.low, channels).astype(np.int32)
    if found.high is not None:
        high = _pixels(found.high, channels)
        if high.shape != values.shape:
            raise DataError("The two bytes of a basis field are not of one size.")
        values += high.astype(np.int32) * _BYTE
    return np.ascontiguousarray(((values + found.lowest) * step).transpose(2, 0, 1), dtype=np.float32)


def check(found: Coded, channels: int) -> None:
    """See whether the bytes begin like those of a basis field of so many channels.

    Raises:
        DataError: they do not.
    """
    for content in (found.low, found.high):
        if content is not None:
            _opened(content, channels).close()


def _webp(pixels: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, " n"]:
    file = io.BytesIO()
    picture = Image.fromarray(pixels, _MODES[pixels.shape[2]])
    picture.save(file, "WEBP", lossless=True, exact=True, quality=_EFFORT, method=_METHOD)
    return np.frombuffer(file.getvalue(), np.uint8)


def _pixels(content: UInt8[np.ndarray, " n"], channels: int) -> UInt8[np.ndarray, "h w c"]:
    try:
        with _opened(content, channels) as picture:
            # A fourth channel that is 255 everywhere looks like an opaque picture, of which it is left out
            return np.asarray(picture.convert(_MODES[channels]))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"The bytes of a basis field are damaged ({error}).") from error


def _opened(content: UInt8[np.ndarray, " n"], channels: int) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(content.tobytes()), formats=("WEBP",))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"The bytes of a basis field are damaged ({error}).") from error
    if len(picture.getbands()) > channels:
        raise DataError(f"The bytes of a basis field are damaged: it has more than {channels} channels.")
    return picture
