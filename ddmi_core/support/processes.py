"""What processes that train together tell each other, gradients apart. Of a single process, all of it is free.

It goes from host to host (gloo), also where gradients go from GPU to GPU: no GPU is waited for.
"""

import functools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from accelerate import Accelerator

_Value = TypeVar("_Value")
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 30.0  # that the others get to end by themselves once one has failed


def from_first(accelerator: Accelerator, value: int) -> int:
    """Return the first process's value in every process."""
    if accelerator.num_processes == 1:
        return value
    shared = torch.tensor(value)
    dist.broadcast(shared, src=0, group=_hosts(dist.group.WORLD))
    return int(shared)


def any_of(accelerator: Accelerator, value: bool) -> bool:
    """Whether the value is true in any process."""
    if accelerator.num_processes == 1:
        return value
    shared = torch.tensor(int(value))
    dist.all_reduce(shared, op=dist.ReduceOp.MAX, group=_hosts(dist.group.WORLD))
    return bool(shared)


def from_all(accelerator: Accelerator, value: _Value) -> list[_Value]:
    """Return the values of all processes, in their order."""
    if accelerator.num_processes == 1:
        return [value]
    values: list[_Value] = [value] * accelerator.num_processes
    dist.all_gather_object(values, value, group=_hosts(dist.group.WORLD))
    return values


def average_figures(accelerator: Accelerator, figures: dict[str, float]) -> dict[str, float]:
    """Return the mean of all processes' figures."""
    if accelerator.num_processes == 1:
        return figures
    shared = torch.tensor(list(figures.values()), dtype=torch.float32)
    dist.all_reduce(shared, group=_hosts(dist.group.WORLD))
    return dict(zip(figures, (shared / accelerator.num_processes).tolist(), strict=True))


@functools.cache
def _hosts(world: dist.ProcessGroup) -> dist.ProcessGroup:
    """Return all processes as a group that exchanges what is in the machines' own memory."""
    return world if dist.get_backend(world) == "gloo" else dist.new_group(backend="gloo")


def is_launched() -> bool:
    """Whether this process is one of several, started by `launch`, Accelerate or torchrun."""
    return "WORLD_SIZE" in os.environ


def launch(arguments: Sequence[str], processes: int) -> int:
    """Run `ddmi` in several processes on this machine that train together; return the first exit code that is not 0.

    The environment that they get is torchrun's. Once one has failed, the others are ended.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    threads = max(1, (os.cpu_count() or 1) // processes)
    shared = {"OMP_NUM_THREADS": str(threads)} | os.environ
    shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
    command = [sys.executable, "-m", "ddmi_core.cli", *arguments]
    children = [
        subprocess.Popen(command, env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(processes)
    ]
    try:
        return _first_failure(children)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.wait()


def _first_failure(children: Sequence[subprocess.Popen[bytes]]) -> int:
    """Wait until all have ended, but not for long once one has failed; return its exit code, 0 if none has."""
    deadline, failure = float("inf"), 0
    while any(child.poll() is None for child in children) and time.monotonic() < deadline:
        failed = next((child.returncode for child in children if child.poll()), 0)
        if failed and not failure:
            failure, deadline = failed, time.monotonic() + _PATIENCE_SECONDS
        time.sleep(_LOOK_SECONDS)
    return failure or next((child.returncode for child in children if child.poll()), 0)
