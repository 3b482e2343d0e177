"""Weights told as what they are apart from others, in a quarter of the room of float32.

A network that was trained on from another one's weights differs from them by little. Of matrices and filters the
difference is kept in 8 bits, with a scale for each row, which is the largest value in it: the error is at most 1/254 of
that. Everything else is kept as a difference in float16.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

_SCALE = ".scale"
_MOST = 127


def differences(weights: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what tensors differ by from those of the same names, as `restored` reads it."""
    found = {}
    for name, tensor in weights.items():
        apart = (tensor.float() - base[name].float()).cpu()
        if apart.dim() < 2:
            found[name] = apart.half()
            continue
        rows = apart.flatten(1)
        scale = (rows.abs().amax(dim=1) / _MOST).half().float().clamp(min=torch.finfo(torch.float16).tiny)
        found[name] = (rows / scale.unsqueeze(1)).round().clamp(-_MOST, _MOST).to(torch.int8).view(apart.shape)
        found[name + _SCALE] = scale.half()
    return found


def restored(found: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors, float32, that `differences` from `base` were told of.

    Raises:
        KeyError, RuntimeError: they are of other tensors.
    """
    weights = {}
    for name, apart in found.items():
        if name.endswith(_SCALE):
            continue
        if apart.dtype == torch.int8:
            scale = found[name + _SCALE].float()
            apart = (apart.float().flatten(1) * scale.unsqueeze(1)).view(apart.shape)
        weights[name] = base[name].float() + apart.float()
    return weights
