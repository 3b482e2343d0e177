"""Stage two: the denoiser learns the distribution of latents, with text (eq. 10)."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import default_collate
from typing_extensions import override

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.recipe import Seeded
from ddmi_core.rendering.sheet_texts import SheetTexts
from ddmi_core.text import TextEmbedding, TextEncoder
from ddmi_core.training.config import RunConfig
from ddmi_core.training.latents import CachedLatents, CaptionedLatents, text_of
from ddmi_core.training.noise import Chance
from ddmi_core.training.pictures import picture
from ddmi_core.training.stage import Evaluated, Stage

_HELD_OUT_DRAWS = 128
_SEEDS = (0, 1)  # of the samples of each prompt


class DiffusionStage(Stage):
    """Trains the denoiser on cached latents; the autoencoder stays fixed."""

    name: ClassVar[str] = "diffusion"
    best_by: ClassVar[str] = "denoising"

    def __init__(
        self,
        config: RunConfig,
        autoencoder: Autoencoder,
        diffusion: LatentDiffusion,
        text_encoder: TextEncoder,
        latents: CachedLatents,
    ) -> None:
        self.settings, self.precision = config.stage2, config.precision
        self.module: LatentDiffusion = diffusion
        if config.stage2.checkpointing:
            diffusion.save_memory()
        if config.compile:
            diffusion.unet.compile()
        self._autoencoder = autoencoder
        self._text_encoder = text_encoder
        self._sampled = shown_samples(config)
        self._sampling = config.stage2.sampling
        self._seed = config.seed
        self.draws: CaptionedLatents = CaptionedLatents(latents, config.seed, config.stage2.drop_prompt)
        # Captions are left out: to encode those of the held-out examples would cost as much as it would tell
        held_out = CachedLatents.without_captions(latents.held_out, text_encoder, latents.scale)
        self._held_out = CaptionedLatents(held_out, config.seed + 1, 1.0)

    @override
    def chance(self, numbers: Sequence[int], device: torch.device) -> dict[str, Tensor]:
        return self._chance(self._seed, numbers, device)

    def _chance(self, seed: int, numbers: Sequence[int], device: torch.device) -> dict[str, Tensor]:
        chance, module = Chance(seed, 4, numbers, device), self.module
        times = (chance.uniform() * module.config.train_steps).long()
        found = {"timestep": times, "noise": chance.normal(*module.canvas_shape)}
        if self.draws.latents.log_variances is not None:
            found["posterior_noise"] = chance.normal(*module.canvas_shape)
        return found

    @override
    def loss(self, batch: dict[str, Any], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        return self.module.loss(*_read(batch)), {}

    @override
    @torch.no_grad()
    def evaluate(self, share: slice) -> Evaluated:
        return Evaluated(self._measured(range(_HELD_OUT_DRAWS)[share]), self._drawn(share))

    def _measured(self, numbers: range) -> list[dict[str, float]]:
        device = next(self.module.parameters()).device
        found = []
        for some in _batches(numbers, self.settings.batch):
            drawn = default_collate([self._held_out[number] for number in some])
            batch = {name: value.to(device) for name, value in drawn.items()}
            predicted, target = self.module.predicted_and_target(
                *_read(batch | self._chance(self._seed + 1, some, device))
            )
            found += [{"denoising": F.mse_loss(*pair).item()} for pair in zip(predicted, target, strict=True)]
        return found

    def _drawn(self, share: slice) -> dict[int, np.ndarray]:
        device = next(self.module.parameters()).device
        empty = self._text_encoder.encode([""])
        found = {}
        for places in _batches(range(len(self._sampled))[share], self.settings.batch):
            prompts, seeds = zip(*(self._sampled[place] for place in places), strict=True)
            latents = self.module.sample(self._text_encoder.encode(list(prompts)), empty, seeds, self._sampling)
            for place, latent in zip(places, latents, strict=True):
                found[place] = picture(self._autoencoder.field(latent.to(device)))
        return found

    @override
    def texts(self) -> SheetTexts:
        return SheetTexts(tuple(told(prompt, seed) for prompt, seed in self._sampled))


def told(prompt: str, seed: int) -> str:
    """Return what is said of a picture of an evaluation."""
    return f"{prompt or 'no prompt'}, seed {seed}"


def shown_samples(config: RunConfig) -> list[tuple[str, int]]:
    """Return prompt and seed of the pictures of an evaluation."""
    return [(prompt, seed) for prompt in config.stage2.sample_prompts or ("",) for seed in _SEEDS]


def shown_recipes(config: RunConfig) -> list[Seeded]:
    """Return how the pictures of an evaluation are made, in their order."""
    how = config.stage2.sampling.model_dump()
    return [Seeded(prompt=prompt, seed=seed, **how) for prompt, seed in shown_samples(config)]


def _read(batch: dict[str, Tensor]) -> tuple[Tensor, TextEmbedding, Tensor, Tensor]:
    """Return the latents of a batch, their captions, noise and times."""
    latents = batch["latent"].float()
    if "log_variance" in batch:
        latents = latents + (batch["log_variance"].float() / 2).exp() * batch["posterior_noise"]
    return latents, text_of(batch), batch["noise"], batch["timestep"]


def _batches(places: range, size: int) -> Iterator[range]:
    return (places[start : start + size] for start in range(0, len(places), size))
