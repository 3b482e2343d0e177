"""How much memory a training takes."""

import psutil
import torch


def memory_in_use(device: torch.device) -> int:
    """Return the most bytes that were in use on a GPU, or what the process has of the machine's memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return int(psutil.Process().memory_info().rss)
