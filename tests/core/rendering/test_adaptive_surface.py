from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import trimesh

from ddmi_core.rendering import adaptive_surface
from ddmi_core.rendering.adaptive_surface import AdaptiveSurface, Sight
from ddmi_core.rendering.cameras import orbit_camera
from ddmi_core.rendering.octree import LEVELS, ROOT
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import Cancelled
from tests.core import solids

FIELDS = {
    "sphere": solids.sphere(),
    "torus": solids.torus(),
    "table": solids.table(),
    "beyond the volume": solids.sphere(radius=1.2),
}
FAR = Sight(orbit_camera(), aspect=1.5)
NEAR = Sight(orbit_camera(distance=0.3, target=(0.45, 0.4, 0.36)), aspect=1.5)
TARGET = np.array([0.45, 0.4, 0.36])


class Counted:
    """A field that counts what it is asked."""

    def __init__(self, logits: solids.Logits) -> None:
        self.logits, self.points = logits, 0

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        self.points += len(points)
        return self.logits(points)


def is_closed(mesh: trimesh.Trimesh) -> bool:
    """Whether each edge is run through as often in one direction as in the other, and more than one size is there."""
    sides = np.stack([mesh.faces, np.roll(mesh.faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    one_way = np.sort(sides[:, 0] * len(mesh.vertices) + sides[:, 1])
    other_way = np.sort(sides[:, 1] * len(mesh.vertices) + sides[:, 0])
    return bool((one_way == other_way).all())


def lengths_of_edges(mesh: trimesh.Trimesh, faces: np.ndarray) -> np.ndarray:
    corners = mesh.vertices[mesh.faces[faces]]
    return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("sight", [FAR, NEAR], ids=["far", "near"])
def test_it_is_closed_whatever_sizes_meet(name: str, sight: Sight) -> None:
    for mesh in AdaptiveSurface.of(FIELDS[name]).meshes(sight):
        assert is_closed(mesh) and mesh.volume > 0
        assert np.abs(mesh.vertices).max() <= 1


@pytest.mark.slow
def test_a_noisy_field_is_closed_too() -> None:
    noise = torch.randn(24, 24, 24, generator=torch.Generator().manual_seed(0))

    def logits(points: torch.Tensor) -> torch.Tensor:
        x, y, z = ((points + 1) / 2 * 24).long().clamp(0, 23).unbind(-1)
        return noise[x, y, z]

    assert all(is_closed(mesh) for mesh in AdaptiveSurface.of(logits).meshes(NEAR))


def test_it_is_fine_where_the_camera_is_near_and_coarse_elsewhere() -> None:
    rough, fine = AdaptiveSurface.of(solids.sphere()).meshes(NEAR)
    centres = fine.triangles_center
    lengths = lengths_of_edges(fine, np.arange(len(fine.faces)))
    near = np.linalg.norm(centres - TARGET, axis=1) < 0.05
    away = centres[:, 1] < -0.55  # below, where the camera does not look
    assert lengths[near].max() < 0.005 and np.median(lengths[away]) > 0.02
    assert len(rough.faces) < len(fine.faces) / 3
    assert 160 < fine.metadata["resolution"] <= ROOT << LEVELS


def test_a_nearer_view_shows_what_no_mesh_of_the_whole_has() -> None:
    """Zooming in, no facet may take more than a small part of the picture."""
    surface = AdaptiveSurface.of(solids.sphere())
    for distance in (4.0, 1.0, 0.25, 0.1):
        *_, mesh = surface.meshes(Sight(orbit_camera(distance=distance, target=tuple(TARGET)), aspect=1.5))
        height = 2 * distance * np.tan(np.radians(35 / 2))
        near = np.linalg.norm(mesh.triangles_center - TARGET, axis=1) < height / 4
        assert near.any() and lengths_of_edges(mesh, near).max() < height / 30, distance


def test_vertices_lie_on_the_surface_and_normals_are_the_gradients() -> None:
    *_, mesh = AdaptiveSurface.of(solids.sphere()).meshes(NEAR)
    radii = np.linalg.norm(mesh.vertices, axis=1)
    assert np.abs(radii - 0.7).max() < 1e-3
    near = np.linalg.norm(mesh.vertices - TARGET, axis=1) < 0.05
    assert np.abs(radii[near] - 0.7).max() < 2e-5
    assert (mesh.vertex_normals * mesh.vertices / radii[:, None]).sum(axis=1).min() > 0.99


def test_creases_of_interpolated_planes_do_not_show() -> None:
    """A field of 32 samples an axis, between which it is linear, has creases that are no part of the shape."""
    places = (2 * torch.arange(32) + 1) / 32 - 1
    z, y, x = torch.meshgrid(places, places, places, indexing="ij")
    samples = (20 * (0.7 - torch.stack([x, y, z]).norm(dim=0)))[None, None]

    def logits(points: torch.Tensor) -> torch.Tensor:
        return F.grid_sample(samples, points[None, None, None], align_corners=False, padding_mode="border").reshape(-1)

    *_, mesh = AdaptiveSurface.of(logits).meshes(NEAR)
    near = np.linalg.norm(mesh.vertices - TARGET, axis=1) < 0.1
    ends = mesh.edges_unique[near[mesh.edges_unique].all(axis=1)]
    turns = np.arccos(np.clip((mesh.vertex_normals[ends[:, 0]] * mesh.vertex_normals[ends[:, 1]]).sum(axis=1), -1, 1))
    bare = AdaptiveSurface.of(logits)
    bare._gradients.normals = lambda vertices, cells, own: own  # type: ignore[method-assign]
    *_, mesh = bare.meshes(NEAR)
    bare_turns = np.arccos(
        np.clip((mesh.vertex_normals[ends[:, 0]] * mesh.vertex_normals[ends[:, 1]]).sum(axis=1), -1, 1)
    )
    assert turns.max() < bare_turns.max() / 3


def test_hair_thin_legs_are_there_from_afar() -> None:
    for mesh in AdaptiveSurface.of(solids.table(leg=0.012)).meshes(FAR):
        feet = mesh.vertices[mesh.vertices[:, 1] < -0.85]
        assert len({(x > 0, z > 0) for x, _, z in feet}) == 4


def test_specks_are_left_out() -> None:
    parts = solids.union(solids.sphere(0.5), solids.sphere(0.04, (0.45, 0.4, 0.36)))
    assert all(mesh.body_count == 1 for mesh in AdaptiveSurface.of(parts).meshes(NEAR))


def test_a_view_does_not_depend_on_those_before_it() -> None:
    fresh = AdaptiveSurface.of(solids.torus())
    used = AdaptiveSurface.of(solids.torus())
    list(used.meshes(FAR))
    for mesh, other in zip(fresh.meshes(NEAR), used.meshes(NEAR), strict=True):
        np.testing.assert_array_equal(mesh.vertices, other.vertices)
        np.testing.assert_array_equal(mesh.faces, other.faces)
        np.testing.assert_array_equal(mesh.vertex_normals, other.vertex_normals)


def test_nothing_is_asked_twice_and_little_is_asked_at_all() -> None:
    counted = Counted(solids.sphere())
    surface = AdaptiveSurface.of(counted)
    counted.points = 0
    *_, mesh = surface.meshes(NEAR)
    assert 0 < counted.points < 4 * len(mesh.vertices)
    counted.points = 0
    list(surface.meshes(NEAR))
    assert counted.points == 0


def test_what_is_kept_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    surface = AdaptiveSurface.of(solids.sphere())
    list(surface.meshes(FAR))
    list(surface.meshes(NEAR))
    both = surface.nbytes
    monkeypatch.setattr(adaptive_surface, "KEPT_BYTES", both // 2)
    *_, mesh = surface.meshes(NEAR)
    assert surface.nbytes < both
    *_, again = surface.meshes(NEAR)
    np.testing.assert_array_equal(mesh.vertices, again.vertices)


def test_cancel_ends_the_work() -> None:
    def progress(fraction: float, text: str) -> None:
        raise Cancelled

    surface = AdaptiveSurface.of(solids.sphere())
    with pytest.raises(Cancelled):
        list(surface.meshes(NEAR, progress))


def test_progress_grows() -> None:
    fractions: list[float] = []
    list(AdaptiveSurface.of(solids.sphere()).meshes(NEAR, lambda fraction, text: fractions.append(fraction)))
    assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1


def test_a_field_without_a_surface_and_one_of_nan_are_errors() -> None:
    with pytest.raises(DDMIError, match="empty"):
        AdaptiveSurface.of(lambda points: points[:, 0] - 5)
    seeds = AdaptiveSurface.of(solids.sphere())
    seeds._logits = lambda points: points[:, 0] * float("nan")
    with pytest.raises(DDMIError, match="not numbers"):
        list(seeds.meshes(NEAR))
