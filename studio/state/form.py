"""The form: what the inspector holds and the next Generate will use."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from pydantic import Field

from ddmi_core.recipe import MAX_SEED, Like, SamplingSettings, Seed

MAX_COUNT = 16
COUNTS = (4, 9, 16)
"""How many variations can be seen at a glance."""
USUAL_DIFFERENCE = 0.35
"""How different what is to be more like something is at first."""


class GenerateForm(SamplingSettings):
    """Values of the inspector. Immutable; :meth:`changed` gives another and checks the ranges."""

    model: str = ""
    """Name of the chosen model; empty for none yet."""
    count: int = Field(default=1, ge=1, le=MAX_COUNT)
    seed: Seed = 0
    seed_locked: bool = False
    """Whether the next Generate uses ``seed`` as it stands, or draws a new one first."""

    def changed(self, **values: object) -> GenerateForm:
        """This form with other values. Raises pydantic's ValidationError out of range.

        With another model nothing is kept of what this one made, unless the values say so.
        """
        if self.model and values.get("model", self.model) != self.model:
            values = {"inpaint": None, "sketch": None, **values}
        return GenerateForm.model_validate({**self.model_dump(), **values})

    @property
    def difference(self) -> float | None:
        """How different it shall be from what it shall be like, 0..1; None if it shall be like nothing."""
        return self.like[-1][1] if self.like else None

    def like_by(self, difference: float) -> tuple[Like, ...]:
        """What it shall be like, with another difference, 0..1."""
        *before, (seed, _) = self.like
        return (*before, (seed, difference))

    def seeds(self) -> tuple[int, ...]:
        """The seeds of its variations: ``count`` consecutive ones from ``seed``, or one where all would be the same."""
        count = 1 if self.difference == 0.0 else self.count
        return tuple((self.seed + i) % (MAX_SEED + 1) for i in range(count))


def free_seeds(start: int, count: int, is_taken: Callable[[int], bool]) -> tuple[int, ...]:
    """The first so many seeds from `start` on that are not taken."""
    seeds: list[int] = []
    while len(seeds) < count:
        if not is_taken(start % (MAX_SEED + 1)):
            seeds.append(start % (MAX_SEED + 1))
        start += 1
    return tuple(seeds)


def random_seed() -> int:
    """A fresh seed in 0..99999: short enough to read out and to type."""
    return secrets.randbelow(100_000)
