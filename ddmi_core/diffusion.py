"""LatentDiffusion: a denoiser over packed latents, guidance, one sampling loop (paper 3.2, eq. 10)."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Setting
from torch import Tensor, nn

from ddmi_core.inpainting import Kept
from ddmi_core.networks.attention import fast_attention
from ddmi_core.networks.uvit import UViT
from ddmi_core.noise import Noise
from ddmi_core.recipe import Denoising, Like, SamplerName
from ddmi_core.sketches import Start
from ddmi_core.support._torchvision import ensure_torchvision
from ddmi_core.support.devices import autocast, sampling_precision
from ddmi_core.support.errors import ModelError
from ddmi_core.support.progress import Progress, report
from ddmi_core.text import TextEmbedding

ensure_torchvision()

from diffusers import (  # noqa: E402 - only after torchvision has been made importable
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    SchedulerMixin,
    UNet2DConditionModel,
    UNet2DModel,
)

NOISY_BELOW = 0.8
"""Share of the times below which steps of sde-dpm++ are those of the stochastic equation.

New noise in each step takes errors of the steps before with it (Karras et al. 2022, section 4). Above, where it is
settled how a signal is laid out, they are those of the probability flow, so that a seed stands for nearly the same
signal as by dpm++, and by a student of it. Further attempts, of what came out torn, have noise in all steps.
"""
_FIRST_MIXING = 6.0  # the paper's, whose logit of -6 is that of the network's share


class DenoiserConfig(BaseModel):
    """Size of the denoiser and what it predicts.

    `epsilon` is the paper's target; `v` (Salimans & Ho 2022) trains faster at few steps. `mixed` adds the paper's mixed
    prediction, LSGM's (Vahdat et al. 2021): the network corrects the noise that a standard normal latent would imply.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["unet2d", "uvit", "adm", "none"] = "unet2d"
    """Diffusers' UNet, for the paper's sizes, or the U-ViT, which learns more in an hour where arithmetic is dear, or
    the ADM's UNet (Dhariwal & Nichol 2021) of the authors' models, which takes no text. A model of the first stage
    alone has none."""
    channels: tuple[int, ...] = (64, 128, 192)
    """Widths of the levels; a U-ViT has two."""
    layers_per_block: int = Setting(1, ge=1)
    """Of a `unet2d` or an `adm`."""
    blocks: tuple[int, int, int] = (2, 6, 3)
    """Of a `uvit`: on the way down, inside, on the way up."""
    head_width: int = Setting(32, ge=8)
    text_channels: int = Setting(384, ge=1)
    prediction: Literal["epsilon", "v"] = "epsilon"
    mixed: bool = False
    train_steps: int = Setting(1000, ge=10)
    beta_start: float = Setting(0.00085, gt=0, lt=1)
    beta_end: float = Setting(0.012, gt=0, lt=1)
    """Ends of the noise schedule of `epsilon`, which is linear in the square roots: those of latent diffusion (Rombach
    et al. 2022); the paper has 0.0015 and 0.0195. `v` has the squared cosine, which ends in pure noise."""

    @model_validator(mode="after")
    def _noise_grows(self) -> "DenoiserConfig":
        if self.beta_start > self.beta_end:
            raise ValueError(f"beta_start ({self.beta_start}) must not be above beta_end ({self.beta_end})")
        return self

    @model_validator(mode="after")
    def _heads_fit(self) -> "DenoiserConfig":
        if self.kind == "uvit":
            if len(self.channels) != 2:
                raise ValueError(f"channels of a uvit are two widths, not {len(self.channels)}")
            if self.channels[-1] % self.head_width:
                raise ValueError(f"head_width ({self.head_width}) must divide the inner width ({self.channels[-1]})")
        return self


class LatentDiffusion(nn.Module):
    """The denoiser with its noise schedule and the latents' scale.

    Latents enter and leave in the autoencoder's own units; inside, every channel has zero mean and unit variance.
    """

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, config: DenoiserConfig, canvas_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.config = config
        self.canvas_shape = canvas_shape
        channels = canvas_shape[0]
        self.unet = _NETWORKS[config.kind](config, canvas_shape)
        self.register_buffer("latent_mean", torch.zeros(channels, 1, 1))
        self.register_buffer("latent_std", torch.ones(channels, 1, 1))
        # Of every channel the logit of the standard normal's share, at first next to all
        self.mixing = nn.Parameter(torch.full((channels, 1, 1), _FIRST_MIXING)) if config.mixed else None
        self.training_schedule = DDPMScheduler(**self._schedule)

    @property
    def _schedule(self) -> dict[str, object]:
        schedule = {"num_train_timesteps": self.config.train_steps, "timestep_spacing": "trailing"}
        if self.config.prediction == "v":
            return schedule | {"prediction_type": "v_prediction", "beta_schedule": "squaredcos_cap_v2"}
        # The squared cosine ends in pure noise, from which a predicted noise tells nothing of the latent (division by
        # almost zero); the scaled linear schedule of latent diffusion (Rombach et al. 2022) keeps some signal.
        return schedule | {
            "prediction_type": "epsilon",
            "beta_schedule": "scaled_linear",
            "beta_start": self.config.beta_start,
            "beta_end": self.config.beta_end,
        }

    def save_memory(self) -> None:
        """Train with activations computed again in the backward pass instead of being kept, where the network can."""
        if isinstance(self.unet, UNet2DConditionModel | UNet2DModel):
            self.unet.enable_gradient_checkpointing()

    def set_scale(self, mean: Float[Tensor, " c"], std: Float[Tensor, " c"]) -> None:
        """Set the per-channel mean and standard deviation of the latents that are learned from."""
        self.latent_mean.copy_(mean.view_as(self.latent_mean))
        self.latent_std.copy_(std.clamp(min=1e-4).view_as(self.latent_std))

    @property
    def can_attend_alone(self) -> bool:
        """Whether `predict` can have cells attend to nothing but themselves."""
        return isinstance(self.unet, UViT)

    def predict(
        self,
        noisy: Float[Tensor, "b c h w"],
        timestep: Int[Tensor, " b"],
        text: TextEmbedding,
        alone: Bool[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """Predict the noise (or v) in scaled latents; where `alone`, cells attend to nothing but themselves.

        Networks other than a `UViT` cannot, and predict as ever.
        """
        with fast_attention(noisy.device):
            if isinstance(self.unet, UViT):
                predicted = self.unet(noisy, timestep, text.tokens, text.mask, text.pooled, alone)
            elif isinstance(self.unet, UNet2DModel):
                predicted = self.unet(noisy, timestep).sample
            else:
                predicted = self.unet(
                    noisy, timestep, encoder_hidden_states=text.tokens, encoder_attention_mask=text.mask
                ).sample
        if self.mixing is None:
            return predicted
        share = torch.sigmoid(self.mixing)
        kept = self.training_schedule.alphas_cumprod.to(noisy.device)[timestep].view(-1, 1, 1, 1)
        # What the network would have to say if latents were N(0, I): eps = sqrt(1 - a) z_t, v = 0.
        normal = (1 - kept).sqrt() * noisy if self.config.prediction == "epsilon" else torch.zeros_like(noisy)
        return share * normal + (1 - share) * predicted

    def loss(
        self,
        latents: Float[Tensor, "b c h w"],
        text: TextEmbedding,
        noise: Float[Tensor, "b c h w"],
        timestep: Int[Tensor, " b"],
    ) -> Float[Tensor, ""]:
        """Return the denoising loss of eq. 10: the mean squared distance of what `predicted_and_target` gives."""
        return F.mse_loss(*self.predicted_and_target(latents, text, noise, timestep))

    def predicted_and_target(
        self,
        latents: Float[Tensor, "b c h w"],
        text: TextEmbedding,
        noise: Float[Tensor, "b c h w"],
        timestep: Int[Tensor, " b"],
    ) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
        """Return what the denoiser predicts and what it should; randomness, and dropped prompts, are the caller's.

        Args:
            latents: of signals to learn.
            text: their captions.
            noise: standard normal.
            timestep: times, uniform in [0, train_steps).
        """
        clean = (latents - self.latent_mean) / self.latent_std
        noisy = self.training_schedule.add_noise(clean, noise, timestep)
        target = (
            noise
            if self.config.prediction == "epsilon"
            else self.training_schedule.get_velocity(clean, noise, timestep)
        )
        return self.predict(noisy, timestep, text).float(), target

    def scheduler(self, sampler: SamplerName) -> SchedulerMixin:
        """Build the diffusers scheduler of a sampler: the paper's ancestral DDPM, DDIM or DPM-Solver++."""
        if sampler == "ddpm":
            return DDPMScheduler(**self._schedule, clip_sample=False)
        if sampler == "ddim":
            return DDIMScheduler(**self._schedule, clip_sample=False)
        return DPMSolverMultistepScheduler(**self._schedule)

    @torch.no_grad()
    def sample(
        self,
        text: TextEmbedding,
        empty: TextEmbedding,
        seeds: Sequence[int],
        denoising: Denoising,
        *,
        like: Sequence[Like] = (),
        weak: "LatentDiffusion | None" = None,
        kept: Kept | None = None,
        start: Start | None = None,
        draft: bool = False,
        attempt: int = 0,
        progress: Progress | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """Draw one latent per seed.

        Guidance w leads away from what the denoiser predicts for the empty prompt, eps(empty) + w (eps(text) -
        eps(empty)) (Ho & Salimans 2022), or from what a weaker copy predicts for the same prompt (autoguidance; Karras
        et al. 2024), which errs in the same ways, only more. Attention guidance s adds s (eps(text) - eps(alone)),
        where eps(alone) is what it predicts when cells attend to nothing but themselves (Ahn et al. 2024).

        Args:
            text: embedding of the prompt, or of a prompt for each item.
            empty: embedding of the empty prompt, batch size one.
            seeds: one per item; an item depends on its prompt and seed alone, whatever else is in the batch.
            denoising: steps, which scheduler, the guidance w, and s (none is 0).
            like: what all of them shall be like; see `Noise`.
            weak: the weaker copy, if that is to be led away from.
            kept: what they shall have of another latent.
            start: what they are drawn after; without it they begin from noise alone.
            draft: nobody keeps them, so that a CPU may round as is fastest for it; see `sampling_precision`.
            attempt: each begins with the same noise and has other noise on the way, all but the first in all steps.
            progress: called after every step; may raise `Cancelled`.
        """
        device = self.latent_mean.device
        noises = [Noise(seed, like, device, attempt=attempt) for seed in seeds]
        precision = sampling_precision(device, draft=draft)
        noisy_below = 1.0 if attempt else NOISY_BELOW
        path = self._path(text, empty, noises, denoising, weak, kept, start, noisy_below, precision, progress)
        (z,) = deque(path, maxlen=1)
        return z * self.latent_std + self.latent_mean

    @torch.no_grad()
    def trajectories(
        self,
        text: TextEmbedding,
        empty: TextEmbedding,
        seeds: Sequence[int],
        denoising: Denoising,
        *,
        parts: int,
        weak: "LatentDiffusion | None" = None,
    ) -> Float[Tensor, "b n c h w"]:
        """Return what `sample` passes through on the way from noise to a latent, at the ends of equal parts of it.

        Scaled as inside, and as noisy as the times of a sampler of `parts` steps are: n is `parts + 1`. `parts` must
        divide the steps; the other arguments are those of `sample`.
        """
        every, device = denoising.steps // parts, self.latent_mean.device
        noises = [Noise(seed, (), device) for seed in seeds]
        precision = sampling_precision(device)
        path = self._path(text, empty, noises, denoising, weak, None, None, NOISY_BELOW, precision, None)
        return torch.stack([z for place, z in enumerate(path) if place % every == 0], dim=1)

    def _path(
        self,
        text: TextEmbedding,
        empty: TextEmbedding,
        noises: Sequence[Noise],
        denoising: Denoising,
        weak: "LatentDiffusion | None",
        kept: Kept | None,
        start: Start | None,
        noisy_below: float,
        precision: torch.dtype,
        progress: Progress | None,
    ) -> Iterator[Float[Tensor, "b c h w"]]:
        """Yield the noise, and what each step makes of it, scaled as inside."""
        device = self.latent_mean.device

        def drawn() -> Float[Tensor, "b c h w"]:
            return torch.stack([noise.draw(self.canvas_shape) for noise in noises])

        z = drawn()
        scheduler = self.scheduler(denoising.sampler)
        scheduler.set_timesteps(denoising.steps, device=device)
        first = z = z * scheduler.init_noise_sigma
        skipped = 0 if start is None else start.skipped(denoising.steps)
        if start is not None and skipped:
            clean = self._scaled(start.latent).expand_as(first)
            z = self.training_schedule.add_noise(clean, first, scheduler.timesteps[skipped].expand(len(first)))
            if isinstance(scheduler, DPMSolverMultistepScheduler):
                scheduler.set_begin_index(skipped)
        yield z
        count = len(noises)
        # At w = 1 guidance is the conditional prediction alone, which needs one evaluation and not two.
        guidance, attention = denoising.guidance, denoising.attention or 0.0
        guided = guidance != 1.0
        by_empty = guided and weak is None
        texts = _repeated(text, count // len(text.mask))
        told = [texts, *([_repeated(empty, count)] if by_empty else []), *([texts] if attention else [])]
        context = TextEmbedding(*(part.to(device) for part in _join(told)))
        texts = TextEmbedding(*(part[:count] for part in context))
        alone = torch.arange(len(told) * count, device=device) >= (len(told) - 1) * count if attention else None
        for done, t in enumerate(scheduler.timesteps[skipped:], start=skipped + 1):
            inputs = scheduler.scale_model_input(z, t)
            with autocast(device, precision):
                conditional, *others = (
                    self.predict(inputs.repeat(len(told), 1, 1, 1), t.expand(len(told) * count), context, alone)
                    .float()
                    .chunk(len(told))
                )
                worse = None
                if by_empty:
                    worse = others[0]
                elif guided and weak is not None:
                    worse = weak.predict(inputs, t.expand(count), texts).float()
            predicted = conditional if worse is None else worse + guidance * (conditional - worse)
            if attention:
                predicted = predicted + attention * (conditional - others[-1])
            if isinstance(scheduler, DDPMScheduler):
                z = _ancestral_step(scheduler, predicted, t, z, drawn())
            elif denoising.sampler == "sde-dpm++":
                is_noisy = bool(t < noisy_below * self.config.train_steps)
                scheduler.register_to_config(algorithm_type="sde-dpmsolver++" if is_noisy else "dpmsolver++")
                z = scheduler.step(predicted, t, z, variance_noise=drawn() if is_noisy else None).prev_sample
            else:
                z = scheduler.step(predicted, t, z).prev_sample
            if kept is not None:
                z = self._with_kept(kept, z, first, scheduler.timesteps, done)
            report(progress, done / denoising.steps, f"step {done} of {denoising.steps}")
            yield z

    def _scaled(self, latent: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
        """A latent in the autoencoder's own units, as it is inside."""
        return (latent.to(self.latent_mean.device) - self.latent_mean) / self.latent_std

    def _with_kept(
        self,
        kept: Kept,
        z: Float[Tensor, "b c h w"],
        noise: Float[Tensor, "b c h w"],
        timesteps: Int[Tensor, " n"],
        done: int,
    ) -> Float[Tensor, "b c h w"]:
        """Put what is kept, as noisy as the rest after so many steps, in its place."""
        clean = self._scaled(kept.latent).expand_as(z)
        if done < len(timesteps):
            clean = self.training_schedule.add_noise(clean, noise, timesteps[done].expand(len(z)))
        return torch.where(kept.until.to(z.device) >= done / len(timesteps), clean, z)


def _ancestral_step(
    scheduler: DDPMScheduler,
    predicted: Float[Tensor, "b c h w"],
    t: Int[Tensor, ""],
    z: Float[Tensor, "b c h w"],
    noise: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Draw from the posterior of one step (Ho et al. 2020, eq. 7) with noise that is given.

    It is what the scheduler's own step does, but that draws noise itself, which cannot lie between that of two seeds.
    """
    before, kept = scheduler.previous_timestep(t), scheduler.alphas_cumprod[t]
    kept_before = scheduler.alphas_cumprod[before] if before >= 0 else scheduler.one
    added = 1 - kept / kept_before
    if scheduler.config.prediction_type == "epsilon":
        clean = (z - (1 - kept) ** 0.5 * predicted) / kept**0.5
    else:
        clean = kept**0.5 * z - (1 - kept) ** 0.5 * predicted
    mean = kept_before**0.5 * added / (1 - kept) * clean + (1 - added) ** 0.5 * (1 - kept_before) / (1 - kept) * z
    return mean + ((1 - kept_before) / (1 - kept) * added) ** 0.5 * noise


def _unet2d(config: DenoiserConfig, canvas_shape: tuple[int, int, int]) -> UNet2DConditionModel:
    channels, height, _ = canvas_shape
    attention = len(config.channels) - 1  # the finest level only convolves: attention there costs most, adds least
    return UNet2DConditionModel(
        sample_size=height,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=config.channels,
        layers_per_block=config.layers_per_block,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * attention,
        up_block_types=("CrossAttnUpBlock2D",) * attention + ("UpBlock2D",),
        # diffusers reads this argument as the number of heads
        attention_head_dim=tuple(width // config.head_width for width in config.channels),
        cross_attention_dim=config.text_channels,
    )


def _uvit(config: DenoiserConfig, canvas_shape: tuple[int, int, int]) -> UViT:
    channels, height, width = canvas_shape
    outer, inner = config.channels
    return UViT(
        channels,
        (height, width),
        channels=(outer, inner),
        blocks=config.blocks,
        head_width=config.head_width,
        text_channels=config.text_channels,
    )


def _adm(config: DenoiserConfig, canvas_shape: tuple[int, int, int]) -> UNet2DModel:
    channels, height, _ = canvas_shape
    attention = len(config.channels) - 1
    return UNet2DModel(
        sample_size=height,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=config.channels,
        layers_per_block=config.layers_per_block,
        down_block_types=("DownBlock2D",) + ("AttnDownBlock2D",) * attention,
        up_block_types=("AttnUpBlock2D",) * attention + ("UpBlock2D",),
        attention_head_dim=config.head_width,
    )


class _NoNetwork(nn.Module):
    """Stands in for the denoiser of a first stage."""

    def __init__(self, config: DenoiserConfig, canvas_shape: tuple[int, int, int]) -> None:
        super().__init__()

    def forward(self, *_: object, **__: object) -> Tensor:
        raise ModelError(
            "This is a first stage alone: it encodes and decodes files, and cannot generate. Import the checkpoint of "
            "the second stage, or choose another model."
        )


_NETWORKS = {"unet2d": _unet2d, "uvit": _uvit, "adm": _adm, "none": _NoNetwork}


def _repeated(embedding: TextEmbedding, times: int) -> TextEmbedding:
    return _join([embedding] * times)


def _join(embeddings: Sequence[TextEmbedding]) -> TextEmbedding:
    return TextEmbedding(*(torch.cat(parts) for parts in zip(*embeddings, strict=True)))
