"""Stage one: the D2CVAE learns to reconstruct (eq. 9)."""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.data.items import Mixture, NumberedDraws
from ddmi_core.training.config import RunConfig
from ddmi_core.training.loop import Stage
from ddmi_core.training.pictures import save_sheet
from ddmi_core.training.run_folder import RunFolder

_HELD_OUT = 16
_PICTURES = 8


class AutoencoderStage(Stage):
    """Trains encoder, decoder and read-out on random coordinates of augmented signals."""

    name: ClassVar[str] = "autoencoder"

    def __init__(self, config: RunConfig, autoencoder: D2CVAE) -> None:
        self.settings = config.stage1
        self._kl_weight = config.stage1.kl_weight
        self._kl_anneal_steps = config.stage1.kl_anneal_steps
        self.module: D2CVAE = autoencoder
        self.draws = NumberedDraws(open_mixture(config, "train"), config.seed, augment=config.stage1.augment)
        self._held_out = held_out_batch(config)

    @override
    def loss(self, batch: dict[str, Any], step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        module = self.module
        posterior = module.encode(module.domain.inputs(batch))
        basis = module.decode(posterior.sample(generator))
        values = module.domain.predict(module, basis, batch)
        reconstruction, figures = module.domain.reconstruction_loss(values, batch["targets"])
        kl = posterior.kl()
        weight = self._kl_weight * min(1.0, (step + 1) / self._kl_anneal_steps)
        return reconstruction + weight * kl, {"reconstruction": reconstruction.item(), "kl": kl.item(), **figures}

    @override
    @torch.no_grad()
    def evaluate(self, run: RunFolder, step: int) -> dict[str, float]:
        module = self.module
        device = next(module.parameters()).device
        batch = {name: value.to(device) for name, value in self._held_out.items()}
        latent = module.encode(module.domain.inputs(batch)).mean
        values = module.domain.predict(module, module.decode(latent), batch)
        loss, figures = module.domain.reconstruction_loss(values, batch["targets"])
        fields = [module.field(z) for z in latent[:_PICTURES]]
        save_sheet(module.domain, fields, run.samples / f"{self.name}-{step:08d}.png")
        return {"reconstruction": loss.item(), **figures}


def open_mixture(config: RunConfig, split: str, *, for_diffusion: bool = False) -> Mixture:
    """Open all of a run's data, weighed for the first or the second stage."""
    from ddmi_core.domains import get_domain

    domain = get_domain(config.domain)
    sources = [
        domain.items(part.source, split, seed=config.seed, queries=config.stage1.queries) for part in config.data
    ]
    weights = [(for_diffusion and part.diffusion_weight) or part.weight for part in config.data]
    return Mixture(sources, weights)


def held_out_batch(config: RunConfig) -> dict[str, Tensor]:
    """Return held-out examples, the same in every evaluation."""
    draws = NumberedDraws(open_mixture(config, "held_out"), seed=1, augment="none")
    examples = [draws[number] for number in range(_HELD_OUT)]
    return {name: torch.from_numpy(np.stack([example[name].numpy() for example in examples])) for name in examples[0]}
