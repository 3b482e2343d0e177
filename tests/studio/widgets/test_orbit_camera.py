from __future__ import annotations

import numpy as np
import pytest

from studio.widgets.orbit_camera import FIELD_OF_VIEW, View, fitted


def on_screen(view: View, point: tuple[float, float, float], aspect: float = 1.5) -> np.ndarray:
    """Where a point is seen: x right and y up, each -1..1 at the picture's edges."""
    clip = view.projection(aspect) @ view.world_to_camera() @ np.array([*point, 1.0])
    assert clip[3] > 0, "the point is behind the camera"
    return clip[:2] / clip[3]


@pytest.mark.parametrize(
    ("azimuth", "elevation", "axis", "right", "up"),
    [
        (0, 0, "front", (1, 0, 0), (0, 1, 0)),
        (90, 0, "side", (0, 0, -1), (0, 1, 0)),
        (0, 90, "top", (1, 0, 0), (0, 0, -1)),
    ],
)
def test_standard_views_look_along_their_axis(azimuth, elevation, axis, right, up):
    rotation = View(azimuth=azimuth, elevation=elevation).rotation()
    assert np.allclose(rotation[0], right) and np.allclose(rotation[1], up)


def test_rotation_is_orthonormal_everywhere():
    for azimuth in range(-180, 181, 30):
        for elevation in range(-90, 91, 30):
            rotation = View(azimuth=azimuth, elevation=elevation).rotation()
            assert np.allclose(rotation @ rotation.T, np.eye(3))
            assert np.isclose(np.linalg.det(rotation), 1.0)


def test_without_perspective_what_is_looked_at_stays_as_large_and_parallels_stay_parallel():
    view = View(azimuth=20, elevation=40, distance=3, centre=(0.3, -0.2, 0.5))
    flat = view.projected(parallel=True)
    assert flat.is_parallel and not view.is_parallel and flat.projected(parallel=True) == flat
    up = np.asarray(view.centre) + 0.5 * view.rotation()[1]
    assert np.allclose(on_screen(flat, tuple(up)), on_screen(view, tuple(up)), atol=1e-6)
    near, far = (tuple(up + shift * view.rotation()[2]) for shift in (1.0, -1.0))
    assert np.allclose(on_screen(flat, near), on_screen(flat, far), atol=0.01)
    assert not np.allclose(on_screen(view, near), on_screen(view, far), atol=0.1)
    back = flat.projected(parallel=False)
    assert np.isclose(back.distance, 3) and back.fov == FIELD_OF_VIEW
    assert flat.zoomed(1e-9).distance > 2 and flat.zoomed(1e9).distance > 1000  # near and far scale with it


def test_centre_is_seen_in_the_middle():
    view = View(azimuth=20, elevation=40, distance=3, centre=(0.3, -0.2, 0.5))
    assert np.allclose(on_screen(view, view.centre), 0, atol=1e-9)


def test_zoom_keeps_the_point_under_the_pointer():
    view = View(azimuth=30, elevation=10, distance=4)
    rotation, visible_height = view.rotation(), 2 * 4 * np.tan(np.radians(FIELD_OF_VIEW / 2))
    toward = (0.3, -0.2)
    point = visible_height * (toward[0] * rotation[0] + toward[1] * rotation[1])
    before, after = on_screen(view, tuple(point)), on_screen(view.zoomed(0.5, toward), tuple(point))
    assert np.allclose(before, after)


def test_pan_moves_the_picture_by_its_fraction():
    view = View(distance=4)
    moved = on_screen(view.panned(0.25, 0.0), view.centre, aspect=1.0)
    assert np.allclose(moved, (-0.5, 0.0))


def test_orbit_stops_at_the_poles_and_distance_at_its_limits():
    assert View().orbited(0, 500).elevation == 90
    assert View().orbited(0, -500).elevation == -90
    assert View().zoomed(1e-9).distance > 0 and np.isfinite(View().zoomed(1e9).distance)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_fitted_shows_the_whole_box(aspect):
    low, high = np.array([-0.9, -0.5, -0.2]), np.array([0.9, 0.4, 0.3])
    view = fitted(View(), low, high)
    corners = [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    places = np.array([on_screen(view, corner, aspect) for corner in corners])
    assert np.abs(places).max() < 1.0
    assert np.abs(places).max() > 0.5


def test_blend_turns_the_short_way():
    start, end = View(azimuth=170), View(azimuth=-170)
    assert abs(start.blended(end, 0.5).azimuth) == pytest.approx(180)
    assert start.blended(end, 0.0) == start


def test_looking_around_stays_where_it_is():
    view = View(azimuth=20, elevation=10, distance=3, centre=(0.3, -0.2, 0.5))
    around = view.turned(40, -25)
    assert np.allclose(around.position(), view.position())
    assert not np.allclose(around.rotation(), view.rotation())


def test_moving_goes_along_the_cameras_own_axes():
    view = View(azimuth=0, elevation=0, distance=2)  # from +z, so forward is -z
    assert np.allclose(view.moved(0.1, 0.2, 0.3).position() - view.position(), (0.1, 0.2, -0.3))


def test_a_wider_field_of_view_brings_the_fitted_camera_nearer():
    box = np.full(3, -0.5), np.full(3, 0.5)
    assert fitted(View(fov=60), *box).distance < fitted(View(fov=30), *box).distance


def test_the_pose_is_the_inverse_of_the_view_matrix():
    view = View(azimuth=33, elevation=-20, distance=1.7, centre=(0.1, 0.2, 0.3), fov=50)
    assert np.allclose(view.camera_to_world() @ view.world_to_camera(), np.eye(4))


@pytest.mark.parametrize("aspect", [0.6, 1.5])
@pytest.mark.parametrize("parallel", [False, True])
def test_a_ray_leads_through_what_is_seen_there(aspect, parallel):
    view = View(azimuth=20, elevation=40, distance=3, centre=(0.3, -0.2, 0.5)).projected(parallel=parallel)
    for place in ((0.0, 0.0), (0.7, -0.4), (-1.0, 1.0)):
        origin, direction = view.ray(*place, aspect)
        assert np.allclose(origin, view.position())
        assert on_screen(view, tuple(origin + 2.5 * direction), aspect) == pytest.approx(place, abs=1e-6)
