import torch

from ddmi_core.coordinates import cell_centres, grid


def test_samples_sit_at_cell_centres() -> None:
    assert cell_centres(4).tolist() == [-0.75, -0.25, 0.25, 0.75]


def test_a_grid_is_indexed_by_axis_and_ends_in_x_y_z() -> None:
    points = grid(2, 3, 4)
    assert points.shape == (2, 3, 4, 3)
    x, y, z = cell_centres(2)[1], cell_centres(3)[0], cell_centres(4)[2]
    assert torch.equal(points[1, 0, 2], torch.stack([x, y, z]))
