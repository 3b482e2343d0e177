from __future__ import annotations

import numpy as np
import pytest

from ddmi_core.rendering.cameras import Camera, orbit_camera, project, rays, ring_of_cameras


def test_orbit_camera_looks_at_the_front() -> None:
    pose = orbit_camera(azimuth=0, elevation=0, distance=3).pose
    np.testing.assert_allclose(pose[:3, 3], [0, 0, 3], atol=1e-12)
    np.testing.assert_allclose(pose[:3, :3], np.eye(3), atol=1e-12)


def test_orbit_camera_turns_to_the_right_and_up() -> None:
    assert orbit_camera(azimuth=90, elevation=0, distance=2).pose[:3, 3] == pytest.approx([2, 0, 0], abs=1e-12)
    assert orbit_camera(azimuth=30, elevation=90, distance=2).pose[:3, 3] == pytest.approx([0, 2, 0], abs=1e-12)
    for azimuth, elevation in [(20, 10), (200, 80), (0, -90)]:
        rotation = orbit_camera(azimuth=azimuth, elevation=elevation).pose[:3, :3]
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1)


def test_rays_span_the_field_of_view() -> None:
    origins, directions = rays(Camera(np.eye(4), fov=90.0), 4, 2)
    assert origins.shape == directions.shape == (2, 4, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=-1), 1, atol=1e-6)
    top_left = directions[0, 0] / -directions[0, 0, 2]
    np.testing.assert_allclose(top_left, [-1.5, 0.5, -1], atol=1e-6)  # row 0 is at the top; twice as wide as high


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.2, -0.1)])
def test_points_along_a_ray_fall_into_its_pixel(shift: tuple[float, float]) -> None:
    camera = Camera(orbit_camera(40, 25, 3.0).pose, 50.0, shift)
    origins, directions = rays(camera, 7, 5)
    where, distance = project(camera, origins + 2.5 * directions, 7, 5)
    columns, rows = np.meshgrid(np.arange(7), np.arange(5))
    np.testing.assert_allclose(where, np.stack([columns, rows], axis=-1), atol=1e-4)
    assert (distance > 0).all() and (distance <= 2.5 + 1e-6).all()


def test_right_is_right_and_up_is_up() -> None:
    camera = orbit_camera(azimuth=0, elevation=0, distance=3, fov=90)
    (right, up, behind), distance = project(camera, np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 5]]), 60, 60)
    np.testing.assert_allclose(right, [29.5 + 10, 29.5])
    np.testing.assert_allclose(up, [29.5, 29.5 - 10])
    np.testing.assert_allclose(distance, [3, 3, -2])
    assert np.isnan(behind).all()


def test_a_ring_goes_once_around() -> None:
    ring = ring_of_cameras(4, elevation=0, distance=2)
    places = [camera.pose[:3, 3] for camera in ring]
    np.testing.assert_allclose(places, [[0, 0, 2], [2, 0, 0], [0, 0, -2], [-2, 0, 0]], atol=1e-12)
