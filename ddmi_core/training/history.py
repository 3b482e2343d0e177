"""The course of a run, read from its events while they are being written."""

import math
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from ddmi_core.support.parsing import parse_json

FIGURES = ("learning_rate", "samples_per_second", "memory_bytes")
"""What else than losses is recorded over the steps."""

_SHOWN = (*FIGURES, "eta_seconds")  # of the latest event, where they are known


class CurveName(NamedTuple):
    """Which figure of which stage. `kind`: losses, held_out, or figures (one of `FIGURES`)."""

    stage: str
    kind: str
    term: str


@dataclass(frozen=True, eq=False)
class Curve:
    """A figure over the steps of its stage."""

    steps: Float64[np.ndarray, " n"]
    values: Float64[np.ndarray, " n"]


class History:
    """Follows an events file.

    Attributes:
        latest: the newest event that has figures.
        message: what was said since then, for example how much of the data is encoded; empty if steps are being made.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._forget()

    def _forget(self) -> None:
        self._offset = 0
        self._points: dict[CurveName, tuple[array[float], array[float]]] = {}
        self.latest: dict[str, Any] = {}
        self._newest: dict[str, Any] | None = None
        self.message = ""

    def refresh(self) -> bool:
        """Read what was written since the last time; whether there was anything.

        A last line that is still being written waits for the next time, a damaged one is left out. A file that became
        shorter is another run's, and is read from the start.
        """
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._offset:
                    self._forget()
                file.seek(self._offset)
                text = file.read()
        except OSError:
            return False
        whole, newline, _ = text.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for event in parse_events(whole):
            try:
                self._add(event)
            except (ValueError, TypeError, AttributeError, OverflowError):  # it holds what no training writes
                continue
        if self._newest is not None and _has_figures(self._newest):
            self.latest = self._newest
        return bool(newline)

    def names(self) -> list[CurveName]:
        """The curves that there are, in the order in which they began."""
        return list(self._points)

    def curve(self, name: CurveName) -> Curve:
        """A copy of a curve as it stands."""
        steps, values = self._points[name]
        return Curve(np.array(steps), np.array(values))

    def _add(self, event: dict[str, Any]) -> None:
        stage, step = str(event.get("stage", "")), int(event.get("step", 0))
        if "back_to" in event:
            self._cut(stage, event["back_to"])
        if "message" in event:
            self.message = str(event["message"])
        for kind in ("losses", "held_out"):
            for term, value in event.get(kind, {}).items():
                self._append(CurveName(stage, kind, term), step, value)
        if "losses" in event:
            self._newest, self.message = event, ""
            for term in FIGURES:
                if term in event:
                    self._append(CurveName(stage, "figures", term), step, event[term])

    def _append(self, name: CurveName, step: int, value: float | None) -> None:
        figure = float("nan") if value is None else float(value)
        steps, values = self._points.setdefault(name, (array("d"), array("d")))
        steps.append(step)
        values.append(figure)

    def _cut(self, stage: str, step: int) -> None:
        """Take back what came after a step: it is trained again."""
        for name, (steps, values) in self._points.items():
            if name.stage == stage:
                end = bisect_right(steps, step)
                del steps[end:], values[end:]


def _has_figures(event: dict[str, Any]) -> bool:
    """Whether an event has what is shown of the latest one: a stage, and numbers that are numbers."""
    numbers = [event.get(key, 0) for key in ("step", "steps")] + [event.get(key) or 0 for key in _SHOWN]
    numbers += [value or 0 for value in event["losses"].values()]
    try:
        return isinstance(event.get("stage"), str) and all(map(math.isfinite, numbers))
    except (TypeError, OverflowError):
        return False


def parse_events(text: bytes) -> list[dict[str, Any]]:
    """Return the events of whole lines; lines that are damaged are left out."""
    lines = text.splitlines()
    try:
        found = parse_json(b"[" + b",".join(lines) + b"]")  # far faster than line by line
    except ValueError:
        found = []
        for line in lines:
            try:
                found.append(parse_json(line))
            except ValueError:
                continue
    return [event for event in found if isinstance(event, dict)]
