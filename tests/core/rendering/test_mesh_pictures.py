from __future__ import annotations

import numpy as np
import pytest
import trimesh

from ddmi_core.rendering.cameras import framing_camera, orbit_camera
from ddmi_core.rendering.mesh_pictures import render_mesh
from ddmi_core.rendering.picture_layout import DARK, LIGHT, over

BALL = trimesh.creation.icosphere(subdivisions=3, radius=0.8)


def covered(picture: np.ndarray, background: tuple[int, int, int] = DARK) -> np.ndarray:
    """Where the picture shows something else than its background."""
    return (np.abs(picture.astype(int) - background) > 6).any(axis=-1)


def test_a_ball_covers_its_disc() -> None:
    picture = render_mesh(BALL, orbit_camera(distance=4.0, fov=35.0), 128, 128)
    assert picture.shape == (128, 128, 3) and picture.dtype == np.uint8
    radius = 64 * np.tan(np.arcsin(0.8 / 4.0)) / np.tan(np.radians(17.5))
    assert covered(picture).sum() == pytest.approx(np.pi * radius**2, rel=0.03)


@pytest.mark.parametrize("azimuth", [0, 90, 180, 270])
@pytest.mark.parametrize("elevation", [-60, 20, 80])
def test_no_side_is_black(azimuth: float, elevation: float) -> None:
    picture = render_mesh(BALL, framing_camera(BALL, azimuth, elevation), 64, 64, background=LIGHT)
    assert picture[covered(picture, LIGHT)].min() > 60


def test_right_and_up_in_space_are_right_and_up_in_the_picture() -> None:
    corner = trimesh.creation.box(extents=(0.2, 0.2, 0.2))
    corner.apply_translation((0.6, 0.6, 0.0))
    rows, columns = np.nonzero(covered(render_mesh(corner, orbit_camera(azimuth=0, elevation=0), 64, 64)))
    assert rows.max() < 32 < columns.min()


@pytest.mark.parametrize("extents", [(1.8, 0.1, 0.5), (0.1, 1.8, 0.1), (1.8, 1.8, 1.8)])
def test_framing_fills_the_picture_and_cuts_nothing(extents: tuple[float, float, float]) -> None:
    rows, columns = np.nonzero(covered(render_mesh(trimesh.creation.box(extents=extents), width=100, height=100)))
    assert min(rows.min(), columns.min()) >= 4
    assert max(rows.max(), columns.max()) <= 95
    assert max(np.ptp(rows), np.ptp(columns)) >= 80


def test_inverted_faces_are_lit_like_the_others() -> None:
    inverted = trimesh.Trimesh(BALL.vertices, BALL.faces[:, ::-1], process=False)
    np.testing.assert_allclose(render_mesh(inverted).astype(int), render_mesh(BALL).astype(int), atol=2)


def test_no_mesh_is_plain_background() -> None:
    picture = render_mesh(trimesh.Trimesh(), width=8, height=8)
    assert (picture == DARK).all()


def test_a_picture_without_background_over_one_is_the_picture_on_it() -> None:
    cut_out = render_mesh(BALL, width=64, height=64, background=None)
    assert cut_out.shape == (64, 64, 4) and cut_out[0, 0, 3] == 0 and cut_out[32, 32, 3] == 255
    inner = cut_out[..., 3] != 0
    np.testing.assert_array_equal(over(cut_out, LIGHT)[~inner], np.broadcast_to(LIGHT, (np.sum(~inner), 3)))
    # Edges mix in sRGB here and in linear light there; everything else is the same
    full = cut_out[..., 3] == 255
    np.testing.assert_allclose(over(cut_out)[full].astype(int), render_mesh(BALL, width=64, height=64)[full], atol=1)
