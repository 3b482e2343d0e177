import pytest
import torch
import torch.nn.functional as F

from ddmi_core.support.rows import Groups, interpolate


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (8, 8)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_interpolation_is_that_of_grid_sample_and_so_is_its_gradient(
    size: tuple[int, int], memory_format: torch.memory_format
) -> None:
    torch.manual_seed(1)
    plane = torch.randn(3, 4, *size).contiguous(memory_format=memory_format).requires_grad_()
    where = torch.rand(3, 50, 2) * 2.6 - 1.3  # beyond the border as well
    found = interpolate(plane, where)
    sampled = F.grid_sample(plane, where.unsqueeze(1), padding_mode="border", align_corners=False)
    expected = sampled[:, :, 0].transpose(1, 2)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    gradient = torch.randn_like(found)
    (ours,) = torch.autograd.grad(found, plane, gradient)
    (theirs,) = torch.autograd.grad(expected, plane, gradient)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_half_precision_maps_are_interpolated_too() -> None:
    plane = torch.randn(2, 8, 6, 6).bfloat16()
    where = torch.rand(2, 20, 2) * 2 - 1
    found = interpolate(plane, where)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), interpolate(plane.float(), where), atol=0.05, rtol=0.05)


def test_groups_have_means_and_maxima_and_empty_ones_zeros() -> None:
    groups = Groups(torch.tensor([3, 1, 3, 0]), 5)
    table = torch.tensor([[1.0, -8.0], [2.0, -7.0], [5.0, -2.0], [4.0, -6.0]], requires_grad=True)
    assert groups.spread(groups.means(table)).tolist() == [[4, -6], [2, -7], [0, 0], [3, -5], [0, 0]]
    assert groups.spread(groups.maxima(table)).tolist() == [[4, -6], [2, -7], [0, 0], [5, -2], [0, 0]]
    assert groups.give_back(groups.means(table)).tolist() == [[3, -5], [2, -7], [3, -5], [4, -6]]


@pytest.mark.parametrize("what", ["means", "maxima", "back"])
def test_gradients_of_groups_are_right(what: str) -> None:
    groups = Groups(torch.tensor([3, 1, 3, 0, 1]), 5)
    table = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)

    def value(table: torch.Tensor) -> torch.Tensor:
        if what == "maxima":
            return groups.maxima(table)
        means = groups.means(table)
        return groups.give_back(means) if what == "back" else groups.spread(means)

    assert torch.autograd.gradcheck(value, (table,))
