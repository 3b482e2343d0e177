"""Cameras along a path through key frames. Knows no torch."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, RotationSpline, Slerp

from ddmi_core.rendering.cameras import Camera
from ddmi_core.rendering.view_settings import Easing


class Leg(NamedTuple):
    """The way from a key frame to the next one: how long it takes, and how it is gone."""

    seconds: float = 1.0
    easing: Easing = "flowing"


def along(keys: Sequence[Camera], count: int, legs: Sequence[Leg] = ()) -> list[Camera]:
    """Return `count` cameras on a path through key frames at even times, the first and the last included.

    Places follow a natural cubic spline and turns a rotation spline, so that neither speed nor turning jumps at a key
    frame; fields of view change linearly. One key frame gives the same camera all the time.

    Args:
        keys: the key frames.
        count: cameras.
        legs: the ways from each key frame to the next; all alike if not given. What it says of the last is not used.

    Raises:
        ValueError: there are no key frames.
    """
    if not keys:
        raise ValueError("a path needs a key frame")
    if len(keys) == 1:
        return [keys[0]] * count
    ways = [legs[i] if i < len(legs) else Leg() for i in range(len(keys) - 1)]
    at = np.array(list(accumulate((way.seconds for way in ways), initial=0.0)))
    times = np.linspace(0, at[-1], count) if count > 1 else at[:1]
    places = np.array([camera.pose[:3, 3] for camera in keys])
    turns = Rotation.from_matrix([camera.pose[:3, :3] for camera in keys])
    number = np.clip(np.searchsorted(at, times, side="right") - 1, 0, len(ways) - 1)
    times = _eased(times, at, number, ways)
    place = CubicSpline(at, places, bc_type="natural")(times)
    turn = RotationSpline(at, turns)(times).as_matrix()
    straight = np.array([ways[i].easing == "straight" for i in number])
    place[straight] = np.stack([np.interp(times[straight], at, axis) for axis in places.T], axis=-1)
    turn[straight] = Slerp(at, turns)(times[straight]).as_matrix()
    fovs = np.interp(times, at, [camera.fov for camera in keys])
    return [_camera(*one) for one in zip(place, turn, fovs, strict=True)]


def _eased(
    times: Float[np.ndarray, " n"], at: Float[np.ndarray, " k"], number: np.ndarray, ways: Sequence[Leg]
) -> Float[np.ndarray, " n"]:
    """Where on the path the camera is by then: it sets off slowly and comes to rest where it shall."""
    share = (times - at[number]) / np.diff(at)[number]
    rests = np.array([ways[i].easing == "resting" for i in number])
    share = np.where(rests, share**2 * (3 - 2 * share), share)
    return at[number] + share * np.diff(at)[number]


def _camera(place: Float[np.ndarray, " 3"], turn: Float[np.ndarray, "3 3"], fov: float) -> Camera:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, place
    return Camera(pose, float(fov))
