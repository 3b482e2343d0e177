from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import resvg_py
import tifffile
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ddmi_core.export import images as image_export
from ddmi_core.export.images import export_image
from ddmi_core.export.options import ImageExport, ShapeExport
from ddmi_core.export.recipe_files import IMAGE_DESCRIPTION, RECIPE_KEY, read_recipe
from ddmi_core.recipe import MAX_SEED, MOST_GUIDANCE, MOST_STEPS, Recipe
from ddmi_core.support.errors import DataError, ExportError, RecipeError
from ddmi_core.support.progress import Cancelled
from tests.core.domains.test_image import Painted

RECIPE = Recipe(domain="image", model="emoji", model_hash="00ff", prompt='a "smiling" cät 😀', seed=7)


@pytest.fixture(autouse=True)
def thin_stripes(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small pictures, too, consist of many stripes."""
    monkeypatch.setattr(image_export, "_STRIPE", 1000)


def on_white(pixels: np.ndarray) -> np.ndarray:
    alpha = pixels[..., 3:].astype(float) / 255
    return pixels[..., :3] * alpha + 255 * (1 - alpha)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
@pytest.mark.parametrize("bits", [8, 16])
def test_lossless_formats_hold_the_very_pixels(tmp_path: Path, suffix: str, bits: Any) -> None:
    target = tmp_path / "new folder" / f"a{suffix}"
    facts = export_image(Painted(), target, ImageExport(resolution=300, bits=bits, region=(-1, -0.5, 1, 0.4)))
    assert facts == {"width": 300, "height": 135, "evaluations": 300 * 135}
    expected = Painted().render(300, 135, region=(-1, -0.5, 1, 0.4), dtype=np.uint16 if bits == 16 else np.uint8)
    if suffix == ".png" and bits == 16:  # Pillow reads eight bits of sixteen
        assert target.read_bytes()[24] == 16
        np.testing.assert_array_equal(np.asarray(Image.open(target)), (expected >> 8).astype(np.uint8))
    else:
        found = np.asarray(Image.open(target)) if suffix == ".png" else tifffile.imread(target)
        np.testing.assert_array_equal(found, expected)


class Flag:
    """Three flat fields, and a hole."""

    def render(self, width: int, height: int, *, window: Any = None, **_: Any) -> np.ndarray:
        x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
        drawn = np.where(x[..., None] < 0.4, (200, 30, 30, 255), (240, 240, 200, 255))
        drawn = np.where((np.hypot(x - 0.6, y - 0.5) < 0.2)[..., None], (20, 60, 160, 255), drawn)
        drawn = np.where((np.hypot(x - 0.6, y - 0.5) < 0.1)[..., None], (20, 60, 160, 0), drawn)
        left, top, across, down = window or (0, 0, width, height)
        return drawn[top : top + down, left : left + across].astype(np.uint8)


def test_a_flat_picture_becomes_outlines(tmp_path: Path) -> None:
    target = tmp_path / "flag.svg"
    facts = export_image(Flag(), target, ImageExport(resolution=200, colours=4), recipe=RECIPE)
    assert facts["width"] == 200
    text = target.read_text(encoding="utf-8")
    assert 'viewBox="0 0 200 200"' in text and 3 <= text.count("<path") <= 8
    drawn = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))).convert("RGBA")
    expected, found = (np.asarray(one).astype(float) for one in (Flag().render(200, 200), drawn))
    assert np.mean(np.abs(on_white(found) - on_white(expected)).max(axis=-1) > 30) < 0.02
    assert found[100, 120, 3] == 0  # the hole
    assert read_recipe(target) == RECIPE


def test_outlines_of_nothing_are_a_drawing_too(tmp_path: Path) -> None:
    class Nothing(Flag):
        def render(self, *size: Any, **options: Any) -> np.ndarray:
            return np.zeros_like(super().render(*size, **options))

    export_image(Nothing(), tmp_path / "nothing.svg", ImageExport(resolution=20), recipe=RECIPE)
    text = (tmp_path / "nothing.svg").read_text(encoding="utf-8")
    assert text.endswith("</svg>\n") and "<path" not in text and read_recipe(tmp_path / "nothing.svg") == RECIPE


def test_what_is_too_large_to_be_traced_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="fewer pixels"):
        export_image(Flag(), tmp_path / "a.svg", ImageExport(resolution=8192))
    assert not (tmp_path / "a.svg").exists()


@pytest.mark.parametrize("text", ["<svg/>", '<?xml version="1.0"?><svg><metadata id="ddmi">{</metadata></svg>', "<svg"])
def test_drawings_of_others_carry_no_recipe(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.svg").write_text(text, encoding="utf-8")
    assert read_recipe(tmp_path / "a.svg") is None


def test_jpeg_stripes_are_one_picture_on_white(tmp_path: Path) -> None:
    target = tmp_path / "a.jpg"
    export_image(Painted(), target, ImageExport(resolution=203, quality=95, region=(-1, -1, 0.5, 1)))
    with Image.open(target) as picture:
        assert picture.size == (152, 203)
        found = np.asarray(picture).astype(float)
    expected = on_white(Painted().render(152, 203, region=(-1, -1, 0.5, 1)))
    assert np.abs(found - expected).mean() < 1.5 and np.abs(found - expected).max() < 60


def test_webp_is_written_whole_and_small_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.webp"
    export_image(Painted(), target, ImageExport(resolution=100))
    found = np.asarray(Image.open(target).convert("RGBA"))
    assert np.abs(on_white(found) - on_white(Painted().render(100, 100))).mean() < 3
    for options in (ImageExport(resolution=16384, region=(-1, 0, 1, 0.01)), ImageExport(resolution=8300)):
        with pytest.raises(ExportError, match="WebP cannot hold"):
            export_image(Painted(), tmp_path / "b.webp", options)


def test_a_large_tiff_gets_long_offsets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_export, "_CLASSIC_TIFF", 1000)
    export_image(Painted(), tmp_path / "a.tif", ImageExport(resolution=40))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_bigtiff and file.pages[0].is_tiled


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_the_recipe_goes_along_unless_it_must_not(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"a{suffix}"
    export_image(Painted(), target, ImageExport(resolution=30), recipe=RECIPE)
    assert read_recipe(target) == RECIPE
    export_image(Painted(), target, ImageExport(resolution=30, embed_recipe=False), recipe=RECIPE)
    assert read_recipe(target) is None
    assert b"smiling" not in target.read_bytes()


def test_other_peoples_descriptions_are_no_recipes(tmp_path: Path) -> None:
    exif = Image.Exif()
    for text in ("holidays", '{"ddmi": {"domain": 3}}', '["ddmi"]', "{}"):
        exif[IMAGE_DESCRIPTION] = text
        Image.new("RGB", (9, 9)).save(tmp_path / "a.jpg", exif=exif)
        assert read_recipe(tmp_path / "a.jpg") is None
    (tmp_path / "b.png").write_text("no picture")
    with pytest.raises(DataError, match=r"b\.png is no PNG"):
        read_recipe(tmp_path / "b.png")


def test_without_a_region_the_source_extent_is_exported(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"extent": (-1.0, -0.5, 1.0, 0.5)})
    facts = export_image(Painted(), tmp_path / "a.png", ImageExport(resolution=80), recipe=recipe)
    assert (facts["width"], facts["height"]) == (80, 40)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_cancelling_leaves_no_file_and_no_change(tmp_path: Path, suffix: str) -> None:
    class Slow(Painted):
        def __call__(self, coords: torch.Tensor, progress: Any = None, **options: Any) -> torch.Tensor:
            progress(1.0, "chunk")
            return super().__call__(coords, **options)

    def stop(fraction: float, text: str) -> None:
        if fraction > 0.4:
            raise Cancelled

    (tmp_path / f"old{suffix}").write_bytes(b"old")
    for name in ("new", "old"):
        with pytest.raises(Cancelled):
            export_image(Slow(), tmp_path / f"{name}{suffix}", ImageExport(resolution=200), progress=stop)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(f"old{suffix}", b"old")]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.gif", ImageExport(), '".gif" is not a picture format'),
        ("a", ImageExport(), "no suffix"),
        ("a.jpg", ImageExport(bits=16), "JPG has 8 bits"),
        ("a.webp", ImageExport(bits=16), "WEBP has 8 bits"),
        ("folder.png", ImageExport(resolution=8), "folder"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str, options: ImageExport, message: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ExportError, match=message):
        export_image(Painted(), tmp_path / name, options)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"faces": 3}, "has no faces; it has resolution, region"),
        ({"resolution": 0}, "resolution does not fit"),
        ({"resolution": 32769}, "resolution does not fit"),
        ({"region": ["0", "0", "x", "1"]}, "region does not fit"),
        ({"region": ["0", "0", "0", "1"]}, "region does not fit"),
        ({"region": ["0", "0"]}, "region does not fit"),
        ({"bits": 12}, "bits does not fit"),
    ],
)
def test_options_that_do_not_fit_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        ImageExport.checked(values)


def test_options_of_other_domains_are_refused() -> None:
    with pytest.raises(ExportError, match="has no bits; it has resolution, faces"):
        ShapeExport.checked({"bits": 16})
    assert ImageExport.checked({"region": ["-1", "0", "0.5", "1"]}).region == (-1.0, 0.0, 0.5, 1.0)


def test_memory_does_not_grow_with_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripes are asked for one after the other, each of a few rows, whatever the height."""
    rows: list[int] = []

    class Watched(Painted):
        def render(self, width: int, height: int, *, window: Any = None, **options: Any) -> Any:
            rows.append(window[3])
            return super().render(width, height, window=window, **options)

    export_image(Watched(), tmp_path / "a.png", ImageExport(resolution=500))
    assert max(rows) == 2 and sum(rows) == 500


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"guidance": 80}, "guidance is 80"),
        ({"seed": 2**63}, "seed is"),
        ({"sampler": "euler"}, "sampler is 'euler'"),
    ],
)
def test_a_recipe_out_of_bounds_is_said_to_be_and_others_json_is_nobodys(
    tmp_path: Path, values: Any, what: str
) -> None:
    def write(found: dict[str, Any]) -> Path:
        note = PngInfo()
        note.add_itxt(RECIPE_KEY, json.dumps(found))
        Image.new("RGB", (4, 4)).save(tmp_path / "heart.png", pnginfo=note)
        return tmp_path / "heart.png"

    known = json.loads(RECIPE.model_dump_json())
    with pytest.raises(RecipeError, match=rf"heart\.png.*{what}"):
        read_recipe(write(known | values))
    assert read_recipe(write({"prompt": "of another program"})) is None
    widest = {"guidance": MOST_GUIDANCE, "seed": MAX_SEED, "steps": MOST_STEPS}
    recipe = read_recipe(write(known | widest))
    assert recipe is not None and recipe.seed == MAX_SEED
