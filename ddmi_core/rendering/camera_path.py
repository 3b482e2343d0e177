"""Cameras along a path through key frames. Knows no torch."""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline

from ddmi_core.rendering.cameras import Camera


def along(keys: Sequence[Camera], count: int) -> list[Camera]:
    """Return `count` cameras that pass smoothly through the key frames at even times, the first and the last included.

    Places follow a natural cubic spline and turns a rotation spline, so that neither speed nor turning jumps at a key
    frame; fields of view change linearly. One key frame gives the same camera all the time.

    Raises:
        ValueError: there are no key frames.
    """
    if not keys:
        raise ValueError("a path needs a key frame")
    if len(keys) == 1:
        return [keys[0]] * count
    at = np.linspace(0, 1, len(keys))
    times = np.linspace(0, 1, count) if count > 1 else at[:1]
    places = CubicSpline(at, [camera.pose[:3, 3] for camera in keys], bc_type="natural")(times)
    turns = RotationSpline(at, Rotation.from_matrix([camera.pose[:3, :3] for camera in keys]))(times).as_matrix()
    fovs = np.interp(times, at, [camera.fov for camera in keys])
    cameras = []
    for place, turn, fov in zip(places, turns, fovs, strict=True):
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = turn, place
        cameras.append(Camera(pose, float(fov)))
    return cameras
