"""The one place that makes torchvision importable next to every build of torch.

The torchvision that a package index serves is built against one particular build of torch. Next to another, such as a
CPU build of the same version, its binary does not load, and ``import torchvision`` then stops at ``operator
torchvision::nms does not exist``, taking transformers, diffusers and open_clip with it. None of them needs that binary
here: what the import asks for is only that the operators' schemas are known.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# The operators that torchvision registers fake kernels for while it is imported.
_OPERATORS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.cache
def ensure_torchvision() -> torch.library.Library | None:
    """Declare torchvision's operators where its own binary cannot; call before importing diffusers and the like.

    Does nothing where torchvision is absent, already imported, or has a binary that loads. Calling it again is free.

    Returns:
        The library that holds the declarations (the cache keeps it alive), or None where none were needed.
    """
    import torch

    if "torchvision" in sys.modules or _binary_loads():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + _SCHEMA)
    return library


def _binary_loads() -> bool:
    """Whether torchvision is absent (nothing to cure) or its compiled operators load into this torch."""
    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    for binary in Path(spec.origin).parent.glob("_C.*"):
        try:
            torch.ops.load_library(str(binary))
        except OSError:
            return False
        return True
    return False
