"""One method of a comparison from nothing to its figures; given the same plan again it goes on where it was stopped."""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from accelerate import Accelerator
from accelerate.utils import set_seed
from pydantic import ValidationError
from torch import nn

from ddmi_core.autoencoder import D2CVAE, Autoencoder
from ddmi_core.baselines.budget import Budget, costs_of
from ddmi_core.baselines.fixed_encoding import FixedEncoding
from ddmi_core.baselines.functa import Functa, FunctaStage
from ddmi_core.baselines.plan import Plan
from ddmi_core.baselines.vector_diffusion import VectorDiffusion
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.pipeline import Pipeline
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.parsing import parse_yaml
from ddmi_core.text import load_text_encoder
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import DiffusionStage
from ddmi_core.training.loop import train_stage
from ddmi_core.training.ownership import owned
from ddmi_core.training.precision import settle_precision
from ddmi_core.training.processors import processors_for
from ddmi_core.training.run import latents_to_learn_from, make_accelerator
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.tensor_file import tensor_bytes

_log = logging.getLogger(__name__)
_BUDGET = "budget"
_DIGITS = 16  # of a digest


class Trained(NamedTuple):
    """A method that has learned, and what it had for it."""

    pipeline: Pipeline
    budget: Budget
    facts: Mapping[str, Any]
    """Parameters of both networks and numbers of steps, for a report."""


def train(plan: Plan, out: Path, *, device: str = "auto") -> Trained:
    """Train both stages of a method in the run folder `out` for the minutes of its plan.

    Args:
        plan: what to train.
        out: a folder of this plan alone, made if need be; what is done there already is not done again.
        device: auto, cpu or cuda.

    Raises:
        DDMIError: `out` holds something else; bad data; training diverged.
        Stopped: told to stop through the run folder; a checkpoint is written.
    """
    config, run = plan.config(), RunFolder(out)
    _begin(plan, run)
    accelerator = make_accelerator(config, device)
    set_seed(config.seed)
    autoencoder, diffusion = _networks(plan, config)
    with owned(run):
        return _train(plan, config, run, accelerator, autoencoder, diffusion)


def _begin(plan: Plan, run: RunFolder) -> None:
    if not run.config_file.exists():
        run.create(plan.to_yaml())
        return
    try:
        known = Plan.model_validate(parse_yaml(run.config_file.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise DDMIError(f"{run.path} holds something else than a comparison. Give another folder.") from error
    if known != plan:
        raise DDMIError(f"{run.path} holds a comparison of other settings. Give another folder.")


def _networks(plan: Plan, config: RunConfig) -> tuple[Autoencoder, LatentDiffusion]:
    if plan.method == "ddmi":
        own = D2CVAE(config.autoencoder)
        return own, LatentDiffusion(config.denoiser, own.canvas_shape)
    build = (Functa, plan.functa) if plan.method == "functa" else (FixedEncoding, plan.pe)
    autoencoder = build[0](config.autoencoder, build[1])  # type: ignore[arg-type]
    return autoencoder, VectorDiffusion(plan.vector_denoiser(), plan.latent, plan.vector)


def _train(
    plan: Plan,
    config: RunConfig,
    run: RunFolder,
    accelerator: Accelerator,
    autoencoder: Autoencoder,
    diffusion: LatentDiffusion,
) -> Trained:
    text_encoder = load_text_encoder(config.text_encoder).to(accelerator.device)
    stage_of = FunctaStage if plan.method == "functa" else AutoencoderStage
    first = stage_of(config, autoencoder)
    with processors_for(first, config, run, accelerator):
        settle_precision(first, run, accelerator)
        known = run.settled(_BUDGET)
        if known is None:
            costs = costs_of(first, config, diffusion, text_encoder, accelerator, plan.minutes)
            known = Budget.of(plan.minutes, costs, config.stage2.cached_latents)._asdict() | {"costs": costs._asdict()}
            run.settle(_BUDGET, known)
        budget = Budget(**{name: known[name] for name in Budget._fields})
        _log.info(
            "%g minutes: %d and %d steps, %d examples encoded",
            plan.minutes,
            budget.first_steps,
            budget.second_steps,
            budget.encoded,
        )
        config = budget.applied(config)
        precision = first.precision
        first = stage_of(config, autoencoder)
        first.precision = precision
        second = known["costs"]["second_step"]
        train_stage(first, config, run, accelerator, seconds_after=budget.second_steps * second)
    autoencoder = autoencoder.eval().requires_grad_(False)
    latents = latents_to_learn_from(config, autoencoder, text_encoder, run, accelerator)
    if config.stage2.unit_latents:
        diffusion.set_scale(*latents.scale)
    stage = DiffusionStage(config, autoencoder, diffusion, text_encoder, latents)
    with processors_for(stage, config, run, accelerator):
        settle_precision(stage, run, accelerator)
        train_stage(stage, config, run, accelerator)
    diffusion = diffusion.eval().requires_grad_(False)
    pipeline = Pipeline(config.name, autoencoder, diffusion, text_encoder, hash=_digest(autoencoder, diffusion))
    facts = {
        "method": plan.method,
        "recipe": plan.recipe.name,
        "minutes": plan.minutes,
        "autoencoder_parameters": _count(autoencoder),
        "denoiser_parameters": _count(diffusion),
        **budget._asdict(),
    }
    return Trained(pipeline, budget, facts)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _digest(*modules: nn.Module) -> str:
    digest = hashlib.sha256()
    for module in modules:
        for name, tensor in sorted(module.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor_bytes(tensor))
    return digest.hexdigest()[:_DIGITS]
