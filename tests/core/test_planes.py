import pytest
import torch

from ddmi_core.coordinates import cell_centres
from ddmi_core.planes import SINGLE_PLANE, TRI_PLANE, Cells, LatticePlanes, PlaneLayout, look_up, pack, unpack


def _ramp(width: int, height: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A plane of two channels that hold the coordinate along the width and along the height."""
    across = cell_centres(width).expand(height, width)
    down = cell_centres(height).unsqueeze(1).expand(height, width)
    return torch.stack([across, down]).unsqueeze(0)


@pytest.mark.parametrize("layout", [SINGLE_PLANE, TRI_PLANE])
def test_a_ramp_written_into_the_planes_is_read_back_on_each_axis(layout: PlaneLayout) -> None:
    planes = tuple(_ramp(16, 12) for _ in layout.axes)
    coords = (torch.rand(1, 50, 1 + max(max(axes) for axes in layout.axes)) * 2 - 1) * 0.9
    for found, (width_axis, height_axis) in zip(look_up(planes, coords, layout), layout.axes, strict=True):
        torch.testing.assert_close(found[..., 0], coords[..., width_axis], atol=1e-5, rtol=0)
        torch.testing.assert_close(found[..., 1], coords[..., height_axis], atol=1e-5, rtol=0)


def test_beyond_the_border_the_edge_goes_on() -> None:
    (found,) = look_up((_ramp(4, 4),), torch.tensor([[[5.0, -5.0]]]), SINGLE_PLANE)
    torch.testing.assert_close(found[0, 0], torch.tensor([0.75, -0.75]))


@pytest.mark.parametrize("layout", [SINGLE_PLANE, TRI_PLANE])
def test_places_of_a_lattice_have_what_is_looked_up_at_them(layout: PlaneLayout) -> None:
    planes = tuple(torch.rand(1, 3, 5, 7) for _ in layout.axes)
    axes = [torch.rand(9 - number) * 2 - 1 for number in range(1 + max(max(axes) for axes in layout.axes))]
    places = torch.stack([torch.randint(len(axis), (40,)) for axis in axes], dim=-1)
    lattice = LatticePlanes(planes, axes, layout)
    moved = [*axes[:-1], axes[-1] / 2]
    for seen, where in ((lattice, axes), (LatticePlanes(planes, moved, layout, known=lattice), moved)):
        coords = torch.stack([axis[of] for axis, of in zip(where, places.unbind(-1), strict=True)], dim=-1)
        for here, there in zip(seen.look_up(places), look_up(planes, coords.unsqueeze(0), layout), strict=True):
            assert torch.equal(here, there[0])


def test_a_point_is_splatted_where_it_is_looked_up() -> None:
    coords = torch.tensor([[[0.3, -0.6, 0.8]]])
    planes = Cells(coords, TRI_PLANE, 8).splat(torch.tensor([[[2.0]]]))
    for plane, (width_axis, height_axis) in zip(planes, TRI_PLANE.axes, strict=True):
        row, column = (plane[0, 0] == 2).nonzero()[0].tolist()
        assert plane[0].flatten(1).sum(1).tolist() == [2, 2]
        assert abs(cell_centres(8)[column] - coords[0, 0, width_axis]) <= 1 / 8
        assert abs(cell_centres(8)[row] - coords[0, 0, height_axis]) <= 1 / 8


def test_points_of_one_cell_give_their_mean_and_their_maximum() -> None:
    coords = torch.tensor([[[0.1, 0.1], [0.12, 0.12], [-0.9, -0.9]]])
    (plane,) = Cells(coords, SINGLE_PLANE, 4).splat(torch.tensor([[[1.0], [3.0], [-5.0]]]))
    assert plane[0, :, 2, 2].tolist() == [2, 3]
    assert plane[0, :, 0, 0].tolist() == [-5, -5]
    assert plane[0, :, 1, 1].tolist() == [0, 0]  # nothing there


def test_planes_of_different_sizes_share_a_canvas_and_come_back() -> None:
    planes = (torch.rand(2, 3, 4, 6), torch.rand(2, 3, 5, 2), torch.rand(2, 3, 5, 6))
    canvas = pack(planes)
    assert canvas.shape == (2, 9, 5, 6)
    for before, after in zip(planes, unpack(canvas, [(4, 6), (5, 2), (5, 6)]), strict=True):
        assert torch.equal(before, after)
