"""Figures as lines of JSON, one a line, each saying which model it is of and what was aimed at."""

import json
from collections.abc import Sequence
from typing import Any

from ddmi_core.pipeline import Pipeline

_DIGITS = 4


class Lines:
    """Prints the figures of one benchmark.

    Args:
        benchmark: its name.
        pipeline: the model that the figures are of.
        facts: what else every line says.
    """

    def __init__(self, benchmark: str, pipeline: Pipeline, **facts: Any) -> None:
        self._about = {"benchmark": benchmark, "model": pipeline.name, "hash": pipeline.hash, **facts}

    def __call__(self, measurement: str, value: float, goal: str = "", **details: Any) -> None:
        """Print a figure.

        Args:
            measurement: what was measured.
            value: the figure.
            goal: what was aimed at, such as ">= 0.95"; left out where nothing was.
            details: of how many it is, and what it is made of.
        """
        line = {**self._about, "measurement": measurement, "value": rounded(value)}
        print(json.dumps(line | ({"goal": goal} if goal else {}) | details), flush=True)


def rounded(value: float) -> float:
    """Return a figure with as many digits as it is printed with."""
    return round(float(value), _DIGITS)


def share(flags: Sequence[bool]) -> float:
    """Return the share of what is true, 0 to 1; of nothing it is not a number."""
    return rounded(sum(flags) / len(flags)) if len(flags) else float("nan")


def counts(outcomes: Sequence[Any]) -> dict[str, int]:
    """Return how often each outcome occurred, the commonest first."""
    return {
        str(value): outcomes.count(value) for value in sorted(set(outcomes), key=lambda v: (-outcomes.count(v), str(v)))
    }
