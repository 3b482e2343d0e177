from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from ddmi_core.data import image_folders
from ddmi_core.data.image_folders import image_folder, picture_size, read_picture
from ddmi_core.data.image_sources import open_pictures
from ddmi_core.support.errors import DataError

RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(size: tuple[int, int] = (128, 128)) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return picture


def pixels(path: Path) -> np.ndarray:
    return read_picture(path).pixels


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".PNG"])
def test_all_formats_are_read(tmp_path: Path, suffix: str) -> None:
    halves().save(tmp_path / f"a{suffix}")
    found = pixels(tmp_path / f"a{suffix}").astype(int)
    assert found.shape == (128, 128, 4)
    assert np.abs(found[64, 20] - [255, 0, 0, 255]).max() < 6 and np.abs(found[64, 100] - [0, 0, 255, 255]).max() < 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "I;16", "I", "F"])
def test_all_kinds_of_pixels_are_converted(tmp_path: Path, mode: str) -> None:
    if mode in ("I;16", "I"):
        picture = Image.fromarray(np.full((64, 64), 0x8000, np.uint16 if mode == "I;16" else np.int32))
    elif mode == "F":
        picture = Image.fromarray(np.full((64, 64), 0.5, np.float32))
    else:
        picture = Image.new("RGB", (64, 64), (128, 128, 128)).convert(mode)
    picture.save(tmp_path / "a.tif")
    found = pixels(tmp_path / "a.tif")[30:34, 30:34].astype(int)
    assert found[..., 3].min() == 255
    coarse = {"1": 127, "P": 26, "PA": 26}  # few colours
    assert np.abs(found[..., :3] - 128).max() <= coarse.get(mode, 2)


def test_deep_colour_is_scaled_not_clipped(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((64, 64, 3), 0x8080, np.uint16), photometric="rgb")
    assert np.abs(pixels(tmp_path / "a.tif")[32, 32, :3].astype(int) - 128).max() <= 1


def test_a_damaged_second_page_is_refused_with_a_message(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    Image.new("RGB", (64, 64)).save(file)
    content = bytearray(file.read_bytes())
    directory = int.from_bytes(content[4:8], "little")
    following = directory + 2 + 12 * int.from_bytes(content[directory : directory + 2], "little")
    content[following : following + 4] = len(content).to_bytes(4, "little")
    file.write_bytes(content + bytes(6))  # a page without a size
    with pytest.raises(DataError, match=r"a\.tif cannot be decoded"):
        read_picture(file)


def test_alpha_is_kept_and_colours_are_multiplied(tmp_path: Path) -> None:
    Image.new("RGBA", (128, 128), (200, 100, 0, 128)).save(tmp_path / "a.png")
    np.testing.assert_allclose(pixels(tmp_path / "a.png")[5, 5], [100, 50, 0, 128], atol=1)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_exif_orientation_is_obeyed(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    halves((400, 200)).save(tmp_path / "a.jpg", exif=exif, quality=95)
    found = pixels(tmp_path / "a.jpg")
    assert picture_size(tmp_path / "a.jpg") == ((200, 400) if orientation == 6 else (400, 200))
    assert found.shape == (256, 256, 4)
    first = {1: (128, 50), 3: (128, 200), 6: (50, 128)}[orientation]  # where red is
    assert found[first][0] > 240 and found[first][2] < 15
    assert found[5, 128, 3] == (255 if orientation == 6 else 0)


def test_large_pictures_become_smaller_and_small_ones_larger(tmp_path: Path) -> None:
    halves((1000, 300)).save(tmp_path / "large.png")
    halves((20, 10)).save(tmp_path / "small.png")
    assert pixels(tmp_path / "large.png").shape == (512, 512, 4)
    assert pixels(tmp_path / "small.png").shape == (128, 128, 4)


def test_of_animated_pictures_the_first_frame_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    frames = [Image.new("RGB", (64, 64), colour) for colour in (RED, BLUE)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert tuple(pixels(tmp_path / "a.webp")[64, 64]) == (255, 0, 0, 255)
    assert "a.webp has several frames" in caplog.text


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    halves().save(tmp_path / "a.jpg", "PNG")
    assert tuple(pixels(tmp_path / "a.jpg")[64, 20]) == (255, 0, 0, 255)


def write_bad(folder: Path) -> dict[str, str]:
    """Write one bad file of each kind; return what is to be said of each."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    noise.save(folder / "whole.png")
    noise.save(folder / "whole.jpg")
    (folder / "cut.png").write_bytes((folder / "whole.png").read_bytes()[:3000])
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:1500])
    (folder / "head.png").write_bytes((folder / "whole.png").read_bytes()[:20])
    (folder / "empty.webp").write_bytes(b"")
    (folder / "text.png").write_text("not a picture")
    (folder / "animation.png").write_bytes(b"GIF89a" + bytes(30))
    Image.new("L", (3, 400)).save(folder / "thin.png")
    # A bomb: few bytes that say they are a gigapixel.
    header = (40_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    with (folder / "bomb.png").open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        PngImagePlugin.putchunk(file, b"IHDR", header)
        PngImagePlugin.putchunk(file, b"IDAT", b"")
        PngImagePlugin.putchunk(file, b"IEND", b"")
    (folder / "whole.png").unlink()
    (folder / "whole.jpg").unlink()
    return {
        "cut.png": "damaged or cut short",
        "cut.jpg": "damaged or cut short",
        "head.png": "damaged",
        "empty.webp": "is empty",
        "text.png": "is no PNG",
        "animation.png": "damaged",
        "thin.png": "at least 8 a side",
        "bomb.png": "more than the 150 million",
    }


def test_bad_files_are_named_and_the_others_used(tmp_path: Path) -> None:
    problems = write_bad(tmp_path)
    for name, problem in problems.items():
        with pytest.raises(DataError, match=problem) as caught:
            read_picture(tmp_path / name)
        assert name in str(caught.value)
    with pytest.raises(DataError, match=r"holds no usable picture .* 8 files were looked at"):
        image_folder(tmp_path, "train")
    for i in range(3):
        Image.new("RGB", (64, 64), (i, 0, 0)).save(tmp_path / f"good{i}.png")
    (tmp_path / "captions.csv").write_text("file,caption\ngood0.png,a picture\ngood0.png,another name\n")
    parts = [image_folder(tmp_path, split) for split in ("train", "held_out")]
    assert sum(map(len, parts)) == 3 and all(len(part) for part in parts)
    assert {found.path.name for found in parts[0].unusable} == set(problems)
    captions = {name: part.captions(i) for part in parts for i, name in enumerate(part.names)}
    assert captions == {"good0.png": ["a picture", "another name"], "good1.png": [], "good2.png": []}


def test_a_missing_file_and_a_missing_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file"):
        read_picture(tmp_path / "a.png")
    with pytest.raises(DataError, match="There is no folder"):
        image_folder(tmp_path / "none", "train")
    with pytest.raises(DataError, match="holds no usable picture"):
        open_pictures(str(tmp_path), "train", encoded_side=64, queries=64, footprints=(-10, -5))


def test_copies_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halves((700, 500)).save(tmp_path / "a.png")
    first = image_folder(tmp_path, "train").open(0)
    assert first.pixels.shape == (512, 512, 4)
    monkeypatch.setattr(image_folders, "_decoded", lambda path: pytest.fail("decoded again"))
    image_folder(tmp_path, "train")
