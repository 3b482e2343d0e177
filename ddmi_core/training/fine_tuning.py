"""Recipes that go on from a model that is there, on other data or for longer."""

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.diffusion import DenoiserConfig
from ddmi_core.model_folder import (
    AUTOENCODER_CONFIG,
    DENOISER_CONFIG,
    TEXT_ENCODER,
    ModelInfo,
    describe,
    find_model,
    read_card,
)
from ddmi_core.pipeline import read_config
from ddmi_core.support.errors import DDMIError
from ddmi_core.text import TextEncoderConfig
from ddmi_core.training.config import RunConfig, preset_names
from ddmi_core.training.run_folder import RunFolder

_STEPS = (1000, 3000)
_LATENTS = 8000
_GENTLER = 0.25
"""Of the usual learning rates: what a model knows is to be kept."""


def further(model: ModelInfo) -> RunConfig:
    """Return a recipe that goes on from a model at its sizes, with a quarter of the usual learning rates.

    Everything else is as in the recipe that it was trained with, where that is known, or in one of its kind of signals.

    Raises:
        DDMIError: it does not generate, its files cannot be read, or there is no recipe of its kind.
    """
    denoiser = read_config(DenoiserConfig, model.folder, DENOISER_CONFIG)
    if denoiser.kind == "none":
        raise DDMIError(f"{model.name} is a first stage alone, which cannot be gone on from.")
    usual = _recipe_of(model)
    first, second = usual.stage1, usual.stage2
    stage1 = {
        "steps": min(first.steps, _STEPS[0]),
        "learning_rate": _GENTLER * first.learning_rate,
        "kl_start": first.kl_weight,  # latents are what they are already
        "direct_weight": 0.0,
        "second_phase": None,
        "sample_every": min(first.sample_every, 250),
    }
    stage2 = {
        "steps": min(second.steps, _STEPS[1]),
        "learning_rate": _GENTLER * second.learning_rate,
        "cached_latents": min(second.cached_latents, _LATENTS),
        "sample_every": min(second.sample_every, 500),
    }
    return usual.model_copy(
        update={
            "autoencoder": read_config(AutoencoderConfig, model.folder, AUTOENCODER_CONFIG),
            "denoiser": denoiser,
            "text_encoder": read_config(TextEncoderConfig, model.folder, TEXT_ENCODER),
            "name": f"{model.name}-further",
            "stage1": first.model_copy(update=stage1),
            "stage2": second.model_copy(update=stage2),
            "start_from": model.name if model.is_shipped else str(model.folder),
            "distils": False,
            "card": _card(model),
        }
    )


def further_from(name_or_folder: str) -> RunConfig:
    """Return the recipe that goes on from a model given by its name or by its folder.

    Raises:
        DDMIError: there is no such model, or see `further`.
    """
    return further(describe(find_model(name_or_folder)))


def _recipe_of(model: ModelInfo) -> RunConfig:
    own = RunFolder(model.folder.parent).config_file
    if own.is_file():
        return RunConfig.from_file(own)
    # That of its name, else one of its kind in full
    for name in sorted(preset_names(), key=lambda name: (name != model.name, "tiny" in name or "paper" in name)):
        try:
            recipe = RunConfig.from_preset(name)
        except DDMIError:
            continue  # of a newer version, or damaged
        if recipe.domain == model.domain:
            return recipe
    raise DDMIError(f"There is no preset of the kind that {model.name} is of, to go on with. Write a recipe for it.")


def _card(model: ModelInfo) -> str:
    before = "\n".join(f"#{line}" if line.startswith("#") else line for line in read_card(model).splitlines())
    return (
        f"# {model.name}-further\n\nA DDMI model (Park et al., ICLR 2024) that went on from the weights of "
        f"{model.name}, whose data and licence stay its own, too:\n\n{before}\n"
    )
