from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from ddmi_core.data.coloured_meshes import ColouredMesh, ColouredPoints, evenly, read_coloured, spread_cameras
from ddmi_core.support.errors import DataError


def mean_colour(mesh: ColouredMesh | ColouredPoints) -> np.ndarray:
    if isinstance(mesh, ColouredPoints):
        return mesh.colours.mean(0)
    return mesh.seen(spread_cameras(6), 24, 24).points(500, np.random.default_rng(0)).colours.mean(0)


def test_a_texture_is_read_where_its_coordinates_say(tmp_path: Path) -> None:
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    picture[:, :4], picture[:, 4:] = [255, 0, 0], [0, 0, 255]
    mesh = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    material = trimesh.visual.material.SimpleMaterial(image=Image.fromarray(picture))
    mesh.visual = trimesh.visual.TextureVisuals(uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]]), material=material)
    mesh.export(tmp_path / "square.obj")
    found = read_coloured(tmp_path / "square.obj")
    assert isinstance(found, ColouredMesh)
    corners = np.full((2, 3), 1 / 3)
    right, left = found.colours(np.array([0, 1]), corners)  # the triangles' middles
    assert right[2] > 0.9 > 0.1 > right[0] and left[0] > 0.9 > 0.1 > left[2]


@pytest.mark.parametrize("suffix", [".ply", ".glb", ".obj"])
def test_colours_of_vertices(tmp_path: Path, suffix: str) -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    ball.visual.vertex_colors = np.tile([200, 100, 50, 255], (len(ball.vertices), 1)).astype(np.uint8)
    ball.export(tmp_path / f"ball{suffix}")
    np.testing.assert_allclose(
        mean_colour(read_coloured(tmp_path / f"ball{suffix}")), np.array([200, 100, 50]) / 255, atol=0.01
    )


def test_a_mesh_without_colours_is_grey(tmp_path: Path) -> None:
    trimesh.creation.icosphere().export(tmp_path / "ball.stl")
    assert np.ptp(mean_colour(read_coloured(tmp_path / "ball.stl"))) < 1e-6


def test_a_coloured_cloud_is_read_and_one_without_colours_is_not(tmp_path: Path) -> None:
    places = np.random.default_rng(0).normal(size=(60, 3))
    colours = np.tile([10, 20, 250, 255], (60, 1)).astype(np.uint8)
    trimesh.PointCloud(places, colors=colours).export(tmp_path / "cloud.ply")
    cloud = read_coloured(tmp_path / "cloud.ply")
    assert isinstance(cloud, ColouredPoints) and np.abs(cloud.positions).max() == pytest.approx(0.9, abs=1e-6)
    np.testing.assert_allclose(mean_colour(cloud), [10 / 255, 20 / 255, 250 / 255], atol=1e-6)
    trimesh.PointCloud(places).export(tmp_path / "bare.ply")
    with pytest.raises(DataError, match=r"bare\.ply.*no colours"):
        read_coloured(tmp_path / "bare.ply")
    trimesh.PointCloud(places[:5], colors=colours[:5]).export(tmp_path / "few.ply")
    with pytest.raises(DataError, match="only 5 points"):
        read_coloured(tmp_path / "few.ply")


def test_light_depends_on_the_side_and_a_little_on_the_view() -> None:
    mesh = trimesh.creation.box(extents=(1.8, 1.8, 1.8))
    mesh.visual.face_colors = np.tile([128, 128, 128, 255], (12, 1))
    top = ColouredMesh([mesh])
    above = spread_cameras(1, lowest=85, highest=89)
    below = spread_cameras(1, lowest=-89, highest=-85)
    bright, dark = (top.seen(cameras, 16, 16).pictures()[0, 8, 8, :3].mean() for cameras in (above, below))
    assert bright > dark + 0.05


def test_pictures_are_premultiplied_and_transparent_around() -> None:
    mesh = trimesh.creation.icosphere(radius=0.4)
    pictures = ColouredMesh([mesh]).seen(spread_cameras(3), 32, 32).pictures()
    assert pictures.shape == (3, 32, 32, 4)
    assert (pictures[..., :3] <= pictures[..., 3:] + 1e-6).all()
    assert (pictures[:, 0, 0] == 0).all() and (pictures[:, 16, 16, 3] == 1).all()


def test_points_are_drawn_evenly() -> None:
    rng = np.random.default_rng(0)
    crowd = np.concatenate([np.full((900, 3), 0.5) + rng.normal(0, 1e-4, (900, 3)), rng.uniform(-0.8, 0, (100, 3))])
    drawn = evenly(ColouredPoints(crowd.astype(np.float32), np.zeros((1000, 3), np.float32)), 60, rng)
    assert (drawn.positions > 0.4).all(axis=1).mean() < 0.2


def test_spread_cameras_look_at_the_middle_from_all_around() -> None:
    cameras = spread_cameras(24)
    for camera in cameras:
        place, axis = camera.pose[:3, 3], camera.pose[:3, 2]
        np.testing.assert_allclose(place / np.linalg.norm(place), axis, atol=1e-9)
    azimuths = np.sort([np.arctan2(*camera.pose[[0, 2], 3]) for camera in cameras])
    assert np.diff(azimuths).max() < 0.8
