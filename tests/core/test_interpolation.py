import math

import pytest
import torch

from ddmi_core.interpolation import slerp


def test_ends_are_the_ends_and_the_angle_grows_evenly() -> None:
    torch.manual_seed(1)
    a, b = torch.nn.functional.normalize(torch.randn(2, 12 * 16 * 16)).view(2, 12, 16, 16)
    torch.testing.assert_close(slerp(a, b, 0.0), a)
    torch.testing.assert_close(slerp(a, b, 1.0), b)
    angle = torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0).arccos().item()
    for t in (0.25, 0.5, 0.8):
        part = torch.nn.functional.cosine_similarity(a.flatten(), slerp(a, b, t).flatten(), dim=0).arccos().item()
        assert part == pytest.approx(t * angle, rel=0.02)


def test_the_length_is_kept() -> None:
    a, b = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    torch.testing.assert_close(slerp(a, b, 0.5), torch.full((1, 2), 3 / math.sqrt(2)))


def test_parallel_and_empty_latents_are_joined_straight() -> None:
    a = torch.tensor([1.0, 2.0])
    torch.testing.assert_close(slerp(a, 3 * a, 0.5), 2 * a)
    torch.testing.assert_close(slerp(a, -a, 0.25), 0.5 * a)
    torch.testing.assert_close(slerp(0 * a, a, 0.5), 0.5 * a)
