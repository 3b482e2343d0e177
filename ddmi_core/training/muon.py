"""Muon: what an optimiser does to matrices, AdamW for everything else (Jordan et al. 2024; Liu et al. 2025).

The momentum of a weight matrix is mostly of a few directions. Muon takes its place by the nearest matrix that moves all
directions by as much, which Newton-Schulz iterations come near to: all of them are products of matrices, the cheapest
thing that there is to compute.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic of an iteration (Jordan et al. 2024): all singular values end between about 0.7 and 1.2."""
_ITERATIONS = 5
_MOMENTUM = 0.95
_LIKE_ADAMW = 0.2
"""Root mean square of the entries of a step of AdamW, whose learning rates are so those of Muon, too (Liu et al.)."""
_NARROWEST = 32
"""Sides of the smallest matrix: the first and last layers of a network, which are narrow, are left to AdamW."""


def hidden_matrices(module: nn.Module) -> list[Tensor]:
    """Return the weights of a module's wide linear layers and convolutions."""
    return [
        part.weight
        for part in module.modules()
        if isinstance(part, nn.Linear | nn.Conv2d)
        and min(len(part.weight), part.weight[0].numel()) >= _NARROWEST
        and (isinstance(part, nn.Linear) or part.groups == 1)
    ]


class Muon(torch.optim.AdamW):
    """AdamW, except for some matrices.

    Args:
        params: as any optimiser takes them, the matrices among them.
        matrices: weights of linear layers and of convolutions, which are matrices of as many rows as they have outputs.
        settings: AdamW's. The matrices have the learning rate and the decay of weights of the others.
    """

    def __init__(self, params: Iterable[Any], *, matrices: Iterable[Tensor], **settings: Any) -> None:
        super().__init__(params, **settings)
        self._matrices = set(matrices)

    @override
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Change the weights by their gradients; those of the matrices are used up."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        # Where gradients are scaled, the fused AdamW leaves out by itself a step in which some overflow
        overflows = getattr(self, "found_inf", None)
        is_sound = overflows is None or not overflows.item()
        for group in self.param_groups:
            taken = [weight for weight in group["params"] if weight in self._matrices and weight.grad is not None]
            if is_sound:
                self._turn(taken, group["lr"], group["weight_decay"])
            for weight in taken:
                weight.grad = None  # AdamW passes over what has none
        super().step()
        return loss

    def _turn(self, weights: list[Tensor], rate: float, decay: float) -> None:
        """Take a step of matrices, those of one size at once."""
        alike: defaultdict[tuple[int, int], list[Tensor]] = defaultdict(list)
        for weight in weights:
            alike[len(weight), weight[0].numel()].append(weight)
        for sides, same in alike.items():
            directions = orthogonal(torch.stack([_matrix(self._momentum(weight)) for weight in same]))
            step = _LIKE_ADAMW * max(sides) ** 0.5 * rate
            for weight, direction in zip(same, directions, strict=True):
                weight.mul_(1 - rate * decay)
                _matrix(weight).add_(direction.to(weight.dtype), alpha=-step)

    def _momentum(self, weight: Tensor) -> Tensor:
        """Return the gradients' moving average, looked ahead by one step (Nesterov)."""
        gradient = weight.grad
        assert gradient is not None
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
        return gradient.lerp(state["momentum"], _MOMENTUM)


def orthogonal(matrices: Float[Tensor, "n a b"]) -> Float[Tensor, "n a b"]:
    """Return about the nearest matrices whose singular values are all 1, in bfloat16."""
    first, third, fifth = _COEFFICIENTS
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    x = (wide / wide.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)).bfloat16()
    for _ in range(_ITERATIONS):
        squares = x @ x.mT
        polynomial = torch.baddbmm(squares, squares, squares, beta=third, alpha=fifth)
        polynomial.diagonal(dim1=1, dim2=2).add_(first)  # not added to the product: a copy of the wide matrices less
        x = polynomial @ x
    return x if wide is matrices else x.mT


def _matrix(weight: Tensor) -> Float[Tensor, "a b"]:
    """Return a weight, or what lies as one, as a matrix of as many rows as outputs; a view of it."""
    if weight.dim() == 2:
        return weight
    if weight.is_contiguous():
        return weight.view(len(weight), -1)
    return rearrange(weight, "o c h w -> o (h w c)")  # channels last: as it lies in memory
