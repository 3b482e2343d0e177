"""Stage two: the denoiser learns the distribution of latents, with text (eq. 10)."""

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.utils.data import default_collate
from typing_extensions import override

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.recipe import Denoising
from ddmi_core.text import TextEmbedding, TextEncoder
from ddmi_core.training.config import RunConfig
from ddmi_core.training.latents import CachedLatents, CaptionedLatents
from ddmi_core.training.loop import Stage
from ddmi_core.training.pictures import save_sheet
from ddmi_core.training.run_folder import RunFolder

_HELD_OUT_DRAWS = 128


class DiffusionStage(Stage):
    """Trains the denoiser on cached latents; the autoencoder stays fixed."""

    name: ClassVar[str] = "diffusion"
    best_by: ClassVar[str] = "denoising"

    def __init__(
        self,
        config: RunConfig,
        autoencoder: D2CVAE,
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
        self._prompts = config.stage2.sample_prompts or ("",)
        settings, times = config.stage2, config.denoiser.train_steps
        self.draws = CaptionedLatents(latents, config.seed, settings.drop_prompt, times)
        # Captions are left out: to encode those of the held-out examples would cost as much as it would tell
        held_out = CachedLatents.without_captions(latents.held_out, text_encoder, latents.scale)
        self._held_out = CaptionedLatents(held_out, config.seed + 1, 1.0, times)

    @override
    def loss(self, batch: dict[str, Any], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        text = TextEmbedding(batch["tokens"].float(), batch["mask"], batch["pooled"].float())
        return self.module.loss(batch["latent"].float(), text, batch["noise"], batch["timestep"]), {}

    @override
    def evaluate(self, run: RunFolder, step: int) -> dict[str, float]:
        device = next(self.module.parameters()).device
        batch = default_collate([self._held_out[number] for number in range(_HELD_OUT_DRAWS)])
        with torch.no_grad():
            denoising, _ = self.loss({name: value.to(device) for name, value in batch.items()}, step)
        empty = self._text_encoder.encode([""])
        latents = [
            self.module.sample(self._text_encoder.encode([prompt]), empty, (0, 1), Denoising())
            for prompt in self._prompts
        ]
        fields = [self._autoencoder.field(z.to(device)) for z in torch.cat(latents)]
        save_sheet(self._autoencoder.domain, fields, run.samples / f"{self.name}-{step:08d}.png")
        return {"denoising": denoising.item()}
