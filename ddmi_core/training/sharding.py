"""Tensors of which every process holds a part (FSDP), as Accelerate's configuration may ask for.

What reads or writes such a tensor as a whole must be called in all processes.
"""

from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import Tensor, nn
from torch.distributed.fsdp.wrap import transformer_auto_wrap_policy
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from ddmi_core.support.errors import DDMIError


def shards(accelerator: Accelerator) -> bool:
    """Whether each process is to hold a part of the weights alone.

    Raises:
        DDMIError: by the first version of FSDP, which is not understood here.
    """
    if accelerator.distributed_type != DistributedType.FSDP:
        return False
    if not accelerator.is_fsdp2:
        raise DDMIError("Weights are spread over processes by FSDP's second version alone: set fsdp_version to 2.")
    return True


def spread(accelerator: Accelerator, module: nn.Module, optimiser: Optimizer) -> tuple[nn.Module, Optimizer]:
    """Return a module, and the optimiser of its weights, of which each process holds a part.

    What is to be computed with is put together block by block; `_no_split_modules` of its networks, as diffusers and
    Accelerate call it, says which classes of blocks.
    """
    parts = list(module.modules())
    blocks = {name for part in parts for name in getattr(part, "_no_split_modules", None) or ()}
    plugin = accelerator.state.fsdp_plugin
    plugin.auto_wrap_policy = transformer_auto_wrap_policy
    plugin.transformer_cls_names_to_wrap = sorted(blocks & {type(part).__name__ for part in parts})
    prepared, wrapped = accelerator.prepare(module, optimiser)
    return prepared, wrapped.optimizer


def whole(tensor: Tensor) -> Tensor:
    """Return all of a tensor that is spread over processes; others as they are."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def as_spread(tensor: Tensor, like: Tensor) -> Tensor:
    """Return a whole tensor, the same in every process, spread over them as another one is."""
    if not isinstance(like, DTensor):
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
