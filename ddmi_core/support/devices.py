"""Devices by name, and what they compute with."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import psutil
import torch

from ddmi_core.support.device_names import is_device_name
from ddmi_core.support.errors import ModelError

Precision = Literal["auto", "float32", "bfloat16", "float16"]


def pick_device(wanted: str) -> torch.device:
    """Return the device of a name; for `auto` a CUDA device, or else Apple's, if there is one.

    Raises:
        ModelError: it is not there, or no device has that name.
    """
    if not is_device_name(wanted):
        raise ModelError(f"{wanted!r} is no device. Give auto, cpu, cuda, cuda:1 and so on, or mps.")
    if wanted == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device(kind)
    device = torch.device(wanted)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise ModelError(
                "There is no CUDA device on this machine, or it has disappeared. Bring it back, or use --device cpu."
            )
        if (device.index or 0) >= count:
            raise ModelError(f"There is no {wanted}: the last CUDA device is cuda:{count - 1}.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ModelError("There is no Apple GPU that this build of torch can use. Use --device cpu.")
    return device


def fastest_precision(device: torch.device) -> torch.dtype:
    """Return the precision in which a device trains fastest without losing anything that matters.

    Of CUDA devices those that have bfloat16 in hardware take it, the others float16: torch would emulate bfloat16 there
    and counts that as support. A CPU takes bfloat16 with matrix units (AMX) alone; see `has_slow_bfloat16`.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            real = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if real else torch.float16
    if device.type == "cpu" and torch.cpu._is_amx_tile_supported():
        return torch.bfloat16
    return torch.float32


def has_slow_bfloat16(device: torch.device) -> bool:
    """Return whether a device has bfloat16 in hardware of which only a measurement tells whether it gains anything."""
    amx = torch.cpu._is_amx_tile_supported()
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported() and not amx


def precision_of(wanted: Precision, device: torch.device) -> torch.dtype:
    """Return the dtype of a precision by name; of `auto` the `fastest_precision`."""
    return fastest_precision(device) if wanted == "auto" else getattr(torch, wanted)


def sampling_precision(device: torch.device, *, draft: bool = False) -> torch.dtype:
    """Return the precision of the denoiser's evaluations while sampling: half on a CUDA device.

    On a CPU float32, so that a seed gives the same item on every one; only a draft, which nobody keeps, takes what is
    fastest.
    """
    return fastest_precision(device) if draft or device.type == "cuda" else torch.float32


def field_precision(device: torch.device) -> torch.dtype:
    """Return the precision of decoded basis fields: half on a CUDA device, which looks them up twice as fast.

    float16 and not bfloat16: features are small numbers, and of eight bits of mantissa one would see the steps.
    """
    return torch.float16 if device.type == "cuda" else torch.float32


def autocast(device: torch.device, precision: torch.dtype) -> AbstractContextManager[object]:
    """Compute inside in a precision where it does no harm, and in float32 elsewhere."""
    return nullcontext() if precision == torch.float32 else torch.autocast(device.type, precision)


def use_tensor_cores() -> None:
    """Let CUDA devices multiply float32 in TF32: ten bits of mantissa, which training does not miss."""
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True


def free_memory(device: torch.device) -> int:
    """Return how many bytes a device could still give, what torch keeps for later included."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(psutil.virtual_memory().available)
