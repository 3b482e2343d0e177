"""A whole training: both stages, then the finished model folder."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs, set_seed
from torch import nn

from ddmi_core.autoencoder import D2CVAE, Autoencoder
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.model_folder import INDEX, find_model
from ddmi_core.networks.low_rank import changes
from ddmi_core.pipeline import Changes, Pipeline
from ddmi_core.support.devices import pick_device, use_tensor_cores
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.known_runs import register
from ddmi_core.support.processes import from_first, is_launched
from ddmi_core.text import TextEncoder, load_text_encoder
from ddmi_core.training.adapting import adapt_to_base
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.checkpoints import Checkpoints, DamagedCheckpoint
from ddmi_core.training.config import RunConfig
from ddmi_core.training.control import Control
from ddmi_core.training.diffusion_stage import DiffusionStage
from ddmi_core.training.finished import save_model
from ddmi_core.training.latents import CachedLatents, cached_latents, remove_latents
from ddmi_core.training.loop import train_stage
from ddmi_core.training.ownership import owned
from ddmi_core.training.precision import settle_precision
from ddmi_core.training.processors import processors_for
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.trial import denoiser_step_seconds
from ddmi_core.training.usual_flaws import usual_flaws

_log = logging.getLogger(__name__)

_PATIENCE = timedelta(days=30)
_TRIAL_SECONDS = 1.0
_Module = TypeVar("_Module", bound=nn.Module)


def train(config: RunConfig, out: Path, resume: bool = False, device: str = "auto") -> Path:
    """Train both stages in the run folder `out` and return the finished model folder.

    Args:
        config: the whole configuration. When resuming, the run folder's own `run.yaml` counts and this is ignored.
        out: the run folder, made if need be.
        resume: continue from the newest checkpoints; exact on one machine, since every draw is numbered.
        device: cpu or cuda, instead of the configuration's.

    Raises:
        DDMIError: `out` already holds a run and `resume` was not asked for; bad data; training diverged.
        Stopped: told to stop through the run folder; a checkpoint is written.
    """
    run = RunFolder(out)
    begun = _begun(run, resume)
    config = begun or config
    accelerator = make_accelerator(config, device)
    accelerator.wait_for_everyone()  # all have looked before one writes
    if not accelerator.is_main_process:
        return _train(config, run, accelerator)
    if begun is None:
        run.create(config.to_yaml())
    register(out)
    with owned(run):
        return _train(config, run, accelerator)


def begin(config: RunConfig, out: Path, resume: bool) -> RunConfig:
    """Make the run folder unless it is there; return the configuration that counts.

    Raises:
        DDMIError: `out` already holds a run and `resume` was not asked for, or it cannot be written.
    """
    run = RunFolder(out)
    begun = _begun(run, resume)
    if begun is None:
        run.create(config.to_yaml())
    return begun or config


def _begun(run: RunFolder, resume: bool) -> RunConfig | None:
    """Return the configuration of the run that is in the folder, None if there is none yet."""
    if not run.config_file.exists():
        return None
    if not resume:
        raise DDMIError(f"{run.path} already holds a run. Give --resume to continue it, or another folder.")
    return RunConfig.from_file(run.config_file)


def _train(config: RunConfig, run: RunFolder, accelerator: Accelerator) -> Path:
    """Train both stages; of several processes the first one owns the folder, and it alone writes."""
    if from_first(accelerator, int(_has_ended(config, run))):
        return run.model
    set_seed(config.seed)
    autoencoder = _channels_last(D2CVAE(config.autoencoder))
    diffusion = _channels_last(LatentDiffusion(config.denoiser, autoencoder.canvas_shape))
    text_encoder = load_text_encoder(config.text_encoder).to(accelerator.device)
    _check_text(config, text_encoder)
    base, first_steps = None, 0
    if config.adapter_rank is not None:
        base = adapt_to_base(config, config.adapter_rank, autoencoder, diffusion, run, accelerator)
    else:
        _start_from_model(config, autoencoder, diffusion)
        first_steps = _first_stage(config, autoencoder, text_encoder, run, accelerator)

    autoencoder = autoencoder.eval().requires_grad_(False)
    latents = latents_to_learn_from(config, autoencoder, text_encoder, run, accelerator)
    text_encoder.to("cpu")  # captions are encoded, and a GPU has better use for the room
    if config.stage2.unit_latents and base is None:  # which is used to its own scale
        diffusion.set_scale(*latents.scale)
    stage = DiffusionStage(config, autoencoder, diffusion, text_encoder, latents)
    with processors_for(stage, config, run, accelerator):
        settle_precision(stage, run, accelerator)
        steps = train_stage(stage, config, run, accelerator)

    if accelerator.is_main_process:
        learned = None if base is None else Changes(base, changes(diffusion))
        usual = usual_flaws(autoencoder, latents.held_out, diffusion.latent_std)
        pipeline = Pipeline(
            config.name, autoencoder, diffusion.eval(), text_encoder, changes=learned, usual_flaws=usual
        )
        save_model(pipeline, stage, config, run, (first_steps, steps))
    del stage, latents  # what is open cannot be removed everywhere
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        given_back = remove_latents(run) / 1e6
        message = f"the model is in {run.model}; the latents that it learned from, {given_back:,.0f} MB, were removed"
        run.record(stage="done", step=steps, message=message)
    return run.model


def _first_stage(
    config: RunConfig, autoencoder: D2CVAE, text_encoder: TextEncoder, run: RunFolder, accelerator: Accelerator
) -> int:
    """Train the autoencoder; return how many steps it had."""
    stage = AutoencoderStage(config, autoencoder)
    with processors_for(stage, config, run, accelerator):
        settle_precision(stage, run, accelerator)
        return train_stage(
            stage,
            config,
            run,
            accelerator,
            # Encoding is counted as if it cost what training does, so as a bound
            steps_after=config.stage2.cached_latents / (config.stage1.batch * accelerator.num_processes),
            seconds_after=_seconds_of_second_stage(config, autoencoder, text_encoder, accelerator),
        )


def _has_ended(config: RunConfig, run: RunFolder) -> bool:
    """Whether there is nothing left to train, and the model is there."""
    checkpoints = Checkpoints(run.checkpoints, DiffusionStage.name)
    newest = next(iter(checkpoints.newest_first()), None)
    index = run.model / INDEX
    if newest is None or not index.exists():
        return False
    try:
        progressed = checkpoints.progressed(newest)
    except DamagedCheckpoint:
        return False
    if progressed.step < progressed.course.end(config.stage2):
        return False
    return index.stat().st_mtime >= newest.stat().st_mtime  # else it is of fewer steps


def latents_to_learn_from(
    config: RunConfig, autoencoder: Autoencoder, text_encoder: TextEncoder, run: RunFolder, accelerator: Accelerator
) -> CachedLatents:
    """Encode what the second stage learns from, obeying commands meanwhile."""

    def say(message: str) -> None:
        if accelerator.is_main_process:
            run.record(stage=DiffusionStage.name, step=0, message=message)
            _log.info("%s", message)

    control = Control(run, accelerator, say, {"stop": lambda: say("stopped while encoding")})
    latents = cached_latents(config, autoencoder, text_encoder, run, accelerator, say=say, between=control.obey)
    say(f"encoded {len(latents.latents):,} examples")
    return latents


def _seconds_of_second_stage(
    config: RunConfig, autoencoder: D2CVAE, text_encoder: TextEncoder, accelerator: Accelerator
) -> float:
    """Foretell how long the second stage takes by a few steps of a denoiser that is thrown away."""
    with torch.random.fork_rng():  # the run's own draws stay what they are
        diffusion = _channels_last(LatentDiffusion(config.denoiser, autoencoder.canvas_shape))
        step = denoiser_step_seconds(config, autoencoder, diffusion, text_encoder, accelerator, _TRIAL_SECONDS)
    return config.stage2.steps * step


def make_accelerator(config: RunConfig, device: str = "auto") -> Accelerator:
    """Return what spreads a run over devices and processes, as if nothing had run in this process before.

    It takes the place of the one made before, which must not be used any more. In which precision a run computes is the
    loop's affair, and not the accelerator's.

    Args:
        config: the run's.
        device: instead of the configuration's.

    Raises:
        DDMIError: the device that was asked for is not there.
    """
    wanted = pick_device(config.device if device == "auto" else device)
    if wanted.type == "cuda":
        use_tensor_cores()
        if not is_launched():  # else each process has a device of its own
            torch.cuda.set_device(wanted)
    # Accelerate keeps the device of a process's first run, and passes over that of the next one
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(
        mixed_precision="no",
        # Of several processes without a GPU, Accelerate wants to be told, or each takes itself for the only one
        cpu=wanted.type == "cpu",
        kwargs_handlers=[
            # A process may wait for as long as another one is paused or draws pictures
            InitProcessGroupKwargs(timeout=_PATIENCE),
            # Gradients need not lie in memory twice
            DistributedDataParallelKwargs(gradient_as_bucket_view=True),
        ],
    )


def _start_from_model(config: RunConfig, autoencoder: D2CVAE, diffusion: LatentDiffusion) -> None:
    """Copy the weights of the model that the run starts from, as far as it has the run's sizes.

    Of another kind of signals only what its autoencoder has in common with the run's: a shape's planes know where a
    coloured object is solid.
    """
    if config.start_from is None:
        return
    start = Pipeline.from_pretrained(find_model(config.start_from), device="cpu")
    theirs, ours = start.autoencoder.config, config.autoencoder
    if (theirs, start.diffusion.config) == (ours, config.denoiser):
        autoencoder.load_state_dict(start.autoencoder.state_dict())
        diffusion.load_state_dict(start.diffusion.state_dict())
    elif start.autoencoder.domain.layout == autoencoder.domain.layout and ours == theirs.model_copy(
        update={"domain": ours.domain, "normals": ours.normals}
    ):
        own = autoencoder.state_dict()
        shared = {
            name: weights
            for name, weights in start.autoencoder.state_dict().items()
            if name in own and own[name].shape == weights.shape
        }
        autoencoder.load_state_dict(own | shared)
    else:
        raise DDMIError(
            f"The run cannot start from {start.name}: its autoencoder or denoiser has other sizes than the run's. "
            "Take both sections from the recipe that the model was trained with."
        )


def _check_text(config: RunConfig, text_encoder: TextEncoder) -> None:
    if text_encoder.channels != config.denoiser.text_channels:
        raise DDMIError(
            f"The text encoder {text_encoder.name} gives {text_encoder.channels} channels, and the denoiser takes "
            f"{config.denoiser.text_channels}. Set denoiser.text_channels to {text_encoder.channels}."
        )


def _channels_last(module: _Module) -> _Module:
    """Lay the weights out so that convolutions on a CPU (and tensor cores) need no copies."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
