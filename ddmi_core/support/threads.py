"""How torch's threads wait for each other, and on which processors they run."""

import os

_SPINS = "2000"

ALLOWED = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()
"""The processors that this program was started on; empty where the system does not tell."""


def spare_the_machine() -> None:
    """Let OpenMP's threads spin only briefly before they sleep; call it before torch is imported.

    Its default is to spin for milliseconds, which on a machine with other work to do takes the very cores that the
    thread waited for needs: with one of two cores busy, a step of training takes ten times as long. On an idle machine
    the short spin costs nothing that could be measured. Whoever sets OpenMP's variables keeps their settings.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def run_on(processors: frozenset[int]) -> None:
    """Run on some processors alone, and whatever this thread starts from now on; nothing where there are none."""
    if processors:
        os.sched_setaffinity(0, processors)


def run_anywhere(_worker: int) -> None:
    """Let a process that draws batches ahead run beside the one that trains, and not on its processor."""
    run_on(ALLOWED)
