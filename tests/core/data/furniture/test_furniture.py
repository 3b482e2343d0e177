import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ddmi_core.data.furniture.captions import captions_of, kind_of
from ddmi_core.data.furniture.catalogue import (
    CREDITS_FILE,
    INDEX_FILE,
    NAMED_KINDS,
    SHAPES_FILE,
    FurnitureEntry,
    furniture,
)
from ddmi_core.data.furniture.geometry import Geometry
from ddmi_core.data.items import Augment
from ddmi_core.data.labels import pack, thickened
from ddmi_core.support.errors import DataError
from ddmi_core.support.paths import assets
from scripts.set_writers import save_furniture

SET = assets() / "datasets" / "furniture"
NEEDED = {"chair", "table", "sofa", "bed", "lamp", "wardrobe", "bookcase"}


def geometry(**facts: object) -> Geometry:
    plain = {
        "width": 1.0,
        "height": 1.0,
        "depth": 1.0,
        "top_shape": None,
        "n_legs": None,
        "armrests": False,
        "back": False,
        "proportions": (),
    }
    return Geometry(**{**plain, **facts})


def test_the_shipped_set_is_whole_and_a_tenth_is_held_out() -> None:
    train, held_out = furniture("train"), furniture("held_out")
    assert len(train) + len(held_out) >= 800
    assert 0.07 < len(held_out) / (len(train) + len(held_out)) < 0.13
    assert set(train.kinds) >= NEEDED
    assert all(train.captions(i) for i in range(len(train)))
    assert sum(file.stat().st_size for file in SET.iterdir()) < 20e6


def test_the_named_part_has_only_kinds_that_prompts_name_and_parts_that_a_model_can_keep() -> None:
    named = furniture("held_out", named=True)
    assert set(named.kinds) <= NAMED_KINDS and len(named) >= 15
    assert len(furniture("train", named=True)) >= 150
    for index in range(0, len(named), 3):
        grid = named.grid(index)
        grown, _ = thickened(grid)
        # A part that was too thin would grow by a layer at least
        assert (grown != grid).sum() < 0.1 * grid.sum(), named.names[index]


def test_no_identifier_is_in_both_parts() -> None:
    entries = json.loads((SET / INDEX_FILE).read_text(encoding="utf-8"))
    assert len({entry["id"] for entry in entries}) == len(entries)


def test_every_creator_is_credited() -> None:
    credits = (SET / CREDITS_FILE).read_text(encoding="utf-8")
    for entry in json.loads((SET / INDEX_FILE).read_text(encoding="utf-8")):
        assert not entry["creator"] or f"- {entry['creator']}: " in credits
        assert entry["licence"] in {"CC-BY-3.0", "CC0-1.0"}


@pytest.mark.parametrize("augment", ["none", "captioned", "full"])
def test_an_example_stays_in_its_box_and_agrees_with_its_shape(augment: Augment) -> None:
    shapes = furniture("train")
    index = shapes.kinds.index("sofa")
    rng = np.random.default_rng(3)
    for _ in range(4):
        example = shapes.sample(index, rng, 1024, 2048, augment)
        assert {name: (array.shape, array.dtype) for name, array in example.items()} == {
            "points": ((1024, 3), np.float32),
            "normals": ((1024, 3), np.float32),
            "coords": ((2048, 3), np.float32),
            "targets": ((2048, 1), np.float32),
        }
        assert np.abs(example["points"]).max() == pytest.approx(0.9, abs=0.05)
        inside = example["coords"][example["targets"][:, 0] > 0.5]
        assert len(inside) > 50
        # The queries turn with the surface: what is inside keeps within its bounds, up to two voxels of shell.
        assert (inside <= example["points"].max(0) + 0.05).all()
        assert (inside >= example["points"].min(0) - 0.05).all()


def test_chairs_stand_upright_and_face_the_viewer() -> None:
    shapes = furniture("train")
    chairs = [i for i, kind in enumerate(shapes.kinds) if kind == "chair" and shapes.names[i] == "Chair"]
    backs = 0
    for i in chairs:
        points = shapes.points(i)
        top = points[points[:, 1] > points[:, 1].max() - 0.15 * np.ptp(points[:, 1])]
        backs += int(top[:, 2].mean() < points[:, 2].mean())
    assert backs >= 0.9 * len(chairs)


def test_what_is_saved_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDMI_ASSETS", str(tmp_path))
    folder = tmp_path / "datasets" / "furniture"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    grids = [rng.random((128, 128, 128)) < 0.01 for _ in range(2)]
    points = [rng.integers(-29490, 29490, (50, 3)).astype(np.int16) for _ in range(2)]
    entries = [
        FurnitureEntry(f"id{i}", "Chair", "chair", ["a chair"], split, "Scopia", "Scopia", "CC-BY-3.0")
        for i, split in enumerate(("train", "held_out"))
    ]
    save_furniture(folder, entries, [pack(grid) for grid in grids], points)
    held_out = furniture("held_out")
    assert len(held_out) == 1
    np.testing.assert_array_equal(held_out.grid(0), grids[1])
    np.testing.assert_allclose(
        sorted(map(tuple, held_out.points(0).tolist())), sorted(map(tuple, (points[1] / 32767).tolist())), atol=1e-6
    )


def test_a_missing_or_damaged_set_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDMI_ASSETS", str(tmp_path))
    with pytest.raises(DataError, match="build_furniture"):
        furniture("train")
    folder = tmp_path / "datasets" / "furniture"
    folder.mkdir(parents=True)
    shutil.copy(SET / INDEX_FILE, folder)
    (folder / SHAPES_FILE).write_bytes((SET / SHAPES_FILE).read_bytes()[:100_000])
    with pytest.raises(DataError, match="build_furniture"):
        furniture("train")


@pytest.mark.parametrize(
    ("name", "category", "tags", "kind"),
    [
        ("Desk lamp", "Lights", "", "lamp"),
        ("Coffee table", "Living room", "", "table"),
        ("Bar stool", "Kitchen", "Chair, Seat", "stool"),
        ("Table fan", "Living room", "", "other"),
        ("Glass door cabinet", "Living room", "", "cabinet"),
        ("Poplar", "Exterior", "Tree, Outdoor", "plant"),
        ("Sitting male", "Characters", "", "other"),
        ("Vegetable", "Kitchen", "", "other"),
    ],
)
def test_kinds(name: str, category: str, tags: str, kind: str) -> None:
    assert kind_of(name, category, tags) == kind


def test_captions_say_what_was_measured() -> None:
    table = captions_of("Table", "Blend Swap", "table", geometry(top_shape="round", n_legs=1), (90, 75, 90))
    assert table[0] == "table"
    assert {"a table", "a round table", "a round table with one leg"} <= set(table)
    chair = captions_of("Chair", "", "chair", geometry(n_legs=4, back=True), (50, 90, 50))
    assert "a chair with four legs and without armrests" in chair
    armchair = captions_of("Armchair", "", "armchair", geometry(back=True), (80, 90, 80))
    assert not any("without" in caption for caption in armchair)
    assert "a double bed" in captions_of("Bed", "", "bed", geometry(), (160, 60, 210))
    assert "a floor lamp" in captions_of("Lamp", "", "lamp", geometry(), (40, 160, 40))
    sofa = captions_of("Sofa 2 seats", "Seat, Couch", "sofa", geometry(), (160, 80, 90))
    assert sofa[:2] == ["sofa", "a sofa"] and {"a couch", "something to sit on"} <= set(sofa)
    assert "shelves" in captions_of("Shelves", "", "bookcase", geometry(), (80, 90, 30))
    assert {"a four-legged chair", "a chair with 4 legs"} <= set(chair)
    assert not any("a shelves" in caption for caption in captions_of("Shelves", "", "bookcase", geometry(), (8, 9, 3)))
