"""A shape that is cut, and a ruler on it, as they are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from ddmi_core.rendering.mesh_pieces import MeshPiece
from ddmi_core.rendering.sections import Section
from studio.theme.tokens import DARK
from studio.widgets.orbit_camera import View
from studio.widgets.viewport import Viewport
from tests.studio.gl.test_viewport import drag, mesh_of, pixels, viewport  # noqa: F401

pytestmark = pytest.mark.gl


def shell() -> tuple[MeshPiece, ...]:
    """A ball with a wall of 0.3 around a hollow."""
    hollow = trimesh.creation.icosphere(4, 0.5)
    hollow.invert()
    return mesh_of(trimesh.util.concatenate([trimesh.creation.icosphere(4, 0.8), hollow]))


def is_cut(picture: np.ndarray) -> np.ndarray:
    """Where the colours of a cut are seen: on the way from the one of its area to the one of its lines."""
    area, lines = (np.array(QColor(name).getRgb()[:3]) for name in (DARK.cut, DARK.cut_hatch))
    share = ((picture - area) @ (lines - area)) / ((lines - area) @ (lines - area))
    away = np.abs(picture - (area + share[..., None].clip(0, 1) * (lines - area))).max(axis=2)
    return away < 4


def at(viewport: Viewport, picture: np.ndarray, *places: tuple[float, float, float]) -> np.ndarray:  # noqa: F811
    """What is at points of the scene in a picture."""
    seen = viewport.on_screen(np.array(places))
    return np.array([picture[round(place.y()), round(place.x())] for place in seen if place is not None])


@pytest.fixture
def cut(viewport) -> Viewport:  # noqa: F811
    """A hollow ball, seen from the front, whose front half is cut away."""
    viewport.grid = viewport.axes = False
    viewport.show_mesh(shell())
    viewport.set_view(View(azimuth=0.0, elevation=0.0))
    viewport.section = Section(axis=2)
    return viewport


@pytest.mark.parametrize("light", [False, True])
def test_the_wall_is_seen_as_a_flat_ring_around_the_hollow(cut, light):
    if light:
        drawn = list(cut._frames.scene.drawing(cut.view, cut._frames._size(), light=True))[-1]
        picture = pixels(drawn)
    else:
        picture = pixels(cut.screenshot())
    ring = is_cut(picture)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wall = [(0.65 * np.cos(angle), 0.65 * np.sin(angle), 0.0) for angle in angles]
    assert at(cut, ring, *wall).all()
    hollow = [(0.4 * np.cos(angle), 0.4 * np.sin(angle), 0.0) for angle in angles]
    assert not at(cut, ring, *hollow).any()
    assert at(cut, picture, *hollow).min() > 50, "the inside is lit"
    assert not at(cut, ring, *[(0.9 * np.cos(angle), 0.9 * np.sin(angle), 0.0) for angle in angles]).any()
    per_unit = QPointF(cut.on_screen(np.array([[1.0, 0.0, 0.0]]))[0] - cut.on_screen(np.zeros((1, 3)))[0]).x()
    assert ring.sum() == pytest.approx(np.pi * (0.8**2 - 0.5**2) * per_unit**2, rel=0.06)


def test_what_is_left_of_a_cut_keeps_its_matcap(cut):
    cut.matcap = "clay"
    picture = pixels(cut.screenshot())
    red, _, blue = at(cut, picture, (0.2, 0.1, 0.0))[0]  # inside the hollow
    assert red > blue + 20
    assert at(cut, is_cut(picture), (0.65, 0.0, 0.0), (0.0, -0.65, 0.0)).all()


def test_a_wall_that_was_cut_away_is_gone(cut):
    cut.section = Section(axis=0)
    picture = pixels(cut.screenshot())
    empty = (0.5, 0.0, 0.0)
    with_shape, left = at(cut, picture, (0.5, 0.1, 0.0), (-0.5, 0.1, 0.0))
    cut.section = None
    assert np.abs(at(cut, pixels(cut.screenshot()), empty)[0] - with_shape).max() > 60
    assert left.min() > 100
    cut.show_mesh(())
    nothing = at(cut, pixels(cut.screenshot()), (0.5, 0.1, 0.0))[0]
    assert np.abs(nothing - with_shape).max() < 12


def test_a_frame_that_is_under_way_is_completed_when_the_section_is_left(cut):
    scene, size = cut._frames.scene, cut._frames._size()
    whole = list(scene.drawing(cut.view, size, light=True))[-1]
    under_way = scene.drawing(cut.view, size, light=True)
    next(under_way)
    cut.section = None
    np.testing.assert_array_equal(pixels(list(under_way)[-1]), pixels(whole))


def test_seen_from_behind_there_is_no_cut_and_flipped_there_is(cut):
    cut.set_view(View(azimuth=180.0, elevation=0.0))
    wall = (0.6, 0.2, 0.0)
    assert not at(cut, is_cut(pixels(cut.screenshot())), wall).any()
    cut.section = Section(axis=2, flipped=True)
    assert at(cut, is_cut(pixels(cut.screenshot())), wall).all()


def test_an_uncut_picture_is_the_same_before_and_after(cut):
    cut.section = None
    before = pixels(cut.screenshot())
    cut.section = Section(axis=1, share=0.3)
    assert np.abs(pixels(cut.screenshot()) - before).max() > 50
    cut.section = None
    assert np.abs(pixels(cut.screenshot()) - before).max() <= 2


def test_the_wireframe_and_the_other_surface_are_cut_as_well(cut):
    cut.section = Section(axis=0)
    plain = pixels(cut.screenshot())
    there, gone = (-0.5, 0.1, 0.0), (0.5, 0.1, 0.0)
    cut.show_other(mesh_of(trimesh.creation.icosphere(4, 0.95)))
    glass = pixels(cut.screenshot())
    assert np.abs(at(cut, glass - plain, there)).max() > 20
    assert np.abs(at(cut, glass - plain, gone)).max() <= 2
    cut.show_other(())
    cut.wireframe = True
    changed = np.abs(pixels(cut.screenshot()) - plain).max(axis=2) > 15
    middle = changed.shape[1] // 2
    assert changed[:, : middle - 8].mean() > 0.02 and not changed[:, middle + 8 :].any()


def test_what_is_seen_at_a_place_is_on_the_cut_or_on_what_is_left(cut):
    def seen_at(*place: float) -> tuple[float, ...] | None:
        return cut.point_at(cut.on_screen(np.array([place]))[0])

    assert seen_at(0.6, 0.2, 0.0) == pytest.approx((0.6, 0.2, 0.0), abs=0.01)
    assert seen_at(0.0, 0.1, -0.49) == pytest.approx((0.0, 0.1, -0.49), abs=0.02)
    assert seen_at(0.95, 0.0, 0.0) is None
    cut.section = None
    assert seen_at(0.0, 0.1, 0.79) == pytest.approx((0.0, 0.1, 0.79), abs=0.02)
