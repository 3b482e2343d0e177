from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddmi_core.data.posed_pictures import left_out, read_points2nerf, read_srn, read_transforms
from ddmi_core.data.radiance_folders import radiance_folder, read_radiance
from ddmi_core.data.visual_hull import hull_points
from ddmi_core.placement import TO_Y_UP
from ddmi_core.support.errors import DataError
from tests.core.data.posed_scene import (
    SIDE,
    coloured_box,
    on_busy_ground,
    on_white,
    pictures,
    write_srn,
    write_transforms,
)


def edit(file: Path, change) -> None:
    """Change the frames of a transforms.json."""
    table = json.loads(file.read_text())
    change(table["frames"])
    file.write_text(json.dumps(table))


def test_transforms_come_back_as_they_were_written(tmp_path: Path) -> None:
    cameras = write_transforms(tmp_path)
    shots = read_transforms(tmp_path / "transforms.json")
    assert not shots.unusable
    for camera, shot, picture in zip(cameras, shots.views, pictures(cameras), strict=True):
        np.testing.assert_allclose(shot.camera.pose, camera.pose, atol=1e-9)
        assert shot.camera.fov == pytest.approx(camera.fov)
        np.testing.assert_array_equal(shot.pixels, picture)


def test_suffixes_may_be_left_out_and_the_angle_may_be_all_that_is_known(tmp_path: Path) -> None:
    cameras = write_transforms(tmp_path, name="transforms_train.json")
    table = json.loads((tmp_path / "transforms_train.json").read_text())
    frames = [{**frame, "file_path": "./" + frame["file_path"][:-4]} for frame in table["frames"]]
    bare = {"camera_angle_x": table["camera_angle_x"], "frames": frames}
    (tmp_path / "transforms_train.json").write_text(json.dumps(bare))
    shots = read_transforms(tmp_path / "transforms_train.json")
    assert len(shots.views) == len(cameras)
    assert shots.views[0].camera.fov == pytest.approx(cameras[0].fov)


def test_srn_has_the_same_cameras_and_loses_its_white_ground(tmp_path: Path) -> None:
    cameras = write_srn(tmp_path)
    shots = read_srn(tmp_path)
    for camera, shot in zip(cameras, shots.views, strict=True):
        np.testing.assert_allclose(shot.camera.pose, camera.pose, atol=1e-9)
        assert shot.camera.fov == pytest.approx(camera.fov)
    assert shots.views[0].pixels[0, 0, 3] == 0 and shots.views[0].pixels[SIDE // 2, SIDE // 2, 3] == 255


def singular(frames: list[dict]) -> None:
    frames[1]["transform_matrix"] = np.zeros((4, 4)).tolist()


def pointing_away(frames: list[dict]) -> None:
    pose = np.array(frames[1]["transform_matrix"])
    pose[:3, [0, 2]] *= -1
    frames[1]["transform_matrix"] = pose.tolist()


def without_a_picture(frames: list[dict]) -> None:
    frames[1]["file_path"] = "views/none.png"


def not_a_number(frames: list[dict]) -> None:
    frames[1]["transform_matrix"][0][0] = float("nan")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (singular, "singular"),
        (pointing_away, "points away"),
        (without_a_picture, "no file"),
        (not_a_number, "not numbers"),
    ],
)
def test_what_is_wrong_with_a_view_is_listed_and_the_others_are_used(tmp_path: Path, change, reason: str) -> None:
    write_transforms(tmp_path)
    edit(tmp_path / "transforms.json", change)
    shots = read_transforms(tmp_path / "transforms.json")
    assert len(shots.views) == 7
    (problem,) = shots.unusable
    assert reason in problem.reason


def test_a_picture_of_another_size_is_listed(tmp_path: Path) -> None:
    write_transforms(tmp_path)
    with Image.open(tmp_path / "views/3.png") as picture:
        smaller = picture.resize((20, 30))
    smaller.save(tmp_path / "views/3.png")
    shots = read_transforms(tmp_path / "transforms.json")
    assert len(shots.views) == 7 and "20 x 30" in shots.unusable[0].reason


def test_too_few_views_say_why(tmp_path: Path) -> None:
    write_transforms(tmp_path)
    edit(tmp_path / "transforms.json", lambda frames: [frame.update(transform_matrix=[]) for frame in frames[2:]])
    with pytest.raises(DataError, match=r"2 usable views of 8.*no 4x4 matrix"):
        read_transforms(tmp_path / "transforms.json")


def test_objects_before_a_busy_background_are_told_with_what_to_do(tmp_path: Path) -> None:
    write_transforms(tmp_path)
    on_busy_ground(tmp_path, 1, 5)
    shots = read_transforms(tmp_path / "transforms.json")
    assert len(shots.views) == 6 and shots.busy == 2
    assert left_out(shots.unusable, 6).startswith("2 of 8 pictures are left out. 1.png: it has neither transparency")
    on_busy_ground(tmp_path, *range(8))
    with pytest.raises(DataError, match=r"8 of its 8 pictures show the object before a background .*cut it out"):
        read_transforms(tmp_path / "transforms.json")


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', "3"])
def test_other_json_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "transforms.json").write_text(content)
    with pytest.raises(DataError, match=r"transforms\.json"):
        read_transforms(tmp_path / "transforms.json")


def test_a_busy_background_is_refused(tmp_path: Path) -> None:
    write_transforms(tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "views/0.png")
    assert "background" in read_transforms(tmp_path / "transforms.json").unusable[0].reason


def test_the_hull_of_a_box_is_the_box_in_its_colours(tmp_path: Path) -> None:
    write_transforms(tmp_path, 16)
    positions, colours = hull_points(read_transforms(tmp_path / "transforms.json"))
    np.testing.assert_allclose(np.ptp(positions, axis=0), [1.8, 1.0, 0.8], atol=0.15)
    front = positions[:, 2] > positions[:, 2].max() - 0.03
    red, green = colours[front].mean(0), colours[positions[:, 2] < 0].mean(0)
    assert red[0] > 2 * red[1] and green[1] > 2 * green[0]


@pytest.mark.parametrize("write", [write_transforms, write_srn])
def test_a_scene_says_where_its_object_lay(tmp_path: Path, write) -> None:
    cameras = write(tmp_path, 16)
    found = read_radiance(tmp_path)
    placement, views = found.points(0).placement, found.views(0)
    assert placement is not None and views is not None and placement.up == "z"
    assert placement.longest == pytest.approx(1.8, abs=0.15)
    for camera, inside in zip(cameras, views.cameras, strict=True):
        np.testing.assert_allclose((placement.back("y") @ inside.pose)[:3, 3], camera.pose[:3, 3], atol=1e-6)


def npz(path: Path, **replaced: np.ndarray) -> Path:
    cameras = write_transforms(path.parent / "scene")
    poses = np.stack([TO_Y_UP.T @ camera.pose for camera in cameras])
    images = on_white(pictures(cameras)) / 255
    points = coloured_box().seen(cameras, SIDE, SIDE).points(200, np.random.default_rng(0))
    data = np.concatenate([points.positions @ TO_Y_UP[:3, :3], points.colours], axis=1)
    np.savez(path, **{"data": data, "images": images.astype(np.float16), "cam_poses": poses, **replaced})
    return path


def test_points2nerf_brings_points_and_views(tmp_path: Path) -> None:
    positions, colours, shots = read_points2nerf(npz(tmp_path / "8_box.npz"))
    assert len(positions) == 200 and len(shots.views) == 8
    np.testing.assert_allclose(np.abs(positions).max(0), [0.9, 0.5, 0.4], atol=0.02)
    assert colours.max() <= 1


@pytest.mark.parametrize(
    ("replaced", "reason"),
    [
        ({"data": np.zeros((0, 6))}, "no points"),
        ({"data": np.zeros((50, 3))}, "without colours"),
        ({"cam_poses": np.zeros((3, 4, 4))}, "each image needs its own"),
        ({"cam_poses": np.zeros((8, 4, 4))}, "0 usable views"),
    ],
)
def test_a_bad_npz_says_what_is_bad(tmp_path: Path, replaced: dict[str, np.ndarray], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_points2nerf(npz(tmp_path / "8_box.npz", **replaced))


def test_a_folder_of_everything(tmp_path: Path) -> None:
    write_transforms(tmp_path / "one")
    write_srn(tmp_path / "two")
    (tmp_path / "three").mkdir()
    npz(tmp_path / "three" / "8_box.npz")
    (tmp_path / "bad.ply").write_text("nonsense")
    (tmp_path / "captions.csv").write_text("file,caption\none/transforms.json,a box\n")
    train, held_out = radiance_folder(tmp_path, "train"), radiance_folder(tmp_path, "held_out")
    captions = {name: part.captions(i) for part in (train, held_out) for i, name in enumerate(part.names)}
    assert set(captions) == {
        "one/transforms.json",
        "three/8_box.npz",
        "three/scene/transforms.json",
        "two/intrinsics.txt",
    }
    assert captions["one/transforms.json"] == ["a box"]
    assert [problem.path.name for problem in train.unusable] == ["bad.ply"]


def test_a_scene_is_brought_to_the_usual_size(tmp_path: Path) -> None:
    write_transforms(tmp_path, 16)
    scene = read_radiance(tmp_path)
    views = scene.views(0)
    assert views is not None and len(views.cameras) == 16
    assert np.abs(scene.points(0).positions).max() == pytest.approx(0.9, abs=1e-5)
    with pytest.raises(DataError, match="no posed pictures"):
        read_radiance(tmp_path / "views")
