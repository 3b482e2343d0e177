import numpy as np
import pytest
import trimesh
from scipy import ndimage

from ddmi_core.data.labels import (
    normalise,
    occupancy,
    pack,
    solid_grid,
    surface_normals,
    surface_points,
    thickened,
    unpack,
)
from ddmi_core.support.errors import DataError


def centres(resolution: int) -> np.ndarray:
    axis = (2 * np.arange(resolution) + 1) / resolution - 1
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)


def box(*extents: float, at: tuple[float, float, float] = (0, 0, 0)) -> trimesh.Trimesh:
    return trimesh.creation.box(extents).apply_translation(at)


def test_a_ball_is_solid_with_the_right_volume() -> None:
    grid = solid_grid(trimesh.creation.icosphere(subdivisions=4, radius=0.8))
    assert grid.mean() * 8 == pytest.approx(4 / 3 * np.pi * 0.8**3, rel=0.05)  # the shell adds half a voxel


def test_axes_are_x_y_z() -> None:
    grid = solid_grid(box(0.2, 0.4, 0.6, at=(0.5, -0.3, 0.1)), 64)
    low, high = np.argwhere(grid).min(0), np.argwhere(grid).max(0) + 1
    np.testing.assert_allclose((low + high) / 64 - 1, (0.5, -0.3, 0.1), atol=0.04)
    np.testing.assert_allclose((high - low) / 32, (0.2, 0.4, 0.6), atol=0.07)


@pytest.mark.parametrize("seed", range(4))
def test_no_orientation_of_large_triangles_leaks(seed: int) -> None:
    cube = box(0.9, 0.9, 0.9).apply_transform(
        trimesh.transformations.random_rotation_matrix(np.random.default_rng(seed).random(3))
    )
    grid = solid_grid(cube, 64)
    assert grid[32, 32, 32]
    assert 0.9**3 < grid.mean() * 8 < 0.97**3  # touched voxels reach a little beyond a slanted side


def test_a_sheet_without_thickness_becomes_two_to_three_voxels_thick() -> None:
    for height in (0.0, 0.003, 0.0078125, 0.012):
        sheet = trimesh.Trimesh(
            [[-0.9, height, -0.5], [0.9, height, -0.5], [0.9, height, 0.5], [-0.9, height, 0.5]], [[0, 1, 2], [0, 2, 3]]
        )
        assert 2 <= solid_grid(sheet, 64)[32, :, 32].sum() <= 3


def test_a_thin_slanted_rod_stays_in_one_piece() -> None:
    rod = trimesh.creation.cylinder(0.002, segment=[[-0.8, -0.7, -0.6], [0.7, 0.8, 0.65]])
    along = np.linspace([-0.8, -0.7, -0.6], [0.7, 0.8, 0.65], 500)
    assert occupancy(solid_grid(rod), along).all()


def test_a_thin_curved_shell_has_no_holes() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.8)
    cup = trimesh.Trimesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] < 0.5])
    grid = solid_grid(cup, 64)
    assert not grid[32, 32, 32]
    assert occupancy(grid, cup.triangles_center).all()


def test_an_open_underside_is_closed_but_an_open_front_is_not() -> None:
    cube = box(1, 1, 1)
    without = {
        name: trimesh.Trimesh(cube.vertices, cube.faces[cube.face_normals[:, axis] * sign < 0.9])
        for name, axis, sign in (("bottom", 1, -1), ("front", 2, 1))
    }
    assert solid_grid(without["bottom"], 64)[32, 32, 32]
    assert not solid_grid(without["front"], 64)[32, 32, 32]


def test_what_stands_under_a_table_stays_free() -> None:
    legs = [box(0.08, 1, 0.08, at=(x, -0.1, z)) for x in (-0.7, 0.7) for z in (-0.4, 0.4)]
    grid = solid_grid(trimesh.util.concatenate([box(1.6, 0.1, 1, at=(0, 0.45, 0)), *legs]))
    assert not grid[64, 50, 64]
    assert grid[64, 92, 64]


def test_packed_grids_answer_like_plain_ones() -> None:
    grid = solid_grid(trimesh.creation.annulus(0.3, 0.7, 0.4), 64)
    np.testing.assert_array_equal(unpack(pack(grid)), grid)
    points = np.random.default_rng(0).uniform(-1.2, 1.2, (5000, 3))
    np.testing.assert_array_equal(occupancy(pack(grid), points), occupancy(grid, points))
    np.testing.assert_array_equal(occupancy(grid, centres(64)).reshape(grid.shape), grid)


def test_outside_the_grid_is_outside() -> None:
    assert not occupancy(np.ones((16, 16, 16), dtype=bool), np.array([[1.2, 0, 0], [0, -5, 0], [0, 0, 1e9]])).any()


def test_normalise_fits_the_longest_side_and_centres() -> None:
    vertices = normalise(np.array([[10.0, 0, 0], [14, 2, 1]]))
    np.testing.assert_allclose(vertices, [[-0.9, -0.45, -0.225], [0.9, 0.45, 0.225]])


@pytest.mark.parametrize("vertices", [np.zeros((0, 3)), np.ones((5, 3)), np.array([[0, 0, 0], [np.nan, 1, 1]])])
def test_normalise_refuses_what_has_no_size(vertices: np.ndarray) -> None:
    with pytest.raises(DataError):
        normalise(vertices)


def test_surface_ignores_what_is_hidden_inside() -> None:
    mesh = trimesh.util.concatenate([box(1.4, 1.4, 1.4), trimesh.creation.icosphere(radius=0.4)])
    points = surface_points(solid_grid(mesh), 2000, np.random.default_rng(0))
    assert points.shape == (2000, 3)
    assert points.dtype == np.float32
    np.testing.assert_allclose(np.abs(points).max(1), 0.7, atol=2 / 128)


def test_surface_separates_what_is_solid_from_what_is_not() -> None:
    grid = solid_grid(trimesh.creation.icosphere(subdivisions=4, radius=0.7))
    points = surface_points(grid, 500, np.random.default_rng(0))
    assert occupancy(grid, 0.97 * points).all()
    assert not occupancy(grid, 1.03 * points).any()


def test_an_open_box_has_points_on_both_faces_of_its_walls() -> None:
    sheets = trimesh.creation.box((1.4, 1.4, 1.4))
    open_box = trimesh.Trimesh(sheets.vertices, sheets.faces[sheets.face_normals[:, 1] < 0.5], process=False)
    points = surface_points(solid_grid(open_box), 4000, np.random.default_rng(0))
    right_wall = points[(points[:, 0] > 0.6) & (np.abs(points[:, 1:]) < 0.5).all(1)]
    outer = (right_wall[:, 0] > 0.7).mean()
    assert 0.4 < outer < 0.6


def test_normals_of_a_ball_point_away_from_its_centre() -> None:
    grid = solid_grid(trimesh.creation.icosphere(subdivisions=5, radius=0.7))
    points = surface_points(grid, 2000, np.random.default_rng(0))
    normals = surface_normals(grid, points)
    np.testing.assert_array_equal(normals, surface_normals(pack(grid), points))
    cosines = (normals * points).sum(1) / np.linalg.norm(points, axis=1)
    assert cosines.min() > 0.97 and cosines.mean() > 0.995


def test_the_two_sides_of_a_wall_have_opposite_normals() -> None:
    grid = solid_grid(box(1.6, 0.07, 1.6))
    points = surface_points(grid, 2000, np.random.default_rng(0))
    points = points[(np.abs(points[:, [0, 2]]) < 0.7).all(1)]
    normals = surface_normals(grid, points)
    assert (normals[:, 1] * np.sign(points[:, 1]) > 0.99).all()


def slab(*parts: tuple[slice, slice, slice]) -> np.ndarray:
    grid = np.zeros((128, 128, 128), dtype=bool)
    for part in parts:
        grid[part] = True
    return grid


def test_a_thin_sheet_is_thickened_to_five_or_six_voxels_and_a_block_is_left() -> None:
    wide = slice(30, 90)
    grown, filled = thickened(slab((wide, wide, slice(60, 62))))
    assert np.isin(grown.sum(axis=2)[40:80, 40:80], (5, 6)).all() and filled == 0
    block = slab((wide, wide, wide))
    same, filled = thickened(block)
    assert filled == 0 and (same != block).mean() < 1e-3


def test_a_slanted_rod_is_thickened_all_around() -> None:
    rod = solid_grid(trimesh.creation.cylinder(0.002, segment=[[-0.8, -0.7, -0.6], [0.7, 0.8, 0.65]]))
    grown, _ = thickened(rod)
    along = np.linspace([-0.7, -0.6, -0.5], [0.6, 0.7, 0.55], 200)
    direction = np.array([1.5, 1.5, 1.25]) / np.linalg.norm([1.5, 1.5, 1.25])
    across = np.cross(direction, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    for side in (across, np.cross(direction, across)):
        steps = np.linspace(-0.1, 0.1, 81)
        inside = occupancy(grown, (along[:, None] + steps[:, None] * side).reshape(-1, 3)).reshape(len(along), -1)
        assert inside.sum(axis=1).min() * (steps[1] - steps[0]) >= 0.06


def test_bars_that_grow_together_are_told_from_bars_that_stay_apart() -> None:
    def bars(distance: int) -> np.ndarray:
        return slab(*((slice(x, x + 2), slice(20, 100), slice(60, 66)) for x in range(30, 90, distance)))

    apart, filled = thickened(bars(14))
    assert filled == 0 and ndimage.label(apart)[1] == ndimage.label(bars(14))[1]
    assert thickened(bars(6))[1] > 0.1


def test_surface_of_nothing_is_an_error() -> None:
    with pytest.raises(DataError, match="solid"):
        surface_points(np.zeros((16, 16, 16), dtype=bool), 10, np.random.default_rng(0))
