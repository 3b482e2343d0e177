"""What a training will cost, found by doing a little of it on this machine."""

import time
from collections.abc import Iterator
from typing import Literal, NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import default_collate

from ddmi_core.autoencoder import D2CVAE, Autoencoder
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.networks.low_rank import adapt
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.memory import give_back, is_out_of_memory, peak_memory, usable_memory
from ddmi_core.text import TextEncoder, load_text_encoder
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import DiffusionStage
from ddmi_core.training.latent_scale import LatentScale
from ddmi_core.training.latents import CachedLatents
from ddmi_core.training.optimisation import Optimisation
from ddmi_core.training.precision import try_precision
from ddmi_core.training.stage import Stage

MOST_AT_ONCE = 4096
"""Larger batches are not looked for."""

_MOST_STEPS = 20


class Trial(NamedTuple):
    """What was measured. Seconds are for one step; memory is the most that was in use."""

    autoencoder_parameters: int
    denoiser_parameters: int
    autoencoder_step_seconds: float
    denoiser_step_seconds: float
    memory_bytes: int

    def seconds(self, config: RunConfig) -> float:
        """Return how long a whole run should take; see `RunConfig.seconds`."""
        return config.seconds(self.autoencoder_step_seconds, self.denoiser_step_seconds)


def try_out(config: RunConfig, accelerator: Accelerator, *, seconds: float = 20.0) -> Trial:
    """Train each stage for half of `seconds` with its real data and sizes, and throw the result away.

    Of a run without a first stage that one is tried all the same: by it encoding is judged.

    Raises:
        DDMIError: the data or the text encoder cannot be used.
    """
    autoencoder = D2CVAE(config.autoencoder)
    with peak_memory(accelerator.device) as measured:
        first = step_seconds(AutoencoderStage(config, autoencoder), accelerator, seconds / 2)
        diffusion = _denoiser(config, autoencoder)
        text_encoder = load_text_encoder(config.text_encoder)
        second = denoiser_step_seconds(config, autoencoder, diffusion, text_encoder, accelerator, seconds / 2)
    return Trial(
        sum(parameter.numel() for parameter in autoencoder.parameters()),
        sum(parameter.numel() for parameter in diffusion.parameters()),
        first,
        second,
        measured(),
    )


class LargestBatch(NamedTuple):
    """How many examples a stage takes at once, and what keeps it from taking more.

    That is memory; the data set, which has no more; the time to look, in which larger steps do not end; or
    `MOST_AT_ONCE`.
    """

    examples: int
    limit: Literal["memory", "data", "time", "most"]


class LargestBatches(NamedTuple):
    """The largest batch of each stage."""

    autoencoder: LargestBatch
    denoiser: LargestBatch


def largest_batches(config: RunConfig, accelerator: Accelerator, *, seconds: float = 20.0) -> LargestBatches:
    """Find the largest batches that fit, by steps with ever more examples whose memory is measured.

    No batch is larger than the data set, as it would hold the same signals twice. A GPU is filled for real. In the
    machine's own memory the last part of the way is extrapolated: a wrong guess could cost the whole machine.
    `config.processes` share it.

    Args:
        config: the run's.
        accelerator: of a single process.
        seconds: how long to look, data apart; a single example is tried however long it takes.

    Raises:
        DDMIError: the data or the text encoder cannot be used, or not a single example fits.
    """
    autoencoder = D2CVAE(config.autoencoder)
    first_stage = AutoencoderStage(config, autoencoder)
    first = _largest(first_stage, accelerator, config.processes, first_stage.signals, seconds / 2)
    diffusion = _denoiser(config, autoencoder)
    text_encoder = load_text_encoder(config.text_encoder)
    second_stage = noise_stage(config, autoencoder, diffusion, text_encoder)
    latents = min(first_stage.signals, config.stage2.cached_latents)
    return LargestBatches(first, _largest(second_stage, accelerator, config.processes, latents, seconds / 2))


def _denoiser(config: RunConfig, autoencoder: D2CVAE) -> LatentDiffusion:
    """Return a denoiser of a run's sizes that knows nothing, of which that is learned which the run learns."""
    diffusion = LatentDiffusion(config.denoiser, autoencoder.canvas_shape)
    if config.adapter_rank is not None:
        adapt(diffusion, config.adapter_rank)
    return diffusion


def _largest(stage: Stage, accelerator: Accelerator, processes: int, available: int, seconds: float) -> LargestBatch:
    """Find the largest batch of a stage that has `available` different examples."""
    device = accelerator.device
    room, most = usable_memory(device, processes), min(available, MOST_AT_ONCE)
    of_most: Literal["data", "most"] = "data" if most == available else "most"
    tried = Optimisation(stage, device)
    examples = [stage.draws[0]]

    def peak(batch: int) -> int | None:
        """Return the most memory that a step took; None if it did not fit."""
        examples.extend(stage.draws[number] for number in range(len(examples), batch))
        with peak_memory(device) as measured:
            try:
                _step(tried, stage, examples[:batch], device)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                return None
            finally:
                tried.optimiser.zero_grad()
        return measured()

    began = time.perf_counter()
    peak(1)  # the optimiser's state is made in the first step
    known: dict[int, int] = {}
    batch, started = 1, time.perf_counter()
    while (found := peak(batch)) is not None and found <= room:
        known[batch] = found
        now = time.perf_counter()
        if batch == most:
            return LargestBatch(batch, of_most)
        if now - began + 2 * (now - started) > seconds:  # twice as many take twice as long
            return LargestBatch(batch, "time")
        if device.type == "cpu" and found > room / 2:
            break
        batch, started = min(2 * batch, most), now
    if not known:
        raise DDMIError(
            f"Not a single example fits into memory in stage {stage.name}. Take a smaller model or fewer queries."
        )
    give_back(device)
    largest = max(known)
    grown = known[largest] - known.get(largest // 2, known[largest])
    if grown <= 0:  # too little to foretell anything
        return LargestBatch(largest, "memory")
    further = largest + (room - known[largest]) / grown * (largest - largest // 2)
    guess = _rounded(min(most, int(further)))
    if device.type != "cpu" and guess > largest and (peak(guess) or room + 1) > room:
        return LargestBatch(largest, "memory")
    return LargestBatch(max(largest, guess), "memory" if further < most else of_most)


def _rounded(batch: int) -> int:
    """Return the next lower number of examples that devices work on evenly."""
    return batch - batch % 8 if batch > 8 else batch


def denoiser_step_seconds(
    config: RunConfig,
    autoencoder: Autoencoder,
    diffusion: LatentDiffusion,
    text_encoder: TextEncoder,
    accelerator: Accelerator,
    seconds: float,
) -> float:
    """Return how long a step of the second stage takes, on latents of noise; leaves the weights as they are."""
    return step_seconds(noise_stage(config, autoencoder, diffusion, text_encoder), accelerator, seconds)


def noise_stage(
    config: RunConfig, autoencoder: Autoencoder, diffusion: LatentDiffusion, text_encoder: TextEncoder
) -> DiffusionStage:
    """Return the second stage with noise for latents."""
    latents = torch.randn(config.stage2.batch, *diffusion.canvas_shape).half()
    channels = diffusion.canvas_shape[0]
    noise = CachedLatents.without_captions(
        latents, text_encoder, LatentScale(torch.zeros(channels), torch.ones(channels))
    )
    return DiffusionStage(config, autoencoder, diffusion, text_encoder, noise)


def step_seconds(stage: Stage, accelerator: Accelerator, seconds: float) -> float:
    """Return the mean time of a stage's step, its data included, over about `seconds`; the first step does not count.

    Its weights stay as they are. An open precision becomes the one that a run would choose.
    """
    try_precision(stage, accelerator)
    tried, device = Optimisation(stage, accelerator.device), accelerator.device
    began = 0.0
    for step in _while_time(seconds):
        if step == 1:
            began = time.perf_counter()
        first = step * stage.settings.batch
        _step(tried, stage, [stage.draws[first + i] for i in range(stage.settings.batch)], device)
        if device.type == "cuda":
            torch.cuda.synchronize()
    return (time.perf_counter() - began) / step


def _step(tried: Optimisation, stage: Stage, examples: list[dict[str, Tensor]], device: torch.device) -> None:
    tried.add_gradients(stage.on_device(default_collate(examples), range(len(examples)), device), 0)
    tried.advance(0.0, 0)


def _while_time(seconds: float) -> Iterator[int]:
    """Count steps, two at least, while there is time."""
    end = time.perf_counter() + seconds
    for step in range(_MOST_STEPS):
        yield step
        if step and time.perf_counter() > end:
            return
