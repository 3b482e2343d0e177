"""Measures on solids whose true facts are known."""

import numpy as np
import pytest
import trimesh
from skimage.measure import marching_cubes

from ddmi_core.data.furniture.geometry import measure, voxelise
from ddmi_core.data.furniture.procedural import procedural
from ddmi_core.data.furniture.procedural.solids import Builder
from ddmi_core.support.errors import DataError

N = 64
AXIS = ((2 * np.arange(N) + 1) / N - 1).astype(np.float32)
CENTRES = np.stack(np.meshgrid(AXIS, AXIS, AXIS, indexing="ij"), -1).reshape(-1, 3)


def solid(build: Builder) -> np.ndarray:
    return build.union().inside(CENTRES).reshape(N, N, N)


def a_table(feet: list[tuple[float, float]], *, is_round: bool = False, plate: float = 0.0) -> Builder:
    build = Builder()
    if is_round:
        build.drum((0, 0.72, 0), (0.5,), 0.06)
    else:
        build.span((-0.6, 0.69, -0.4), (0.6, 0.75, 0.4))
    for x, z in feet:
        build.rod((x, 0, z), (x, 0.7, z), 0.07)
    if plate:
        build.drum((0, 0.02, 0), (plate,), 0.04)
    return build


CORNERS = [(-0.5, -0.3), (0.5, -0.3), (-0.5, 0.3), (0.5, 0.3)]


@pytest.mark.parametrize(
    ("build", "top", "legs"),
    [
        (a_table(CORNERS), "rectangular", 4),
        (a_table([(0, 0)], plate=0.3), "rectangular", 1),
        (a_table([(0, 0)], is_round=True, plate=0.3), "round", 1),
        (a_table([(0, 0.35), (-0.3, -0.2), (0.3, -0.2)], is_round=True), "round", 3),
    ],
)
def test_tables(build: Builder, top: str, legs: int) -> None:
    facts = measure(solid(build))
    assert (facts.top_shape, facts.n_legs) == (top, legs)
    assert not facts.armrests and not facts.back


def test_a_shelf_between_the_legs_does_not_hide_them() -> None:
    build = a_table(CORNERS)
    build.span((-0.5, 0.2, -0.3), (0.5, 0.25, 0.3))
    assert measure(solid(build)).n_legs == 4


def test_panels_are_no_legs() -> None:
    build = a_table([])
    for x in (-0.55, 0.55):
        build.span((x - 0.03, 0, -0.38), (x + 0.03, 0.72, 0.38))
    assert measure(solid(build)).n_legs is None


def test_a_box_stands_on_the_floor() -> None:
    build = Builder()
    build.box((0, 0, 0), (0.5, 2, 0.5))
    facts = measure(solid(build))
    assert facts.n_legs is None and "tall" in facts.proportions
    assert facts.height == pytest.approx(1.8, abs=0.04) and facts.width == pytest.approx(0.45, abs=0.04)


@pytest.mark.parametrize("arms", [True, False])
def test_armrests(arms: bool) -> None:
    build = Builder()
    build.span((-0.25, 0.4, -0.25), (0.25, 0.47, 0.25))
    build.span((-0.25, 0.4, -0.27), (0.25, 0.95, -0.22))
    for x, z in [(-0.22, -0.22), (0.22, -0.22), (-0.22, 0.22), (0.22, 0.22)]:
        build.rod((x, 0, z), (x, 0.42, z), 0.05)
    if arms:
        for x in (-0.25, 0.25):
            build.span((x - 0.03, 0.62, -0.25), (x + 0.03, 0.67, 0.2))
            build.rod((x, 0.44, 0.17), (x, 0.64, 0.17), 0.05)
    facts = measure(solid(build))
    assert facts.back and facts.armrests is arms and facts.n_legs == 4


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(DataError, match="empty"):
        measure(np.zeros((N, N, N), dtype=bool))


def test_crumbs_are_not_measured() -> None:
    grid = solid(a_table(CORNERS))
    grid[0, 0, 0] = True
    assert measure(grid) == measure(solid(a_table(CORNERS)))


def test_a_mesh_is_voxelised_into_the_grid_it_came_from() -> None:
    grid = procedural(20, seed=5).grid(3, N)
    vertices, faces, _, _ = marching_cubes(np.pad(grid, 1).astype(np.float32), 0.5, gradient_direction="ascent")
    mesh = trimesh.Trimesh((2 * (vertices - 1) + 1) / N - 1, faces)
    assert (voxelise(mesh, N) != grid).mean() < 1e-4
    with pytest.raises(DataError, match="watertight"):
        voxelise(trimesh.Trimesh(mesh.vertices, mesh.faces[1:]), N)


def test_measures_agree_with_the_facts_of_procedural_furniture() -> None:
    shapes, right = procedural(400, seed=21), []
    wanted = [i for i in range(40) if shapes.kind(i) in ("table", "chair")]
    for i in wanted:
        truth, facts = shapes.attributes(i), measure(shapes.grid(i, 80))
        if truth["kind"] == "table" and truth["top"] in ("round", "rectangular"):
            right.append(facts.top_shape == truth["top"])
        if truth["legs"] in (1, 3, 4):
            right.append(facts.n_legs == truth["legs"])
        if truth["kind"] == "chair":
            right.append(facts.armrests == truth["arms"])
    assert len(right) > 30 and np.mean(right) >= 0.93
