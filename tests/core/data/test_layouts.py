"""Tiny data sets in exactly the published layouts, through the readers and the check."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
from collections.abc import Mapping
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from ddmi_core import cli
from ddmi_core.data.cifar import read_batch
from ddmi_core.data.clip_folders import clip_folder
from ddmi_core.data.coloured_meshes import spread_cameras
from ddmi_core.data.image_folders import image_folder
from ddmi_core.data.items import EncoderInput, SurfacePoints
from ddmi_core.data.layout_check import check_layout
from ddmi_core.data.layouts import listing_of
from ddmi_core.data.occupancy_shapes import OccupancyShapes
from ddmi_core.data.radiance_folders import radiance_folder
from ddmi_core.data.radiance_sources import open_radiance
from ddmi_core.data.shape_folders import mesh_folder
from ddmi_core.data.shape_sources import open_shapes
from ddmi_core.data.user_folder import scan_folder
from ddmi_core.support.errors import DataError
from tests.core.data.posed_scene import on_white, pictures, write_srn

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def picture(file: Path, colour: tuple[int, int, int] = (200, 40, 40), side: int = 32) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side), colour).save(file)


def afhq(root: Path) -> None:
    for n, name in enumerate(("train/cat", "train/cat", "train/dog", "test/cat", "test/dog")):
        picture(root / name / f"flickr_{name[-3:]}_{n:06d}.png", (n * 40, 80, 120))


def test_afhq_has_its_published_parts_and_its_classes_for_captions(tmp_path: Path) -> None:
    afhq(tmp_path)
    train, held_out = image_folder(tmp_path, "train"), image_folder(tmp_path, "held_out")
    assert [name.rsplit("/", 1)[0] for name in train.names] == ["train/cat", "train/cat", "train/dog"]
    assert [name.rsplit("/", 1)[0] for name in held_out.names] == ["test/cat", "test/dog"]
    assert train.captions(0) == ["a cat"] and held_out.captions(1) == ["a dog"]
    scan = scan_folder(lambda split, told: image_folder(tmp_path, split, progress=told), thumbnails=1)
    assert len(scan.names) == 5 and scan.held_out == 2 and scan.captioned == 5


def test_the_check_names_damaged_files_and_other_sizes(tmp_path: Path) -> None:
    afhq(tmp_path)
    whole = tmp_path / "train/dog/flickr_dog_000002.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(whole)
    whole.write_bytes(whole.read_bytes()[:-4000])  # cut short: its header is sound
    picture(tmp_path / "train/cat/flickr_cat_000009.png", side=48)
    found = check_layout(tmp_path)
    assert (found.layout, found.domain) == ("afhq", "image")
    assert found.splits == {"train": 3, "val": 0, "test": 2} and found.captions == 5
    assert found.sizes == {"32 x 32": 4, "48 x 48": 1}
    assert [one.path for one in found.unusable] == [whole] and "cut short" in found.unusable[0].reason
    assert "1 differ in size" in found.remarks[-1] and found.usable


def test_celebahq_is_split_as_celeba_is(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / "CelebA-HQ-img" / f"{number}.jpg", (number * 60, 0, 0))
    assert check_layout(tmp_path).splits == {"all": 4}
    rows = "".join(f"{n:10d} {100 + n:10d} {100 + n + 1:06d}.jpg\n" for n in range(5))  # the fifth is not there
    (tmp_path / "CelebA-HQ-to-CelebA-mapping.txt").write_text("idx   orig_idx    orig_file\n" + rows)
    (tmp_path / "list_eval_partition.txt").write_text(
        "000101.jpg 0\n000102.jpg 2\n000103.jpg 1\n000104.jpg 0\n000105.jpg 0\n"
    )
    assert list(image_folder(tmp_path, "train").names) == ["CelebA-HQ-img/0.jpg", "CelebA-HQ-img/3.jpg"]
    assert list(image_folder(tmp_path, "held_out").names) == ["CelebA-HQ-img/2.jpg"]
    found = check_layout(tmp_path)
    assert found.splits == {"train": 2, "val": 1, "test": 1}
    assert [one.path.name for one in found.unusable] == ["4.jpg"]


def test_celebahq_in_folders_by_gender(tmp_path: Path) -> None:
    for n, name in enumerate(("train/female", "train/male", "val/female", "val/male")):
        picture(tmp_path / name / f"{n:06d}.jpg")
    assert check_layout(tmp_path).splits == {"train": 2, "val": 2, "test": 0}
    assert image_folder(tmp_path, "held_out").captions(0) == ["a woman"]


def database(folder: Path, pictures: Mapping[str, bytes]) -> None:
    """An LMDB as LSUN's export tool reads it."""
    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=2**22) as environment, environment.begin(write=True) as transaction:
        for name, content in pictures.items():
            transaction.put(hashlib.sha1(name.encode()).hexdigest().encode(), content)


def webp(shade: int, side: int = 32) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side + shade, side), (shade, 90, 60)).save(file, "WEBP", lossless=True)
    return file.getvalue()


def test_lsun_is_read_from_its_databases(tmp_path: Path) -> None:
    database(tmp_path / "church_outdoor_train_lmdb", {f"{n}": webp(n) for n in range(5)} | {"damaged": webp(9)[:24]})
    database(tmp_path / "church_outdoor_val_lmdb", {"v": webp(200, 48)})
    found = check_layout(tmp_path)
    assert (found.layout, found.title, found.domain) == ("lsun", "LSUN church outdoor", "image")
    assert found.splits == {"train": 5, "val": 1, "test": 0} and found.usable
    assert found.sizes == {"32 along the shorter side": 5, "48 along the shorter side": 1}
    assert len(found.unusable) == 1 and "damaged" in found.unusable[0].reason

    train, held_out = image_folder(tmp_path, "train"), image_folder(tmp_path, "held_out")
    assert len(train) == 6 and list(held_out.names) == [f"church_outdoor_val_lmdb/{hashlib.sha1(b'v').hexdigest()}"]
    shade = held_out.open(0).pixels[64, 64, 0]
    assert abs(int(shade) - 200) < 2 and held_out.captions(0) == []
    # For the damaged one its neighbour stands in
    assert {int(train.open(i).pixels[64, 64, 1]) for i in range(6)} == {90}

    names = {name for part in (train, pickle.loads(pickle.dumps(train))) for name in part.names}
    assert len(names) == 6


def test_a_lone_database_has_one_in_ten_held_out_by_name(tmp_path: Path) -> None:
    database(tmp_path / "bedroom_train_lmdb", {f"{n}": webp(n) for n in range(40)})
    parts = {part: set(image_folder(tmp_path, part).names) for part in ("train", "held_out")}
    assert 1 <= len(parts["held_out"]) <= 10 and not parts["train"] & parts["held_out"]
    assert len(parts["train"] | parts["held_out"]) == 40
    alone = tmp_path / "bedroom_train_lmdb"
    assert set(image_folder(alone, "train").names) == parts["train"]
    assert "no two published parts" in " ".join(check_layout(alone).remarks)


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "church_outdoor_train_lmdb"
    folder.mkdir()
    (folder / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(DataError, match=r"no picture.*church_outdoor_train_lmdb cannot be read"):
        image_folder(tmp_path, "train")
    assert not check_layout(tmp_path).usable


def test_lsun_churches_as_exported_pictures(tmp_path: Path) -> None:
    database(tmp_path / "church_outdoor_train_lmdb", {"0": webp(0)})  # exported, it is not needed any more
    picture(tmp_path / "church_outdoor_train/a/b/abc.webp")
    picture(tmp_path / "church_outdoor_val/c/d/cde.webp", (0, 0, 9))
    assert check_layout(tmp_path).splits == {"train": 1, "val": 1, "test": 0}
    assert list(image_folder(tmp_path, "held_out").names) == ["church_outdoor_val/c/d/cde.webp"]


def cifar_rows(count: int, seed: int) -> tuple[np.ndarray, list[int]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 3072), dtype=np.uint8), [int(n) for n in rng.integers(10, size=count)]


def cifar_pickle(data: np.ndarray, labels: list[int]) -> bytes:
    """The bytes that Python 2 and NumPy 1 wrote: the publisher's files have just these opcodes."""

    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<i", len(value)) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    kind = b"cnumpy\ndtype\n(" + text(b"u1") + number(0) + number(1) + b"tR("
    kind += number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(" + number(0) + b"t" + text(b"b") + b"tR("
    array += number(1) + b"(" + b"".join(map(number, data.shape)) + b"t" + kind + b"\x89" + text(data.tobytes()) + b"tb"
    listed = b"](" + b"".join(map(number, labels)) + b"e"
    return (
        b"\x80\x02}(" + text(b"batch_label") + text(b"one") + text(b"labels") + listed + text(b"data") + array + b"u."
    )


def cifar(root: Path, *, binary: bool) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for n, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        data, labels = cifar_rows(2, n)
        if binary:
            rows = np.concatenate([np.array(labels, np.uint8)[:, None], data], axis=1)
            (root / f"{name}.bin").write_bytes(rows.tobytes())
        else:
            (root / name).write_bytes(cifar_pickle(data, labels))
    if binary:
        (root / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n\n")
    else:
        (root / "batches.meta").write_bytes(pickle.dumps({b"label_names": [name.encode() for name in CLASSES]}))


@pytest.mark.parametrize("binary", [False, True])
def test_cifar10_in_both_versions(tmp_path: Path, binary: bool) -> None:
    cifar(tmp_path / ("cifar-10-batches-bin" if binary else "cifar-10-batches-py"), binary=binary)
    train, held_out = image_folder(tmp_path, "train"), image_folder(tmp_path, "held_out")
    assert (len(train), len(held_out)) == (10, 2)
    data, labels = cifar_rows(2, 0)
    word = CLASSES[labels[1]]
    assert train.captions(1) == [f"{'an' if word[0] == 'a' else 'a'} {word}"]
    batch = read_batch(next(tmp_path.glob("*/data_batch_1*")))
    assert batch.pixels[1, 3, 5].tolist() == [int(data[1, plane * 1024 + 3 * 32 + 5]) for plane in range(3)]
    assert train.open(1).pixels.shape == (128, 128, 4)
    found = check_layout(tmp_path)
    assert found.splits == {"train": 10, "test": 2} and found.captions == 12 and not found.unusable


def test_a_crafted_pickle_runs_nothing(tmp_path: Path) -> None:
    class Crafted:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    cifar(tmp_path, binary=False)
    (tmp_path / "data_batch_3").write_bytes(pickle.dumps({b"data": Crafted(), b"labels": [1]}))
    (tmp_path / "data_batch_4").unlink()
    found = check_layout(tmp_path)
    assert {one.path.name for one in found.unusable} == {"data_batch_3", "data_batch_4"}
    assert found.splits["train"] == 6
    used = image_folder(tmp_path, "train")
    assert len(used) == 6 and any("asks for" in one.reason for one in used.unusable)
    assert not (tmp_path / "ran").exists()


CHAIR, TABLE = "03001627", "04379243"


def occupancy_model(folder: Path, radius: float) -> None:
    """A ball as the Occupancy Networks' files give it: half precision, eight occupancies a byte."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.55, 0.55, (1003, 3)).astype(np.float16)
    inside = np.linalg.norm(points.astype(np.float32), axis=1) < radius
    pose = {"loc": np.zeros(3), "scale": np.array(1.0)}
    np.savez(folder / "points.npz", points=points, occupancies=np.packbits(inside), **pose)
    surface = rng.normal(size=(2000, 3))
    normals = surface / np.linalg.norm(surface, axis=1, keepdims=True)
    cloud = {"points": (normals * radius).astype(np.float16), "normals": normals.astype(np.float16)}
    np.savez(folder / "pointcloud.npz", **cloud, **pose)


def shapenet(root: Path) -> None:
    for synset, names in ((CHAIR, "abcd"), (TABLE, "ef")):
        for name in names:
            occupancy_model(root / synset / name, 0.5)
    lists = {CHAIR: ("a\nb\n", "c\n", "d\nghost\n"), TABLE: ("e\n", "f", "")}
    for synset, texts in lists.items():
        for split, text in zip(("train", "val", "test"), texts, strict=True):
            (root / synset / f"{split}.lst").write_text(text)
    (root / "metadata.yaml").write_text(
        f"'{CHAIR}':\n  id: '{CHAIR}'\n  name: chair\n'{TABLE}':\n  id: '{TABLE}'\n  name: table,desk\n"
    )


def test_shapenet_of_the_occupancy_networks(tmp_path: Path) -> None:
    shapenet(tmp_path)
    train, held_out = mesh_folder(tmp_path, "train"), mesh_folder(tmp_path, "held_out")
    assert list(train.names) == [f"{CHAIR}/a", f"{CHAIR}/b", f"{TABLE}/e"]
    assert list(held_out.names) == [f"{CHAIR}/c", f"{TABLE}/f"]
    assert list(mesh_folder(tmp_path, "test").names) == [f"{CHAIR}/d"]
    assert train.captions(0) == ["chair"] and train.captions(2) == ["table"]
    found = check_layout(tmp_path)
    assert found.layout == "shapenet" and found.splits == {"train": 3, "val": 2, "test": 1} and found.captions == 6
    assert [one.path.name for one in found.unusable] == ["ghost"] and "test.lst lists it" in found.unusable[0].reason
    scan = scan_folder(lambda split, told: mesh_folder(tmp_path, split, progress=told), thumbnails=1, size=32)
    assert scan.thumbnails[f"{CHAIR}/a"][..., 3].any()


@pytest.mark.parametrize("augment", ["none", "full"])
def test_the_occupancies_belong_to_their_points(tmp_path: Path, augment: str) -> None:
    shapenet(tmp_path)
    source = open_shapes(str(tmp_path), "train", seed=0, queries=400, surface=SurfacePoints(100))
    item = source.sample(0, np.random.default_rng(1), augment=augment)
    assert {name: array.shape for name, array in item.items()} == {
        "points": (100, 3), "normals": (100, 3), "coords": (400, 3), "targets": (400, 1),
    }  # fmt: skip
    assert all(array.dtype == np.float32 for array in item.values())
    assert np.abs(item["coords"]).max() <= 1
    assert 0.1 < item["targets"].mean() < 0.8
    np.testing.assert_allclose(np.linalg.norm(item["normals"], axis=1), 1, atol=1e-3)
    if augment == "none":  # the ball fills [-0.9, 0.9]
        np.testing.assert_allclose(item["normals"], item["points"] / 0.9, atol=5e-3)
        assert np.allclose(np.linalg.norm(item["points"], axis=1), 0.9, atol=2e-3)
        distance = np.linalg.norm(item["coords"], axis=1)
        clear = np.abs(distance - 0.9) > 2e-3
        assert np.array_equal(item["targets"][clear, 0] > 0, distance[clear] < 0.9)


def test_damaged_models_are_named(tmp_path: Path) -> None:
    shapenet(tmp_path)
    (tmp_path / CHAIR / "a" / "pointcloud.npz").unlink()
    (tmp_path / CHAIR / "b" / "points.npz").write_bytes(b"PK no")
    with np.load(tmp_path / TABLE / "e" / "points.npz") as content:
        np.savez(tmp_path / TABLE / "e" / "short.npz", **{**content, "occupancies": content["occupancies"][:-9]})
    (tmp_path / TABLE / "e" / "short.npz").rename(tmp_path / TABLE / "e" / "points.npz")
    found = check_layout(tmp_path)
    reasons = {one.path.name: one.reason for one in found.unusable}
    assert "pointcloud.npz is not there" in reasons["a"] and "cannot be read" in reasons["b"]
    assert "1,003 points and 936 occupancies" in reasons["e"]
    assert not found.usable
    with pytest.raises(DataError, match="No example"):
        open_shapes(str(tmp_path), "train", seed=0, queries=64).sample(0, np.random.default_rng(0), augment="none")


def test_the_next_model_with_its_caption_stands_in_for_a_damaged_one(tmp_path: Path) -> None:
    shapenet(tmp_path)
    source = open_shapes(str(tmp_path), "train", seed=0, queries=64)
    first = source.shapes.names.index(f"{CHAIR}/a")
    following = source.captions((first + 1) % len(source))
    (tmp_path / CHAIR / "a" / "points.npz").write_bytes(b"PK no")
    damaged, stand_in = (
        source.sample(index % len(source), np.random.default_rng(0), augment="none") for index in (first, first + 1)
    )
    assert np.array_equal(damaged["points"], stand_in["points"])
    assert source.captions(first) == following


def test_text2shape_joins_its_captions_to_shapenet(tmp_path: Path) -> None:
    shapenet(tmp_path)
    (tmp_path / "captions.tablechair.csv").write_text(
        "id,modelId,description,category,topLevelSynsetId,subSynsetId\n"
        f'1,a,"a brown chair, with arms",Chair,{CHAIR},{CHAIR}\n'
        f"2,a,wooden chair,Chair,{CHAIR},{CHAIR}\n"
        f"3,f,round table,Table,{TABLE},{TABLE}\n"
        f"4,nobody,lost,Table,{TABLE},{TABLE}\n"
    )
    train = mesh_folder(tmp_path, "train")
    assert isinstance(train, OccupancyShapes) and list(train.names) == [f"{CHAIR}/a"]
    assert train.captions(0) == ["a brown chair, with arms", "wooden chair"]
    found = check_layout(tmp_path)
    assert found.layout == "text2shape" and found.splits == {"train": 1, "val": 1, "test": 0} and found.captions == 3
    assert ["describes nobody" in one.reason for one in found.unusable] == [True]


@pytest.mark.slow
def test_srn_cars_is_a_set_of_scenes(tmp_path: Path) -> None:
    for name in ("cars_train/1a", "cars_train/2b", "cars_val/3c", "cars_test/4d"):
        write_srn(tmp_path / name)
    (tmp_path / "cars_train/9z/rgb").mkdir(parents=True)
    # Poses are alike in many scenes of the published set: only pictures tell these two apart
    for file, picture_ in zip(sorted((tmp_path / "cars_train/2b/rgb").iterdir()), red_and_blue(), strict=True):
        Image.fromarray(picture_).save(file)
    train, held_out = radiance_folder(tmp_path, "train"), radiance_folder(tmp_path, "held_out")
    assert list(train.names) == ["cars_train/1a", "cars_train/2b"] and list(held_out.names) == ["cars_val/3c"]
    assert [name.split("/")[0] for name in radiance_folder(tmp_path, "test").names] == ["cars_test"]
    found = check_layout(tmp_path)
    assert found.layout == "srn-cars" and found.splits == {"train": 2, "val": 1, "test": 1}
    assert [one.path.name for one in found.unusable] == ["9z"]
    source = open_radiance(str(tmp_path), "train", seed=0, queries=280, given=EncoderInput(SurfacePoints(64)))
    first, again = (source.sample(0, np.random.default_rng(3), augment="none") for _ in range(2))
    assert first["points"].shape == (64, 6) and np.array_equal(first["targets"], again["targets"])
    cached = radiance_folder(tmp_path, "train")  # from what was kept on disk
    assert np.array_equal(cached.points(1).positions, train.points(1).positions)
    assert not np.allclose(cached.points(1).colours.mean(0), cached.points(0).colours.mean(0), atol=0.05)
    shown = cached.views(0)
    assert shown is not None and shown.pixels.shape == (8, 40, 40, 4) and np.isclose(shown.cameras[0].fov, 35)


def red_and_blue() -> list[np.ndarray]:
    return [on_white(view)[..., [0, 2, 1]] for view in pictures(spread_cameras(8))]


def test_skytimelapse_has_its_published_clips(tmp_path: Path) -> None:
    for split, clip, count in (("train", "a_1", 16), ("train", "a_2", 5), ("test", "b_1", 17)):
        for n in range(count):
            picture(tmp_path / f"sky_{split}" / clip[0] / clip / f"{clip}_frames_{n:08d}.jpg", (n * 9, 60, 200))
    picture(tmp_path / "sky_test/b/b_2/b_2_frames_00000000.jpg")
    picture(tmp_path / "sky_test/b/b_2/b_2_frames_00000001.jpg", side=48)
    assert list(clip_folder(tmp_path, "train").names) == ["sky_train/a/a_1"]
    assert list(clip_folder(tmp_path, "held_out").names) == ["sky_test/b/b_1"]
    found = check_layout(tmp_path)
    assert found.layout == "skytimelapse" and found.splits == {"train": 1, "val": 0, "test": 1}
    reasons = {one.path.name: one.reason for one in found.unusable}
    assert "5 frames" in reasons["a_2"] and "differ in size" in reasons["b_2"]


def test_the_command_prints_and_fails_as_it_should(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    afhq(tmp_path / "afhq")
    assert cli.main(["data", "check", str(tmp_path / "afhq")]) == 0
    assert "AFHQv2 (afhq), for image: 5 captions" in capsys.readouterr().out
    assert cli.main(["data", "check", str(tmp_path / "afhq"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["splits"]["train"] == 3
    assert cli.main(["data", "check", str(tmp_path)]) == 1
    assert "no published layout" in capsys.readouterr().err
    for file in (tmp_path / "afhq/train").rglob("*.png"):
        file.write_bytes(b"no picture")
    assert cli.main(["data", "check", str(tmp_path / "afhq")]) == 1
    assert "nothing to train on" in capsys.readouterr().err


def test_an_ordinary_folder_is_in_no_layout(tmp_path: Path) -> None:
    picture(tmp_path / "train" / "holiday" / "a.png")
    assert listing_of(tmp_path) is None
