"""Whether a checkpoint of a model of the paper's size is written and read without a second copy in memory.

    python -m benchmarks.checkpoint_memory [--preset paper-afhq]

Makes the preset's denoiser (by far the larger part) with random weights, its average and its optimiser's state, writes
a checkpoint and reads it back. Prints one JSON object: what is in memory, and by how much the process grew meanwhile at
its peak, memory-mapped files apart.
"""

import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
import tyro

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.training.averaging import AveragedWeights
from ddmi_core.training.checkpoints import Checkpoints, Progressed
from ddmi_core.training.config import RunConfig


def main(preset: str = "paper-afhq") -> None:
    """Measure.

    Args:
        preset: names the sizes.
    """
    config = RunConfig.from_preset(preset)
    module = LatentDiffusion(config.denoiser, D2CVAE(config.autoencoder).canvas_shape)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedWeights(module, 0.999)
    optimiser = torch.optim.AdamW(module.parameters())
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    optimiser.zero_grad()
    parameters = sum(parameter.numel() for parameter in module.parameters())
    figures: dict[str, float] = {"parameters": parameters, "weights_mb": round(4 * parameters / 1e6)}
    with tempfile.TemporaryDirectory() as place:
        checkpoints = Checkpoints(Path(place), "denoiser")
        state = (module, average, optimiser)
        for name, work in (
            ("save", lambda: checkpoints.save(Progressed(1, 1.0), *state)),
            ("resume", lambda: checkpoints.restore(checkpoints.newest_first()[0], *state)),
        ):
            seconds, grown = _measured(work)
            figures |= {f"{name}_seconds": round(seconds, 1), f"{name}_grew_mb": round(grown / 1e6)}
    print(json.dumps({"benchmark": "checkpoint_memory", "preset": preset, **figures}), flush=True)


def _measured(work: Callable[[], object]) -> tuple[float, int]:
    """Return the seconds that some work took, and the bytes by which the process grew at most."""
    before = most = _own_memory()
    ended = threading.Event()

    def look() -> None:
        nonlocal most
        while not ended.wait(0.002):
            most = max(most, _own_memory())

    thread = threading.Thread(target=look)
    thread.start()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    ended.set()
    thread.join()
    return seconds, most - before


def _own_memory() -> int:
    """Return the bytes that are the process's alone: pages of files can be dropped at any time."""
    memory = psutil.Process().memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


if __name__ == "__main__":
    tyro.cli(main)
