"""A published checkpoint becomes a model folder, whose numbers are those that the authors' code gives."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ddmi_core import model_folder
from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.model_folder import ModelInfo
from ddmi_core.official.checkpoint import Checkpoint, Weights, read_checkpoint
from ddmi_core.official.names import Rule, autoencoder_rules, denoiser_rules, published_name, readout_rules
from ddmi_core.official.settings import OfficialSettings, read_settings
from ddmi_core.pipeline import Pipeline
from ddmi_core.support.errors import ModelError
from ddmi_core.support.files import write_json
from ddmi_core.support.progress import Progress, report
from ddmi_core.text import TextEncoderConfig, load_text_encoder

_NOT_USED = re.compile(r"net_res\d\.conv\d\.noise\.weight|(?!model\.)\w*(betas|alphas?_|posterior_)\w*")
"""Published values that have no place with us: how much noise a layer gets, and the schedule, which is compared."""
_OURS_ALONE = ("latent_mean", "latent_std")
_SCHEDULE_TOLERANCE = 1e-4
_SHOWN = 5


def import_official(
    file: Path,
    config: Path,
    *,
    name: str | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> ModelInfo:
    """Make a model folder, weights in float32, of a published checkpoint.

    Args:
        file: `ldm-last.pt` of the second stage, `model-last.pt` of the first, which can only encode and decode, or
            safetensors; see `read_checkpoint`.
        config: the YAML that it was trained with.
        name: what the model is called; otherwise like the configuration.
        folder: made for it; otherwise one among the user's own models.
        progress: may raise `Cancelled`; then nothing stays.

    Raises:
        ModelError: either file cannot be used, or they do not belong together; the folder, or the model or its name
            among the user's own, is there already.
    """
    name = " ".join((name or config.stem).split())
    if not name:
        raise ModelError("A model needs a name.")
    if folder is not None and folder.exists():
        raise ModelError(f"{folder} is there already. Choose another folder.")
    if folder is None and any(model.name == name for model in model_folder.list_models()):
        raise ModelError(f"There is a model called {name} already. Choose another name.")
    settings = read_settings(config)
    report(progress, 0.05, f"reading {file.name}")
    checkpoint = read_checkpoint(file)
    report(progress, 0.5, "building the networks")
    pipeline = _pipeline(name, file, settings, checkpoint)
    target = folder or model_folder.free_folder(re.sub(r"[^\w.-]+", "-", name))
    report(progress, 0.7, f"writing {target}")
    with model_folder.written_at_once(target) as temporary:
        pipeline.save_pretrained(temporary, card=_card(pipeline, file, settings), dtype=torch.float32)
        write_json(temporary / model_folder.LABEL, {"name": name, "imported_from": str(file)})
        if folder is None:
            model_folder.refuse_known(model_folder.describe(temporary))
    report(progress, 1.0, "done")
    return model_folder.describe(target)


def _pipeline(name: str, file: Path, settings: OfficialSettings, checkpoint: Checkpoint) -> Pipeline:
    config = settings.autoencoder
    autoencoder = D2CVAE(config)
    _load(
        autoencoder,
        [*autoencoder_rules(config), *readout_rules()],
        checkpoint.autoencoder | checkpoint.readout,
        file,
    )
    denoiser = DenoiserConfig(kind="none") if checkpoint.denoiser is None else settings.denoiser
    if denoiser is None:
        raise ModelError(
            f"{file} is of the second stage, and the configuration of the first: it has no unetconfig and no "
            "ddpmconfig. Give that of the second."
        )
    diffusion = LatentDiffusion(denoiser, autoencoder.canvas_shape)
    if checkpoint.denoiser is not None:
        _load(diffusion, denoiser_rules(denoiser), checkpoint.denoiser, file)
        _check_schedule(diffusion, checkpoint.denoiser, file)
    for module in (autoencoder, diffusion):
        module.eval().requires_grad_(False)
    return Pipeline(name, autoencoder, diffusion, load_text_encoder(TextEncoderConfig(kind="none", name="none")))


def _load(module: nn.Module, rules: Sequence[Rule], weights: Weights, file: Path) -> None:
    """Give a network the published weights, of which none may be missing, left over, of another shape or no number."""
    loaded: dict[str, Tensor] = {}
    missing, misshapen = [], []
    left = set(weights)
    for ours, wanted in module.state_dict().items():
        if ours in _OURS_ALONE:
            loaded[ours] = wanted
            continue
        published = published_name(ours, rules)
        left.discard(published.name)
        found = weights.get(published.name)
        if found is None:
            missing.append(published.name)
            continue
        shape = tuple(found.shape)
        try:
            loaded[ours] = published.turned(found)
        except RuntimeError:  # it cannot even be laid out as ours is
            loaded[ours] = found
        if loaded[ours].shape != wanted.shape:
            misshapen.append(f"{published.name} {shape} in place of {tuple(wanted.shape)}")
        elif not torch.isfinite(found).all():
            raise ModelError(f"{file} holds values that are not numbers ({published.name}). Take another checkpoint.")
    _complain(file, "lacks", missing)
    _complain(file, "has weights of other sizes than the configuration says:", misshapen)
    unknown = [one for one in left if not _NOT_USED.fullmatch(one)]
    _complain(file, "has weights that the configuration does not know:", unknown)
    module.load_state_dict(loaded)


def _complain(file: Path, what: str, names: Sequence[str]) -> None:
    if names:
        unique = sorted(set(names))
        more = f" and {len(unique) - _SHOWN} more" if len(unique) > _SHOWN else ""
        raise ModelError(
            f"{file} {what} {', '.join(unique[:_SHOWN])}{more}. Give the configuration that it was trained with."
        )


def _check_schedule(diffusion: LatentDiffusion, published: Mapping[str, Tensor], file: Path) -> None:
    theirs, ours = published.get("alphas_cumprod"), diffusion.training_schedule.alphas_cumprod
    if theirs is not None and not (
        theirs.shape == ours.shape and torch.allclose(theirs, ours, rtol=_SCHEDULE_TOLERANCE, atol=0)
    ):
        raise ModelError(
            f"{file} was trained with another noise schedule than the configuration says (timesteps, linear_start, "
            "linear_end). Give the configuration that it was trained with."
        )


def _card(pipeline: Pipeline, file: Path, settings: OfficialSettings) -> str:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    diffusion = settings.ddpmconfig
    if diffusion is None or pipeline.diffusion.config.kind == "none":
        use = "The first stage alone: it encodes pictures and decodes them at any size, and cannot generate."
    else:
        sampler = "ddim" if diffusion.sampling_timesteps < diffusion.timesteps else "ddpm"
        use = (
            "It was trained without texts, so a prompt says nothing to it. Its authors sample it with "
            f"{diffusion.sampling_timesteps} steps of {sampler.upper()}: `ddmi generate image --sampler {sampler} "
            f"--steps {diffusion.sampling_timesteps}`."
        )
    return "\n".join(
        (
            f"# {pipeline.name}\n",
            "Imported from a checkpoint of the authors' code of DDMI (Park et al., ICLR 2024), averaged weights, "
            "float32. What it was trained on, and its licence, those know who trained it.\n",
            f"{use}\n",
            f"- File: {file.name}, SHA-256 {digest}",
            f"- Anchor resolution: {settings.anchor_resolution}, at which the encoder works",
            "- The read-out's noise, new in each evaluation in the authors' code, is off: a place has one value.",
            "",
        )
    )
