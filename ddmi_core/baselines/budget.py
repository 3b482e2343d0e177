"""How much a method may learn in so many minutes: found by a little of everything before it begins."""

import time
from typing import NamedTuple

from accelerate import Accelerator

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.data.items import NumberedDraws
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.text import TextEncoder
from ddmi_core.training.autoencoder_stage import AutoencoderStage, open_mixture
from ddmi_core.training.config import RunConfig
from ddmi_core.training.latents import CAPTIONS, encoded
from ddmi_core.training.trial import denoiser_step_seconds, step_seconds

FIRST_SHARE = 0.5
"""Of the time, for the first stage; the rest is for encoding and the second one."""
ENCODING_SHARE = 1 / 6
"""Of the time, that encoding may take at most; where it would take more, fewer examples are encoded."""
_TRIAL_SECONDS = 10.0
_TRIAL_SHARE = 0.02  # of the time that is to be given out
_TRIAL_BATCH = 8
_PICTURES = 4  # sets of pictures and held-out figures of a stage


class Costs(NamedTuple):
    """Seconds of a step of either stage, and of encoding an example and its captions, data included."""

    first_step: float
    encoding: float
    second_step: float


class Budget(NamedTuple):
    """Steps of either stage, and the examples that are encoded in between."""

    first_steps: int
    encoded: int
    second_steps: int

    @classmethod
    def of(cls, minutes: float, costs: Costs, most_encoded: int) -> "Budget":
        """Give the minutes out; no more examples are encoded than `most_encoded`."""
        seconds = 60 * minutes
        first_steps = int(FIRST_SHARE * seconds / costs.first_step)
        examples = min(most_encoded, max(1, int(ENCODING_SHARE * seconds / costs.encoding)))
        left = (1 - FIRST_SHARE) * seconds - examples * costs.encoding
        return cls(max(1, first_steps), examples, max(1, int(left / costs.second_step)))

    def applied(self, config: RunConfig) -> RunConfig:
        """Return a configuration with these numbers, its schedules stretched or shrunk to them."""
        stages = {}
        for name, steps in (("stage1", self.first_steps), ("stage2", self.second_steps)):
            stage = getattr(config, name).shortened(steps)
            stages[name] = stage.model_copy(update={"sample_every": max(1, steps // _PICTURES)})
        stages["stage2"] = stages["stage2"].model_copy(update={"cached_latents": self.encoded})
        return config.model_copy(update=stages)


def costs_of(
    stage: AutoencoderStage,
    config: RunConfig,
    diffusion: LatentDiffusion,
    text_encoder: TextEncoder,
    accelerator: Accelerator,
    minutes: float,
) -> Costs:
    """Measure what a method costs on this machine, its weights left as they are; `minutes` are those to be given out.

    Raises:
        DDMIError: the data or the text encoder cannot be used.
    """
    seconds = min(_TRIAL_SECONDS, _TRIAL_SHARE * 60 * minutes)
    first = step_seconds(stage, accelerator, seconds)
    second = denoiser_step_seconds(config, stage.autoencoder, diffusion, text_encoder, accelerator, seconds)
    return Costs(first, _encoding_seconds(config, stage.autoencoder, text_encoder), second)


def _encoding_seconds(config: RunConfig, autoencoder: Autoencoder, text_encoder: TextEncoder) -> float:
    draws = NumberedDraws(open_mixture(config, "train", for_diffusion=True), config.seed + 1, augment="none")
    began = 0.0
    for number in range(_TRIAL_BATCH + 1):
        if number == 1:  # the first one opens files
            began = time.perf_counter()
        encoded(autoencoder, {name: value.unsqueeze(0) for name, value in draws[number].items()})
        source, index, rng = draws.pick(number)
        text_encoder.encode(source.draw_captions(index, rng, CAPTIONS))
    return (time.perf_counter() - began) / _TRIAL_BATCH
