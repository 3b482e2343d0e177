"""How steep an autoencoder's layers are: a term beside eq. 9 that keeps latents and basis fields smooth."""

from collections import defaultdict

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.training.sharding import whole

_ITERATIONS, _FIRST_ITERATIONS = 4, 40
_LEAST_NORM = 1e-3
_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


class SpectralNorms(nn.Module):
    """The largest singular values of all convolutions and the largest scales of all normalisations, added up.

    The regularisation of NVAE (Vahdat & Kautz 2020, 3.3), which the paper's code has too. Singular values are found by
    power iteration, which goes on from step to step: the vectors that it has come to are part of a checkpoint.

    Args:
        parts: networks whose layers count.
    """

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        with torch.no_grad():
            for (rows, columns), weights in _by_shape(parts).items():
                self.register_buffer(_name(rows, columns), F.normalize(torch.randn(len(weights), rows), dim=1))
            self._iterate(parts, _FIRST_ITERATIONS)

    @override
    def forward(self, *parts: nn.Module) -> Float[Tensor, ""]:
        """Return the sum for the weights that the networks have now."""
        self._iterate(parts, _ITERATIONS)
        sums = []
        for shape, weights in _by_shape(parts).items():
            stacked, left = torch.stack(weights), self.get_buffer(_name(*shape))
            sums.append((left * (stacked @ _right(stacked, left).unsqueeze(2)).squeeze(2)).sum())
        scales = [
            whole(layer.weight).float().abs().max()
            for part in parts
            for layer in part.modules()
            if isinstance(layer, nn.GroupNorm)
        ]
        return torch.stack([*sums, *scales]).sum()

    @torch.no_grad()
    def _iterate(self, parts: tuple[nn.Module, ...], times: int) -> None:
        for shape, weights in _by_shape(parts).items():
            stacked, left = torch.stack(weights), self.get_buffer(_name(*shape))
            for _ in range(times):
                right = _right(stacked, left)
                left.copy_(F.normalize((stacked @ right.unsqueeze(2)).squeeze(2), dim=1, eps=_LEAST_NORM))


def _by_shape(parts: tuple[nn.Module, ...]) -> dict[tuple[int, int], list[Float[Tensor, "r c"]]]:
    """Return the convolutions' weights as matrices, a row for each output, those of one shape together."""
    found = defaultdict(list)
    for part in parts:
        for layer in part.modules():
            if isinstance(layer, _CONVOLUTIONS):
                matrix = whole(layer.weight).float().flatten(1)
                found[matrix.shape[0], matrix.shape[1]].append(matrix)
    return found


def _right(stacked: Float[Tensor, "n r c"], left: Float[Tensor, "n r"]) -> Float[Tensor, "n c"]:
    """Return the right singular vectors that belong to left ones, without a gradient."""
    return F.normalize((left.unsqueeze(1) @ stacked.detach()).squeeze(1), dim=1, eps=_LEAST_NORM)


def _name(rows: int, columns: int) -> str:
    return f"left_{rows}_{columns}"
