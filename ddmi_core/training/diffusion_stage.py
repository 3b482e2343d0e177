"""Stage two: the denoiser learns the distribution of latents, with text (eq. 10)."""

import logging
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from accelerate import Accelerator
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import Dataset, default_collate
from typing_extensions import override

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.data.items import Augment, NumberedDraws
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.files import atomic_write
from ddmi_core.recipe import Denoising
from ddmi_core.text import TextEmbedding, TextEncoder
from ddmi_core.training.autoencoder_stage import held_out_batch, open_mixture
from ddmi_core.training.config import RunConfig
from ddmi_core.training.loop import Stage
from ddmi_core.training.noise import draw_noise
from ddmi_core.training.pictures import save_sheet
from ddmi_core.training.run_folder import RunFolder

_log = logging.getLogger(__name__)

_ENCODE_BATCH = 32
_HELD_OUT = 64
_HELD_OUT_DRAWS = 128
_CAPTIONS = 6


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
        latents: "CachedLatents",
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
        self.draws = CaptionedLatents(latents, text_encoder, config.seed, settings.drop_prompt, times)
        # Captions are left out: to encode those of the held-out examples would cost as much as it would tell
        self._held_out = CaptionedLatents(
            CachedLatents(latents.held_out, torch.zeros(len(latents.held_out), 1).long(), [""], latents.held_out),
            text_encoder,
            config.seed + 1,
            1.0,
            times,
        )

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


class CachedLatents:
    """Encoded training examples with their captions, made once and kept in the run folder.

    Attributes:
        latents: float16 (n, c, h, w), samples' posterior means.
        captions: for every latent, indices into `texts`.
        texts: all different captions.
        held_out: float16 (m, c, h, w), posterior means of held-out examples, to measure on.
    """

    def __init__(self, latents: Tensor, captions: Tensor, texts: list[str], held_out: Tensor) -> None:
        self.latents = latents
        self.captions = captions
        self.texts = texts
        self.held_out = held_out

    @classmethod
    def make(
        cls,
        config: RunConfig,
        autoencoder: D2CVAE,
        run: RunFolder,
        accelerator: Accelerator,
        between: Callable[[], object] = lambda: None,
    ) -> "CachedLatents":
        """Encode `config.stage2.cached_latents` draws, or read what an earlier start of this run has encoded.

        Args:
            config: the run's.
            autoencoder: trained.
            run: where they are kept.
            accelerator: of the processes that share the work; all get all of it.
            between: called between the batches; may raise.
        """
        path = run.cache / "latents.safetensors"
        if path.exists():
            with safe_open(path, framework="pt") as file:
                texts = (file.metadata() or {})["texts"].split("\n")
                if "held_out" in file.keys():  # noqa: SIM118 - not a mapping
                    latents, captions, held_out = map(file.get_tensor, ("latents", "captions", "held_out"))
                    return cls(latents, captions, texts, held_out)
        made = cls._encode(config, autoencoder, accelerator, between)
        if accelerator.is_main_process:
            with atomic_write(path) as temporary:
                tensors = {"latents": made.latents, "captions": made.captions, "held_out": made.held_out}
                save_file(tensors, temporary, {"texts": "\n".join(made.texts)})
        return made

    @classmethod
    @torch.no_grad()
    def _encode(
        cls, config: RunConfig, autoencoder: D2CVAE, accelerator: Accelerator, between: Callable[[], object]
    ) -> "CachedLatents":
        # Nothing that would make a caption untrue.
        augment: Augment = "none" if config.stage1.augment == "none" else "captioned"
        draws = NumberedDraws(open_mixture(config, "train", for_diffusion=True), config.seed + 1, augment=augment)
        known: dict[str, int] = {"": 0}
        latents, captions = [], []
        count = config.stage2.cached_latents
        world, rank = accelerator.num_processes, accelerator.process_index
        for start in range(0, count, _ENCODE_BATCH * world):
            between()
            # Every process takes a batch of the same size, beyond the end the last draw again
            first = start + _ENCODE_BATCH * rank
            numbers = [min(number, count - 1) for number in range(first, first + _ENCODE_BATCH)]
            means = _means(autoencoder, default_collate([draws[number] for number in numbers]))
            latents.append(accelerator.gather(means.to(accelerator.device)).cpu())
        for number in range(count):
            source, index, _ = draws.pick(number)
            chosen = source.draw_captions(index, np.random.default_rng((config.seed + 2, number)), _CAPTIONS)
            # A line break separates captions in the cache file.
            captions.append([known.setdefault(caption.replace("\n", " "), len(known)) for caption in chosen])
        held_out = _means(autoencoder, held_out_batch(config, _HELD_OUT))
        return cls(torch.cat(latents)[:count], torch.tensor(captions), list(known), held_out)


def _means(autoencoder: D2CVAE, batch: dict[str, Tensor]) -> Float[Tensor, "b c h w"]:
    """Return the posterior means of a batch, float16, on the CPU."""
    device = next(autoencoder.parameters()).device
    on_device = {name: value.to(device) for name, value in batch.items()}
    return autoencoder.encode(autoencoder.domain.inputs(on_device)).mean.half().cpu().contiguous()


class CaptionedLatents(Dataset[dict[str, Tensor]]):
    """Endless draws of a latent with one of its captions, the caption dropped now and then; noise and a time for it."""

    def __init__(
        self, latents: CachedLatents, encoder: TextEncoder, seed: int, drop_prompt: float, train_steps: int
    ) -> None:
        self.latents = latents
        self.seed = seed
        self.drop_prompt = drop_prompt
        self.train_steps = train_steps
        _log.info("encoding %d captions", len(latents.texts))
        parts = [encoder.encode(latents.texts[i : i + 64]) for i in range(0, len(latents.texts), 64)]
        self._tokens = torch.cat([part.tokens.half() for part in parts])
        self._mask = torch.cat([part.mask for part in parts])
        self._pooled = torch.cat([part.pooled.half() for part in parts])
        self._empty = latents.texts.index("")

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, 2, number))
        index = int(rng.integers(len(self.latents.latents)))
        choices = self.latents.captions[index]
        caption = int(choices[rng.integers(len(choices))])
        if rng.random() < self.drop_prompt:
            caption = self._empty
        return {
            "latent": self.latents.latents[index],
            "tokens": self._tokens[caption],
            "mask": self._mask[caption],
            "pooled": self._pooled[caption],
            "noise": draw_noise(rng, self.latents.latents.shape[1:]),
            "timestep": torch.tensor(rng.integers(self.train_steps)),
        }
