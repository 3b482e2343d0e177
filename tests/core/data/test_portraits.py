from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset

from ddmi_core.data.image_sources import open_pictures
from ddmi_core.data.items import Mixture, NumberedDraws
from ddmi_core.data.pictures import WHOLE_PICTURE, Part, PictureSource
from ddmi_core.data.portraits import rasters
from ddmi_core.data.portraits.captions import caption
from ddmi_core.data.portraits.colours import CLOTHES, HAIR, nearest, skin_tone
from ddmi_core.data.portraits.pictures import PortraitPictures, portraits
from ddmi_core.data.portraits.storage import Portrait, read_portraits, shipped_portraits
from ddmi_core.data.vector_pictures import draw
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Cancelled
from scripts.set_writers import save_portraits

STYLES = {"personas", "toonHead", "bigSmile", "micah", "adventurer", "miniavs", "openPeeps"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DDMI_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "cache" / "portraits"


@pytest.fixture(scope="module")
def held_out() -> PortraitPictures:
    return portraits("held_out")


def source() -> PictureSource:
    return open_pictures("portraits", "held_out", encoded_side=64, queries=64, footprints=(-10, -5))


def test_the_parts_of_the_set_have_no_picture_in_common(held_out: PortraitPictures) -> None:
    train = portraits("train")
    assert len(train) >= 30_000 and len(held_out) == 1000
    assert not set(train.seeds) & set(held_out.seeds)
    kept = {held_out.portrait(i).svg for i in range(len(held_out))}
    assert len(kept) == 1000
    assert not any(train.portrait(i).svg in kept for i in range(len(train)))
    assert set(Counter(held_out.portrait(i).style for i in range(994)).values()) == {142}
    assert {held_out.portrait(i).style for i in range(7)} == STYLES


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    made = [shipped_portraits()[seed] for seed in range(20)]
    save_portraits(tmp_path, made)
    read = read_portraits(tmp_path)
    assert [read[i] for i in range(len(read))] == made
    (file,) = tmp_path.glob("*.xz")
    first = file.read_bytes()
    save_portraits(tmp_path, (Portrait(one.style, one.parts, one.svg) for one in made))
    assert file.read_bytes() == first
    file.write_bytes(first[:-9])
    with pytest.raises(DataError, match=r"scripts/build_portraits\.py"):
        read_portraits(tmp_path)


def test_the_script_draws_the_portraits_of_the_set_again(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node.js")
    monkeypatch.syspath_prepend("scripts")
    dicebear = importlib.import_module("dicebear")
    monkeypatch.setenv("npm_config_prefer_offline", "true")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    try:
        made = dicebear.drawn(Path("scripts/build_portraits.mjs"), ["997", "1011"], None)
    except subprocess.CalledProcessError:
        pytest.skip("the packages cannot be installed")
    assert [Portrait(**one) for one in made] == [shipped_portraits()[seed] for seed in range(997, 1011)]


@pytest.mark.parametrize("side", [1 / 4, 1 / 32])
def test_any_view_shows_the_averages_over_its_pixels(side: float, held_out: PortraitPictures) -> None:
    """Of what the raster has, and of what only the drawing has."""
    for index in range(7):
        part = Part(0.45, 0.3, side)
        seen = held_out.open(index).view(part, 64)
        true = np.asarray(draw(held_out.portrait(index).svg, 512, part)).astype(np.float32) / 255
        averages = true.reshape(64, 8, 64, 8, 4).mean((1, 3))
        assert np.abs(seen - averages).mean() < 0.006
        assert seen[..., 3].min() > 0.9999


def test_a_view_from_afar_has_the_colours_of_the_whole(held_out: PortraitPictures) -> None:
    for index in range(7):
        picture = held_out.open(index)
        near = picture.view(WHOLE_PICTURE, 256)
        far = picture.view(WHOLE_PICTURE, 16)
        np.testing.assert_allclose(far, near.reshape(16, 16, 16, 16, 4).mean((1, 3)), atol=0.02)


def test_training_draws_down_to_a_thousandth_of_the_canvas() -> None:
    pictures = source()
    seen = np.concatenate(
        [pictures.sample(0, np.random.default_rng(i), augment="full")["footprint"] for i in range(12)]
    )
    assert -10 <= seen.min() < -9 and -6 < seen.max() <= -5


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more processes than such a machine has cores
def test_a_draw_is_the_same_in_any_process_and_batch() -> None:
    draws = NumberedDraws(Mixture([source()], [1.0]), seed=5, augment="full")
    one = [draws[number] for number in range(4)]  # drawn for the first time, the others from the cache
    for workers, batch in ((0, 2), (2, 1)):
        loader = DataLoader(Subset(draws, range(4)), batch_size=batch, num_workers=workers)
        for name in one[0]:
            again = torch.cat([part[name] for part in loader])
            assert torch.equal(again, torch.stack([example[name] for example in one]))


def test_rasters_are_drawn_ahead_and_then_only_read(
    own_cache: Path, held_out: PortraitPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[float, str]] = []
    rasters.draw_ahead(range(8), processes=1, progress=lambda *said: told.append(said))
    assert told == [(1.0, "8 of 8 portraits are drawn")]
    assert len(list(own_cache.glob("*.webp"))) == 8
    monkeypatch.setattr("ddmi_core.data.vector_pictures.draw", lambda *_: pytest.fail("it was drawn again"))
    assert held_out.open(3).view(WHOLE_PICTURE, 32).shape == (32, 32, 4)


def test_drawing_ahead_can_be_cancelled() -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        rasters.draw_ahead(range(45), processes=1, progress=stop)


def test_a_damaged_raster_is_drawn_again(own_cache: Path, held_out: PortraitPictures) -> None:
    first = held_out.open(0).view(WHOLE_PICTURE, 32)
    (file,) = own_cache.glob("*.webp")
    file.write_bytes(file.read_bytes()[:200])
    np.testing.assert_array_equal(held_out.open(0).view(WHOLE_PICTURE, 32), first)


def test_colours_have_their_common_names() -> None:
    """The palettes of the script, by the names that stand beside them."""
    script = Path("scripts/build_portraits.mjs").read_text(encoding="utf-8")
    for palette, names in (("HAIR", HAIR), ("CLOTHES", CLOTHES)):
        lines = re.search(rf"const {palette} = \[(.*?)\];", script, re.S)
        assert lines is not None
        for line in lines[1].strip().splitlines():
            found = [nearest(colour, names) for colour in re.findall(r"'(\w{6})'", line)]
            meant = line.partition("// ")[2].split(", ")
            assert found == meant * (len(found) // len(meant)), line
    assert [skin_tone(colour) for colour in ("#fbdcc6", "#dba272", "#9a6039", "#573320")] == [
        "light", "tan", "brown", "dark",
    ]  # fmt: skip


def test_facts_are_those_of_the_drawing(held_out: PortraitPictures) -> None:
    for index in range(len(held_out)):
        portrait, facts = held_out.portrait(index), held_out.facts(index)
        parts, svg = portrait.parts, portrait.svg
        assert parts["primaryBackgroundColor"] in svg
        assert facts.bald == (facts.hair == () and facts.hat is None)
        if facts.hair_colour is not None and portrait.style != "openPeeps":
            assert parts["hairColor"] in svg and nearest(parts["hairColor"], HAIR) == facts.hair_colour
        if facts.clothing_colour is not None:
            colours = [
                parts[name] for name in parts if name in ("clothingColor", "clothesColor", "shirtColor", "bodyColor")
            ]
            assert colours[0] in svg and nearest(colours[0], CLOTHES) == facts.clothing_colour
        said = " ".join(parts.values()) + " " + " ".join(parts)
        assert ("glasses" in said.replace("glassesColor", "").lower()) == (facts.glasses is not None)
        bearded = {"facialHair", "beard", "mustache"} & set(parts) or "mustache" in parts.values()
        assert bool(bearded) == (facts.beard is not None)
        assert (facts.person == "man") or facts.beard is None


def test_the_background_has_the_colour_that_is_named(held_out: PortraitPictures) -> None:
    anchors = {"white": 255, "light grey": 233, "light blue": 229, "lavender": 211, "mint green": 241}
    for index in range(21):
        facts = held_out.facts(index)
        corner = draw(held_out.portrait(index).svg, 64).getpixel((0, 0))
        assert isinstance(corner, tuple) and corner[3] == 255
        if facts.background in anchors:
            assert corner[1] == anchors[facts.background]


def test_captions_say_only_what_is_true(held_out: PortraitPictures) -> None:
    for index in range(140):
        facts = held_out.facts(index)
        for text in held_out.draw_captions(index, np.random.default_rng(index), 12):
            words = re.findall(r"[\w-]+", text)
            assert "{" not in text and "  " not in text and "None" not in text, text
            assert ("sunglasses" not in words) or facts.glasses == "sunglasses", text
            assert ("glasses" not in words) or facts.glasses is not None, text
            assert not {"beard", "goatee", "moustache", "stubble"} & set(words) or facts.beard is not None, text
            assert not {"man", "guy"} & set(words) or facts.person == "man", text
            assert not {"woman", "lady"} & set(words) or facts.person == "woman", text
            assert ("bald" not in words) or facts.bald or "bald top" in text, text
            for colour in (name for name in HAIR if re.search(rf"\b{name} hair", text)):
                assert facts.hair_colour is not None and facts.hair_colour.endswith(colour), text
            for colour in (name for name in CLOTHES if re.search(rf"\b{name} (shirt|clothes)", text)):
                assert facts.clothing_colour is not None and facts.clothing_colour.endswith(colour), text
            assert ("background" not in words) or f"{facts.background} background" in text, text
            assert not re.search(r"\ba [aeiou]", text), text


def test_a_picture_has_many_captions_of_many_lengths(held_out: PortraitPictures) -> None:
    found = [held_out.draw_captions(i, np.random.default_rng(i), 40) for i in range(20)]
    assert all(len(set(texts)) > 25 for texts in found)
    lengths = Counter(len(text.split()) for texts in found for text in texts)
    assert min(lengths) <= 2 and max(lengths) >= 18 and len(lengths) > 12
    assert caption(held_out.facts(0), np.random.default_rng(3)) == caption(held_out.facts(0), np.random.default_rng(3))
    assert held_out.captions(0) == held_out.captions(0)
    assert source().draw_captions(0, np.random.default_rng(0), 40) == found[0]
