import http.server
import io
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trimesh
import webdataset
from PIL import Image

from ddmi_core.data import shard_order, shard_places
from ddmi_core.data.clip_sources import open_clips
from ddmi_core.data.clips import Encoded
from ddmi_core.data.image_folders import DrawnPictures, image_folder, picture_shards
from ddmi_core.data.image_sources import open_pictures
from ddmi_core.data.items import EncoderInput, Mixture, NumberedDraws, SurfacePoints
from ddmi_core.data.radiance_sources import open_radiance
from ddmi_core.data.shape_sources import open_shapes
from ddmi_core.data.shard_order import Place, ShardOrder
from ddmi_core.data.shards import Shards
from ddmi_core.data.user_folder import scan_folder
from ddmi_core.support.errors import DataError
from tests.core.clips import dot_frames, write_video


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
    assert isinstance(train, DrawnPictures)
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
    folder = picture_shards(tmp_path, "train")
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


def test_clips_and_coloured_meshes_are_drawn_from_shards_too(tmp_path: Path) -> None:
    clips, objects = tmp_path / "clips", tmp_path / "objects"
    for folder in (clips, objects):
        folder.mkdir()
    with webdataset.TarWriter(str(clips / "part.tar")) as writer:
        for number in range(3):
            video = write_video(tmp_path / "dot.mp4", dot_frames(20 if number else 4, 32)).read_bytes()
            writer.write({"__key__": str(number), "mp4": video, "txt": "a dot"})
    with webdataset.TarWriter(str(objects / "part.tar")) as writer:
        mesh = trimesh.creation.box((1, 2, 1))
        mesh.visual.vertex_colors = [200, 30, 30, 255]
        writer.write({"__key__": "0", "ply": mesh.export(file_type="ply"), "txt": "a red box"})
    source = open_clips(str(clips), "train", seed=0, encoded=Encoded(8, 16), queries=32, footprints=(-6.0, -3.0))
    for index in range(len(source)):  # one is too short, and the next one stands in
        example = source.sample(index, np.random.default_rng(0), augment="none")
        assert example["video"].shape == (5, 8, 16, 16) and source.captions(index) == ["a dot"]
    radiance = open_radiance(str(objects), "train", seed=0, queries=64, given=EncoderInput(SurfacePoints(32)))
    example = radiance.sample(0, np.random.default_rng(0), augment="none")
    assert example["points"].shape == (32, 6) and "targets" in example and radiance.captions(0) == ["a red box"]


def _write(folder: Path, shards: int, examples: int = 20) -> None:
    for shard in range(shards):
        with webdataset.TarWriter(str(folder / f"part-{shard}.tar")) as writer:
            for number in range(examples):
                writer.write({"__key__": f"{number:04d}", "png": _png(10 * (number % 20) + shard)})


def _values(pictures: DrawnPictures) -> list[int]:
    return [int(pictures.open(index).pixels[64, 64, 0]) for index in range(len(pictures))]


class _Server:
    """Serves a folder; notes what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.short = False
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                if outer.short:
                    self.send_response(200)
                    self.send_header("Content-Length", "100000")
                    self.end_headers()
                    self.wfile.write(b"not all of it")
                else:
                    super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[_Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    _write(folder, 2)
    one = _Server(folder)
    yield one
    one.close()


def test_shards_by_url_are_fetched_once_and_are_what_those_of_a_folder_are(server: _Server, tmp_path: Path) -> None:
    pattern = f"{server.address}/part-{{0..1}}.tar"
    near, far = picture_shards(tmp_path / "served", "train"), picture_shards(pattern, "train")
    assert list(near.names) == list(far.names) and _values(near) == _values(far)
    picture_shards(pattern, "held_out")
    assert sorted(server.asked) == ["/part-0.tar", "/part-1.tar"]
    source = open_pictures(pattern, "train", encoded_side=32, queries=64, footprints=(-10.0, -5.0))
    draws = NumberedDraws(Mixture([source], [1.0]), 3, augment="full")
    local = open_pictures(str(tmp_path / "served"), "train", encoded_side=32, queries=64, footprints=(-10.0, -5.0))
    same = NumberedDraws(Mixture([local], [1.0]), 3, augment="full")
    assert all(np.array_equal(draws[k]["image"], same[k]["image"]) for k in (5, 0, 70))


def test_a_url_that_is_gone_is_named_and_the_rest_is_used(server: _Server) -> None:
    pictures = picture_shards(f"{server.address}/part-{{0..2}}.tar", "train")
    assert len(pictures) > 30
    (problem,) = pictures.unusable
    assert "part-2.tar cannot be fetched (HTTP Error 404" in problem.reason and "the other shards" in problem.reason
    with pytest.raises(DataError, match=r"no example.*part-9\.tar cannot be fetched"):
        picture_shards(f"{server.address}/part-9.tar", "train")


def test_a_connection_that_breaks_off_leaves_no_half_a_shard(server: _Server, home: Path) -> None:
    server.short = True
    with pytest.raises(DataError, match="bytes too soon"):
        picture_shards(f"{server.address}/part-0.tar", "train")
    server.short = False
    assert len(picture_shards(f"{server.address}/part-0.tar", "train")) > 10


def test_the_least_recent_shards_make_room(server: _Server, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(shard_places, "FETCHED_BYTES", 1)
    pictures = picture_shards(f"{server.address}/part-{{0..1}}.tar", "train")
    assert len(list((home / "cache" / "shards").iterdir())) == 1
    assert len(set(_values(pictures))) > 20 and len(server.asked) > 2


def test_a_shard_that_was_cut_off_is_used_up_to_there(tmp_path: Path) -> None:
    _write(tmp_path, 2)
    cut = tmp_path / "part-0.tar"
    cut.write_bytes(cut.read_bytes()[:17_000])
    for _ in range(2):  # the second time its index is remembered
        pictures = picture_shards(tmp_path, "train")
        (problem,) = pictures.unusable
        assert (
            "part-0.tar is cut off or damaged after 8 examples" in problem.reason and "Copy it again" in problem.reason
        )
        names = [*pictures.names, *picture_shards(tmp_path, "held_out").names]
        assert len(names) == 28 and sum(name.startswith("part-0/") for name in names) == 8
        assert len(_values(pictures)) == len(pictures)


def test_a_shard_that_goes_on_the_way_is_replaced_by_the_others(tmp_path: Path) -> None:
    _write(tmp_path, 2)
    pictures = picture_shards(tmp_path, "train")
    gone = list(pictures.names).index("part-0/0005")
    (tmp_path / "part-0.tar").unlink()
    assert pictures.open(gone).pixels[64, 64, 0] % 10 == 1  # of the other shard
    assert pictures.captions(gone) == []


def _index(folder: Path, counts: dict[str, object]) -> Path:
    file = folder / "index.json"
    shardlist = [{"url": url, "nsamples": count} for url, count in counts.items()]
    file.write_text(json.dumps({"wids_version": 1, "shardlist": shardlist}))
    return file


def test_with_an_index_shards_are_fetched_when_they_are_needed(server: _Server, tmp_path: Path) -> None:
    _write(tmp_path / "served", 12)
    _index(tmp_path / "served", {f"part-{shard}.tar": 20 for shard in range(12)})
    train, held_out = (Shards(f"{server.address}/index.json", split, (".png",)) for split in ("train", "held_out"))
    assert server.asked == ["/index.json"] * 2 and len(train) + len(held_out) == 240 and len(held_out) >= 20
    assert train.load(0, Path.read_bytes).startswith(b"\x89PNG")
    assert len(server.asked) == 3
    of = [{name.partition("/")[0] for name in part.names} for part in (train, held_out)]
    assert of[0].isdisjoint(of[1])  # whole shards are held out


def test_an_index_that_does_not_fit_is_named(server: _Server, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    _index(folder, {"part-0.tar": 25, "part-1.tar": 20})
    pictures = picture_shards(folder, "train")
    (problem,) = pictures.unusable
    assert "says that part-0.tar has 25 examples, and it has 20: these are used. Make the index anew" in problem.reason
    far = picture_shards(f"{server.address}/index.json", "train")
    assert len(_values(far)) == len(far) > len(pictures)
    assert "promises more examples of part-0.tar than the 20 that it has" in far.unusable[0].reason


@pytest.mark.parametrize("content", ['{"shardlist": 5}', '{"shardlist": [{"url": "../../secret.tar"}]}', '"shardlist"'])
def test_an_index_that_is_none_is_named_and_the_shards_beside_it_are_used(tmp_path: Path, content: str) -> None:
    _write(tmp_path, 1)
    (tmp_path / "index.json").write_text(content)
    pictures = picture_shards(tmp_path, "train")
    (problem,) = pictures.unusable
    assert "cannot be used as an index of shards" in problem.reason and "widsindex" in problem.reason
    assert len(pictures) > 10


@pytest.mark.parametrize("source", ["pipe:cat secret.tar", "file:///etc/secret.tar", "part-${NOT_SET}.tar"])
def test_shards_are_read_from_files_and_the_web_alone(source: str) -> None:
    with pytest.raises(DataError, match=r"http|pattern"):
        picture_shards(source, "train")


def test_an_epoch_draws_every_example_once_in_an_order_of_its_own() -> None:
    order = ShardOrder([7, 0, 50, 23])
    epochs = [[order(number, 5) for number in range(80 * epoch, 80 * (epoch + 1))] for epoch in range(2)]
    everything = {Place(shard, position) for shard, count in enumerate((7, 0, 50, 23)) for position in range(count)}
    assert all(set(epoch) == everything for epoch in epochs)
    assert epochs[0] != epochs[1] != sorted(everything)
    assert epochs[0] == [ShardOrder([7, 0, 50, 23])(number, 5) for number in range(80)]
    assert epochs[0] != [order(number, 6) for number in range(80)]


def test_every_process_reads_few_shards_at_a_time_and_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_order, "BUFFER", 50)
    order = ShardOrder([100] * 64)
    for world in (1, 2, 4, 8):
        read = [{order(number, 0).shard for number in range(rank, 6400, world)} for rank in range(world)]
        assert sum(map(len, read)) == 64  # of lanes of eight whole shards
    at_once = {order(number, 0).shard for number in range(400)}
    assert len(at_once) == 8


def test_a_set_of_a_few_examples_is_drawn_in_full() -> None:
    order = ShardOrder([2, 1])
    assert {order(number, 0) for number in range(3)} == {Place(0, 0), Place(0, 1), Place(1, 0)}
