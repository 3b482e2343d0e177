"""`transforms.json`: pictures and their cameras as NeRF tools exchange them (Mildenhall et al. 2020; instant-ngp).

In the file the world has z up; here it has y up. Cameras look along -z in both.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ddmi_core.placement import TO_Y_UP
from ddmi_core.rendering.cameras import Camera


def document(cameras: Sequence[Camera], files: Sequence[str], width: int, height: int) -> dict[str, Any]:
    """Return the content of a `transforms.json`.

    Args:
        cameras: of the pictures; they share the first one's field of view and principal point.
        files: names of the pictures, relative to the file.
        width: of the pictures, in pixels.
        height: of the pictures, in pixels.
    """
    first = cameras[0]
    focal = height / (2 * np.tan(np.radians(first.fov) / 2))
    return {
        "camera_angle_x": float(2 * np.arctan(width / (2 * focal))),
        "camera_angle_y": float(np.radians(first.fov)),
        "fl_x": float(focal),
        "fl_y": float(focal),
        "cx": width / 2 + first.shift[0] * height / 2,
        "cy": height / 2 + first.shift[1] * height / 2,
        "w": width,
        "h": height,
        "frames": [
            {"file_path": file, "transform_matrix": (TO_Y_UP.T @ camera.pose).tolist()}
            for camera, file in zip(cameras, files, strict=True)
        ],
    }


def write(path: Path, cameras: Sequence[Camera], files: Sequence[str], width: int, height: int) -> None:
    """Write a `transforms.json`; see `document`."""
    path.write_text(json.dumps(document(cameras, files, width, height), indent=1), encoding="utf-8")


def camera_of(frame: dict[str, Any], table: dict[str, Any], width: int, height: int) -> Camera:
    """Return the camera of a frame, whose picture has width x height pixels, in a world with y up.

    Intrinsics are the frame's own if it has any, else the file's.

    Raises:
        ValueError: the matrix is no camera pose, or there is no focal length.
    """
    known = {**table, **frame}
    pose = np.asarray(frame.get("transform_matrix"), dtype=np.float64)
    if pose.shape == (3, 4):
        pose = np.vstack([pose, [0, 0, 0, 1]])
    scale = float(known.get("w", width)) / width  # of the picture that was measured, against this one
    if "fl_x" in known or "fl_y" in known:
        focal = float(known["fl_y"] if "fl_y" in known else known["fl_x"]) / scale
    elif "camera_angle_x" in known:
        focal = width / (2 * np.tan(float(known["camera_angle_x"]) / 2))
    elif "camera_angle_y" in known:
        focal = height / (2 * np.tan(float(known["camera_angle_y"]) / 2))
    else:
        raise ValueError("there is no focal length: neither fl_x nor camera_angle_x")
    if not (np.isfinite(focal) and focal > 0):
        raise ValueError("its focal length is not positive")
    shift = (
        (2 * float(known.get("cx", scale * width / 2)) / scale - width) / height,
        (2 * float(known.get("cy", scale * height / 2)) / scale - height) / height,
    )
    turned = TO_Y_UP @ rigid(pose)
    return Camera(turned, float(np.degrees(2 * np.arctan(height / (2 * focal)))), shift)


def rigid(pose: np.ndarray) -> np.ndarray:
    """Return a pose without scale.

    Raises:
        ValueError: it is no 4x4 matrix of numbers, singular, or a mirror image.
    """
    if pose.shape != (4, 4):
        raise ValueError("its pose is no 4x4 matrix")
    if not np.isfinite(pose).all():
        raise ValueError("its pose holds values that are not numbers")
    lengths = np.linalg.norm(pose[:3, :3], axis=0)
    if lengths.min() < 1e-9:
        raise ValueError("its pose is singular")
    axes = pose[:3, :3] / lengths
    determinant = np.linalg.det(axes)
    if abs(determinant) < 1e-3:
        raise ValueError("its pose is singular")
    if determinant < 0:
        raise ValueError("its pose is a mirror image")
    left, _, right = np.linalg.svd(axes)
    clean = np.eye(4)
    clean[:3, :3], clean[:3, 3] = left @ right, pose[:3, 3]
    return clean
