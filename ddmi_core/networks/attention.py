"""Which kernel computes attention."""

import math
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

_UNSEEN = -1e4
"""What is added to the logit of a key that is not to be seen; -inf would need a softmax that looks for such rows."""


def fast_attention(device: torch.device) -> AbstractContextManager[None]:
    """Compute `scaled_dot_product_attention` inside by the kernel that is fastest where it runs.

    As a rule PyTorch's choice. Training in bfloat16 on a CPU is an exception: the fused kernel's backward pass took a
    quarter of a whole step there, plain matrix products a fraction of that.
    """
    return sdpa_kernel(SDPBackend.MATH) if _fused_is_slow(device) else nullcontext()


def attend(
    queries: Float[Tensor, "b k n d"],
    keys: Float[Tensor, "b k m d"],
    values: Float[Tensor, "b k m d"],
    seen: Bool[Tensor, "b m"],
) -> Float[Tensor, "b k n d"]:
    """Return what each query gathers of the values whose keys are seen, of which there must be some.

    Where the fused kernel is slow, by plain products in the precision of what is given: in half of the time of torch's
    own plain form, which casts to float32 and back and expects rows without any key.
    """
    if not _fused_is_slow(queries.device):
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=seen[:, None, None])
    unseen = torch.zeros(seen.shape, dtype=queries.dtype, device=seen.device).masked_fill_(~seen, _UNSEEN)
    logits = torch.matmul(queries / math.sqrt(queries.shape[-1]), keys.mT) + unseen[:, None, None]
    with torch.autocast("cpu", enabled=False):
        return torch.matmul(logits.softmax(dim=-1), values)


def _fused_is_slow(device: torch.device) -> bool:
    return device.type == "cpu" and torch.is_grad_enabled() and torch.is_autocast_enabled("cpu")
