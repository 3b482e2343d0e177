"""What was to be generated when the studio ended: it waits, paused, until the person wants it after all."""

from __future__ import annotations

from collections.abc import Iterable

from psygnal import Signal
from pydantic import BaseModel, ConfigDict, Field

from ddmi_core.recipe import SamplingSettings, Seed


class PausedWork(BaseModel):
    """What one request of an earlier session was to generate. ``title`` is what it was called in the queue."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    title: str
    domain: str
    model: str
    model_hash: str
    settings: SamplingSettings
    seeds: tuple[Seed, ...] = Field(min_length=1)


class PausedQueue:
    """The paused work, oldest first."""

    changed = Signal()

    def __init__(self) -> None:
        self._works: list[PausedWork] = []

    def __len__(self) -> int:
        return len(self._works)

    def list(self) -> list[PausedWork]:
        """All of it."""
        return list(self._works)

    def add(self, works: Iterable[PausedWork]) -> None:
        """Let more wait."""
        self._works += works
        self.changed.emit()

    def remove(self, work: PausedWork) -> None:
        """Let a piece wait no longer."""
        if work in self._works:
            self._works.remove(work)
            self.changed.emit()
