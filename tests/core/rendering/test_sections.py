from __future__ import annotations

import numpy as np
import pytest
import trimesh

from ddmi_core.rendering.mesh_pieces import MeshPiece, mesh_pieces
from ddmi_core.rendering.sections import Section, beyond, first_met

LOW, HIGH = np.array([-1.0, -2.0, -3.0]), np.array([3.0, 2.0, 1.0])


def pieces_of(mesh: trimesh.Trimesh) -> tuple[MeshPiece, ...]:
    return mesh_pieces(mesh.vertices, mesh.faces, mesh.vertex_normals)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_section_cuts_away_what_is_above_it_or_flipped_what_is_below(axis) -> None:
    section = Section(axis, 0.25)
    place = LOW[axis] + 0.25 * (HIGH[axis] - LOW[axis])
    assert section.place(LOW, HIGH) == pytest.approx(place)
    points = np.full((2, 3), 0.3)
    points[:, axis] = place + np.array([0.2, -0.1])
    assert beyond(points, section.plane(LOW, HIGH)) == pytest.approx([0.2, -0.1])
    assert beyond(points, Section(axis, 0.25, flipped=True).plane(LOW, HIGH)) == pytest.approx([-0.2, 0.1])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_plane_ends_at_the_sides_of_the_box(axis) -> None:
    corners = Section(axis, 0.75).corners(LOW, HIGH)
    assert len(np.unique(corners, axis=0)) == 4
    assert np.allclose(beyond(corners, Section(axis, 0.75).plane(LOW, HIGH)), 0)
    for other in {0, 1, 2} - {axis}:
        assert (corners[:, other].min(), corners[:, other].max()) == (LOW[other], HIGH[other])


def test_a_ray_meets_what_trimesh_says_it_meets_first() -> None:
    mesh = trimesh.creation.torus(0.6, 0.25, major_sections=128, minor_sections=64)
    pieces = pieces_of(mesh)
    assert len(pieces) > 2
    rng = np.random.default_rng(0)
    origins, targets = rng.normal(size=(60, 3)), rng.uniform(-0.8, 0.8, (60, 3))
    origins *= 3 / np.linalg.norm(origins, axis=1, keepdims=True)
    expected = trimesh.ray.ray_pyembree.RayMeshIntersector(mesh)
    hits = 0
    for origin, target in zip(origins, targets, strict=True):
        places, _, _ = expected.intersects_location([origin], [target - origin], multiple_hits=False)
        found = first_met(pieces, origin, target - origin)
        assert (found is None) == (len(places) == 0)
        if found is not None:
            hits += 1
            assert found == pytest.approx(places[0], abs=1e-3)
    assert 10 < hits < 60


def test_a_ray_that_enters_through_the_cut_meets_the_cut_and_one_beside_the_solid_what_is_left() -> None:
    shell = trimesh.util.concatenate(
        [trimesh.creation.icosphere(4, 0.9), trimesh.creation.icosphere(4, 0.6)]
    )  # a wall of 0.3 around a hollow
    shell.faces[len(shell.faces) // 2 :] = shell.faces[len(shell.faces) // 2 :, ::-1]
    pieces = pieces_of(shell)
    plane = Section(2, 0.5).plane(*shell.bounds)
    down = np.array([0.0, 0.0, -2.0])
    assert first_met(pieces, np.array([0.7, 0.1, 4.0]), down, plane) == pytest.approx([0.7, 0.1, 0.0], abs=1e-6)
    hollow = first_met(pieces, np.array([0.1, 0.1, 4.0]), down, plane)
    assert hollow is not None and hollow[2] == pytest.approx(-0.58, abs=0.02)
    whole = first_met(pieces, np.array([0.1, 0.1, 4.0]), down)
    assert whole is not None and whole[2] == pytest.approx(0.89, abs=0.02)
    from_below = first_met(pieces, np.array([0.7, 0.1, -4.0]), -down, plane)
    assert from_below is not None and from_below[2] < -0.4
    assert first_met(pieces, np.array([0.1, 2.0, 4.0]), down, plane) is None
    assert first_met(pieces, np.array([0.1, 0.1, 4.0]), -down, plane) is None


def test_a_ray_along_a_side_of_a_box_is_no_error() -> None:
    box = pieces_of(trimesh.creation.box((1.0, 1.0, 1.0)))
    found = first_met(box, np.array([0.2, 0.1, 4.0]), np.array([0.0, 0.0, -1.0]))
    assert found == pytest.approx([0.2, 0.1, 0.5])
    first_met(box, np.array([0.5, 0.1, 4.0]), np.array([0.0, 0.0, -1.0]))
