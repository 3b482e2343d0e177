"""What of a radiance field's opacity hangs together."""

import torch
from scipy import ndimage

from ddmi_core.coordinates import grid
from ddmi_core.fields.radiance import RadianceField

_SIDE, _THERE = 128, 0.05
"""Places along each side that opacity is asked at, and the opacity of a cell that counts."""


@torch.no_grad()
def floaters(field: RadianceField) -> float:
    """Return the share of all opacity that does not hang together with its largest part, 0 to 1."""
    density = torch.cat([field.density(part) for part in grid(*(_SIDE,) * 3).reshape(-1, 3).split(2**16)])
    opacity = -torch.expm1(-density * (2 / _SIDE)).reshape((_SIDE,) * 3).numpy()
    labels, count = ndimage.label(opacity > _THERE)
    largest = max(ndimage.sum_labels(opacity, labels, range(1, count + 1)), default=0.0)
    return 1 - float(largest / max(opacity[opacity > _THERE].sum(), 1e-9))
