"""Weights told as what they are apart from others, in an eighth of the room of float32.

A network that was trained on from another one's weights differs from them by little. Of matrices and filters the
difference is kept in 4 bits, two values a byte, with a scale for each `_GROUP` values, so that the error is at most a
14th of the largest of them. Everything else is kept as a difference in float16.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

_SCALE = ".scale"
_MOST = 7
_GROUP = 64


def differences(weights: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what tensors differ by from those of the same names, as `restored` reads it."""
    found = {}
    for name, tensor in weights.items():
        apart = (tensor.float() - base[name].float()).cpu()
        if apart.dim() < 2:
            found[name] = apart.half()
            continue
        values = apart.flatten()
        groups = F.pad(values, (0, -len(values) % _GROUP)).view(-1, _GROUP)
        scale = (groups.abs().amax(dim=1) / _MOST).half().float().clamp(min=torch.finfo(torch.float16).tiny)
        steps = (groups / scale.unsqueeze(1)).round().clamp(-_MOST, _MOST).add(_MOST + 1).to(torch.uint8)
        found[name] = steps[:, ::2] | steps[:, 1::2] << 4
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
        shape = base[name].shape
        if apart.dtype == torch.uint8:
            steps = torch.stack([apart & 15, apart >> 4], dim=-1).flatten(1).float() - (_MOST + 1)
            values = (steps * found[name + _SCALE].float().unsqueeze(1)).flatten()
            apart = values[: shape.numel()].view(shape)
        elif apart.dtype == torch.int8:  # 8 bits and a scale for each row, as in folders of before
            apart = (apart.float().flatten(1) * found[name + _SCALE].float().unsqueeze(1)).view(shape)
        weights[name] = base[name].float() + apart.float()
    return weights
