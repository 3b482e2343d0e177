"""Colours of pictures that say in an ICC profile what theirs are, such as Display P3 and Adobe RGB, brought to sRGB.

Everything else here takes colours for sRGB. What lies beyond it becomes the nearest that its range has in each channel
(ICC's relative colorimetric intent).
"""

import io
import logging
import struct
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, UInt16
from PIL import Image, ImageCms

_log = logging.getLogger(__name__)

_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""From linear sRGB to the XYZ of profiles, whose white is D50 (IEC 61966-2-1, Bradford-adapted)."""
_LEVELS = 2**16
_SAME_PRIMARIES, _SAME_CURVE = 0.003, 1.5 / 255  # how far apart profiles of one space lie
_ROWS_AT_ONCE = 2**20  # pixels that are converted at once
_PARAMETERS = (1, 3, 4, 5, 7)  # of parametric curves, by their kind
_EMBEDDED_MODES = ("L", "RGB", "RGBA", "CMYK", "LAB")


class Profile(NamedTuple):
    """A profile of curves, and a matrix where there are three channels and not grey alone.

    `curves` are linear values in [0, 1] by value of 16 bits; `matrix` leads from these to XYZ, white being D50.
    """

    curves: Float32[np.ndarray, "channels 65536"]
    matrix: Float[np.ndarray, "3 3"] | None

    @classmethod
    def of(cls, content: bytes) -> "Profile | None":
        """Read an ICC profile (ICC.1:2022); None if it is one of tables, or damaged."""
        try:
            count = struct.unpack_from(">I", content, 128)[0]
            places = (struct.unpack_from(">4sII", content, 132 + 12 * number) for number in range(min(count, 200)))
            tags = {name: content[start : start + size] for name, start, size in places}
            if b"A2B0" in tags:
                return None
            if content[16:20] == b"GRAY":
                return cls(_curve(tags[b"kTRC"])[None], None)
            if content[16:24] != b"RGB XYZ ":
                return None
            columns = [_fixed(tags[name][8:20]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
            curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
        except (KeyError, ValueError, struct.error):
            return None
        return cls(np.stack(curves), np.stack(columns, axis=1))

    @property
    def is_srgb(self) -> bool:
        """Whether it says what is taken for granted."""
        ramp = np.linspace(0, 1, _LEVELS)
        if self.matrix is not None and np.abs(self.matrix - _TO_XYZ).max() > _SAME_PRIMARIES:
            return False
        return bool(max(np.abs(_encoded(curve) - ramp).max() for curve in self.curves) < _SAME_CURVE)

    def to_srgb(self, values: UInt16[np.ndarray, "h w c"]) -> Float32[np.ndarray, "h w c"]:
        """Return values in [0, 1] of sRGB: the profile's channels, and alpha behind them as it is."""
        found = np.empty(values.shape, np.float32)
        colours = len(self.curves)
        back = None if self.matrix is None else (np.linalg.inv(_TO_XYZ) @ self.matrix).T.astype(np.float32)
        step = max(1, _ROWS_AT_ONCE // values.shape[1])
        for start in range(0, len(values), step):
            rows = slice(start, start + step)
            linear = np.stack([curve[values[rows, :, c]] for c, curve in enumerate(self.curves)], axis=-1)
            found[rows, :, :colours] = _encoded(linear if back is None else linear @ back)
        found[..., colours:] = values[..., colours:] / np.float32(_LEVELS - 1)
        return found


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Bring a picture of 8 bits to sRGB, given the profile of its file, if it has one.

    One that has none, that is sRGB already, or whose profile is for another kind of picture or damaged stays as it is.
    """
    if not profile or ((known := Profile.of(profile)) is not None and known.is_srgb):
        return picture
    see_through = "A" in picture.getbands() or "transparency" in picture.info
    if see_through and picture.mode in ("L", "LA"):
        grey, alpha = picture.convert("LA").split()
        converted = in_srgb(grey, profile).convert("RGB")
        converted.putalpha(alpha)
        return converted
    if picture.mode not in _EMBEDDED_MODES or (see_through and picture.mode == "RGB"):
        picture = picture.convert("RGBA" if see_through else "RGB")
    try:
        found = ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGBA" if picture.mode == "RGBA" else "RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        _log.warning("a colour profile is not used: %s", error)
        return picture
    assert found is not None
    return found


def _encoded(linear: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Return sRGB of linear values, which are brought into [0, 1]."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _fixed(content: bytes) -> Float[np.ndarray, " n"]:
    """Return numbers of 16 bits before and 16 behind the point."""
    return np.frombuffer(content, ">i4") / 65536


def _curve(tag: bytes) -> Float32[np.ndarray, " 65536"]:
    """Return what a curve makes of each value of 16 bits."""
    x = np.linspace(0, 1, _LEVELS)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = np.frombuffer(tag, ">u2", count, 12)
        if count == 0:
            return x.astype(np.float32)
        if count == 1:
            return (x ** (values[0] / 256)).astype(np.float32)
        return np.interp(x, np.linspace(0, 1, count), values / (_LEVELS - 1)).astype(np.float32)
    if tag[:4] != b"para":
        raise ValueError("a curve of another kind")
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind >= len(_PARAMETERS):
        raise ValueError("a curve of a later version")
    found = np.zeros(7)
    found[: _PARAMETERS[kind]] = _fixed(tag[12 : 12 + 4 * _PARAMETERS[kind]])
    g, a, b, c, d, e, f = found
    if kind == 0:
        a = np.float64(1)
    elif kind in (1, 2):  # of which the third is what is added
        c, d, e, f = np.float64(0), -b / max(a, 1e-6), c, c
    curved = np.maximum(a * x + b, 0) ** max(g, 0) + e
    return np.clip(np.where(x >= d, curved, c * x + f), 0, 1).astype(np.float32)
