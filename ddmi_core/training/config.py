"""The whole configuration of a training run, as `run.yaml` holds it."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.items import Augment
from ddmi_core.diffusion import DenoiserConfig
from ddmi_core.domains import get_domain
from ddmi_core.recipe import NOISY_SAMPLERS, Denoising, SamplerName
from ddmi_core.support.device_names import DeviceName
from ddmi_core.support.devices import Precision
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import write_text
from ddmi_core.support.parsing import parse_yaml
from ddmi_core.support.paths import assets, user_data
from ddmi_core.text import TextEncoderConfig
from ddmi_core.training.mistakes import Place, explained, lines_of
from ddmi_core.training.versions import VERSION, migrated

Optimiser = Literal["adamw", "muon"]
PerceptualNetwork = Literal["efficientnet", "vgg"]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataPart(_Settings):
    """One source of training data and its share of the draws. `source`: a starter set's name or a folder.

    The autoencoder gains from any variety, the denoiser from signals like those that people will ask for, so the second
    stage may weigh the sources differently, and leave some out; `weight` counts for both where it has none of its own.
    """

    source: str
    weight: float = Field(1.0, ge=0)
    diffusion_weight: float | None = Field(None, ge=0)

    @property
    def weight_in_diffusion(self) -> float:
        """The share of the second stage's draws."""
        return self.weight if self.diffusion_weight is None else self.diffusion_weight


class StageConfig(_Settings):
    """What both stages have in common."""

    steps: int = Field(ge=1)
    batch: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    optimiser: Optimiser = "adamw"
    """muon moves all directions of a weight matrix alike, and needs fewer steps; see `muon`."""
    warmup_steps: int = Field(100, ge=0)
    decay: float = Field(0.05, ge=0, le=1)
    """The learning rate at the end, as a share of the highest (cosine)."""
    accumulate: int = Field(1, ge=1)
    """Parts that a batch is computed in, one after another, their gradients added up: less memory, the same step."""
    ema: float = Field(0.999, ge=0, lt=1)
    ema_every: int = Field(1, ge=1)
    """Steps between two that the averaged weights move by."""
    clip_norm: float | None = Field(1.0, gt=0)
    """Most that the gradients' norm may be; none: whatever it is."""
    second_moment: float = Field(0.999, gt=0, lt=1)
    """AdamW's second beta; the paper has 0.99."""
    weight_decay: float = Field(0.01, ge=0)
    sample_every: int = Field(500, ge=1)
    """Steps between two sets of pictures and held-out figures."""
    patience: int | None = Field(None, ge=1)
    """How many held-out figures in a row may be no better than the best before the stage comes to its end sooner, its
    learning rate falling as far as ever; see `early_end`. None: as many as there are."""

    @property
    def first_steps(self) -> int:
        """Those that the learning rate falls over, and that may become fewer: all."""
        return self.steps

    @property
    def comparable_from(self) -> int:
        """The step from which on held-out figures can be compared."""
        return self.warmup_steps

    def shortened(self, steps: int) -> "StageConfig":
        """Return the settings with other steps, and what grows over some of them growing over the same share."""
        return self.model_copy(update=self._at(steps))

    def _at(self, steps: int) -> dict[str, int]:
        """The settings that change with the steps."""
        return {"steps": steps, "warmup_steps": min(self.warmup_steps, max(1, steps // 10))}

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: linear warm-up, then a cosine down to `decay` of the highest."""
        warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.first_steps)))
        return self.learning_rate * warm * (self.decay + (1 - self.decay) * cosine)


class SecondPhase(_Settings):
    """The end of stage one, in which a critic of patches is taught and heard: the official code's `*_gan`."""

    steps: int = Field(ge=1)
    """The last ones of the stage."""
    learning_rate: float = Field(5e-5, gt=0)
    """Of all of them."""
    adversarial_weight: float = Field(50.0, ge=0)
    feature_weight: float = Field(50.0, ge=0)
    """Of how differently true and made patches look to the critic."""


class StageOneConfig(StageConfig):
    """The autoencoder's stage (eq. 9)."""

    queries: int = Field(1280, ge=16)
    """Coordinates at which each example's reconstruction is compared."""
    summed_over: int | None = Field(None, ge=1)
    """Values of a signal that the reconstruction of eq. 9 is summed over: the 3 x 256 x 256 of a picture, the 2,048
    points of a shape. The divergence is then summed over all latent values, and errors are the official code's: see
    `objective`. None: either is averaged over its elements, and errors of colours are robust."""
    augment: Augment = "full"
    scales: tuple[Annotated[float, Field(gt=0, le=1)], ...] | None = Field(None, min_length=1)
    """Of pictures, the sizes of the pixels that are compared, as shares of the encoder's, one of them for each example,
    which then shows a crop of as many pixels as the encoder sees: the paper's 1, 2/3 and 1/2. None: of any size."""
    surface_noise: float = Field(0.0, ge=0, le=0.1)
    """Standard deviation of the noise on the points that an encoder of points is given, in [-1, 1]^3. Both stages'
    augmented examples have it."""
    kl_weight: float = Field(1e-3, ge=0)
    """Lambda of eq. 9. What it means depends on `summed_over`."""
    kl_anneal_steps: int = Field(1000, ge=1)
    """Steps over which lambda grows from `kl_start` to `kl_weight`."""
    kl_start: float = Field(0.0, ge=0)
    latent_noise: float = Field(0.0, ge=0)
    """Least noise that the decoder learns to bear, as a share of each latent channel's spread. What a denoiser makes is
    never quite a latent that the encoder would make: without this, its remaining noise shows."""
    direct_weight: float = Field(0.0, ge=0)
    """Of what data sets of objects know beside pictures, where they know it: what is solid, and colours of the surface.
    Falls in a line to 0, so that pictures alone decide in the end."""
    direct_share: float = Field(0.6, gt=0, le=1)
    """Share of the steps until it is 0."""
    perceptual_weight: float = Field(0.0, ge=0)
    """Of the feature distance between patches and their reconstructions; for domains that have patches."""
    perceptual_network: PerceptualNetwork = "efficientnet"
    """Whose features: efficientnet comes along; vgg is the paper's LPIPS, whose weights are a file of their own."""
    adversarial_weight: float = Field(0.0, ge=0)
    """Of the objections of a critic that is shown patches; it is heard as lambda grows."""
    patch_side: int = Field(64, ge=32)
    """Samples along each side of a patch, on the grid that the encoder sees."""
    spectral_weight: float = Field(0.0, ge=0)
    """Of the spectral norms of the autoencoder's convolutions, see `spectral`; 0: they may be what they are."""
    spectral_start: float | None = Field(None, gt=0)
    """What it is at lambda = 0, if not the same: its logarithm falls in a line to that of `spectral_weight` at
    lambda = 1, which is never reached. The second phase has `spectral_weight`."""
    second_phase: SecondPhase | None = None

    @property
    @override
    def first_steps(self) -> int:
        """Those before the second phase."""
        return self.steps - (0 if self.second_phase is None else self.second_phase.steps)

    @property
    @override
    def comparable_from(self) -> int:
        """As lambda grows, reconstructions may get worse and ought to."""
        return max(self.warmup_steps, self.kl_anneal_steps)

    @model_validator(mode="after")
    def _phases_fit(self) -> "StageOneConfig":
        if self.second_phase is not None and self.first_steps < 1:
            raise ValueError("second_phase.steps are the last ones of steps, so there must be fewer")
        if self.second_phase is not None and self.adversarial_weight:
            raise ValueError("there is one critic: adversarial_weight must be 0 where there is a second_phase")
        return self

    @override
    def _at(self, steps: int) -> dict[str, int]:
        return super()._at(steps) | {"kl_anneal_steps": max(1, round(self.kl_anneal_steps * steps / self.steps))}

    def direct_weight_at(self, step: int) -> float:
        """Return the weight of what is known directly at a step."""
        return self.direct_weight * max(0.0, 1 - step / (self.direct_share * self.steps))

    @override
    def rate(self, step: int) -> float:
        if self.second_phase is not None and step >= self.first_steps:
            return self.second_phase.learning_rate
        return super().rate(step)

    def spectral_weight_at(self, kl_weight: float, step: int) -> float:
        """Return the weight of the spectral norms at a step, whose lambda is `kl_weight`."""
        if self.spectral_start is None or step >= self.first_steps < self.steps:
            return self.spectral_weight
        return self.spectral_start ** (1 - kl_weight) * self.spectral_weight**kl_weight


class Sampling(Denoising, extra="forbid"):
    """How a latent is sampled."""


class TeacherSampling(Sampling):
    """How a teacher goes from noise to a latent: the same way each time, for its student to follow."""

    sampler: SamplerName = "dpm++"

    @field_validator("sampler")
    @classmethod
    def _adds_nothing(cls, sampler: SamplerName) -> SamplerName:
        if sampler in NOISY_SAMPLERS:
            raise ValueError("a teacher's must be dpm++ or ddim: what others add on the way is no part of a seed's way")
        return sampler


class StageTwoConfig(StageConfig):
    """The latent diffusion's stage (eq. 10)."""

    drop_prompt: float = Field(0.1, ge=0, le=1)
    cached_latents: int = Field(8000, ge=1)
    """How many examples are encoded once before the stage."""
    augment: Augment | None = None
    """How these examples are changed. None: as those of the first stage, though never so that captions become untrue.
    `none` is what a small denoiser learns soonest, where the data are many: that faces are where faces are, and chairs
    stand on the ground in the middle, need not be learned at each place and size."""
    posterior_samples: bool = False
    """Whether to learn from samples of the posteriors, drawn anew each time, rather than from their means; takes twice
    the room on the disk."""
    unit_latents: bool = True
    """Whether the denoiser is shown latents of zero mean and unit variance, channel by channel, rather than as they
    are. The paper's are as they are: a strong divergence (eq. 9) brings them near."""
    sampling: Sampling = Sampling()
    """How the pictures of an evaluation are sampled."""
    sample_prompts: tuple[str, ...] = ("",)
    checkpointing: bool = False
    """Whether a `unet2d` computes its activations again in the backward pass instead of keeping them: a third more time
    for a fraction of the memory."""


class DistillationConfig(StageConfig):
    """A student of the denoiser that needs few steps: it learns to take several of the teacher's at once."""

    student_steps: int = Field(4, ge=1)
    trajectories: int = Field(4000, ge=1)
    """How many ways from noise to a latent the teacher goes first, for prompts of the data; the student learns their
    parts."""
    drop_prompt: float = Field(0.05, ge=0, le=1)
    teacher: TeacherSampling = TeacherSampling()
    """How it goes them; the student has this guidance within."""

    @model_validator(mode="after")
    def _steps_fit(self) -> "DistillationConfig":
        if self.teacher.steps % self.student_steps:
            raise ValueError(f"teacher.steps ({self.teacher.steps}) must be a multiple of student_steps")
        return self


class RunConfig(_Settings):
    """Everything that decides a run. The same file on the same machine gives the same model."""

    version: Literal[2] = VERSION
    """Of the settings; see `versions`."""
    name: str
    domain: str
    seed: int = 0
    data: tuple[DataPart, ...] = Field(min_length=1)
    autoencoder: AutoencoderConfig
    denoiser: DenoiserConfig = DenoiserConfig()
    text_encoder: TextEncoderConfig = TextEncoderConfig()
    stage1: StageOneConfig
    stage2: StageTwoConfig
    distillation: DistillationConfig | None = None
    """How `ddmi distill` teaches a student of a finished model; none: as is usual."""
    distils: bool = False
    """Whether that is all that the run does, to the model that `start_from` names."""
    start_from: str | None = None
    """Name or folder of a model of the same sizes whose weights both stages start from, instead of random ones. Of one
    of another kind of signals the autoencoder takes what the two have in common, and the denoiser begins anew."""
    adapter_rank: int | None = Field(None, ge=1, le=128)
    """Of the changes to the denoiser of `start_from` that are then all that is learned (LoRA; see `networks.low_rank`):
    its autoencoder stays, there is no first stage, and the finished model is the changes, which go with that model. 8
    is usual, and takes 1 to 2 MB. None: both stages learn all their weights."""
    precision: Precision = "auto"
    device: DeviceName = "auto"
    compile: bool = False
    """Whether torch compiles the networks first: minutes at the start, for a few percent on a CPU and more on a GPU."""
    processes: int = Field(1, ge=1, le=64)
    """How many processes `ddmi train` spreads the run over; every step takes `batch` examples in each of them."""
    threads: int = Field(0, ge=0)
    """Threads of the one process that trains on a CPU; 0 measures at the start what a second one gains."""
    loader_workers: int = Field(0, ge=0)
    """Processes that read data ahead, for each process that trains."""
    checkpoint_minutes: float = Field(5.0, gt=0)
    keep_checkpoints: int = Field(2, ge=1)
    """How many of the newest checkpoints of a stage are kept, beside the best one."""
    card: str = ""
    """Text of the model card that a preset brings along: data, licences, attribution."""

    @property
    def has_first_stage(self) -> bool:
        """Whether the autoencoder learns, too, and not changes to a denoiser alone."""
        return self.adapter_rank is None

    @model_validator(mode="after")
    def _both_stages_have_data(self) -> "RunConfig":
        if not sum(part.weight for part in self.data) or not sum(part.weight_in_diffusion for part in self.data):
            raise ValueError("each stage needs a source of data whose weight is above 0")
        return self

    @model_validator(mode="after")
    def _changes_are_of_a_model(self) -> "RunConfig":
        if self.adapter_rank is not None and (self.start_from is None or self.distils):
            raise ValueError("adapter_rank is of changes to a model: start_from must name it, and distils be false")
        return self

    @model_validator(mode="after")
    def _planes_fit_into_one_batch(self) -> "RunConfig":
        if self.autoencoder.trunk == "shared":
            sizes = get_domain(self.autoencoder.domain).plane_sizes(self.autoencoder.latent_size)
            if len(set(sizes)) > 1:
                raise ValueError(f"planes of {self.domain} are of several sizes and cannot share a trunk: set separate")
        return self

    def seconds(self, first_step: float, second_step: float) -> float:
        """Return how long the run should take, given the seconds of a step of each stage; pictures come on top.

        Encoding counts as if it cost what training does, so as a bound.
        """
        encoding = self.stage2.cached_latents / self.stage1.batch * first_step
        first = self.stage1.steps * first_step if self.has_first_stage else 0.0
        return first + encoding + self.stage2.steps * second_step

    @classmethod
    def from_preset(cls, name: str) -> "RunConfig":
        """Read the preset called `name`, one of the user's own or one that comes along.

        Raises:
            DDMIError: there is no such preset.
        """
        return cls.from_file(preset_file(name))

    @classmethod
    def from_file(cls, path: Path) -> "RunConfig":
        """Read a configuration from YAML.

        Raises:
            DDMIError: the file is missing or says something that does not exist.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DDMIError(f"The configuration {path} cannot be read: {error}.") from error
        return cls.from_text(text, str(path))

    @classmethod
    def from_text(cls, text: str, origin: str) -> "RunConfig":
        """Read a configuration from YAML text; `origin` names it in messages.

        Raises:
            DDMIError: it says something that does not exist.
        """
        try:
            values, lines = parse_yaml(text), lines_of(text)
        except ValueError as error:
            raise DDMIError(f"The configuration {origin} is not valid YAML: {error}.") from error
        if not isinstance(values, dict):
            raise DDMIError(f"The configuration {origin} is no list of settings. Start from a preset.")
        origin = f"The configuration {origin}"
        return cls._validated(migrated(values, origin), origin, lines)

    def with_overrides(self, assignments: list[str]) -> "RunConfig":
        """Return a copy with dotted settings replaced, such as `stage1.steps=10`; values are YAML.

        Raises:
            DDMIError: an assignment has no `=`, or names no setting.
        """
        values = self.model_dump(mode="json")
        assign(values, assignments)
        return self._validated(values, "What --set says", {})

    def to_yaml(self) -> str:
        """Return the configuration as YAML, as `from_file` reads it."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    @classmethod
    def _validated(cls, values: dict[str, Any], origin: str, lines: Mapping[Place, int]) -> "RunConfig":
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise DDMIError(explained(error, cls, origin, lines)) from error


def assign(values: dict[str, Any], assignments: list[str]) -> None:
    """Replace dotted settings in nested ones, such as `stage1.steps=10`; values are YAML.

    Raises:
        DDMIError: an assignment has no `=`, or names no setting.
    """
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator:
            raise DDMIError(f"{assignment!r} sets nothing: write key=value, such as stage1.steps=1000.")
        target: Any = values
        *parents, last = key.split(".")
        for parent in parents:
            target = target.get(parent) if isinstance(target, dict) else None
        if not isinstance(target, dict) or last not in target:
            raise DDMIError(f"There is no setting {key!r}.")
        try:
            target[last] = parse_yaml(text)
        except ValueError as error:
            raise DDMIError(f"{assignment!r} is not valid YAML: {error}.") from error


def preset_names() -> list[str]:
    """Return the names of all training presets, the user's own included."""
    return sorted({path.stem for folder in _preset_folders() for path in folder.glob("*.yaml")})


def preset_file(name: str) -> Path:
    """Return the file of a preset; one of the user's own goes before one that comes along.

    Raises:
        DDMIError: there is no such preset.
    """
    for folder in _preset_folders():
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise DDMIError(f"There is no preset {name!r}; there are: {', '.join(preset_names())}.")


def save_preset(name: str, text: str) -> None:
    """Keep a configuration as a preset of the user's own.

    Raises:
        DDMIError: the configuration has a mistake, the name is no file name, or it cannot be written.
    """
    RunConfig.from_text(text, name)
    if not re.fullmatch(r"[\w][\w .-]*", name):
        raise DDMIError(f"{name!r} cannot be a preset's name: use letters, digits, spaces, dots, - and _.")
    folder = _preset_folders()[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / f"{name}.yaml", text)
    except OSError as error:
        raise DDMIError(f"The preset cannot be written to {folder}: {error.strerror}.") from error


def _preset_folders() -> tuple[Path, Path]:
    return user_data() / "presets", assets() / "presets"
