"""Ending a stage before its last step, once its held-out figures have stopped getting better.

A stage is never just broken off: weights are at their best after the learning rate has fallen. So what is left of the
plan (the fall of the rate, and of weights of the loss) is gone through faster, in a fifth of the steps that there were
so far. Hägele et al. (2024) find that so short a fall gives what a plan for that many steps would have given.
"""

import math
from typing import NamedTuple

from ddmi_core.training.config import StageConfig

CLOSING_SHARE = 0.2
"""Steps of the faster end of a stage, as a share of those before it."""


class Course(NamedTuple):
    """How the held-out figures of a stage went, as far as it bears on when the stage ends."""

    best: float | None = None
    """The lowest since they can be compared."""
    misses: int = 0
    """How many there were in a row that are not lower than the best."""
    closing_from: int | None = None
    """The step at which that were too many."""

    def measured(self, figure: float, step: int, settings: StageConfig) -> "Course":
        """Return the course after a held-out figure, of which lower is better, was measured at a step.

        Figures before all that a loss asks for is asked for in full do not count: a stage that is asked for more may
        well get worse in what is measured. An end that would not come sooner than the planned one is none.
        """
        if settings.patience is None or self.closing_from is not None:
            return self
        if not settings.comparable_from <= step < settings.first_steps:
            return self
        if math.isfinite(figure) and (self.best is None or figure < self.best):
            return Course(best=figure)
        misses = self.misses + 1
        is_over = misses >= settings.patience and step + _closing_steps(step) < settings.first_steps
        return Course(self.best, misses, step if is_over else None)

    def end(self, settings: StageConfig) -> int:
        """Return how many steps the stage has."""
        start = self._start(settings)
        if start is None:
            return settings.steps
        return start + _closing_steps(start) + settings.steps - settings.first_steps

    def planned(self, step: int, settings: StageConfig) -> int:
        """Return which step of the plan a step of the training is: the same, unless the stage is closing."""
        start = self._start(settings)
        if start is None or step <= start:
            return step
        steps = _closing_steps(start)
        done = step - start
        if done >= steps:  # in the second phase, which is as long as ever
            return settings.first_steps + done - steps
        return start + done * (settings.first_steps - start) // steps

    def _start(self, settings: StageConfig) -> int | None:
        """Where the end begins; nowhere if patience was taken out of the settings since."""
        return None if settings.patience is None else self.closing_from


def _closing_steps(start: int) -> int:
    return max(1, math.ceil(CLOSING_SHARE * start))
