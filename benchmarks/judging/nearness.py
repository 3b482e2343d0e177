"""How near two signals are to each other."""

from typing import Any

import numpy as np
import torch

from ddmi_core.coordinates import cell_centres
from ddmi_core.fields.field import Field
from ddmi_core.fields.shape import ShapeField

_SIDE = 48


@torch.no_grad()
def likeness(one: Field[Any], other: Field[Any]) -> float:
    """Return the overlap of what is inside of two shapes, on 48^3 places; of others the PSNR of their pictures, dB."""
    if isinstance(one, ShapeField) and isinstance(other, ShapeField):
        axis = cell_centres(_SIDE)
        places = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
        first, second = (field(places) > 0 for field in (one, other))
        return float((first & second).sum() / (first | second).sum().clamp(min=1))
    pictures = (field.preview().astype(np.float64) for field in (one, other))
    first_picture, second_picture = pictures
    return float(10 * np.log10(255**2 / max(np.mean((first_picture - second_picture) ** 2), 1e-9)))
