"""Pinhole cameras and their rays; knows neither torch nor meshes' formats, so that a viewer may use it.

Poses are 4x4 camera-to-world matrices that look along -z with y up and x right (OpenGL). Space is right-handed, y up;
the front of an object faces +z. Pixel row 0 is the top row; rays go through pixel centres.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import trimesh
from jaxtyping import Float


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: `pose` (4, 4) camera-to-world, `fov` the vertical field of view in degrees.

    `shift` is where the optical axis meets the picture, from its middle, x right and y down, as a share of half its
    height: zero but for photographs whose principal point was measured.
    """

    pose: Float[np.ndarray, "4 4"]
    fov: float = 35.0
    shift: tuple[float, float] = (0.0, 0.0)


def orbit_camera(
    azimuth: float = 35.0,
    elevation: float = 20.0,
    distance: float = 4.4,
    fov: float = 35.0,
    target: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Camera:
    """Place a camera on a sphere around a point, looking at it, y up. The defaults show the whole of [-0.9, 0.9]^3.

    Args:
        azimuth: degrees from the front (+z) towards the right (+x).
        elevation: degrees above the horizon; straight up or down is 90 or -90.
        distance: from the target, in units of the field's [-1, 1].
        fov: vertical field of view in degrees.
        target: the point looked at.
    """
    turn, tilt = np.radians([azimuth, elevation])
    back = np.array([np.sin(turn) * np.cos(tilt), np.sin(tilt), np.cos(turn) * np.cos(tilt)])
    right = np.array([np.cos(turn), 0.0, -np.sin(turn)])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    pose[:3, 3] = np.asarray(target) + distance * back
    return Camera(pose, fov)


def framing_camera(
    mesh: trimesh.Trimesh, azimuth: float = 35.0, elevation: float = 20.0, fov: float = 35.0, *, margin: float = 0.06
) -> Camera:
    """Place an orbit camera just so far away that the mesh fills a square picture, but for `margin` of it at each side.

    Azimuth, elevation and fov are those of `orbit_camera`. A mesh without vertices gets the default distance.
    """
    if not len(mesh.vertices):
        return orbit_camera(azimuth, elevation, fov=fov)
    low, high = mesh.bounds
    camera = orbit_camera(azimuth, elevation, 0.0, fov, tuple(((low + high) / 2).tolist()))
    local = (np.asarray(mesh.vertices) - camera.pose[:3, 3]) @ camera.pose[:3, :3]
    # A point at (x, y, z) is inside while |x| and |y| stay below slope * (distance - z).
    slope = np.tan(np.radians(fov) / 2) * (1 - 2 * margin)
    # Perspective shows the near side larger: shift the view so that both sides touch the frame alike.
    shift = np.zeros(3)
    distance = 0.0
    for axis in (0, 1):
        above = (local[:, axis] / slope + local[:, 2]).max()
        below = (-local[:, axis] / slope + local[:, 2]).max()
        shift[axis] = slope * (above - below) / 2
        distance = max(distance, (above + below) / 2)
    camera.pose[:3, 3] += camera.pose[:3, :3] @ (shift + np.array([0.0, 0.0, distance]))
    return camera


def rays(camera: Camera, width: int, height: int) -> tuple[Float[np.ndarray, "h w 3"], Float[np.ndarray, "h w 3"]]:
    """Return origins and unit directions, float32, of the rays through the pixel centres."""
    half = np.tan(np.radians(camera.fov) / 2)
    x = (((2 * np.arange(width) + 1) / width - 1) * width / height - camera.shift[0]) * half
    y = (1 - (2 * np.arange(height) + 1) / height + camera.shift[1]) * half
    local = np.stack(np.broadcast_arrays(x, y[:, None], -1.0), axis=-1)
    directions = local @ camera.pose[:3, :3].T
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    origins = np.broadcast_to(camera.pose[:3, 3], directions.shape)
    return origins.astype(np.float32), directions.astype(np.float32)


def project(
    camera: Camera, points: Float[np.ndarray, "*shape 3"], width: int, height: int
) -> tuple[Float[np.ndarray, "*shape 2"], Float[np.ndarray, "*shape"]]:
    """Return where points fall in a picture, in pixels (column, row), and their distances along the optical axis.

    The inverse of `rays`: the centre of the top left pixel is (0, 0). What lies behind the camera has no place in the
    picture; its distance is not positive.
    """
    local = (points - camera.pose[:3, 3]) @ camera.pose[:3, :3]
    distance = -local[..., 2]
    half = np.tan(np.radians(camera.fov) / 2)
    ahead = np.where(distance > 0, distance, np.nan)
    x = local[..., 0] / (ahead * half) + camera.shift[0]
    y = -local[..., 1] / (ahead * half) + camera.shift[1]
    return np.stack([(x * height + width - 1) / 2, (y * height + height - 1) / 2], axis=-1), distance


def sphere_of_cameras(
    count: int,
    *,
    first: float = 90.0,
    last: float = -90.0,
    distance: float = 4.4,
    fov: float = 35.0,
    start: float = 0.0,
) -> list[Camera]:
    """Return `count` orbit cameras spread evenly over a band of a sphere: the lattice of Fibonacci.

    Args:
        count: cameras.
        first: elevation in degrees at which the band begins.
        last: elevation at which it ends, above or below that.
        distance: from the middle.
        fov: vertical field of view in degrees.
        start: azimuth of the first one in degrees.
    """
    begin, end = np.sin(np.radians([first, last]))
    heights = begin + (end - begin) * (np.arange(count) + 0.5) / count  # even heights are even areas (Archimedes)
    golden = 180 * (3 - np.sqrt(5))
    return [
        orbit_camera((start + golden * i) % 360, float(np.degrees(np.arcsin(height))), distance, fov)
        for i, height in enumerate(heights)
    ]


def standing_back(
    cameras: Sequence[Camera],
    points: Float[np.ndarray, "n 3"],
    width: int,
    height: int,
    *,
    margin: float = 0.05,
    nearer: bool = False,
) -> list[Camera]:
    """Return cameras moved back, all alike, along their own axes, until each sees all points.

    Args:
        cameras: as they are.
        points: what has to be seen; none leaves the cameras as they are.
        width: pixels of the pictures.
        height: pixels of the pictures.
        margin: share of the picture at each side that is kept free.
        nearer: whether they also come nearer as far as that can be.
    """
    if not len(points):
        return list(cameras)
    back = -np.inf if nearer else 0.0
    for camera in cameras:
        local = (points - camera.pose[:3, 3]) @ camera.pose[:3, :3]
        # A point at (x, y, z) is seen while |x| and |y| stay below the slope times (back - z).
        slope = np.tan(np.radians(camera.fov) / 2) * (1 - 2 * margin)
        sideways = np.maximum(np.abs(local[:, 0]) * height / width, np.abs(local[:, 1])) / slope
        back = max(back, float((sideways + local[:, 2]).max()))
    moved = []
    for camera in cameras:
        pose = camera.pose.copy()
        pose[:3, 3] += back * pose[:3, 2]
        moved.append(replace(camera, pose=pose))
    return moved


def ring_of_cameras(
    count: int, *, elevation: float = 20.0, distance: float = 4.4, fov: float = 35.0, start: float = 0.0
) -> list[Camera]:
    """Return `count` orbit cameras at even steps of a full turn, the first at the azimuth `start` in degrees."""
    return [orbit_camera(start + 360 * i / count, elevation, distance, fov) for i in range(count)]
