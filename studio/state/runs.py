"""Training runs as the monitor knows them: what is listed, what is seen of one, and how figures are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from ddmi_core.training.history import Curve, CurveName
from ddmi_core.training.ownership import RunState
from ddmi_core.training.run_folder import Command, RunFolder

__all__ = ["Command", "Curve", "CurveName", "RunSummary", "RunView", "ShownState", "duration", "smoothed"]

ShownState = RunState | Literal["starting"]
"""A run that was just started is neither running nor interrupted until its process has come up."""


@dataclass(frozen=True)
class RunSummary:
    """A run in the list. `message` says why it ended; `notes` are people's, whether or not the folder takes others."""

    folder: Path
    name: str
    domain: str
    state: ShownState
    message: str = ""
    notes: str = ""
    takes_notes: bool = True

    @property
    def model_folder(self) -> Path:
        """Where its model is once it is done."""
        return RunFolder(self.folder).model

    @property
    def is_alive(self) -> bool:
        """Whether a process works on it, or is about to."""
        return self.state in ("starting", "running", "paused")

    @property
    def can_resume(self) -> bool:
        """Whether it can go on."""
        return self.state in ("interrupted", "stopped", "failed")


@dataclass(frozen=True, eq=False)
class RunView:
    """What is to be seen of a run: its curves, its newest figures, its pictures in the order of training, its log.

    `message` says what it does where it makes no steps, see `History`.
    """

    folder: Path
    curves: Mapping[CurveName, Curve]
    latest: Mapping[str, Any]
    message: str
    samples: tuple[Path, ...]
    log: str


def smoothed(values: Float64[np.ndarray, " n"], weight: float) -> Float64[np.ndarray, " n"]:
    """Return the running average that gives what came before `weight` (0 to below 1), without its bias to zero."""
    if weight <= 0 or len(values) == 0:
        return values
    sums = np.fromiter(accumulate((1 - weight) * values, lambda total, value: weight * total + value), float)
    return sums / (1 - weight ** np.arange(1, len(values) + 1))


def duration(seconds: float) -> str:
    """Return a length of time in words, the two largest units at most."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"
