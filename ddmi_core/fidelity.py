"""How closely a file of a person's own is represented, and what came of it."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Fidelity = Literal["small", "balanced", "faithful"]
"""What a file becomes: a latent, kilobytes; basis fields with a cell for several samples; or as dense as the file."""
FIDELITIES: tuple[Fidelity, ...] = get_args(Fidelity)


class FitFacts(BaseModel):
    """What a fit is, and how near it comes to its file.

    `figures` are names and values of what was measured against the file itself, such as its `psnr` in dB.
    """

    model_config = ConfigDict(frozen=True)

    fidelity: Fidelity
    size_bytes: Annotated[int, Field(ge=0)]
    figures: dict[str, float] = {}
