"""A picture with all of its pixels, for a fit."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps

from ddmi_core.data.image_folders import check_pixels, eight_bits, white_level
from ddmi_core.support.errors import DataError
from ddmi_core.support.picture_files import open_picture


def read_whole_picture(path: Path) -> Float[np.ndarray, "c h w"]:
    """Read a picture, upright, at its own size: premultiplied sRGB in [0, 1], alpha a fourth channel if it has any.

    Grey pictures of 16 bits and of floating point keep their depth. Of animated ones the first frame counts.

    Raises:
        DataError: the file cannot be used; the message names it and says why.
    """
    upright = _upright(path)
    if upright.mode == "F" or upright.mode.startswith("I"):
        grey = np.nan_to_num(np.asarray(upright, np.float32), posinf=0, neginf=0)
        return np.repeat(np.clip(grey / white_level(upright.mode, grey), 0, 1)[None], 3, axis=0)
    see_through = "A" in upright.getbands() or "transparency" in upright.info
    straight = np.asarray(upright.convert("RGBA" if see_through else "RGB"))
    values = np.ascontiguousarray(straight.transpose(2, 0, 1), np.float32) / 255
    if not see_through:
        return values
    if values[3].min() >= 1:
        return values[:3]
    values[:3] *= values[3:]
    return values


def read_pixels(path: Path) -> UInt8[np.ndarray, "h w 4"]:
    """Read a picture, upright, at its own size, with 8 bits a channel and straight alpha.

    Raises:
        DataError: the file cannot be used; the message names it and says why.
    """
    return np.asarray(eight_bits(_upright(path)).convert("RGBA"))


def _upright(path: Path) -> Image.Image:
    """Decode a picture, as its camera was held."""
    with open_picture(path) as picture:
        check_pixels(picture, path)
        try:
            picture.load()
            return ImageOps.exif_transpose(picture)
        except MemoryError:
            raise
        except Exception as error:  # Pillow's decoders fail in every way on a damaged file
            raise DataError(f"{path.name} cannot be decoded, it is damaged or cut short ({error}).") from error
