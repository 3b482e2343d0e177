"""Tiny data sets in exactly the published layouts, through the readers and the check."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddmi_core import cli
from ddmi_core.data.cifar import read_batch
from ddmi_core.data.image_folders import image_folder
from ddmi_core.data.layout_check import check_layout
from ddmi_core.data.layouts import listing_of
from ddmi_core.data.user_folder import scan_folder
from ddmi_core.errors import DataError

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


def test_lsun_churches_as_exported_pictures_and_not_as_databases(tmp_path: Path) -> None:
    (tmp_path / "church_outdoor_train_lmdb").mkdir()
    with pytest.raises(DataError, match=r"databases.*Export the pictures"):
        check_layout(tmp_path)
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
    assert not (tmp_path / "ran").exists() and found.splits["train"] == 6
    with pytest.raises(DataError, match="asks for"):
        image_folder(tmp_path, "train")


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
