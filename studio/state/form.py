"""The form: what the inspector holds and the next Generate will use."""

from __future__ import annotations

import secrets

from pydantic import BaseModel, ConfigDict, Field

from ddmi_core.recipe import SamplerName

MAX_SEED = 2**31 - 1
MAX_COUNT = 16


class GenerateForm(BaseModel):
    """Values of the inspector. Immutable; :meth:`changed` gives another and checks the ranges."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str = ""
    """Name of the chosen model; empty for none yet."""
    prompt: str = ""
    count: int = Field(default=1, ge=1, le=MAX_COUNT)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    seed_locked: bool = False
    """Whether the next Generate uses ``seed`` as it stands, or draws a new one first."""
    steps: int = Field(default=20, ge=1, le=1000)
    sampler: SamplerName = "dpm++"
    guidance: float = Field(default=3.0, ge=0.0, le=30.0)

    def changed(self, **values: object) -> GenerateForm:
        """This form with other values. Raises pydantic's ValidationError out of range."""
        return GenerateForm.model_validate({**self.model_dump(), **values})

    def seeds(self) -> tuple[int, ...]:
        """The seeds of its variations: ``count`` consecutive ones from ``seed``."""
        return tuple((self.seed + i) % (MAX_SEED + 1) for i in range(self.count))


def random_seed() -> int:
    """A fresh seed in 0..99999: short enough to read out and to type."""
    return secrets.randbelow(100_000)
