"""Profiles of colours: pictures that have one come to sRGB."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from ddmi_core.support.colour_profiles import Profile, in_srgb

# Colorants of profiles, XYZ relative to D50: Apple's Display P3 and Adobe RGB (1998)
P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB_CURVE = b"para" + struct.pack(
    ">4xHxx5i", 3, *(round(65536 * v) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
ADOBE_CURVE = b"curv" + struct.pack(">4xIH", 1, 0x0233)


def profile(colorants: tuple[tuple[float, ...], ...], curve: bytes, *, more: tuple[bytes, ...] = ()) -> bytes:
    """An ICC profile of a matrix and one curve for all channels."""
    xyz = [b"XYZ " + struct.pack(">4x3i", *(round(65536 * value) for value in one)) for one in colorants]
    white = b"XYZ " + struct.pack(">4x3i", 63190, 65536, 54061)
    words = b"a test"
    text = b"desc" + struct.pack(">4xI", len(words) + 1) + words + bytes(79)
    names = (b"desc", b"cprt", b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", *more)
    tags = [
        text,
        b"text" + bytes(4) + words + b"\0",
        white,
        *xyz,
        curve,
        curve,
        curve,
        *(b"mft2" + bytes(60) for _ in more),
    ]
    at, table, content = 128 + 4 + 12 * len(names), b"", b""
    for name, tag in zip(names, tags, strict=True):
        padded = tag + bytes(-len(tag) % 4)
        table += struct.pack(">4sII", name, at + len(content), len(tag))
        content += padded
    size = at + len(content)
    header = struct.pack(
        ">I4sI4s4s4s12x4s28x3i48x", size, bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp", 63190, 65536, 54061
    )
    return header + struct.pack(">I", len(names)) + table + content


def by_littlecms(pixels: np.ndarray, icc: bytes) -> np.ndarray:
    picture = ImageCms.profileToProfile(
        Image.fromarray(pixels),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert picture is not None
    return np.asarray(picture)


@pytest.mark.parametrize(("colorants", "curve"), [(P3, SRGB_CURVE), (ADOBE, ADOBE_CURVE)])
def test_colours_of_16_bits_become_what_littlecms_makes_of_8(colorants, curve: bytes) -> None:
    icc = profile(colorants, curve)
    known = Profile.of(icc)
    assert known is not None and not known.is_srgb
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    found = known.to_srgb(pixels.astype(np.uint16) * 257)
    assert found.min() >= 0 and found.max() <= 1
    assert np.abs(255 * found - by_littlecms(pixels, icc)).max() < 1.6
    assert np.array_equal(np.asarray(in_srgb(Image.fromarray(pixels), icc)), by_littlecms(pixels, icc))


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (0, (2.2,)),
        (1, (2.0, 0.9, 0.1)),
        (2, (2.0, 0.9, 0.05, 0.02)),
        (3, (2.4, 0.948, 0.052, 0.0774, 0.0405)),
        (4, (2.4, 0.9, 0.05, 0.0774, 0.0405, 0.01, 0.002)),
    ],
)
def test_every_kind_of_curve_is_littlecms(kind: int, numbers: tuple[float, ...]) -> None:
    curve = b"para" + struct.pack(f">4xHxx{len(numbers)}i", kind, *(round(65536 * number) for number in numbers))
    icc = profile(ADOBE, curve)
    known = Profile.of(icc)
    assert known is not None
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    assert np.abs(255 * known.to_srgb(pixels.astype(np.uint16) * 257) - by_littlecms(pixels, icc)).max() < 1.6


def test_alpha_stays() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8)
    icc = profile(P3, SRGB_CURVE)
    seen = np.asarray(in_srgb(Image.fromarray(pixels), icc))
    assert np.array_equal(seen[..., 3], pixels[..., 3]) and not np.array_equal(seen, pixels)
    known = Profile.of(icc)
    assert known is not None
    deep = known.to_srgb(pixels.astype(np.uint16) * 257)
    assert np.array_equal(np.rint(255 * deep[..., 3]), pixels[..., 3])


def test_srgb_stays_as_it_is() -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    known = Profile.of(icc)
    assert known is not None and known.is_srgb
    picture = Image.effect_noise((20, 20), 90).convert("RGB")
    assert in_srgb(picture, icc) is picture and in_srgb(picture, None) is picture


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1"])
def test_pictures_of_every_kind_are_taken(mode: str) -> None:
    picture = Image.effect_noise((20, 20), 90).convert("RGB").convert(mode)
    seen = in_srgb(picture, profile(P3, SRGB_CURVE))  # which is for none but colours
    assert seen.size == (20, 20) and ("A" in seen.getbands()) == ("A" in mode)


def _cut(icc: bytes) -> bytes:
    return icc[:200]


def _of_tables(_: bytes) -> bytes:
    return profile(P3, SRGB_CURVE, more=(b"A2B0",))


def _of_zeros(icc: bytes) -> bytes:
    return bytes(len(icc))


@pytest.mark.parametrize("damage", [_cut, _of_tables, _of_zeros])
def test_what_cannot_be_read_is_left_alone(damage: Callable[[bytes], bytes]) -> None:
    icc = damage(profile(P3, SRGB_CURVE))
    assert Profile.of(icc) is None
    picture = Image.effect_noise((20, 20), 90).convert("RGB")
    assert in_srgb(picture, icc).size == picture.size
