"""What a training will cost, found by doing a little of it on this machine."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch.utils.data import default_collate

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.text import TextEncoder, load_text_encoder
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import CachedLatents, DiffusionStage
from ddmi_core.training.loop import Stage
from ddmi_core.training.memory import memory_in_use

_MOST_STEPS = 20


class Trial(NamedTuple):
    """What was measured. Seconds are for one step; memory is the most that was in use."""

    autoencoder_parameters: int
    denoiser_parameters: int
    autoencoder_step_seconds: float
    denoiser_step_seconds: float
    memory_bytes: int

    def seconds(self, config: RunConfig) -> float:
        """Return how long a whole run should take; encoding counts as if it cost what training does, so as a bound."""
        encoding = config.stage2.cached_latents / config.stage1.batch * self.autoencoder_step_seconds
        return (
            config.stage1.steps * self.autoencoder_step_seconds
            + encoding
            + config.stage2.steps * self.denoiser_step_seconds
        )


def try_out(config: RunConfig, accelerator: Accelerator, *, seconds: float = 20.0) -> Trial:
    """Train each stage for half of `seconds` with its real data and sizes, and throw the result away.

    Raises:
        DDMIError: the data or the text encoder cannot be used.
    """
    autoencoder = D2CVAE(config.autoencoder)
    first = step_seconds(AutoencoderStage(config, autoencoder), accelerator, seconds / 2)
    diffusion = LatentDiffusion(config.denoiser, autoencoder.canvas_shape)
    text_encoder = load_text_encoder(config.text_encoder)
    second = denoiser_step_seconds(config, autoencoder, diffusion, text_encoder, accelerator, seconds / 2)
    return Trial(
        sum(parameter.numel() for parameter in autoencoder.parameters()),
        sum(parameter.numel() for parameter in diffusion.parameters()),
        first,
        second,
        memory_in_use(accelerator.device),
    )


def denoiser_step_seconds(
    config: RunConfig,
    autoencoder: D2CVAE,
    diffusion: LatentDiffusion,
    text_encoder: TextEncoder,
    accelerator: Accelerator,
    seconds: float,
) -> float:
    """Return how long a step of the second stage takes, on latents of noise; leaves the weights changed."""
    batch = config.stage2.batch
    noise = CachedLatents(torch.randn(batch, *diffusion.canvas_shape).half(), torch.zeros(batch, 1).long(), [""])
    stage = DiffusionStage(config, autoencoder, diffusion, text_encoder, noise)
    return step_seconds(stage, accelerator, seconds)


def step_seconds(stage: Stage, accelerator: Accelerator, seconds: float) -> float:
    """Return the mean time of a stage's step, its data included, over about `seconds`; the first step does not count.

    Changes the stage's weights.
    """
    module = stage.module.to(accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-9)
    generator = torch.Generator(accelerator.device).manual_seed(0)
    began = 0.0
    for step in _while_time(seconds):
        if step == 1:
            began = time.perf_counter()
        examples = [stage.draws[step * stage.settings.batch + i] for i in range(stage.settings.batch)]
        batch = {name: value.to(accelerator.device) for name, value in default_collate(examples).items()}
        with accelerator.autocast():
            loss, _ = stage.loss(batch, step, generator)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        if accelerator.device.type == "cuda":
            torch.cuda.synchronize()
    return (time.perf_counter() - began) / step


def _while_time(seconds: float) -> Iterator[int]:
    """Count steps, two at least, while there is time."""
    end = time.perf_counter() + seconds
    for step in range(_MOST_STEPS):
        yield step
        if step and time.perf_counter() > end:
            return
