"""Pictures of a shape's view, of any size and without background."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from PySide6.QtGui import QImage

from studio.widgets import shape_scene
from studio.widgets.orbit_camera import View
from studio.widgets.viewport import Viewport
from tests.studio.gl.test_viewport import inside_of_sphere, mesh_of, pixels, viewport  # noqa: F401

pytestmark = pytest.mark.gl


def with_alpha(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4).astype(np.int16)


@pytest.fixture
def ball(viewport) -> Viewport:  # noqa: F811
    viewport.axes = False
    viewport.show_mesh(mesh_of(trimesh.creation.icosphere(4, 0.8)))
    viewport.set_view(View(azimuth=20.0, elevation=30.0))
    return viewport


def test_at_the_screens_size_it_is_the_screenshot(ball):
    wanted = pixels(ball.screenshot())
    assert np.abs(pixels(ball.picture(ball.width(), transparent=False)) - wanted).max() <= 2
    assert np.abs(pixels(ball.screenshot()) - wanted).max() <= 2  # and what is seen afterwards is what was seen


def test_a_larger_one_shows_the_same_and_is_put_together_of_tiles(ball, monkeypatch):
    ball.grid = False  # whose lines are as thin on any picture
    small = pixels(ball.picture(480, transparent=False))
    whole = pixels(ball.picture(960, transparent=False))
    assert whole.shape == (720, 960, 3)
    averaged = whole.reshape(360, 2, 480, 2, 3).mean(axis=(1, 3))
    assert np.abs(averaged - small).mean() < 1.5
    monkeypatch.setattr(shape_scene, "_TILE", 250)
    apart = np.abs(pixels(ball.picture(960, transparent=False)) - whole).max(axis=2)
    assert (apart > 3).mean() < 0.003  # edges, which are rounded to parts of a pixel from another corner


def test_without_background_the_shape_is_opaque_its_shadow_is_not_and_the_rest_is_gone(ball):
    ball.grid = False
    seen, picture = pixels(ball.screenshot()), with_alpha(ball.picture(480, transparent=True))
    disc = inside_of_sphere(seen)
    assert (picture[disc][:, 3] == 255).all()
    assert np.abs(picture[disc][:, :3] - seen[disc]).max() <= 2
    assert (picture[:20, :, 3] == 0).all()
    floor = picture[..., 3]
    shadow = (floor > 20) & (floor < 235)
    assert shadow.mean() > 0.005 and picture[shadow][:, :3].max(axis=1).mean() < 60


def test_without_background_there_is_no_grid_either(ball):
    ball.grid = False
    bare = with_alpha(ball.picture(480, transparent=True))
    ball.grid = True
    assert (with_alpha(ball.picture(480, transparent=True)) == bare).all()
    with_grid = pixels(ball.picture(480, transparent=False))
    ball.grid = False
    assert (with_grid != pixels(ball.picture(480, transparent=False))).any()
