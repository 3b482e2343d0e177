import io
from pathlib import Path

import numpy as np
import pytest
import trimesh
import webdataset
from PIL import Image

from ddmi_core.data.image_folders import ShardPictures, image_folder
from ddmi_core.data.image_sources import open_pictures
from ddmi_core.data.items import SurfacePoints
from ddmi_core.data.shape_sources import open_shapes
from ddmi_core.data.shards import Shards
from ddmi_core.data.user_folder import scan_folder
from ddmi_core.errors import DataError


def _png(value: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (16, 16), (value, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for shard in range(2):
        with webdataset.TarWriter(str(tmp_path / f"part-{shard}.tar")) as writer:
            for number in range(20):
                example = {"__key__": f"{number:04d}", "png": _png(10 * number + shard)}
                if number == 3:
                    example["txt"] = "dark red\nnearly black"
                if number == 4:
                    example["json"] = {"caption": "red"}
                writer.write(example)
    return tmp_path


def test_pictures_are_read_from_shards_one_by_one(pictures: Path) -> None:
    train, held_out = (image_folder(pictures, split) for split in ("train", "held_out"))
    assert isinstance(train, ShardPictures)
    assert set(train.names).isdisjoint(held_out.names) and len(train) + len(held_out) == 40 and len(held_out) > 0
    index = list(train.names).index("part-1/0003")
    assert train.captions(index) == ["dark red", "nearly black"]
    assert train.captions(list(train.names).index("part-0/0004")) == ["red"]
    assert train.open(index).pixels[64, 64, 0] == 31


def test_a_training_draws_from_shards_as_from_a_folder(pictures: Path) -> None:
    source = open_pictures(str(pictures), "train", encoded_side=32, queries=64, footprints=(-10.0, -5.0))
    one, again = (source.sample(5, np.random.default_rng(1), augment="full") for _ in range(2))
    assert one["image"].shape == (4, 32, 32) and all(np.array_equal(one[name], again[name]) for name in one)


def test_a_damaged_example_is_left_out(tmp_path: Path) -> None:
    with webdataset.TarWriter(str(tmp_path / "part.tar")) as writer:
        for number in range(3):
            writer.write({"__key__": str(number), "png": b"no picture" if number == 1 else _png(100)})
    folder = ShardPictures(Shards(tmp_path, "train", (".png",)))
    for index in range(len(folder)):
        assert folder.open(index).pixels[64, 64, 0] == 100


def test_shards_are_looked_through_like_a_folder(pictures: Path) -> None:
    scan = scan_folder(lambda split, told: image_folder(pictures, split, progress=told), thumbnails=3, size=32)
    assert len(scan.names) == 40 and scan.captioned == 4 and len(scan.thumbnails) == 3
    assert next(iter(scan.thumbnails.values())).shape == (32, 32, 4)


def test_meshes_are_labelled_when_they_are_drawn(tmp_path: Path) -> None:
    with webdataset.TarWriter(str(tmp_path / "part.tar")) as writer:
        for number in range(3):
            mesh = trimesh.creation.box((1, 1 + number, 1))
            writer.write({"__key__": str(number), "ply": mesh.export(file_type="ply"), "txt": "a box"})
    source = open_shapes(str(tmp_path), "train", seed=0, queries=32, surface=SurfacePoints(64))
    example = source.sample(0, np.random.default_rng(0), augment="none")
    assert example["points"].shape == (64, 3) and source.captions(0) == ["a box"]


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100])
def test_what_is_no_shard_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "part.tar").write_bytes(content)
    with pytest.raises(DataError, match=r"part\.tar|no example"):
        image_folder(tmp_path, "train")
