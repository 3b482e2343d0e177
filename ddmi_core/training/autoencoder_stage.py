"""Stage one: the autoencoder learns to reconstruct (eq. 9)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import default_collate
from typing_extensions import override

from ddmi_core.autoencoder import D2CVAE, Autoencoder
from ddmi_core.data.items import Mixture, NumberedDraws, SurfacePoints
from ddmi_core.domains.base import Shown
from ddmi_core.rendering.sheet_texts import SheetTexts
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.config import RunConfig
from ddmi_core.training.noise import Chance
from ddmi_core.training.objective import objective
from ddmi_core.training.patch_terms import CRITIC_BETAS, PatchTerms
from ddmi_core.training.pictures import PICTURE_SIZE, drawn_or_black, picture
from ddmi_core.training.spectral import SpectralNorms
from ddmi_core.training.stage import Evaluated, Stage

_Part = TypeVar("_Part", bound=nn.Module)
_HELD_OUT = 16
_PICTURES = 8
_SIDES = ("true", "drawn")
_DIRECT = 1024
"""Places of an example, at most, at which what is there is compared."""


class AutoencoderStage(Stage):
    """Trains encoder, decoder and read-out on random coordinates of augmented signals."""

    name: ClassVar[str] = "autoencoder"
    best_by: ClassVar[str] = "reconstruction"

    def __init__(self, config: RunConfig, autoencoder: Autoencoder) -> None:
        self.settings, self.precision = config.stage1, config.precision
        self._settings = config.stage1
        self._latent_noise = config.stage1.latent_noise
        if config.compile:
            for part in autoencoder.children():
                part.compile()
        terms: list[nn.Module] = []
        if PatchTerms.are_in(config.stage1):
            self._patch_side = config.stage1.patch_side
            terms.append(PatchTerms(config.stage1))
        if config.stage1.spectral_weight:
            assert isinstance(autoencoder, D2CVAE)
            terms.append(SpectralNorms(autoencoder.encoder, autoencoder.decoder))
        self._kind = type(autoencoder)
        self.module: nn.Module = nn.ModuleList([autoencoder, *terms]) if terms else autoencoder
        mixture = open_mixture(config, "train")
        self.signals = sum(len(source) for source in mixture.sources)
        """How many different signals there are to learn from."""
        self._seed = config.seed
        self.draws = NumberedDraws(mixture, config.seed, augment=config.stage1.augment)
        held_out = held_out_draws(config)
        self._held_out = default_collate([held_out[number] for number in range(_HELD_OUT)])
        self._to_show = [held_out.pick(number)[:2] for number in range(_PICTURES)]
        self._shown: list[Shown] | None = None  # not drawn yet

    @property
    def autoencoder(self) -> Autoencoder:
        """What is trained, the terms beside eq. 9 apart."""
        found = self._part(self._kind)
        assert found is not None
        return found

    def _part(self, kind: type[_Part]) -> _Part | None:
        parts = self.module if isinstance(self.module, nn.ModuleList) else [self.module]
        return next((part for part in parts if isinstance(part, kind)), None)

    @override
    def parameter_groups(self) -> list[dict[str, Any]]:
        terms = self._part(PatchTerms)
        if self._settings.second_phase is None or terms is None:
            return super().parameter_groups()
        return [
            {"params": list(self.autoencoder.parameters())},
            {"params": list(terms.parameters()), "betas": CRITIC_BETAS},
        ]

    @override
    def chance(self, numbers: Sequence[int], device: torch.device) -> dict[str, Tensor]:
        return {"noise": Chance(self._seed, 3, numbers, device).normal(*self.autoencoder.canvas_shape)}

    @override
    def loss(self, batch: dict[str, Any], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        module = self.autoencoder
        posterior = module.posterior(batch)
        least = self._latent_noise * posterior.mean.detach().std(dim=(0, 2, 3), keepdim=True)
        spread = (posterior.log_variance.exp() + least.square()).sqrt()
        basis = module.decode(posterior.mean + batch["noise"] * spread)
        values = module.domain.predict(module.readout, basis, batch)
        share = min(1.0, (step + 1) / self._settings.kl_anneal_steps)
        kl_weight = self._settings.kl_start + share * (self._settings.kl_weight - self._settings.kl_start)
        loss, figures = objective(
            module.domain,
            values,
            batch["targets"],
            posterior,
            kl_weight=kl_weight,
            summed_over=self._settings.summed_over,
        )
        direct_weight = self._settings.direct_weight_at(step)
        if direct_weight:
            direct, seen = module.domain.direct_loss(module.readout, basis, batch)
            loss, figures = loss + direct_weight * direct, figures | seen
        norms = self._part(SpectralNorms)
        if norms is not None:
            assert isinstance(module, D2CVAE)
            with torch.autocast(loss.device.type, enabled=False):
                steepness = norms(module.encoder, module.decoder)
            loss = loss + self._settings.spectral_weight_at(kl_weight, step) * steepness
            figures["spectral"] = steepness.detach()
        patch_terms = self._part(PatchTerms)
        if patch_terms is None:
            return loss, figures
        # The place follows from the step, so that a resume and every process look at the same one
        patch = module.domain.patch(batch, self._patch_side, torch.Generator().manual_seed(step))
        made = module.readout.evaluate(basis, patch.coords, patch.footprint)
        pictures = (module.domain.pictures(values, self._patch_side) for values in (made, patch.targets))
        added, seen = patch_terms(*pictures, share, second_phase=step >= self._settings.first_steps)
        return loss + added, figures | seen

    @override
    @torch.no_grad()
    def evaluate(self, share: slice) -> Evaluated:
        module = self.autoencoder
        device = next(module.parameters()).device
        batch = {name: value[share].to(device) for name, value in self._held_out.items()}
        places = range(_HELD_OUT)[share]
        if not places:
            return Evaluated([], {})
        latents = module.posterior(batch).mean
        values = module.domain.predict(module.readout, module.decode(latents), batch)
        figures = []
        for one, targets in zip(values.split(1), batch["targets"].split(1), strict=True):
            loss, others = module.domain.reconstruction_loss(one, targets)
            figures.append({"reconstruction": loss.item(), **{name: value.item() for name, value in others.items()}})
        return Evaluated(figures, self._drawn(dict(zip(places, latents, strict=True))))

    @override
    def texts(self) -> SheetTexts:
        if not self._as_they_are():
            return SheetTexts()
        captions = tuple(f"Held-out example {1 + place}: {side}" for place in range(_PICTURES) for side in _SIDES)
        return SheetTexts(captions, " | ".join(_SIDES))

    def _drawn(self, latents: dict[int, Tensor]) -> dict[int, np.ndarray]:
        """Each example as it is, and after it what becomes of it; this alone where one cannot be drawn as it is."""
        found, as_they_are = {}, self._as_they_are()
        for place, latent in latents.items():
            if place >= _PICTURES:
                continue
            field = self.autoencoder.field(latent)
            if as_they_are:
                true, draw = as_they_are[place]
                found[2 * place], found[2 * place + 1] = true, drawn_or_black(draw, field)
            else:
                found[place] = picture(field)
        return found

    def _as_they_are(self) -> list[Shown]:
        """The examples that are shown; none where one of them cannot be drawn."""
        if self._shown is None:
            domain = self.autoencoder.domain
            try:
                self._shown = [domain.shown(source, index, PICTURE_SIZE) for source, index in self._to_show]
            except DDMIError:
                self._shown = []
        return self._shown


def open_mixture(config: RunConfig, split: str, *, for_diffusion: bool = False) -> Mixture:
    """Open all of a run's data, weighed for the first or the second stage."""
    from ddmi_core.domains import get_domain

    domain = get_domain(config.domain)
    surface = SurfacePoints(config.autoencoder.surface_points, config.stage1.surface_noise)
    direct = config.stage1.queries if config.stage1.direct_weight and split == "train" and not for_diffusion else 0
    scales = config.stage1.scales
    given = replace(config.autoencoder.encoder_input, surface=surface, scales=scales, direct=min(direct, _DIRECT))
    weighed = [(part, part.weight_in_diffusion if for_diffusion else part.weight) for part in config.data]
    used = [(part, weight) for part, weight in weighed if weight]  # one left out need not be there either
    sources = [
        domain.items(part.source, split, seed=config.seed, queries=config.stage1.queries, given=given)
        for part, _ in used
    ]
    weights = [weight for _, weight in used]
    return Mixture(sources, weights)


def held_out_draws(config: RunConfig) -> NumberedDraws:
    """Return draws of held-out examples, the same in every evaluation."""
    return NumberedDraws(open_mixture(config, "held_out"), seed=1, augment="none")


def held_out_batch(config: RunConfig, count: int) -> dict[str, Tensor]:
    """Return held-out examples, the same in every evaluation."""
    draws = held_out_draws(config)
    return default_collate([draws[number] for number in range(count)])
