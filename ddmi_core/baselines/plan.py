"""What a comparison is of: a recipe for the data and the method's own sizes, a budget, the sizes of the baselines."""

from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ddmi_core.diffusion import DenoiserConfig
from ddmi_core.domains import get_domain
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.config import RunConfig, assign

Method = Literal["ddmi", "functa", "pe"]
_DOMAINS = ("image", "shape")


class _Sizes(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FunctaSizes(_Sizes):
    """A SIREN with shift modulations, and how it is meta-learned."""

    latent: int = Field(256, ge=1)
    width: int = Field(128, ge=8)
    depth: int = Field(6, ge=2)
    """Sine layers."""
    frequency: float = Field(30.0, gt=0)
    """Of the sines: omega_0 of Sitzmann et al. 2020."""
    inner_steps: int = Field(3, ge=1)
    second_order: bool = True
    """Whether the outer gradient sees through the inner steps, as in the paper, or takes theirs for constants."""
    batch: int = Field(8, ge=1)
    queries: int = Field(512, ge=16)
    """Places that each example is fitted and compared at while the network learns."""
    learning_rate: float = Field(5e-4, gt=0)


class FixedEncodingSizes(_Sizes):
    """An MLP over random Fourier features whose hidden channels a latent scales and shifts."""

    latent: int = Field(256, ge=1)
    features: int = Field(128, ge=1)
    """Frequencies; each gives a sine and a cosine."""
    bandwidth: float = Field(6.0, gt=0)
    """Standard deviation of the frequencies, in cycles over the canvas (Tancik et al. 2020)."""
    width: int = Field(128, ge=8)
    depth: int = Field(4, ge=1)
    hidden: int = Field(512, ge=8)
    """Of the network between the latent and the modulations."""
    learning_rate: float = Field(1e-3, gt=0)


class VectorDenoiserSizes(_Sizes):
    """The residual MLP that denoises latents of either baseline."""

    width: int = Field(512, ge=8)
    blocks: int = Field(6, ge=1)


class Plan(_Sizes):
    """One method's part of a comparison."""

    method: Method
    minutes: float = Field(gt=0)
    """Of training, all of it: both stages, and encoding between them."""
    recipe: RunConfig
    """Data, seed, likelihood, text, the schedules of both stages, and the sizes of the method itself."""
    functa: FunctaSizes = FunctaSizes()
    pe: FixedEncodingSizes = FixedEncodingSizes()
    vector: VectorDenoiserSizes = VectorDenoiserSizes()

    def with_overrides(self, assignments: list[str]) -> "Plan":
        """Return a copy with settings replaced: `functa.`, `pe.` and `vector.` ones, and those of the recipe.

        Raises:
            DDMIError: there is no such setting, or it cannot have that value.
        """
        own = [text for text in assignments if text.startswith(("functa.", "pe.", "vector."))]
        of_recipe = [text for text in assignments if text not in own]
        values = self.model_dump(mode="json", exclude={"recipe"})
        assign(values, own)
        try:
            return Plan.model_validate({**values, "recipe": self.recipe.with_overrides(of_recipe)})
        except ValidationError as error:
            first = error.errors()[0]
            raise DDMIError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from error

    def to_yaml(self) -> str:
        """Return all of it as YAML."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    @property
    def source(self) -> str:
        """The data set that figures are taken of: the one that the recipe's second stage draws most from."""
        return max(self.recipe.data, key=lambda part: part.weight_in_diffusion).source

    @property
    def latent(self) -> int:
        """Channels of a baseline's latent."""
        return self.functa.latent if self.method == "functa" else self.pe.latent

    def config(self) -> RunConfig:
        """Return the recipe as the method learns by it, at its own number of steps.

        Raises:
            DDMIError: it is of signals, or has terms, that baselines do not know.
        """
        stage1 = self.recipe.stage1
        if self.recipe.domain not in _DOMAINS:
            raise DDMIError("There are baselines of pictures and of shapes alone. Take a recipe of such.")
        beside = stage1.perceptual_weight or stage1.adversarial_weight or stage1.spectral_weight
        if beside or stage1.second_phase is not None:
            raise DDMIError(
                "Methods are compared by eq. 9 alone: set perceptual_weight, adversarial_weight and spectral_weight to "
                "0, and leave second_phase out."
            )
        changes: dict[str, Any] = {}
        if self.method == "functa":
            changes = self.functa.model_dump(include={"batch", "queries", "learning_rate"})
        if self.method == "pe":
            changes = {"learning_rate": self.pe.learning_rate}
        if self.method != "ddmi":
            changes["optimiser"] = "adamw"
        if get_domain(self.recipe.domain).footprint is not None:
            # Baselines know no pixel's size, and pictures are compared at the base resolution: all learn its pixels
            changes["scales"] = (1.0,)
        update: dict[str, Any] = {
            "name": f"{self.recipe.name} {self.method}",
            "stage1": stage1.model_copy(update=changes),
            "start_from": None,
            "distils": False,
            "processes": 1,
        }
        if self.method == "functa":  # gradients of gradients
            update["precision"] = "float32"
        return self.recipe.model_copy(update=update)

    def vector_denoiser(self) -> DenoiserConfig:
        """Return target and noise schedule of the recipe's denoiser, without its network."""
        return self.recipe.denoiser.model_copy(update={"kind": "none", "mixed": False})
