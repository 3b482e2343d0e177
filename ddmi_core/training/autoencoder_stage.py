"""Stage one: the D2CVAE learns to reconstruct (eq. 9)."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.data import default_collate
from typing_extensions import override

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.data.items import Mixture, NumberedDraws, SurfacePoints
from ddmi_core.training.config import RunConfig
from ddmi_core.training.loop import Stage
from ddmi_core.training.noise import NoisyDraws
from ddmi_core.training.patch_terms import PatchTerms
from ddmi_core.training.pictures import save_sheet
from ddmi_core.training.run_folder import RunFolder

_HELD_OUT = 16
_PICTURES = 8


class AutoencoderStage(Stage):
    """Trains encoder, decoder and read-out on random coordinates of augmented signals."""

    name: ClassVar[str] = "autoencoder"
    best_by: ClassVar[str] = "reconstruction"

    def __init__(self, config: RunConfig, autoencoder: D2CVAE) -> None:
        self.settings, self.precision = config.stage1, config.precision
        self._kl_start, self._kl_weight = config.stage1.kl_start, config.stage1.kl_weight
        self._kl_anneal_steps = config.stage1.kl_anneal_steps
        self._latent_noise = config.stage1.latent_noise
        self.autoencoder = autoencoder
        if config.compile:
            for part in (autoencoder.encoder, autoencoder.decoder, autoencoder.readout):
                part.compile()
        self._patch_terms: PatchTerms | None = None
        self.module: nn.Module = autoencoder
        if config.stage1.perceptual_weight or config.stage1.adversarial_weight:
            self._patch_terms = PatchTerms(config.stage1.perceptual_weight, config.stage1.adversarial_weight)
            self._patch_side = config.stage1.patch_side
            self.module = nn.ModuleList([autoencoder, self._patch_terms])
        mixture = open_mixture(config, "train")
        self.signals = sum(len(source) for source in mixture.sources)
        """How many different signals there are to learn from."""
        draws = NumberedDraws(mixture, config.seed, augment=config.stage1.augment)
        self.draws = NoisyDraws(draws, autoencoder.canvas_shape, config.seed)
        self._held_out = held_out_batch(config, _HELD_OUT)

    @override
    def loss(self, batch: dict[str, Any], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        module = self.autoencoder
        posterior = module.encode(module.domain.inputs(batch))
        least = self._latent_noise * posterior.mean.detach().std(dim=(0, 2, 3), keepdim=True)
        spread = (posterior.log_variance.exp() + least.square()).sqrt()
        basis = module.decode(posterior.mean + batch["noise"] * spread)
        values = module.domain.predict(module.readout, basis, batch)
        reconstruction, figures = module.domain.reconstruction_loss(values, batch["targets"])
        kl = posterior.kl()
        share = min(1.0, (step + 1) / self._kl_anneal_steps)
        loss = reconstruction + (self._kl_start + share * (self._kl_weight - self._kl_start)) * kl
        figures = {"reconstruction": reconstruction.detach(), "kl": kl.detach(), **figures}
        if self._patch_terms is None:
            return loss, figures
        # The place follows from the step, so that a resume and every process look at the same one
        patch = module.domain.patch(batch, self._patch_side, torch.Generator().manual_seed(step))
        made = module.readout.evaluate(basis, patch.coords, patch.footprint)
        pictures = (module.domain.pictures(values, self._patch_side) for values in (made, patch.targets))
        added, seen = self._patch_terms(*pictures, share)
        return loss + added, figures | seen

    @override
    @torch.no_grad()
    def evaluate(self, run: RunFolder, step: int) -> dict[str, float]:
        module = self.autoencoder
        device = next(module.parameters()).device
        batch = {name: value.to(device) for name, value in self._held_out.items()}
        latent = module.encode(module.domain.inputs(batch)).mean
        values = module.domain.predict(module.readout, module.decode(latent), batch)
        loss, figures = module.domain.reconstruction_loss(values, batch["targets"])
        fields = [module.field(z) for z in latent[:_PICTURES]]
        save_sheet(module.domain, fields, run.samples / f"{self.name}-{step:08d}.png")
        return {"reconstruction": loss.item(), **{name: value.item() for name, value in figures.items()}}


def open_mixture(config: RunConfig, split: str, *, for_diffusion: bool = False) -> Mixture:
    """Open all of a run's data, weighed for the first or the second stage."""
    from ddmi_core.domains import get_domain

    domain = get_domain(config.domain)
    surface = SurfacePoints(config.autoencoder.surface_points, config.stage1.surface_noise)
    weighed = [(part, part.weight_in_diffusion if for_diffusion else part.weight) for part in config.data]
    used = [(part, weight) for part, weight in weighed if weight]  # one left out need not be there either
    sources = [
        domain.items(part.source, split, seed=config.seed, queries=config.stage1.queries, surface=surface)
        for part, _ in used
    ]
    weights = [weight for _, weight in used]
    return Mixture(sources, weights)


def held_out_batch(config: RunConfig, count: int) -> dict[str, Tensor]:
    """Return held-out examples, the same in every evaluation."""
    draws = NumberedDraws(open_mixture(config, "held_out"), seed=1, augment="none")
    return default_collate([draws[number] for number in range(count)])
