from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from ddmi_core.data.shape_folders import mesh_folder, read_shape
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Cancelled


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl", ".glb", ".off"])
def test_a_mesh_of_every_kind_is_read_as_points_of_its_surface(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"box{suffix}"
    trimesh.creation.box((20, 10, 4)).apply_translation((100, 0, 0)).export(file)
    points = read_shape(file).points(0)
    assert points.dtype == np.float32
    np.testing.assert_allclose(np.ptp(points, axis=0), (1.8, 0.9, 0.36), atol=0.03)
    np.testing.assert_allclose((points.max(0) + points.min(0)) / 2, 0, atol=0.02)
    np.testing.assert_array_equal(points, read_shape(file).points(0))


def test_parts_of_a_scene_stand_where_the_scene_puts_them(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    for x in (0, 8):
        scene.add_geometry(
            trimesh.creation.box((2, 2, 2)), transform=trimesh.transformations.translation_matrix((x, 0, 0))
        )
    scene.export(tmp_path / "two.glb")
    points = read_shape(tmp_path / "two.glb").points(0)
    assert (np.abs(points[:, 0]) > 0.5).all()


@pytest.mark.parametrize("suffix", [".ply", ".obj"])
def test_a_point_cloud_is_read_as_it_is(tmp_path: Path, suffix: str) -> None:
    cloud = np.random.default_rng(0).random((100, 3))
    file = tmp_path / f"cloud{suffix}"
    if suffix == ".ply":
        trimesh.PointCloud(cloud).export(file)
    else:
        file.write_text("\n".join(f"v {x} {y} {z}" for x, y, z in cloud))
    points = read_shape(file).points(0)
    assert points.shape == (100, 3)
    assert np.ptp(points, axis=0).max() == pytest.approx(1.8, abs=1e-5)


def test_a_point_cloud_keeps_its_normals_where_it_has_any(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cloud, normals = rng.random((100, 3)), rng.normal(size=(100, 3))
    normals[0] = 0
    rows = "\n".join(" ".join(map(str, row)) for row in np.concatenate([cloud, normals], axis=1))
    names = "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    file = tmp_path / "cloud.ply"
    file.write_text(f"ply\nformat ascii 1.0\nelement vertex 100\n{names}end_header\n{rows}\n")
    drawn = read_shape(file).sample(0, np.random.default_rng(1), 100, 0)
    order = np.lexsort(drawn["points"].T)
    expected = (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9))[np.lexsort(cloud.T)]
    np.testing.assert_allclose(drawn["normals"][order], expected, atol=1e-5)
    trimesh.PointCloud(cloud).export(file)
    assert not read_shape(file).sample(0, rng, 100, 0)["normals"].any()


def test_a_stray_vertex_does_not_set_the_scale(tmp_path: Path) -> None:
    (tmp_path / "stray.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 99 99 99\nf 1 2 3\n")
    assert np.ptp(read_shape(tmp_path / "stray.obj").points(0), axis=0).max() > 1.5


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.obj", "", "empty"),
        ("empty.glb", "", "empty"),
        ("comment.obj", "# nothing\n", "no vertices|cannot be read"),
        ("nan.obj", "v 0 0 0\nv nan 0 1\nv 1 1 1\nf 1 2 3\n", "NaN"),
        ("few.obj", "v 0 0 0\nv 1 0 1\nv 1 1 1\n", "no faces and only 3 points"),
        ("index.obj", "v 0 0 0\nv 1 0 1\nv 1 1 1\nf 1 2 9\n", "cannot be read"),
        ("line.obj", "v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n", "area"),
        ("garbage.glb", "no binary glTF at all" * 9, "cannot be read"),
        ("truncated.ply", "ply\nformat ascii 1.0\nelement vertex 8\n", "cannot be read|no vertices"),
        ("shape.xyz", "0 0 0", "known kind"),
    ],
)
def test_an_unusable_file_is_a_clear_error(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_shape(tmp_path / name)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        read_shape(tmp_path / "absent.obj")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "meshes"
    (root / "more").mkdir(parents=True)
    for i in range(3):
        trimesh.creation.box((1, 1 + i, 2)).export(root / f"box{i}.obj")
    trimesh.creation.icosphere(2).export(root / "more" / "ball.ply")
    (root / "copy.obj").write_bytes((root / "box0.obj").read_bytes())
    (root / "nan.obj").write_text("v 0 0 0\nv nan 0 1\nv 1 1 1\nf 1 2 3\n")
    (root / "captions.csv").write_text(
        'file,caption\nbox0.obj,a low box\nbox0.obj,"a box, plain"\nmore/ball.ply,a ball\n'
    )
    return root


def test_a_folder_is_split_for_good_and_says_what_it_leaves_out(folder: Path) -> None:
    train, held_out = mesh_folder(folder, "train"), mesh_folder(folder, "held_out")
    assert sorted([*train.names, *held_out.names]) == ["box0.obj", "box1.obj", "box2.obj", "copy.obj", "more/ball.ply"]
    assert len(held_out) >= 1
    assert ("box0.obj" in train.names) == ("copy.obj" in train.names)
    assert [(item.path.name, "NaN" in item.reason) for item in train.unusable] == [("nan.obj", True)]
    captions = {part.names[i]: part.captions(i) for part in (train, held_out) for i in range(len(part))}
    assert captions["box0.obj"] == ["a low box", "a box, plain"]
    assert captions["more/ball.ply"] == ["a ball"]
    assert captions["box1.obj"] == []
    example = train.sample(0, np.random.default_rng(0), 64, 128, "captioned")
    assert example["points"].shape == (64, 3)
    assert 0 < example["targets"].mean() < 1


def test_labels_are_kept_and_a_damaged_cache_is_made_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDMI_HOME", str(folder.parent / "home"))
    first = mesh_folder(folder, "train")
    stored = sorted((folder.parent / "home" / "cache" / "shapes").iterdir())
    assert len(stored) == 4  # the copy shares its label
    stored[0].write_bytes(b"damaged")
    again = mesh_folder(folder, "train")
    np.testing.assert_array_equal(first.points(0), again.points(0))


def test_a_lone_shape_serves_both_parts(tmp_path: Path) -> None:
    trimesh.creation.box().export(tmp_path / "box.stl")
    assert len(mesh_folder(tmp_path, "train")) == len(mesh_folder(tmp_path, "held_out")) == 1


def test_a_folder_without_meshes_and_a_bad_table_are_clear_errors(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        mesh_folder(tmp_path / "absent", "train")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match="no usable mesh"):
        mesh_folder(tmp_path / "nothing", "train")
    (folder / "captions.csv").write_text("name;words\n")
    with pytest.raises(DataError, match="file,caption"):
        mesh_folder(folder, "train")


def test_reading_a_folder_can_be_cancelled(folder: Path) -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    callback: Callable[[float, str], None] = stop
    with pytest.raises(Cancelled):
        mesh_folder(folder, "train", progress=callback)
