"""How much memory a training takes, and what to do when there is not enough."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import torch

_OF_A_GPU, _OF_A_MACHINE = 0.9, 0.8
_LOOK_SECONDS = 0.005


def memory_in_use(device: torch.device) -> int:
    """Return the most bytes that were in use on a GPU, or what the process has of the machine's memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return int(psutil.Process().memory_info().rss)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a GPU, or the machine, has no memory left."""
    # On a CPU torch raises a plain RuntimeError
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)


def give_back(device: torch.device) -> None:
    """Return what is no longer used to the device; call it where nothing refers to the failed attempt any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def usable_memory(device: torch.device, processes: int = 1) -> int:
    """Return how many bytes a training may take: of a GPU nearly all, of a machine what others leave, shared."""
    if device.type == "cuda":
        return int(_OF_A_GPU * torch.cuda.get_device_properties(device).total_memory)
    free = psutil.virtual_memory().available / processes
    return int(_OF_A_MACHINE * free) + memory_in_use(device)


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Callable[[], int]]:
    """Measure the most bytes in use inside the block; call what it yields afterwards."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: torch.cuda.max_memory_allocated(device)
        return
    most = memory_in_use(device)
    ended = threading.Event()

    def look() -> None:
        nonlocal most
        while not ended.wait(_LOOK_SECONDS):
            most = max(most, memory_in_use(device))

    thread = threading.Thread(target=look, name="peak-memory", daemon=True)
    thread.start()
    try:
        yield lambda: most
    finally:
        ended.set()
        thread.join()
