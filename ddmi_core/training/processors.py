"""How many of a machine's processors a training takes, and which.

Two threads of one core (hyperthreads) share what does the arithmetic, and two cores share the way to memory: a step is
often hardly faster with two threads than with one, while beside other work the threads wait for each other at every
operation. So what a second thread gains is measured; where it is little, one thread trains on a processor of its own.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch
from accelerate import Accelerator

from ddmi_core.support.threads import ALLOWED, run_on
from ddmi_core.training.config import RunConfig
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.stage import Stage

WORTH_IT = 1.3
"""How many times as fast a step must be with all threads to take them."""

_LOOK_SECONDS = 0.5  # over which the processors' load is measured


@contextmanager
def processors_for(stage: Stage, config: RunConfig, run: RunFolder, accelerator: Accelerator) -> Iterator[None]:
    """Train `stage` inside with the threads that `config.threads` says, or that suit this machine.

    Their number is kept in the run folder, so that a run that goes on adds up its numbers in the same order. A single
    thread is pinned to the processor that has the least to do. Does nothing on a GPU, or where several processes train:
    then the launcher has shared out the processors.
    """
    if accelerator.device.type != "cpu" or accelerator.num_processes > 1:
        yield
        return
    usual = torch.get_num_threads()
    threads = config.threads or _kept(run, stage.name) or _measured(stage, run, accelerator)
    try:
        torch.set_num_threads(threads)
        if threads == 1 and len(ALLOWED) > 1:
            run_on(_idlest(ALLOWED))
        yield
    finally:
        torch.set_num_threads(usual)
        run_on(ALLOWED)


def _kept(run: RunFolder, stage: str) -> int | None:
    kept = run.settled(f"threads-{stage}")
    return None if kept is None else int(kept["threads"])


def _measured(stage: Stage, run: RunFolder, accelerator: Accelerator) -> int:
    """Return how many threads to take, and note it in the run folder."""
    most = torch.get_num_threads()
    if most == 1:
        return 1
    seconds = {}
    for threads in (1, most):
        torch.set_num_threads(threads)
        seconds[threads] = gradient_seconds(stage, accelerator)
    gain = seconds[1] / seconds[most]
    chosen = most if gain >= WORTH_IT else 1
    run.record(
        stage=stage.name,
        step=0,
        message=f"{chosen} of {most} threads: {most} are {gain:.2f} times as fast as one",
    )
    run.settle(f"threads-{stage.name}", {"threads": chosen, "gain": round(gain, 3)})
    return chosen


def gradient_seconds(stage: Stage, accelerator: Accelerator) -> float:
    """Return how long the gradients of a batch take; the second time counts. Leaves the weights as they are."""
    batch = stage.batch(range(stage.settings.batch), accelerator.device)
    for _ in range(2):
        began = time.perf_counter()
        loss, _ = stage.loss_in_its_precision(batch, 0, accelerator.device)
        loss.backward()
        stage.module.zero_grad()
    return time.perf_counter() - began


def _idlest(processors: frozenset[int]) -> frozenset[int]:
    load = psutil.cpu_percent(interval=_LOOK_SECONDS, percpu=True)
    return frozenset({min(processors, key=lambda number: load[number] if number < len(load) else 0.0)})
