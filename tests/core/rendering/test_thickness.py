"""How thick solids are."""

import numpy as np
import pytest
import trimesh

from ddmi_core.rendering import thickness
from ddmi_core.rendering.thickness import thicknesses


def test_a_ball_is_as_thick_as_its_diameter() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.6)
    assert thicknesses(ball) == pytest.approx(1.2, abs=0.01)


def test_a_plate_is_thin_wherever_its_faces_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thickness, "_AT_ONCE", 100)  # so that it takes several parts
    plate = trimesh.creation.box((1.6, 0.05, 1.2)).subdivide().subdivide().subdivide()
    told: list[float] = []
    found = thicknesses(plate, lambda share, _text: told.append(share))
    inside = (np.abs(plate.vertices[:, [0, 2]]) < (0.7, 0.5)).all(axis=1)
    assert inside.any() and found[inside] == pytest.approx(0.05, abs=0.002)
    assert len(told) > 1


def test_what_no_ray_leaves_has_no_thickness() -> None:
    sheet = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
    assert np.isinf(thicknesses(sheet)).all()
