from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import trimesh
from skimage.measure import marching_cubes

from ddmi_core.coordinates import grid
from ddmi_core.rendering.surfaces import Surface, clean, extract_mesh, extract_surface, simplify, surface_normals
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import Cancelled
from tests.core import solids

FIELDS = {
    "sphere": solids.sphere(),
    "torus": solids.torus(),
    "table": solids.table(),
    "hair-thin legs": solids.table(leg=0.009),
    "beyond the volume": solids.sphere(radius=1.2),
    "two pieces": solids.union(solids.sphere(0.3, (-0.5, 0.0, 0.0)), solids.sphere(0.2, (0.5, 0.3, 0.1))),
    # Nothing of these crosses an edge of the coarse lattice: only the search finds them.
    "lonely rod": solids.union(solids.sphere(0.2), solids.box((0.513, 0.0, 0.52), (0.012, 0.6, 0.012))),
    "lonely board": solids.box((0.0, 0.025, 0.0), (0.7, 0.016, 0.7)),
    "lonely speck": solids.sphere(radius=0.02, centre=(0.515, 0.517, 0.52)),
}


def as_mesh(surface: Surface) -> trimesh.Trimesh:
    return trimesh.Trimesh(surface.vertices, surface.faces, vertex_normals=surface.normals, process=False)


@pytest.mark.parametrize(
    ("name", "resolution"), [*itertools.product(FIELDS, [64, 90]), ("hair-thin legs", 128), ("lonely rod", 128)]
)
def test_sparse_equals_dense(name: str, resolution: int) -> None:
    sparse = extract_surface(FIELDS[name], resolution)
    dense = extract_surface(FIELDS[name], resolution, dense=True)
    assert len(dense.faces) > 0
    np.testing.assert_array_equal(sparse.vertices, dense.vertices)
    np.testing.assert_array_equal(sparse.faces, dense.faces)
    np.testing.assert_array_equal(sparse.normals, dense.normals)
    assert sparse.evaluations < dense.evaluations == resolution**3


def test_legs_are_followed_from_the_coarsest_lattice() -> None:
    sparse = extract_surface(FIELDS["hair-thin legs"], 128, base=8)
    dense = extract_surface(FIELDS["hair-thin legs"], 128, dense=True)
    np.testing.assert_array_equal(sparse.faces, dense.faces)
    assert as_mesh(dense).body_count == 1


def test_agrees_with_another_marching_cubes() -> None:
    resolution = 48
    logits = solids.torus()(grid(resolution, resolution, resolution).reshape(-1, 3))
    volume = logits.reshape((resolution,) * 3).numpy()
    vertices, faces, _, _ = marching_cubes(volume, 0.0, gradient_direction="ascent")
    other = trimesh.Trimesh((2 * vertices + 1) / resolution - 1, faces, process=False)
    mesh = as_mesh(extract_surface(solids.torus(), resolution))
    assert mesh.volume == pytest.approx(other.volume, rel=1e-4)
    np.testing.assert_allclose(np.sort(mesh.vertices, axis=0), np.sort(other.vertices, axis=0), atol=1e-5)


@pytest.mark.parametrize("name", FIELDS)
def test_meshes_are_closed_and_face_outward(name: str) -> None:
    mesh = as_mesh(extract_surface(FIELDS[name], 100))
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert np.abs(mesh.vertices).max() <= 1


def test_a_noisy_field_is_closed_too() -> None:
    noise = torch.randn(24, 24, 24, generator=torch.Generator().manual_seed(0))

    def logits(points: torch.Tensor) -> torch.Tensor:
        x, y, z = ((points + 1) / 2 * 24).long().unbind(-1)
        return noise[x, y, z]

    mesh = as_mesh(extract_surface(logits, 24))
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0


@pytest.mark.parametrize(
    ("logits", "volume"), [(solids.sphere(), solids.sphere_volume()), (solids.torus(), solids.torus_volume())]
)
def test_volume_is_that_of_the_closed_form(logits: solids.Logits, volume: float) -> None:
    assert as_mesh(extract_surface(logits, 128)).volume == pytest.approx(volume, rel=2e-3)


@pytest.mark.parametrize("name", ["sphere", "table"])
def test_at_256_at_most_a_tenth_is_evaluated(name: str) -> None:
    assert extract_surface(FIELDS[name], 256).evaluations < 0.1 * 256**3


def test_normals_point_against_the_gradient() -> None:
    surface = extract_surface(solids.sphere(), 96)
    radial = surface.vertices / np.linalg.norm(surface.vertices, axis=1, keepdims=True)
    assert (surface.normals * radial).sum(axis=1).min() > 0.999
    measured = surface_normals(solids.sphere(), surface.vertices)
    assert (measured * radial).sum(axis=1).min() > 0.999


def test_cancel_ends_the_work_at_once() -> None:
    calls = []

    def progress(fraction: float, text: str) -> None:
        calls.append(fraction)
        if len(calls) == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        extract_mesh(solids.sphere(), 128, progress=progress)
    assert len(calls) == 5


def test_progress_grows_to_the_end() -> None:
    fractions: list[float] = []
    extract_mesh(solids.sphere(), 128, faces=1000, progress=lambda fraction, text: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0 and fractions[-1] <= 1


def test_an_empty_field_says_so() -> None:
    assert len(extract_surface(lambda points: points[:, 0] - 5, 64).faces) == 0
    with pytest.raises(DDMIError, match="empty"):
        extract_mesh(lambda points: points[:, 0] - 5, 64)


def test_a_field_of_nan_is_an_error() -> None:
    with pytest.raises(DDMIError, match="not numbers"):
        extract_surface(lambda points: points[:, 0] * float("nan"), 64)


@pytest.mark.parametrize("resolution", [0, -3, 5000])
def test_resolutions_out_of_range_are_an_error(resolution: int) -> None:
    with pytest.raises(DDMIError, match="out of range"):
        extract_surface(solids.sphere(), resolution)


def test_clean_drops_specks_and_turns_outward() -> None:
    parts = solids.union(solids.sphere(0.5), solids.sphere(0.06, (0.8, 0.8, 0.8)))
    mesh = as_mesh(extract_surface(parts, 64))
    assert mesh.body_count == 2
    cleaned = clean(mesh)
    assert cleaned.body_count == 1 and cleaned.is_watertight
    inverted = clean(trimesh.Trimesh(mesh.vertices, mesh.faces[:, ::-1], process=False))
    assert inverted.volume == pytest.approx(cleaned.volume)
    np.testing.assert_allclose(np.linalg.norm(cleaned.vertex_normals, axis=1), 1, atol=1e-5)


def test_simplify_keeps_the_solid() -> None:
    mesh = extract_mesh(solids.table(), 128, faces=600)
    assert mesh.is_watertight and mesh.volume > 0
    assert len(mesh.faces) == 600
    assert mesh.metadata["evaluations"] > 0
    with pytest.raises(DDMIError, match="at least 4"):
        simplify(mesh, 2)
    mesh.update_faces(np.arange(len(mesh.faces)) > 9)
    with pytest.raises(DDMIError, match="closed"):
        simplify(mesh, 100)


def test_simplify_does_not_pinch_thin_parts_together() -> None:
    """Two plates close above each other, which many a collapse would join."""
    plates = solids.union(*(solids.box((0.0, 0.0, z), (0.8, 0.8, 0.02)) for z in (-0.04, 0.04)))
    mesh = extract_mesh(solids.union(plates, solids.box((0.0, 0.0, 0.0), (0.03, 0.03, 0.8))), 128, faces=120)
    assert mesh.is_watertight and len(mesh.faces) <= 120


def test_simplify_is_cancelled_while_it_runs() -> None:
    mesh = extract_mesh(solids.sphere(), 128)

    def progress(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        simplify(mesh, 100, progress=progress)
