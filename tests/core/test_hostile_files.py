"""Files that try to reach out of where they lie, or to make a reader run, open or unfold something, get nowhere."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from ddmi_core.data.array_files import read_arrays
from ddmi_core.data.clip_files import read_clip
from ddmi_core.data.coloured_meshes import ColouredMesh, read_coloured
from ddmi_core.data.image_folders import image_folder
from ddmi_core.data.layouts import listing_of
from ddmi_core.data.posed_pictures import read_transforms
from ddmi_core.model_folder import describe, find_model, import_model, list_models, models_folder
from ddmi_core.support.errors import DataError, DDMIError, ModelError
from ddmi_core.training.config import RunConfig
from ddmi_core.training.history import parse_events
from tests.core.clips import dot_frames, write_video
from tests.core.data.posed_scene import write_transforms

DEEP = "[" * 100_000


def _everything(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


class Crafted:
    """What runs something when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_members_of_a_shard_land_nowhere_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    data = tmp_path / "data"
    data.mkdir()
    content = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(content, "PNG")
    with tarfile.open(data / "a.tar", "w") as shard:
        for name in ("../../evil.png", str(tmp_path / "absolute.png"), "good.png"):
            member = tarfile.TarInfo(name)
            member.size = len(content.getvalue())
            shard.addfile(member, io.BytesIO(content.getvalue()))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            member = tarfile.TarInfo(f"link{kind.decode()}.png")
            member.type, member.linkname = kind, str(tmp_path / "secret.png")
            shard.addfile(member)
    before = _everything(tmp_path)
    found = [image_folder(data, split) for split in ("train", "held_out")]
    for part in found:
        for index in range(len(part)):
            part.open(index)
    assert not any("link" in name for part in found for name in part.names)
    assert _everything(tmp_path) == before


@pytest.mark.parametrize("name", ["../outside.png", "views/../../outside.png", "{absolute}"])
def test_posed_pictures_outside_of_the_scene_are_left_out(tmp_path: Path, name: str) -> None:
    scene = tmp_path / "scene"
    write_transforms(scene, 8)
    shutil.copy(scene / "views" / "0.png", tmp_path / "outside.png")
    table = json.loads((scene / "transforms.json").read_text())
    table["frames"][0]["file_path"] = name.format(absolute=tmp_path / "outside.png")
    (scene / "transforms.json").write_text(json.dumps(table))
    shots = read_transforms(scene / "transforms.json")
    assert len(shots.views) == 7
    assert "outside of the scene's folder" in shots.unusable[0].reason


def test_a_list_of_models_that_leads_elsewhere_lists_what_is_absent(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    for name in ("points.npz", "pointcloud.npz"):
        (tmp_path / "else" / name).write_bytes(b"")
    synset = tmp_path / "data" / "03001627"
    synset.mkdir(parents=True)
    (synset / "train.lst").write_text(f"../../else\n{tmp_path / 'else'}\n{'x' * 5000}\n")
    listing = listing_of(tmp_path / "data", "shape")
    assert listing is not None and not listing.items
    assert all("leads elsewhere" in one.reason for one in listing.absent) and len(listing.absent) == 3


def test_a_texture_outside_of_the_folder_is_not_read(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "secret.png")
    folder = tmp_path / "mesh"
    folder.mkdir()
    box = trimesh.creation.box()
    lines = ["mtllib box.mtl", "usemtl stolen"]
    lines += [f"v {x} {y} {z}" for x, y, z in box.vertices] + ["vt 0.5 0.5"]
    lines += ["f " + " ".join(f"{corner + 1}/1" for corner in face) for face in box.faces]
    (folder / "box.obj").write_text("\n".join(lines))
    for place in ("../secret.png", str(tmp_path / "secret.png")):
        (folder / "box.mtl").write_text(f"newmtl stolen\nKd 0 0 1\nmap_Kd {place}\n")
        found = read_coloured(folder / "box.obj")
        assert isinstance(found, ColouredMesh)
        colours = found.colours(np.array([0]), np.full((1, 3), 1 / 3, np.float32))
        assert colours[0, 0] < 0.9, "not the red of the picture outside"


@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile other.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    ],
)
def test_a_playlist_that_passes_for_a_clip_opens_nothing(tmp_path: Path, playlist: str) -> None:
    write_video(tmp_path / "other.mp4", dot_frames(8))
    read_clip(tmp_path / "other.mp4")
    (tmp_path / "clip.mp4").write_text(playlist)
    with pytest.raises(DataError, match=r"clip\.mp4 is damaged, or no video"):
        read_clip(tmp_path / "clip.mp4")


def test_arrays_are_not_unpickled(tmp_path: Path) -> None:
    array = np.empty(1, dtype=object)
    array[0] = Crafted(tmp_path / "mark")
    np.savez(tmp_path / "a.npz", data=array)
    with pytest.raises(DataError, match="cannot be read as an"):
        read_arrays(tmp_path / "a.npz", "data")
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Crafted(tmp_path / "mark")))
    with pytest.raises(DataError, match="cannot be read as an"):
        read_arrays(tmp_path / "b.npz", "data")
    assert not (tmp_path / "mark").exists()


def test_tags_of_yaml_make_nothing(tmp_path: Path) -> None:
    for text in (f"!!python/object/apply:os.mkdir ['{tmp_path}/mark']", f"name: !!python/name:os.system\nx: {DEEP}"):
        with pytest.raises(DDMIError, match=r"not valid YAML|nested too deeply"):
            RunConfig.from_text(text, "hostile.yaml")
    assert not (tmp_path / "mark").exists()


def test_a_configuration_that_unfolds_without_end_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(DDMIError, match="refers to itself without end"):
        RunConfig.from_text("\n".join(lines), "hostile.yaml")


def test_a_model_folder_with_links_is_not_imported_and_deep_json_is_refused(tmp_path: Path) -> None:
    model = shutil.copytree(find_model(list_models("image")[0].name), tmp_path / "model")
    (model / "label.json").write_text('{"name": "another"}')  # or it would be there already
    (model / "scheduler" / "scheduler_config.json").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    (model / "extra").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="is a link"):
        import_model(model)
    assert not models_folder().exists()
    (model / "extra").unlink()
    assert import_model(model).folder.parent == models_folder()
    (model / "model_index.json").write_text(DEEP)
    with pytest.raises(ModelError, match="nested too deeply"):
        describe(model)


def test_deep_events_cost_their_line_alone() -> None:
    assert parse_events(b'{"step": 1}\n' + DEEP.encode() + b'\n{"step": 2}') == [{"step": 1}, {"step": 2}]


def test_a_clip_with_words_in_another_encoding_is_read(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", dot_frames(8))
    content = clip.read_bytes()
    assert b"Lavf" in content
    clip.write_bytes(content.replace(b"Lavf", b"L\xe4vf"))
    assert len(read_clip(clip).times) == 8
