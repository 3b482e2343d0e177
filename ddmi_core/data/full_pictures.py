"""A picture with all of its pixels, for a fit."""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8, UInt16
from PIL import Image, ImageOps

from ddmi_core.data.deep_pictures import deep_pixels
from ddmi_core.data.image_folders import check_pixels, white_level
from ddmi_core.support.colour_profiles import Profile, in_srgb
from ddmi_core.support.errors import DataError
from ddmi_core.support.picture_files import open_picture

Straight = UInt8[np.ndarray, "h w c"] | Float32[np.ndarray, "h w c"]
"""sRGB, and straight alpha behind it if there is any: what has 8 bits a channel, or what has more, in [0, 1]."""


class WholePicture(NamedTuple):
    """Premultiplied sRGB in [0, 1], alpha a fourth channel if there is any, and the bits a channel of its file."""

    pixels: Float32[np.ndarray, "c h w"]
    bits: Literal[8, 16]


def read_whole_picture(path: Path) -> WholePicture:
    """Read a picture, upright, at its own size.

    Pictures of 16 bits and of floating point keep their depth. Colours of another profile are brought to sRGB. Of
    animated pictures the first frame counts.

    Raises:
        DataError: the file cannot be used; the message names it and says why.
    """
    straight = _straight(path)
    is_deep = straight.dtype != np.uint8
    values = np.ascontiguousarray(straight.transpose(2, 0, 1), np.float32)
    if not is_deep:
        values /= 255
    if len(values) == 4:
        if values[3].min() >= 1:
            values = values[:3]
        else:
            values[:3] *= values[3:]
    return WholePicture(values, 16 if is_deep else 8)


def read_pixels(path: Path) -> UInt8[np.ndarray, "h w 4"]:
    """Read a picture, upright, at its own size, as sRGB with 8 bits a channel and straight alpha.

    Raises:
        DataError: the file cannot be used; the message names it and says why.
    """
    straight = _straight(path)
    if straight.dtype != np.uint8:
        straight = (255 * straight + np.float32(0.5)).astype(np.uint8)
    if straight.shape[-1] == 4:
        return straight
    return np.concatenate([straight, np.full((*straight.shape[:2], 1), 255, np.uint8)], axis=-1)


def _straight(path: Path) -> Straight:
    """Decode a picture, as its camera was held."""
    with open_picture(path) as picture:
        check_pixels(picture, path)
        try:
            profile = picture.info.get("icc_profile")
            known = Profile.of(profile) if profile else None
            # Profiles of tables are applied to 8 bits alone
            deep = deep_pixels(path, picture) if known is not None or not profile else None
            if deep is not None:
                return _in_srgb(deep, known)
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            if upright.mode == "F" or upright.mode.startswith("I"):
                return np.repeat(_grey(upright, known), 3, axis=2)
            see_through = "A" in upright.getbands() or "transparency" in upright.info
            return np.asarray(in_srgb(upright, profile).convert("RGBA" if see_through else "RGB"))
        except MemoryError:
            raise
        except Exception as error:  # decoders fail in every way on a damaged file
            raise DataError(f"{path.name} cannot be decoded, it is damaged or cut short ({error}).") from error


def _grey(picture: Image.Image, profile: Profile | None) -> Float32[np.ndarray, "h w 1"]:
    """Return the values of a deep grey picture."""
    values = np.nan_to_num(np.asarray(picture, np.float32), posinf=0, neginf=0)
    values = np.clip(values / white_level(picture.mode, values), 0, 1)[..., None]
    if profile is None or profile.matrix is not None or profile.is_srgb:
        return values
    return profile.to_srgb(np.rint(65535 * values).astype(np.uint16))


def _in_srgb(pixels: UInt16[np.ndarray, "h w c"], profile: Profile | None) -> Float32[np.ndarray, "h w c"]:
    """Return what colours of 16 bits are in sRGB; without a profile they are."""
    if profile is None or profile.matrix is None or profile.is_srgb:
        return pixels / np.float32(65535)
    return profile.to_srgb(pixels)
