"""Both ways to compute attention give the same, gradients included."""

import torch

from ddmi_core.networks.attention import attend


def test_plain_products_are_the_fused_kernel_s_attention() -> None:
    torch.manual_seed(0)
    given = [torch.randn(2, 3, length, 8, dtype=torch.bfloat16).requires_grad_() for length in (5, 7, 7)]
    seen = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    fused = attend(*given, seen)
    with torch.autocast("cpu", torch.bfloat16):
        plain = attend(*given, seen)
    assert plain.dtype == fused.dtype == torch.bfloat16
    assert torch.allclose(plain.float(), fused.float(), atol=0.03)
    for one, other in zip(
        *(torch.autograd.grad(way.float().sin().sum(), given) for way in (plain, fused)), strict=True
    ):
        assert torch.allclose(one.float(), other.float(), atol=0.05)
    _, keys, values = torch.autograd.grad(attend(*given, seen).sum(), given)
    assert not keys[1, :, 4:].any() and not values[1, :, 4:].any()  # what is not seen learns nothing
