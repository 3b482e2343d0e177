"""FitPlan: how a file is to be fitted; Pace: how far a fit that is learned step by step has come."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ddmi_core.fidelity import Fidelity
from ddmi_core.fitting.fit import Fit
from ddmi_core.placement import Up
from ddmi_core.support.errors import DataError

_FURTHER = 0.5
"""Share of the steps from which a whole fit is gone on with: the learning rate is half of the highest there."""
_LEAST = 0.1
"""Share of the time that is learned in, however long everything before it took."""
_FEWEST = 30
"""Steps that are taken, however long they take: of fewer there may be nothing to be seen."""


@dataclass(frozen=True)
class FitPlan:
    """How a file is to be fitted.

    Attributes:
        fidelity: how closely; not `small`, which is a latent.
        up: the axis that is up in files that lie in space and do not say it themselves.
        span: only what the file has from .. to, in seconds, where files have a duration.
        seconds: how long it may take, about, instead of a number of steps, where a fit is learned; longer where that
            is too short for the fewest steps that show anything. The same file then gives another fit each time. What
            is solved takes the time that it takes.
        start: an earlier fit of the same file and fidelity to go on with, where a fit is learned.
    """

    fidelity: Fidelity = "faithful"
    up: Up = "y"
    span: tuple[float, float] | None = None
    seconds: float | None = None
    start: Fit | None = None

    def __post_init__(self) -> None:
        """Refuse what no fit can be.

        Raises:
            DataError: there is no such time, or the fit to go on with has another fidelity.
        """
        if self.seconds is not None and not 1 <= self.seconds <= 86_400:
            raise DataError(f"A fit takes from a second to a day, not {self.seconds:g} seconds.")
        if self.start is not None and self.start.fidelity != self.fidelity:
            raise DataError(f"The fit to go on with is {self.start.fidelity}, not {self.fidelity}.")


USUAL_PLAN = FitPlan()
"""As near as a fit comes, of the whole file."""


class Pace:
    """The steps of a fit, by their number or by the clock, which runs from when this is made."""

    def __init__(self, steps: int, plan: FitPlan) -> None:
        self._steps, self._seconds = steps, plan.seconds
        self._began = time.monotonic()
        self._first = 0.0
        if plan.start is not None:
            self._first = plan.start.done if plan.start.done < 1 else _FURTHER
        self.share = self._first
        """What is done, in [0, 1]."""

    def __iter__(self) -> Iterator[float]:
        """Yield what is done before each step, as a share in [0, 1)."""
        if self._seconds is None:
            for step in range(round(self._first * self._steps), self._steps):
                self.share = step / self._steps
                yield self.share
        else:
            left = max(self._began + self._seconds - time.monotonic(), _LEAST * self._seconds)
            begun = time.monotonic()
            for step in itertools.count():
                passed = min((time.monotonic() - begun) / left, step / _FEWEST)
                if passed >= 1:
                    break
                self.share = self._first + (1 - self._first) * passed
                yield self.share
        self.share = 1.0

    def __str__(self) -> str:
        """How far it is, in words."""
        if self._seconds is None:
            return f"step {round(self.share * self._steps)} of {self._steps}"
        return f"{time.monotonic() - self._began:.0f} of {self._seconds:.0f} s"
