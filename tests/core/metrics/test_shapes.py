"""Overlap, distance and soundness on shapes whose values are known."""

import numpy as np
import pytest
import trimesh

from ddmi_core.metrics import shapes
from ddmi_core.metrics.shapes import chamfer_distance, f_score, mesh_health, volumetric_iou
from ddmi_core.support.errors import DataError


def test_overlap_of_known_grids() -> None:
    a, b = np.zeros((4, 4, 4), dtype=bool), np.zeros((4, 4, 4), dtype=bool)
    assert volumetric_iou(a, b) == 1
    a[:2], b[1:3] = True, True
    assert volumetric_iou(a, b) == pytest.approx(1 / 3)
    with pytest.raises(DataError, match="one resolution"):
        volumetric_iou(a, b[:2])


def test_distance_of_known_points() -> None:
    a = np.array([[0.0, 0, 0], [1, 0, 0]])
    assert chamfer_distance(a, a) == 0
    assert chamfer_distance(a, a + np.array([0, 0.25, 0])) == pytest.approx(0.25)
    assert chamfer_distance(a[:1], a) == pytest.approx(0.25)
    with pytest.raises(DataError, match="empty"):
        chamfer_distance(a, a[:0])


def test_f_score_of_known_points() -> None:
    a = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    assert f_score(a, a) == 1 and f_score(a, a + 5) == 0
    # Two of three points are right, and both true ones are found: 2 (2/3) 1 / (2/3 + 1)
    assert f_score(a, a[:2] + np.array([0, 0.019, 0])) == pytest.approx(0.8)
    with pytest.raises(DataError, match="empty"):
        f_score(a, a[:0])


def test_health_of_sound_and_unsound_meshes() -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    assert mesh_health(ball).sound
    inverted = ball.copy()
    inverted.invert()
    assert not mesh_health(inverted).outward and not mesh_health(inverted).sound
    torn = trimesh.Trimesh(ball.vertices, ball.faces[1:], process=False)
    assert not mesh_health(torn).watertight
    pair = trimesh.util.concatenate([ball, ball.copy().apply_translation([5, 0, 0])])
    assert mesh_health(pair).dominant == pytest.approx(0.5) and not mesh_health(pair).sound
    crumb = trimesh.creation.icosphere(subdivisions=1, radius=0.05).apply_translation([5, 0, 0])
    assert mesh_health(trimesh.util.concatenate([ball, crumb])).sound
    assert not mesh_health(trimesh.Trimesh()).sound


def test_distances_from_a_surface_are_those_of_the_nearest_place_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "_DISTANCES_AT_ONCE", 3)  # in parts
    sheet = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], process=False)
    points = np.array([[0.2, 0.2, 0.5], [0.2, 0.2, 0.0], [-3.0, 0.0, 4.0], [2.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(shapes.surface_distances(points, sheet), [0.5, 0, 5, 1, 0.5**0.5], atol=1e-12)
    assert len(shapes.surface_distances(points[:0], sheet)) == 0
