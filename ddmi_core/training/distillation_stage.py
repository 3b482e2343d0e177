"""Distillation: a student of the denoiser learns to take several steps of its teacher, guidance included, at once.

Salimans & Ho (2022) halve the steps again and again, and start from noised data. Here the student is matched to the
teacher's own ways from noise to latents (as in Luhman & Luhman 2021, but in a few parts), so that the same seed leads
to the same item.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import default_collate
from typing_extensions import override

from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import Denoising
from ddmi_core.rendering.sheet_texts import SheetTexts
from ddmi_core.training.config import DistillationConfig, RunConfig
from ddmi_core.training.diffusion_stage import shown_samples, told
from ddmi_core.training.latents import text_of
from ddmi_core.training.pictures import picture
from ddmi_core.training.stage import Evaluated, Stage
from ddmi_core.training.trajectories import HELD_OUT, Trajectories, TrajectoryParts, seed_of


class DistillationStage(Stage):
    """Trains the student, which starts from the teacher's weights, on parts of the teacher's trajectories."""

    name: ClassVar[str] = "distillation"
    best_by: ClassVar[str] = "distance"

    def __init__(
        self,
        config: RunConfig,
        settings: DistillationConfig,
        teacher: Pipeline,
        student: LatentDiffusion,
        trajectories: Trajectories,
    ) -> None:
        self.settings, self.precision = settings, config.precision
        self.module: LatentDiffusion = student
        self._config, self._teacher, self._trajectories = config, teacher, trajectories
        self.draws: TrajectoryParts = TrajectoryParts(trajectories, config.seed)
        self._goes = settings.teacher
        self._denoising = Denoising(steps=settings.student_steps, sampler="ddim", guidance=1.0)
        scheduler = student.scheduler("ddim")
        scheduler.set_timesteps(settings.student_steps)
        self._times = torch.cat([scheduler.timesteps, torch.tensor([-1])])
        self._kept = torch.cat([student.training_schedule.alphas_cumprod, torch.ones(1)])  # the last is that of -1
        self._shown = shown_samples(config)

    @override
    def chance(self, numbers: Sequence[int], device: torch.device) -> dict[str, Tensor]:
        return {}

    @override
    def loss(self, batch: dict[str, Any], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        begin, end = batch["begin"].float(), batch["end"].float()
        part, times = batch["part"], self._times.to(begin.device)
        predicted = self.module.predict(begin, times[part], text_of(batch)).float()
        return F.mse_loss(predicted, self.target(begin, end, part)), {}

    def target(
        self, begin: Float[Tensor, "b c h w"], end: Float[Tensor, "b c h w"], part: Int[Tensor, " b"]
    ) -> Float[Tensor, "b c h w"]:
        """Return what the student must predict at the beginning of a part for one DDIM step to lead to its end."""
        times, kept = self._times.to(part.device), self._kept.to(begin.device)
        before, after = (kept[times[place]].view(-1, 1, 1, 1) for place in (part, part + 1))
        signal, noise = before.sqrt(), (1 - before).sqrt()
        shrunk = (1 - after).sqrt() / noise
        clean = (end - shrunk * begin) / (after.sqrt() - shrunk * signal)
        if self.module.config.prediction == "epsilon":
            return (begin - signal * clean) / noise
        return (signal * begin - clean) / noise

    @override
    @torch.no_grad()
    def evaluate(self, share: slice) -> Evaluated:
        return Evaluated(self._measured(range(HELD_OUT)[share]), self._drawn(share))

    def _measured(self, numbers: range) -> list[dict[str, float]]:
        """How far student and teacher are apart at the end of the same way: mean squares, latents of unit variance."""
        known, student, found = self._trajectories, self.module, []
        for number in (known.learned_from + place for place in numbers):
            text = text_of(default_collate([known.text(number)]))
            made = student.sample(text, text, [seed_of(self._config, number)], self._denoising)
            latent = known.points[number][-1].float().to(made.device) * student.latent_std + student.latent_mean
            found.append({"distance": F.mse_loss(made[0] / student.latent_std, latent / student.latent_std).item()})
        return found

    def _drawn(self, share: slice) -> dict[int, np.ndarray]:
        """Each prompt and seed by the student, and after it by the teacher."""
        found = {}
        encoder, empty = self._teacher.text_encoder, self._teacher.text_encoder.encode([""])
        for place in range(len(self._shown))[share]:
            prompt, seed = self._shown[place]
            latents = [
                self.module.sample(encoder.encode([prompt]), empty, [seed], self._denoising)[0].cpu(),
                self._teacher.sample_each([prompt], [seed], self._goes)[0],
            ]
            for which, latent in enumerate(latents):
                found[2 * place + which] = picture(self._teacher.decode(latent))
        return found

    @override
    def texts(self) -> SheetTexts:
        sides = ("student", "teacher")
        captions = tuple(f"{told(prompt, seed)}: {side}" for prompt, seed in self._shown for side in sides)
        return SheetTexts(captions, " | ".join(sides))
