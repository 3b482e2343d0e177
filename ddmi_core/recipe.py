"""The recipe of a generated or encoded signal: all that is needed to make it again."""

from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ddmi_core.placement import Placement

SamplerName = Literal["dpm++", "ddim", "ddpm"]


def current_versions() -> dict[str, str]:
    """Return the versions that decide whether a recipe gives the same result again."""
    versions = {}
    for package in ("ddmi-studio", "torch", "diffusers"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "unknown"
    return versions


class Recipe(BaseModel):
    """How an item was made.

    `source` names the file a reconstruction was encoded from, `extent` the part of the canvas that it covers (left,
    top, right, bottom), `seconds` how long it lasts, `placement` where the object lay in it.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    domain: str
    model: str
    model_hash: str
    prompt: str = ""
    seed: int = 0
    steps: int = Field(20, ge=1, le=1000)
    sampler: SamplerName = "dpm++"
    guidance: float = Field(3.0, ge=0.0, le=50.0)
    source: str | None = None
    extent: tuple[float, float, float, float] | None = None
    seconds: float | None = Field(None, gt=0)
    placement: Placement | None = None
    versions: dict[str, str] = Field(default_factory=current_versions)
