"""A whole training: both stages, then the finished model folder."""

from pathlib import Path
from typing import TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.errors import DDMIError
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.text import TextEncoder, load_text_encoder
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import CachedLatents, DiffusionStage
from ddmi_core.training.known_runs import register
from ddmi_core.training.loop import train_stage
from ddmi_core.training.ownership import owned
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.trial import denoiser_step_seconds

_TRIAL_SECONDS = 1.0
_Module = TypeVar("_Module", bound=nn.Module)


def train(config: RunConfig, out: Path, resume: bool = False, device: str = "auto") -> Path:
    """Train both stages in the run folder `out` and return the finished model folder.

    Args:
        config: the whole configuration. When resuming, the run folder's own `run.yaml` counts and this is ignored.
        out: the run folder, made if need be.
        resume: continue from the newest checkpoints; exact on one machine, since every draw is numbered.
        device: auto, cpu or cuda.

    Raises:
        DDMIError: `out` already holds a run and `resume` was not asked for; bad data; training diverged.
        Stopped: told to stop through the run folder; a checkpoint is written.
    """
    run = RunFolder(out)
    begun = run.config_file.exists()
    if begun and not resume:
        raise DDMIError(f"{out} already holds a run. Give --resume to continue it, or another folder.")
    if begun:
        config = RunConfig.from_file(run.config_file)
    accelerator = make_accelerator(config, device)
    accelerator.wait_for_everyone()  # all have looked before one writes
    if not accelerator.is_main_process:
        return _train(config, run, accelerator)
    if not begun:
        run.create(config.to_yaml())
    register(out)
    with owned(run):
        return _train(config, run, accelerator)


def _train(config: RunConfig, run: RunFolder, accelerator: Accelerator) -> Path:
    """Train both stages; of several processes the first one owns the folder, and it alone writes."""
    set_seed(config.seed)
    start = _load_start(config)
    autoencoder = _channels_last(D2CVAE(config.autoencoder))
    if start is not None:
        autoencoder.load_state_dict(start.autoencoder.state_dict())
    text_encoder = load_text_encoder(config.text_encoder)
    later = _seconds_of_second_stage(config, autoencoder, text_encoder, accelerator)
    train_stage(AutoencoderStage(config, autoencoder), config, run, accelerator, seconds_after=later)

    autoencoder = autoencoder.eval().requires_grad_(False)
    diffusion = _channels_last(LatentDiffusion(config.denoiser, autoencoder.canvas_shape))
    if start is not None:
        diffusion.load_state_dict(start.diffusion.state_dict())
    latents = CachedLatents.make(config, autoencoder, run)
    diffusion.fit_scale(latents.latents.float())
    train_stage(DiffusionStage(config, autoencoder, diffusion, text_encoder, latents), config, run, accelerator)

    if accelerator.is_main_process:
        pipeline = Pipeline(config.name, autoencoder, diffusion.eval(), text_encoder)
        pipeline.save_pretrained(run.model, card=config.card)
        run.record(stage="done", step=config.stage2.steps, message=f"the model is in {run.model}")
    accelerator.wait_for_everyone()
    return run.model


def _seconds_of_second_stage(
    config: RunConfig, autoencoder: D2CVAE, text_encoder: TextEncoder, accelerator: Accelerator
) -> float:
    """Foretell how long the second stage takes by a few steps of a denoiser that is thrown away."""
    with torch.random.fork_rng():  # the run's own draws stay what they are
        diffusion = _channels_last(LatentDiffusion(config.denoiser, autoencoder.canvas_shape))
        step = denoiser_step_seconds(config, autoencoder, diffusion, text_encoder, accelerator, _TRIAL_SECONDS)
    return config.stage2.steps * step


def make_accelerator(config: RunConfig, device: str) -> Accelerator:
    """Return what spreads a run over devices and processes. `device`: auto, cpu or cuda."""
    return Accelerator(mixed_precision=mixed_precision(config.precision), cpu=device == "cpu")


def mixed_precision(wanted: str) -> str:
    """Return Accelerate's name for the precision; `auto` takes bf16 where that is sure to be faster.

    On a CPU that means matrix units (AMX). With AVX-512's bf16 instructions alone one processor took 1.3 to 1.8 times as
    long as in float32, another one two thirds of it: `ddmi trial` tells.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            wanted = "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
        else:
            wanted = "bfloat16" if torch.cpu._is_amx_tile_supported() else "float32"
    return "bf16" if wanted == "bfloat16" else "no"


def _load_start(config: RunConfig) -> Pipeline | None:
    """Load the model that the run starts from, which must have the run's sizes."""
    if config.start_from is None:
        return None
    start = Pipeline.from_pretrained(find_model(config.start_from), device="cpu")
    if (start.autoencoder.config, start.diffusion.config) != (config.autoencoder, config.denoiser):
        raise DDMIError(
            f"The run cannot start from {start.name}: its autoencoder or denoiser has other sizes than the run's. "
            "Take both sections from the recipe that the model was trained with."
        )
    return start


def _channels_last(module: _Module) -> _Module:
    """Lay the weights out so that convolutions on a CPU (and tensor cores) need no copies."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
