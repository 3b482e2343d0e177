"""Stage two: the denoiser learns the distribution of latents, with text (eq. 10)."""

import logging
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.data.items import Augment, NumberedDraws
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.files import atomic_write
from ddmi_core.text import TextEmbedding, TextEncoder
from ddmi_core.training.autoencoder_stage import open_mixture
from ddmi_core.training.config import RunConfig
from ddmi_core.training.loop import Stage
from ddmi_core.training.pictures import save_sheet
from ddmi_core.training.run_folder import RunFolder

_log = logging.getLogger(__name__)

_ENCODE_BATCH = 32
_CAPTIONS = 6


class DiffusionStage(Stage):
    """Trains the denoiser on cached latents; the autoencoder stays fixed."""

    name: ClassVar[str] = "diffusion"

    def __init__(
        self,
        config: RunConfig,
        autoencoder: D2CVAE,
        diffusion: LatentDiffusion,
        text_encoder: TextEncoder,
        latents: "CachedLatents",
    ) -> None:
        self.settings = config.stage2
        self.module: LatentDiffusion = diffusion
        self._autoencoder = autoencoder
        self._text_encoder = text_encoder
        self._prompts = config.stage2.sample_prompts
        self.draws = CaptionedLatents(latents, text_encoder, config.seed, config.stage2.drop_prompt)

    @override
    def loss(self, batch: dict[str, Any], step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        text = TextEmbedding(batch["tokens"].float(), batch["mask"], batch["pooled"].float())
        return self.module.loss(batch["latent"].float(), text, generator), {}

    @override
    def evaluate(self, run: RunFolder, step: int) -> dict[str, float]:
        device = next(self.module.parameters()).device
        empty = self._text_encoder.encode([""])
        latents = [
            self.module.sample(self._text_encoder.encode([prompt]), empty, seeds=(0, 1)) for prompt in self._prompts
        ]
        fields = [self._autoencoder.field(z.to(device)) for z in torch.cat(latents)]
        save_sheet(self._autoencoder.domain, fields, run.samples / f"{self.name}-{step:08d}.png")
        return {}


class CachedLatents:
    """Encoded training examples with their captions, made once and kept in the run folder.

    Attributes:
        latents: float16 (n, c, h, w), samples' posterior means.
        captions: for every latent, indices into `texts`.
        texts: all different captions.
    """

    def __init__(self, latents: Tensor, captions: Tensor, texts: list[str]) -> None:
        self.latents = latents
        self.captions = captions
        self.texts = texts

    @classmethod
    def make(cls, config: RunConfig, autoencoder: D2CVAE, run: RunFolder) -> "CachedLatents":
        """Encode `config.stage2.cached_latents` draws, or read what an earlier start of this run has encoded."""
        path = run.cache / "latents.safetensors"
        if path.exists():
            with safe_open(path, framework="pt") as file:
                texts = (file.metadata() or {})["texts"].split("\n")
                return cls(file.get_tensor("latents"), file.get_tensor("captions"), texts)
        made = cls._encode(config, autoencoder)
        with atomic_write(path) as temporary:
            save_file({"latents": made.latents, "captions": made.captions}, temporary, {"texts": "\n".join(made.texts)})
        run.record(stage=DiffusionStage.name, step=0, message=f"cached {len(made.latents)} latents")
        return made

    @classmethod
    @torch.no_grad()
    def _encode(cls, config: RunConfig, autoencoder: D2CVAE) -> "CachedLatents":
        device = next(autoencoder.parameters()).device
        # Nothing that would make a caption untrue.
        augment: Augment = "none" if config.stage1.augment == "none" else "captioned"
        draws = NumberedDraws(open_mixture(config, "train", for_diffusion=True), config.seed + 1, augment=augment)
        known: dict[str, int] = {"": 0}
        latents, captions = [], []
        count = config.stage2.cached_latents
        for start in range(0, count, _ENCODE_BATCH):
            numbers = range(start, min(start + _ENCODE_BATCH, count))
            examples = [draws[number] for number in numbers]
            batch = {name: torch.stack([example[name] for example in examples]).to(device) for name in examples[0]}
            latents.append(autoencoder.encode(autoencoder.domain.inputs(batch)).mean.half().cpu())
            for number in numbers:
                source, index, _ = draws.pick(number)
                # A line break separates captions in the cache file.
                found = [caption.replace("\n", " ") for caption in source.captions(index)] or [""]
                chosen = np.random.default_rng((config.seed + 2, number)).choice(len(found), _CAPTIONS)
                captions.append([known.setdefault(found[i], len(known)) for i in chosen])
        return cls(torch.cat(latents).contiguous(), torch.tensor(captions), list(known))


class CaptionedLatents(Dataset[dict[str, Tensor]]):
    """Endless draws of a latent with one of its captions, the caption dropped now and then."""

    def __init__(self, latents: CachedLatents, encoder: TextEncoder, seed: int, drop_prompt: float) -> None:
        self.latents = latents
        self.seed = seed
        self.drop_prompt = drop_prompt
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
        }
