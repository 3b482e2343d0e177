"""A coloured box, drawn from around: posed pictures on disk for tests of their readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from ddmi_core.data.coloured_meshes import ColouredMesh, spread_cameras
from ddmi_core.export import transforms_json
from ddmi_core.placement import TO_Y_UP
from ddmi_core.rendering.cameras import Camera

SIDE = 40


def coloured_box() -> ColouredMesh:
    """A box, red on one side and green on the others, longest along x."""
    mesh = trimesh.creation.box(extents=(1.8, 1.0, 0.8))
    colours = np.tile([40, 160, 60, 255], (len(mesh.faces), 1))
    colours[mesh.face_normals[:, 2] > 0.9] = [200, 30, 30, 255]  # the front
    mesh.visual.face_colors = colours
    return ColouredMesh([mesh])


def pictures(cameras: list[Camera], side: int = SIDE) -> np.ndarray:
    """Pictures of the box, uint8 with straight alpha."""
    values = coloured_box().seen(cameras, side, side).pictures()
    straight = np.concatenate([values[..., :3] / np.maximum(values[..., 3:], 1e-6), values[..., 3:]], axis=-1)
    return np.round(255 * np.clip(straight, 0, 1)).astype(np.uint8)


def on_white(pixels: np.ndarray) -> np.ndarray:
    """The same without transparency."""
    alpha = pixels[..., 3:] / 255
    return np.round(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def write_transforms(folder: Path, count: int = 8, *, name: str = "transforms.json") -> list[Camera]:
    """Write a `transforms.json` scene."""
    cameras = spread_cameras(count)
    (folder / "views").mkdir(parents=True)
    files = [f"views/{i}.png" for i in range(count)]
    for file, picture in zip(files, pictures(cameras), strict=True):
        Image.fromarray(picture).save(folder / file)
    transforms_json.write(folder / name, cameras, files, SIDE, SIDE)
    return cameras


def on_busy_ground(folder: Path, *views: int) -> None:
    """Lay views of a `transforms.json` scene on a ground of many colours, without transparency."""
    for number in views:
        file = folder / f"views/{number}.png"
        with Image.open(file) as picture:
            pixels = np.asarray(picture.convert("RGBA")) / 255
        ground = np.random.default_rng(number).random((SIDE, SIDE, 3))
        seen = pixels[..., :3] * pixels[..., 3:] + ground * (1 - pixels[..., 3:])
        Image.fromarray(np.round(255 * seen).astype(np.uint8)).save(file)


def write_srn(folder: Path, count: int = 8) -> list[Camera]:
    """Write the same scene in the SRN layout, on white."""
    cameras = spread_cameras(count)
    for part in ("rgb", "pose"):
        (folder / part).mkdir(parents=True)
    focal = SIDE / (2 * np.tan(np.radians(cameras[0].fov) / 2))
    (folder / "intrinsics.txt").write_text(f"{focal} {SIDE / 2} {SIDE / 2} 0.\n0. 0. 0.\n1.\n{SIDE} {SIDE}\n")
    for i, (camera, picture) in enumerate(zip(cameras, pictures(cameras), strict=True)):
        Image.fromarray(on_white(picture)).save(folder / "rgb" / f"{i:06d}.png")
        pose = TO_Y_UP.T @ camera.pose @ np.diag([1.0, -1, -1, 1])
        (folder / "pose" / f"{i:06d}.txt").write_text(" ".join(map(str, pose.reshape(-1))))
    return cameras
