"""A radiance field is written as pictures, films, coloured meshes, depth maps and posed views."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import Any

import av
import numpy as np
import pytest
import tifffile
import torch
import trimesh
from PIL import Image, ImageSequence

from ddmi_core.data.posed_pictures import read_transforms
from ddmi_core.export.options import KeyFrame, RadianceExport
from ddmi_core.export.radiance import cameras_of, export_radiance
from ddmi_core.export.recipe_files import RECIPE_KEY, read_recipe
from ddmi_core.fields.radiance import RadianceField
from ddmi_core.placement import Placement
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.cameras import orbit_camera
from ddmi_core.rendering.view_settings import Easing, ViewSettings
from ddmi_core.rendering.volume_rendering import OccupancyGrid
from ddmi_core.support.errors import DDMIError, ExportError
from ddmi_core.support.progress import Cancelled

RADIUS = 0.5
ROUGH = ViewSettings(samples=96)


class Ball(RadianceField):
    """A ball, red on the right half (+x) and blue on the left."""

    def __init__(self) -> None:
        self._baking, self._chunk = Lock(), 512
        self.basis = ((torch.zeros(1),),)  # says where it computes
        vars(self)["_occupancy"] = OccupancyGrid.bake(self.density, 24)

    def __call__(
        self, coords: torch.Tensor, *_: Any, directions: torch.Tensor | None = None, **__: Any
    ) -> torch.Tensor:
        filled = 40 * (RADIUS - coords.norm(dim=-1, keepdim=True)) + 1.567  # SURFACE_DENSITY at the radius
        right = 12 * coords[..., :1].sign()
        return torch.cat([filled] if directions is None else [filled, right, -12 + 0 * right, -right], dim=-1)


def options(**values: Any) -> RadianceExport:
    return RadianceExport(resolution=24, view=ROUGH).model_copy(update=values)


def test_a_picture_of_an_odd_size_shows_the_ball_from_the_front(tmp_path: Path) -> None:
    made = Recipe(domain="nerf", model="paint", model_hash="00ff", prompt="a ball")
    chosen = options(width=37, height=25, azimuth=0.0, elevation=0.0)
    facts = export_radiance(Ball(), tmp_path / "ball.png", chosen, recipe=made)
    assert (facts["width"], facts["height"], facts["views"]) == (37, 25, 1)
    with Image.open(tmp_path / "ball.png") as picture:
        assert Recipe.model_validate_json(picture.text[RECIPE_KEY]) == made  # type: ignore[attr-defined]
        pixels = np.asarray(picture)
    assert pixels.shape == (25, 37, 4)
    assert pixels[12, 20, 3] > 250 and pixels[12, 20, 0] > 250 and pixels[12, 20, 2] < 5
    assert pixels[12, 16, 3] > 250 and pixels[12, 16, 2] > 250 and pixels[12, 16, 0] < 5
    assert pixels[0, 0, 3] == 0 and pixels[12, 36, 3] == 0
    export_radiance(Ball(), tmp_path / "bare.png", options(embed_recipe=False), recipe=made)
    with Image.open(tmp_path / "bare.png") as picture:
        assert RECIPE_KEY not in picture.text  # type: ignore[attr-defined]


def test_a_background_is_under_the_picture(tmp_path: Path) -> None:
    view = ROUGH.model_copy(update={"background": (10, 200, 30)})
    export_radiance(Ball(), tmp_path / "ball.png", options(view=view))
    pixels = np.asarray(Image.open(tmp_path / "ball.png"))
    assert pixels[0, 0].tolist() == [10, 200, 30, 255]


def test_a_turntable_has_the_frames_that_were_asked_for(tmp_path: Path) -> None:
    chosen = options(width=27, height=25, views=5, fps=Fraction(30000, 1001))
    assert export_radiance(Ball(), tmp_path / "turn.mp4", chosen)["views"] == 5
    with av.open(str(tmp_path / "turn.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (28, 26, Fraction(30000, 1001))
        assert len(list(container.decode(stream))) == 5
    export_radiance(Ball(), tmp_path / "turn.gif", chosen)
    with Image.open(tmp_path / "turn.gif") as picture:
        assert (picture.n_frames, picture.size) == (5, (27, 25))  # type: ignore[attr-defined]
    assert export_radiance(Ball(), tmp_path / "turn.png", chosen)["path"] == str(tmp_path / "turn")
    files = sorted((tmp_path / "turn").iterdir())
    assert [file.name for file in files] == [f"frame{i:05d}.png" for i in range(5)]
    assert len({file.read_bytes() for file in files}) == 5


def test_a_turn_goes_once_around_and_a_path_through_its_key_frames() -> None:
    turn = cameras_of(options(azimuth=10.0, elevation=0.0, distance=3.0), 4)
    np.testing.assert_allclose(turn[1].pose, orbit_camera(100.0, 0.0, 3.0).pose, atol=1e-9)
    ends = [orbit_camera(0.0), orbit_camera(60.0, 50.0, 3.0, 20.0)]
    keys = tuple(KeyFrame(pose=tuple(map(tuple, camera.pose.tolist())), fov=camera.fov) for camera in ends)
    way = cameras_of(options(path=keys), 7)
    for found, wanted in ((way[0], ends[0]), (way[-1], ends[1])):
        np.testing.assert_allclose(found.pose, wanted.pose, atol=1e-9)
        assert found.fov == pytest.approx(wanted.fov)


def key(azimuth: float, seconds: float = 2.0, easing: Easing = "flowing") -> KeyFrame:
    pose = orbit_camera(azimuth).pose
    return KeyFrame(pose=tuple(map(tuple, pose.tolist())), seconds=seconds, easing=easing)


def test_a_film_of_a_path_takes_the_seconds_of_its_key_frames() -> None:
    path = key(0, seconds=1), key(40, seconds=0.5), key(80)
    assert options(path=path, fps=Fraction(30000, 1001)).count(".mp4") == 46
    assert options(path=path, views=7).count(".mp4") == 7
    places = [camera.pose[:3, 3] for camera in cameras_of(options(path=path), 4)]
    np.testing.assert_allclose(places[2], orbit_camera(40).pose[:3, 3], atol=1e-9)  # after two thirds of the time


def test_a_camera_rests_or_goes_straight_where_it_shall() -> None:
    ends = [orbit_camera(azimuth).pose[:3, 3] for azimuth in (0, 40, 90)]

    def steps(easing: Easing) -> list[np.ndarray]:
        path = key(0, easing=easing), key(40, easing=easing), key(90)
        cameras = cameras_of(options(path=path), 41)
        np.testing.assert_allclose(cameras[20].pose[:3, 3], ends[1], atol=1e-9)
        return list(np.diff([camera.pose[:3, 3] for camera in cameras], axis=0))

    speeds = [np.linalg.norm(step) for step in steps("resting")]
    assert max(speeds[0], speeds[19], speeds[20], speeds[-1]) < 0.2 * max(speeds)
    assert min(np.linalg.norm(step) for step in steps("flowing")) > 0.5 * max(speeds) / 1.5
    straight = steps("straight")
    np.testing.assert_allclose(straight[:20], [(ends[1] - ends[0]) / 20] * 20, atol=1e-9)


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply"])
def test_a_mesh_reads_back_with_its_colours(tmp_path: Path, suffix: str) -> None:
    facts = export_radiance(Ball(), tmp_path / f"ball{suffix}", options(resolution=32))
    assert facts["watertight"]
    mesh = trimesh.load(tmp_path / f"ball{suffix}", force="mesh", process=False)
    assert len(mesh.faces) == facts["faces"]
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), RADIUS, atol=0.02)
    colours = np.asarray(mesh.visual.vertex_colors)
    right, left = mesh.vertices[:, 0] > 0.05, mesh.vertices[:, 0] < -0.05
    assert (colours[right, 0] > 250).all() and (colours[right, 2] < 5).all()
    assert (colours[left, 2] > 250).all() and (colours[left, 0] < 5).all()


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply"])
def test_a_mesh_ends_where_the_crop_box_does(tmp_path: Path, suffix: str) -> None:
    crop = (-1.0, -0.2, -1.0, 0.13, 1.0, 1.0)
    view = ROUGH.model_copy(update={"crop": crop})
    facts = export_radiance(Ball(), tmp_path / f"ball{suffix}", options(resolution=48, view=view))
    mesh = trimesh.load(tmp_path / f"ball{suffix}", force="mesh", process=False)
    assert facts["watertight"] and len(mesh.faces) == facts["faces"]
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    np.testing.assert_allclose(low, (-RADIUS, -0.2, -RADIUS), atol=0.02)
    np.testing.assert_allclose(high, (0.13, RADIUS, RADIUS), atol=0.02)
    cut = np.abs(mesh.vertices[:, 0] - 0.13) < 0.002
    assert cut.sum() > 100, "where it is cut it is flat"
    with pytest.raises(DDMIError, match="No mesh"):
        Ball().mesh(32, crop=(0.8, 0.8, 0.8, 1.0, 1.0, 1.0))


def test_the_crop_box_holds_for_views_and_depth(tmp_path: Path) -> None:
    view = ROUGH.model_copy(update={"crop": (-1.0, -1.0, -1.0, 0.0, 1.0, 1.0)})
    chosen = options(azimuth=0.0, elevation=0.0, view=view)
    export_radiance(Ball(), tmp_path / "ball.png", chosen)
    assert np.asarray(Image.open(tmp_path / "ball.png"))[:, 13:, 3].max() == 0
    export_radiance(Ball(), tmp_path / "ball.tif", chosen)
    assert np.isinf(tifffile.imread(tmp_path / "ball.tif")[:, 13:]).all()
    export_radiance(Ball(), tmp_path / "ball.json", chosen.model_copy(update={"views": 4}))
    assert np.asarray(Image.open(tmp_path / "ball-views" / "0000.png"))[:, 13:, 3].max() == 0


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "film.png"])
@pytest.mark.parametrize("along_a_path", [False, True], ids=["turn", "path"])
def test_the_crop_box_holds_for_every_frame_of_a_film(tmp_path: Path, name: str, along_a_path: bool) -> None:
    view = ROUGH.model_copy(update={"crop": (-1.0, -1.0, -1.0, 0.0, 1.0, 1.0), "background": (255, 255, 255)})
    ends = [orbit_camera(0.0, elevation) for elevation in (0.0, 30.0)]
    keys = tuple(KeyFrame(pose=tuple(map(tuple, camera.pose.tolist())), fov=camera.fov) for camera in ends)
    chosen = options(width=24, height=24, views=4, azimuth=0.0, elevation=0.0, view=view)
    if along_a_path:
        chosen = chosen.model_copy(update={"path": keys})
    facts = export_radiance(Ball(), tmp_path / name, chosen)
    left, right = _ink_at_the_sides(Path(facts["path"]))
    assert len(left) == 4 and right[0] < 0.02 < 0.05 < left[0]  # from the front: the half that is left
    if along_a_path:
        assert (right < 0.02).all() and (left > 0.05).all()
    else:
        assert left[2] < 0.02 < 0.05 < right[2]  # from behind


def _ink_at_the_sides(film: Path) -> tuple[np.ndarray, np.ndarray]:
    """How much of the left and of the right side of each frame is not white; the columns in the middle are left out."""
    if film.suffix == ".mp4":
        with av.open(str(film)) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    elif film.suffix == ".gif":
        with Image.open(film) as picture:
            frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(picture)]
    else:
        frames = [np.asarray(Image.open(file).convert("RGB")) for file in sorted(film.iterdir())]
    ink = (np.stack(frames).min(axis=-1) < 200).astype(float)
    middle = ink.shape[-1] // 2
    return ink[..., : middle - 2].mean(axis=(1, 2)), ink[..., middle + 2 :].mean(axis=(1, 2))


def test_a_gif_carries_the_recipe_and_gives_it_back(tmp_path: Path) -> None:
    made = Recipe(domain="nerf", model="paint", model_hash="00ff", prompt="a ball")
    export_radiance(Ball(), tmp_path / "turn.gif", options(views=3), recipe=made)
    assert read_recipe(tmp_path / "turn.gif") == made


def test_a_mesh_too_fine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="at most 1024"):
        export_radiance(Ball(), tmp_path / "ball.glb", options(resolution=2048))


def test_a_depth_map_holds_distances(tmp_path: Path) -> None:
    facts = export_radiance(Ball(), tmp_path / "ball.tif", options(resolution=25, distance=4.0))
    depth = tifffile.imread(tmp_path / "ball.tif")
    assert depth.shape == (25, 25) and depth.dtype == np.float32
    assert depth[12, 12] == pytest.approx(4 - RADIUS, abs=0.06) and np.isinf(depth[0, 0])
    assert facts["nearest"] == pytest.approx(depth.min()) and facts["farthest"] > facts["nearest"]


def test_posed_views_come_back_with_their_cameras(tmp_path: Path) -> None:
    chosen = options(width=31, height=23, views=5, elevation=30.0, distance=3.5, fov=40.0)
    export_radiance(Ball(), tmp_path / "scene.json", chosen)
    shots = read_transforms(tmp_path / "scene.json")
    assert not shots.unusable and len(shots.views) == 5
    field = Ball()
    for camera, shot in zip(cameras_of(chosen, 5), shots.views, strict=True):
        np.testing.assert_allclose(shot.camera.pose, camera.pose, atol=1e-9)
        assert shot.camera.fov == pytest.approx(40.0) and shot.camera.shift == pytest.approx((0, 0), abs=1e-9)
        np.testing.assert_array_equal(shot.pixels, field.render(camera, 31, 23, ROUGH).picture(ROUGH))


@pytest.mark.parametrize("path", [(), (key(0), key(40))], ids=["turn", "path"])
def test_all_of_the_object_is_in_every_picture_if_it_shall(tmp_path: Path, path: tuple[KeyFrame, ...]) -> None:
    near = tuple(one.model_copy(update={"fov": 12.0}) for one in path)
    chosen = options(width=40, height=24, views=3, distance=1.2, path=near)
    for fit, margin in ((False, 1), (True, 0)):
        export_radiance(Ball(), tmp_path / f"{fit}.png", chosen.model_copy(update={"frame_object": fit}))
        pictures = np.stack([np.asarray(Image.open(file)) for file in sorted((tmp_path / f"{fit}").iterdir())])
        assert (pictures[:, 0, :, 3].max() > 0) == (pictures[:, -1, :, 3].max() > 0) == bool(margin)
    rows = (pictures[..., 3] > 128).any(axis=(0, 2)).sum()
    assert 15 <= rows <= 23  # and it is as large as that allows, but for a margin


@pytest.mark.parametrize(("around", "lowest"), [("sphere", -1.0), ("hemisphere", 0.0)])
def test_cameras_stand_evenly_around_the_object(around: str, lowest: float) -> None:
    cameras = cameras_of(options(around=around, distance=3.0), 60)
    places = np.array([camera.pose[:3, 3] for camera in cameras]) / 3
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, atol=1e-9)
    assert places[:, 1].min() >= lowest
    np.testing.assert_allclose(places.mean(0), (0, (1 + lowest) / 2, 0), atol=0.03)
    between = np.linalg.norm(places[:, None] - places, axis=-1) + 9 * np.eye(60)
    assert between.min() > 0.5 * between.min(axis=1).max()
    assert all(-camera.pose[:3, 2] @ place < -0.999 for camera, place in zip(cameras, places, strict=True))


def test_views_held_out_are_a_scene_of_their_own(tmp_path: Path) -> None:
    chosen = options(views=12, held_out=3, around="hemisphere", distance=3.5)
    facts = export_radiance(Ball(), tmp_path / "transforms.json", chosen)
    assert (facts["views"], facts["held_out"]) == (12, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "transforms-views", "transforms_test.json", "transforms_train.json", "transforms_val.json"
    ]  # fmt: skip
    train, test, val = (
        json.loads((tmp_path / f"transforms_{part}.json").read_text()) for part in ("train", "test", "val")
    )
    names = [{frame["file_path"] for frame in table["frames"]} for table in (train, test, val)]
    assert (len(names[0]), len(names[1])) == (9, 3) and names[1] == names[2] and not names[0] & names[1]
    assert not any(name.endswith(".png") for name in names[0])  # nerfstudio's blender-data adds that
    shots = read_transforms(tmp_path / "transforms_train.json")
    assert len(shots.views) == 9 and not shots.unusable


def test_what_was_made_of_a_file_goes_back_to_its_space(tmp_path: Path) -> None:
    placement = Placement(centre=(5.0, 1.0, -2.0), unit=3.0, up="z")
    made = Recipe(domain="nerf", model="paint", model_hash="00ff", source="scene", placement=placement)
    export_radiance(Ball(), tmp_path / "ball.ply", options(resolution=32), recipe=made)
    mesh = trimesh.load(tmp_path / "ball.ply", force="mesh", process=False)
    np.testing.assert_allclose(mesh.bounds.mean(axis=0), (5.0, 2.0, 1.0), atol=0.05)  # z is up there
    np.testing.assert_allclose(mesh.extents, 3 * 2 * RADIUS, atol=0.1)
    assert mesh.visual.vertex_colors[mesh.vertices[:, 0] > 5.2, 0].min() > 250
    chosen = options(views=5, distance=4.0)
    export_radiance(Ball(), tmp_path / "scene.json", chosen, recipe=made)
    for camera, shot in zip(cameras_of(chosen, 5), read_transforms(tmp_path / "scene.json").views, strict=True):
        np.testing.assert_allclose(shot.camera.pose[:3, :3], camera.pose[:3, :3], atol=1e-9)
        np.testing.assert_allclose(shot.camera.pose[:3, 3], 3 * camera.pose[:3, 3] + (5.0, 1.0, -2.0), atol=1e-9)
    facts = export_radiance(Ball(), tmp_path / "ball.tif", options(resolution=25, distance=4.0), recipe=made)
    assert facts["nearest"] == pytest.approx(3 * (4 - RADIUS), abs=0.2)
    cube = options(resolution=32, unit_cube=True)
    export_radiance(Ball(), tmp_path / "cube.ply", cube, recipe=made)
    assert trimesh.load(tmp_path / "cube.ply", force="mesh").bounds[1].max() == pytest.approx(RADIUS, abs=0.02)


def test_posed_views_take_nobody_elses_folder(tmp_path: Path) -> None:
    (tmp_path / "scene-views").mkdir()
    with pytest.raises(ExportError, match="there already"):
        export_radiance(Ball(), tmp_path / "scene.json", options())
    assert [file.name for file in tmp_path.iterdir()] == ["scene-views"]


@pytest.mark.parametrize("name", ["x.png", "x.mp4", "x.gif", "x.glb", "x.tif", "x.json"])
@pytest.mark.parametrize("views", [1, 4])
def test_a_cancel_leaves_nothing(tmp_path: Path, name: str, views: int) -> None:
    def stop(fraction: float, text: str) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_radiance(Ball(), tmp_path / name, options(views=views), progress=stop)
    assert not list(tmp_path.iterdir())
