import pickle
from pathlib import Path

import pytest
import trimesh
import webdataset

from ddmi_core.data.drawn import Drawn
from ddmi_core.data.shape_folders import mesh_folder
from ddmi_core.support.errors import DataError


def test_for_an_item_that_cannot_be_used_the_next_one_stands_in() -> None:
    loaded: list[int] = []

    def load(index: int) -> str:
        loaded.append(index)
        if index in (1, 2):
            raise DataError("bad")
        return f"item {index}"

    drawn = Drawn(5, load, 2)
    assert drawn[1] == "item 3" and drawn.place(1) == 3 and drawn.place(2) == 2
    assert drawn[1] == "item 3" and loaded == [1, 2, 3]  # kept, and known to be bad
    assert [drawn[index] for index in (0, 4, 3)] == ["item 0", "item 4", "item 3"]
    assert loaded == [1, 2, 3, 0, 4, 3]  # two are kept
    assert not pickle.loads(pickle.dumps(Drawn(5, str, 2)))._recent
    with pytest.raises(DataError, match="No example"):
        Drawn(2, lambda _: load(1), 2)[0]


def test_a_worker_process_is_given_where_things_are_and_not_what_was_loaded(tmp_path: Path) -> None:
    folder, shards = tmp_path / "folder", tmp_path / "shards"
    shards.mkdir()
    folder.mkdir()
    mesh = trimesh.creation.box().export(file_type="ply")
    (folder / "box.ply").write_bytes(mesh)
    with webdataset.TarWriter(str(shards / "part.tar")) as writer:
        writer.write({"__key__": "box", "ply": mesh})
    for path in (folder, shards):
        shapes = mesh_folder(path, "train")
        points = shapes.points(0)
        sent = pickle.dumps(shapes)
        assert len(sent) < 10_000 and (pickle.loads(sent).points(0) == points).all()
