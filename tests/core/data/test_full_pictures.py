"""Pictures with all of their pixels: 16 bits a channel, profiles of colours, and both at once."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from ddmi_core.data.full_pictures import read_pixels, read_whole_picture
from ddmi_core.support.colour_profiles import Profile
from ddmi_core.support.errors import DataError
from tests.core.support.test_colour_profiles import P3, SRGB_CURVE, profile


def png(path: Path, pixels: np.ndarray, *chunks: tuple[bytes, bytes]) -> Path:
    """Write a PNG of 16 bits."""
    height, width, channels = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    content = (
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(part, zlib.crc32(name)))
        for name, part in parts
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(content))
    return path


def icc_chunk(icc: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"a\0\0" + zlib.compress(icc)


def noise(channels: int, height: int = 23, width: int = 31) -> np.ndarray:
    return np.random.default_rng(channels).integers(0, 65536, (height, width, channels)).astype(np.uint16)


def tiff(path: Path, pixels: np.ndarray, **options: object) -> Path:
    tifffile.imwrite(path, pixels, photometric="rgb" if pixels.shape[-1] > 2 else "minisblack", **options)
    return path


def _plain(path: Path, pixels: np.ndarray) -> Path:
    return tiff(path.with_suffix(".tif"), pixels, compression="zlib", predictor=True)


def _tiled(path: Path, pixels: np.ndarray) -> Path:
    return tiff(path.with_suffix(".tif"), pixels, tile=(16, 16), compression="zlib", byteorder=">")


def _in_planes(path: Path, pixels: np.ndarray) -> Path:
    return tiff(path.with_suffix(".tif"), np.moveaxis(pixels, -1, 0).copy(), planarconfig="separate")


@pytest.mark.parametrize("write", [png, _plain, _tiled, _in_planes])
def test_16_bits_stay(tmp_path: Path, write: Callable[[Path, np.ndarray], Path]) -> None:
    pixels = noise(3)
    found = read_whole_picture(write(tmp_path / "deep.png", pixels))
    assert found.bits == 16
    assert np.array_equal(np.rint(65535 * found.pixels), np.moveaxis(pixels, -1, 0))
    shown = read_pixels(next(tmp_path.iterdir()))
    assert np.abs(shown[..., :3] - pixels / 257).max() < 0.51 and (shown[..., 3] == 255).all()


def test_16_bits_with_alpha_stay(tmp_path: Path) -> None:
    pixels = noise(4)
    straight = pixels / 65535
    for file in (png(tmp_path / "a.png", pixels), tiff(tmp_path / "a.tif", pixels, extrasamples=["unassalpha"])):
        found = read_whole_picture(file).pixels
        assert np.allclose(found[3], straight[..., 3], atol=1e-6)
        assert np.allclose(found[:3], np.moveaxis(straight[..., :3] * straight[..., 3:], -1, 0), atol=1e-6)
    premultiplied = pixels.copy()
    premultiplied[..., :3] = np.rint(65535 * straight[..., :3] * straight[..., 3:])
    again = read_whole_picture(tiff(tmp_path / "b.tif", premultiplied, extrasamples=["assocalpha"])).pixels
    assert np.allclose(again, found, atol=2e-4)


def test_grey_with_alpha_becomes_colours(tmp_path: Path) -> None:
    pixels = noise(2)
    found = read_whole_picture(png(tmp_path / "grey.png", pixels))
    alpha = pixels[..., 1] / 65535
    assert found.bits == 16 and np.allclose(found.pixels[1], pixels[..., 0] / 65535 * alpha, atol=1e-6)


def test_a_camera_held_on_its_side_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    turned = png(tmp_path / "turned.png", noise(3), (b"eXIf", exif.tobytes()[6:]))
    with Image.open(turned) as opened:
        assert opened.getexif()[274] == 6
    found = read_whole_picture(turned).pixels
    assert found.shape == (3, 31, 23)
    assert np.array_equal(np.rint(65535 * found[0]), np.rot90(noise(3)[..., 0], -1))
    again = read_whole_picture(tiff(tmp_path / "turned.tif", noise(3), extratags=[(274, 3, 1, 6, True)])).pixels
    assert np.array_equal(again, found)


def test_8_bits_are_said(tmp_path: Path) -> None:
    Image.fromarray((noise(3) >> 8).astype(np.uint8)).save(tmp_path / "plain.png")
    tiff(tmp_path / "plain.tif", (noise(3) >> 8).astype(np.uint8))
    assert read_whole_picture(tmp_path / "plain.png").bits == read_whole_picture(tmp_path / "plain.tif").bits == 8


def test_wide_colours_come_to_srgb_with_their_depth(tmp_path: Path) -> None:
    icc = profile(P3, SRGB_CURVE)
    known = Profile.of(icc)
    assert known is not None
    pixels = noise(3)
    wanted = np.moveaxis(known.to_srgb(pixels), -1, 0)
    assert np.array_equal(read_whole_picture(png(tmp_path / "wide.png", pixels, icc_chunk(icc))).pixels, wanted)
    assert np.array_equal(read_whole_picture(tiff(tmp_path / "wide.tif", pixels, iccprofile=icc)).pixels, wanted)
    small = Image.fromarray((pixels >> 8).astype(np.uint8))
    small.save(tmp_path / "wide.jpg", quality=100, subsampling=0, icc_profile=icc)
    small.save(tmp_path / "plain.jpg", quality=100, subsampling=0)
    wide, plain = (read_pixels(tmp_path / f"{name}.jpg")[..., :3] for name in ("wide", "plain"))
    assert np.abs(wide - 255 * known.to_srgb(plain.astype(np.uint16) * 257)).max() < 1.6
    assert np.abs(wide.astype(int) - plain).max() > 20


def test_grey_has_profiles_too(tmp_path: Path) -> None:
    linear = b"curv" + bytes(8)
    grey = bytearray(profile(P3, linear))
    grey[16:20] = b"GRAY"
    icc = bytes(grey).replace(b"rTRC", b"kTRC")
    pixels = np.linspace(0, 65535, 640).astype(np.uint16).reshape(20, 32, 1)
    found = read_whole_picture(png(tmp_path / "grey.png", pixels, icc_chunk(icc))).pixels
    linear_values = pixels[..., 0] / 65535
    wanted = np.where(linear_values <= 0.0031308, 12.92 * linear_values, 1.055 * linear_values ** (1 / 2.4) - 0.055)
    assert np.allclose(found, wanted, atol=1e-5)


def test_srgb_is_what_it_was(tmp_path: Path) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = noise(3)
    found = read_whole_picture(png(tmp_path / "deep.png", pixels, icc_chunk(icc))).pixels
    assert np.array_equal(np.rint(65535 * found), np.moveaxis(pixels, -1, 0))


def test_a_file_that_is_cut_short_says_so(tmp_path: Path) -> None:
    whole = png(tmp_path / "deep.png", noise(3, 200, 300))
    whole.write_bytes(whole.read_bytes()[:20_000])
    with pytest.raises(DataError, match=r"deep\.png cannot be decoded"):
        read_whole_picture(whole)
