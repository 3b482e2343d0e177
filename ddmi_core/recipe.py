"""How a signal is sampled, and the recipe of one that was generated or encoded: all that is needed to make it again."""

import base64
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from ddmi_core.fidelity import FitFacts
from ddmi_core.placement import Placement

SamplerName = Literal["sde-dpm++", "dpm++", "ddim", "ddpm"]
NOISY_SAMPLERS: frozenset[SamplerName] = frozenset({"sde-dpm++", "ddpm"})
"""Those that add noise on the way."""
Guide = Literal["auto", "empty", "weak"]
Quality = Literal["best", "fast"]

MOST_STEPS = 1000
MOST_GUIDANCE = 50.0
MOST_TRIES = 16
USUAL_CLOSENESS = 0.25
MAX_SEED = 2**63 - 1
"""What an SQLite integer holds, and torch's generators take."""

Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
"""Where chance begins: each item of a batch has its own, so it is no part of the settings."""


class Denoising(BaseModel):
    """How noise becomes a latent."""

    model_config = ConfigDict(frozen=True)

    steps: int = Field(20, ge=1, le=MOST_STEPS)
    """denoising steps."""
    sampler: SamplerName = "sde-dpm++"
    """dpm++ needs the fewest steps, sde-dpm++ mends on the way what it did wrong, ddpm is the paper's."""
    guidance: float = Field(3.0, ge=0.0, le=MOST_GUIDANCE)
    """how strictly to follow the prompt; 1 is not at all more than the model was taught."""
    guide: Guide = "auto"
    """what it leads away from: what the model makes of an empty prompt, or what a weaker copy of it makes of the same
    one. auto takes the weaker copy where the model has one."""
    attention: float | None = Field(None, ge=0.0, le=MOST_GUIDANCE)
    """how far it leads away, too, from what the model makes when no cell attends to another, which hangs together less;
    0 is not at all. Without it, as far as is usual of the model."""
    quality: Quality = "best"
    """best goes all the steps; fast asks a student of the model that has learned to do with few, where there is one. It
    has steps, sampler and guidance of its own, and the same seed gives nearly the same."""
    tries: int = Field(1, ge=1, le=MOST_TRIES)
    """how often, at most, what comes out torn is drawn, each time with other noise on the way; the soundest is kept.
    Once where nothing can be told, and by samplers without noise on the way. 1 takes what comes; from 2 on the model's
    encoder reads a shape, too, and what it makes of it is kept unless it is more torn."""

    @property
    def denoising(self) -> "Denoising":
        """These alone, of whatever has them among others."""
        return Denoising(**self.model_dump(include=set(Denoising.model_fields)))


Difference = Annotated[float, Field(ge=0.0, le=1.0)]
Like = tuple[Seed, Difference]
"""What chance begins with in place of the noise of a seed alone: that of another seed, and how far along the arc from
there to what follows, from 0, where it stays, to 1, where nothing is left of it."""


def in_short(like: tuple[Like, ...], seed: int) -> tuple[tuple[Like, ...], int]:
    """Return what says the same as a seed and what it shall be like, without what makes no difference to the noise."""
    reached, *following = (*(start for start, _ in like), seed)
    short: tuple[Like, ...] = ()
    for (_, difference), following_seed in zip(like, following, strict=True):
        if difference > 0.0:
            short = () if difference == 1.0 else (*short, (reached, difference))
            reached = following_seed
    return short, reached


class PromptSettings(Denoising):
    """What is sampled of nothing but a prompt and chance, and how."""

    tries: int = Field(4, ge=1, le=MOST_TRIES)
    """how often, at most, what comes out torn is drawn, each time with other noise on the way; the soundest is kept.
    Once where nothing can be told, and by samplers without noise on the way. 1 takes what comes; from 2 on the model's
    encoder reads a shape, too, and what it makes of it is kept unless it is more torn."""
    prompt: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    """what it shall be. Without one, anything the model knows."""
    like: tuple[Like, ...] = ()
    """the seed of another one that it shall be more like, and how different from it, from 0, the same, to 1, not alike.
    Another pair leads on from what the first two seeds give, and so on."""


Span = tuple[Annotated[float, Field(ge=-1.0, le=1.0)], Annotated[float, Field(ge=-1.0, le=1.0)]]
"""From where to where along an axis, in the coordinates of a signal."""


class Inpainting(BaseModel):
    """A part of another item that is drawn anew; what lies outside of it is kept."""

    model_config = ConfigDict(frozen=True)

    of: "Seeded"
    """how the other item is made, by the same model."""
    region: tuple[Span, ...] = Field(min_length=2, max_length=3)
    """the part: from where to where along each axis, in the order of the coordinates."""

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Inpainting":
        if any(start >= stop for start, stop in self.region):
            raise ValueError("a part ends after it begins, along every axis")
        return self


Closeness = Annotated[float, Field(ge=0.0, le=1.0)]
"""How close to its sketch something is drawn: the share of the way from noise that is left out, 0 to 1."""


class Sketch(BaseModel):
    """What something is drawn after: it has its layout and its colours, and becomes what the prompt says."""

    model_config = ConfigDict(frozen=True)

    latent: str = Field(repr=False)
    """of the sketch, by the same model: float16, little-endian."""
    closeness: Closeness = USUAL_CLOSENESS
    title: str = ""
    """what it is called; makes no difference to what is drawn."""

    @classmethod
    def of(cls, latent: Float[np.ndarray, "c h w"], closeness: float = USUAL_CLOSENESS, title: str = "") -> "Sketch":
        """Return a sketch by its latent."""
        values = base64.b64encode(latent.astype("<f2").tobytes()).decode("ascii")
        return cls(latent=values, closeness=closeness, title=title)

    @field_validator("latent")
    @classmethod
    def _is_of_numbers(cls, latent: str) -> str:
        try:
            count = len(base64.b64decode(latent, validate=True))
        except ValueError:
            count = 0
        if not count or count % 2:
            raise ValueError("a sketch is damaged. Choose it anew")
        return latent


class SamplingSettings(PromptSettings):
    """What is sampled, and how; with a seed it decides an item."""

    inpaint: Inpainting | None = None
    """what is kept of another item, and which part of that becomes what the prompt says."""
    sketch: Sketch | None = None
    """what it is drawn after."""

    @property
    def settings(self) -> "SamplingSettings":
        """These alone, of whatever has them among others."""
        return SamplingSettings(**self.model_dump(include=set(SamplingSettings.model_fields)))


class Seeded(SamplingSettings):
    """Settings with a seed: they decide an item of a model."""

    seed: Seed = 0
    tries: int = Field(1, ge=1, le=MOST_TRIES)
    """Once where it is not said: of what was made before there were more."""

    @model_validator(mode="after")
    def _say_it_in_short(self) -> "Seeded":
        """What makes the same item is equal, however much it was said that nothing is to be different."""
        self.__dict__["like"], self.__dict__["seed"] = in_short(self.like, self.seed)
        return self

    @property
    def seeded(self) -> "Seeded":
        """These alone, of whatever has them among others."""
        return Seeded(**self.model_dump(include=set(Seeded.model_fields)))


def current_versions() -> dict[str, str]:
    """Return the versions that decide whether a recipe gives the same result again."""
    versions = {}
    for package in ("ddmi-studio", "torch", "diffusers"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "unknown"
    return versions


class Recipe(Seeded):
    """How an item was made.

    `source` names the file a reconstruction was encoded from, `extent` the part of the canvas that it covers (left,
    top, right, bottom), `seconds` how long it lasts, `span` the part of the file from .. to, in seconds, if not all of
    it, `placement` where the object lay in it, `fit` how closely it is
    represented, where that can be chosen.
    """

    model_config = ConfigDict(protected_namespaces=())

    domain: str
    model: str
    model_hash: str
    source: str | None = None
    extent: tuple[float, float, float, float] | None = None
    seconds: float | None = Field(None, gt=0)
    span: tuple[float, float] | None = None
    placement: Placement | None = None
    fit: FitFacts | None = None
    versions: dict[str, str] = Field(default_factory=current_versions)

    @property
    def is_fitted(self) -> bool:
        """Whether basis fields of its own are the item; the latent is then but what the model makes of the file."""
        return self.fit is not None and self.fit.fidelity != "small"

    def makes_the_same_as(self, other: "Recipe") -> bool:
        """Whether both give the same item: all agrees but what the model is called."""
        return self == other.model_copy(update={"model": self.model})


def misfit(error: ValidationError) -> str:
    """Say in a few words what does not fit: `guidance is 80 and should be less than or equal to 50`."""
    first = error.errors()[0]
    name = ".".join(part for part in first["loc"] if isinstance(part, str))  # without places in a list
    if first["type"] == "missing":
        return f"{name} is missing"
    shown = repr(first["input"]) if isinstance(first["input"], str) else str(first["input"])
    return f"{name} is {shown[:40]} and {first['msg'].removeprefix('Input ')}"
