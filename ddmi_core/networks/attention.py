"""Which kernel computes attention."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


def fast_attention(device: torch.device) -> AbstractContextManager[None]:
    """Compute `scaled_dot_product_attention` inside by the kernel that is fastest where it runs.

    As a rule PyTorch's choice. Training in bfloat16 on a CPU is an exception: the fused kernel's backward pass took a
    quarter of a whole step there, plain matrix products a fraction of that.
    """
    slow = device.type == "cpu" and torch.is_grad_enabled() and torch.is_autocast_enabled("cpu")
    return sdpa_kernel(SDPBackend.MATH) if slow else nullcontext()
