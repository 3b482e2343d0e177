"""Pipeline: text or a seed, or a user's file, to a Field; loads and saves a model folder."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ValidationError
from pydantic import Field as Setting
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddmi_core import model_folder, refinement
from ddmi_core.autoencoder import D2CVAE, Autoencoder
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.items import ItemSource
from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.domains import Domain
from ddmi_core.fields.field import Field
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.plan import USUAL_PLAN, FitPlan
from ddmi_core.inpainting import Kept, keep_outside
from ddmi_core.interpolation import slerp
from ddmi_core.networks.low_rank import add_changes
from ddmi_core.placement import Up
from ddmi_core.reading_back import judged
from ddmi_core.recipe import NOISY_SAMPLERS, Denoising, Inpainting, SamplingSettings, Seeded
from ddmi_core.sketches import start_from
from ddmi_core.support.devices import free_memory, pick_device
from ddmi_core.support.errors import ModelError
from ddmi_core.support.files import atomic_write, file_digest, write_json, write_text
from ddmi_core.support.progress import Progress, sub_progress
from ddmi_core.text import TextEmbedding, TextEncoder, TextEncoderConfig, load_text_encoder
from ddmi_core.tries import soundest
from ddmi_core.weight_differences import differences, restored

_log = logging.getLogger(__name__)
_Config = TypeVar("_Config", bound=BaseModel)

_LEAST_FREE = 2**30
"""Bytes of a GPU that are left for decoding and looking; with less the text encoder and the denoiser make room."""

_DIGITS = 16  # of a digest


class Student(NamedTuple):
    """A denoiser that has learned to do with few steps, guidance included; see `training.distillation_stage`."""

    diffusion: LatentDiffusion
    steps: int
    guidance: float
    """Of the teacher's ways that it has learned."""

    @property
    def denoising(self) -> Denoising:
        """How it is sampled."""
        return Denoising(steps=self.steps, sampler="ddim", guidance=1.0, attention=0.0)


class Changes(NamedTuple):
    """What a denoiser differs by from that of another model, with which it shares everything else."""

    base: model_folder.Base
    learned: dict[str, Tensor]
    """See `networks.low_rank`."""


class _StudentConfig(BaseModel):
    steps: int = Setting(ge=1)
    guidance: float
    teacher: str
    """Digest of the weights that those of the student are told as differences from."""


class Pipeline:
    """A trained model, ready to sample, decode and encode.

    Example:
        >>> pipeline = Pipeline.from_pretrained("assets/models/furniture")
        >>> latent = pipeline.sample(SamplingSettings(prompt="a round table with one leg"), seeds=[7])[0]
        >>> mesh = pipeline.decode(latent).mesh(128)
        >>> mesh.export("table.obj")
    """

    def __init__(
        self,
        name: str,
        autoencoder: Autoencoder,
        diffusion: LatentDiffusion,
        text_encoder: TextEncoder,
        *,
        weak: LatentDiffusion | None = None,
        student: Student | None = None,
        changes: Changes | None = None,
        usual_flaws: int | None = None,
        usual_attention: float = 0.0,
        folder: Path | None = None,
        hash: str = "",
    ) -> None:
        """Put a pipeline together; `weak` is an early checkpoint of the denoiser, to guide with.

        Of one with `changes`, these alone are saved. What has more flaws than `usual_flaws` is worth another try; None
        where nothing is. `usual_attention` is how strongly attention guides where nothing else is asked for.
        """
        self.name = name
        self.autoencoder = autoencoder
        self.diffusion = diffusion
        self.weak = weak
        self.student = student
        self.changes = changes
        self.usual_flaws = usual_flaws
        self.usual_attention = usual_attention
        self.text_encoder = text_encoder
        self.folder = folder
        self.hash = hash
        self._empty = text_encoder.encode([""])
        self._sampling = threading.Lock()  # over where the denoiser is
        self._original: tuple[Seeded, Tensor] | None = None  # what was changed last, with its latent

    @property
    def domain(self) -> Domain:
        """The domain of the signals."""
        return self.autoencoder.domain

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.autoencoder.parameters()).device

    @property
    def nbytes(self) -> int:
        """Memory that the weights take, those of the text encoder included."""
        networks = (self.autoencoder, *self._denoisers)
        return self.text_encoder.nbytes + sum(weights.nbytes for part in networks for weights in part.parameters())

    @property
    def _denoisers(self) -> tuple[LatentDiffusion, ...]:
        student = None if self.student is None else self.student.diffusion
        return tuple(one for one in (self.diffusion, self.weak, student) if one is not None)

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str = "auto") -> "Pipeline":
        """Load a model folder.

        Args:
            folder: the model folder.
            device: auto (a GPU if there is one), cpu, cuda, cuda:1 and so on, or mps.

        Raises:
            ModelError: the folder is missing, foreign, incomplete or damaged, a weight is not finite, or it is changes
                to a model that is not on this machine.
        """
        folder = Path(folder)
        index = model_folder.check(folder)
        base = model_folder.read_base(folder)
        if base is not None:
            return cls._with_changes(folder, base, device)
        where = pick_device(device)
        autoencoder = D2CVAE(read_config(AutoencoderConfig, folder, model_folder.AUTOENCODER_CONFIG))
        _load_weights(autoencoder, folder, model_folder.AUTOENCODER_WEIGHTS)
        diffusion = LatentDiffusion(
            read_config(DenoiserConfig, folder, model_folder.DENOISER_CONFIG), autoencoder.canvas_shape
        )
        _load_weights(diffusion, folder, model_folder.DENOISER_WEIGHTS)
        weak = _weak_copy(diffusion, folder)
        student = _student(diffusion, folder)
        text_encoder = load_text_encoder(read_config(TextEncoderConfig, folder, model_folder.TEXT_ENCODER)).to(where)
        pipeline = cls(
            str(index.get("name", folder.name)),
            autoencoder,
            diffusion,
            text_encoder,
            weak=weak,
            student=student,
            usual_flaws=model_folder.usual_flaws(index),
            usual_attention=model_folder.usual_attention(index),
            folder=folder,
            hash=model_folder.folder_hash(folder),
        )
        for module in (autoencoder, *pipeline._denoisers):
            module.eval().requires_grad_(False).to(where)
        return pipeline

    @classmethod
    def _with_changes(cls, folder: Path, base: model_folder.Base, device: str) -> "Pipeline":
        """Load the model that a folder goes with, and add the folder's changes to its denoiser."""
        model = model_folder.describe(folder)
        found = cls.from_pretrained(model_folder.find_base(model.name, base), device)
        learned = _read_weights(folder, model_folder.CHANGES)
        try:
            add_changes(found.diffusion, learned)
        except (AttributeError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"{model_folder.CHANGES} in the model folder {folder} does not fit {base.name}."
            ) from error
        return cls(
            str(model_folder.read_json(folder, model_folder.INDEX).get("name", folder.name)),
            found.autoencoder,
            found.diffusion,
            found.text_encoder,
            changes=Changes(base, learned),
            usual_flaws=found.usual_flaws,
            usual_attention=found.usual_attention,
            folder=folder,
            hash=model.hash,
        )

    def save_pretrained(
        self,
        folder: str | Path,
        *,
        card: str = "",
        preview: np.ndarray | None = None,
        previewed: Sequence[Seeded] = (),
        dtype: torch.dtype = torch.float16,
    ) -> None:
        """Write a model folder.

        Args:
            folder: made if need be.
            card: text of the model card.
            preview: uint8 (h, w, 3) picture: one, or a sheet of several.
            previewed: how its pictures were made, in their order.
            dtype: of the weights; in half precision they take half the room, and differ by a few parts in ten thousand.
        """
        import imageio.v3 as imageio

        folder = Path(folder)
        for part in ("autoencoder", "denoiser", "scheduler"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        if self.weak is not None:
            (folder / model_folder.WEAK_DENOISER_WEIGHTS).parent.mkdir(exist_ok=True)
            _save_weights(self.weak.state_dict(), folder / model_folder.WEAK_DENOISER_WEIGHTS, dtype)
        write_json(folder / model_folder.AUTOENCODER_CONFIG, self.autoencoder.config.model_dump(mode="json"))
        write_json(folder / model_folder.DENOISER_CONFIG, self.diffusion.config.model_dump(mode="json"))
        if self.changes is None:
            _save_weights(self.autoencoder.state_dict(), folder / model_folder.AUTOENCODER_WEIGHTS, dtype)
            _save_weights(self.diffusion.state_dict(), folder / model_folder.DENOISER_WEIGHTS, dtype)
        else:
            _save_weights(self.changes.learned, folder / model_folder.CHANGES, dtype)
            write_json(folder / model_folder.BASE, asdict(self.changes.base))
        if self.student is not None:
            _save_student(self.student, folder)
        write_text(folder / model_folder.SCHEDULER_CONFIG, self.diffusion.scheduler("dpm++").to_json_string())
        write_json(folder / model_folder.TEXT_ENCODER, self.text_encoder.config.model_dump(mode="json"))
        write_text(folder / model_folder.CARD, card or f"# {self.name}\n")
        if preview is not None:
            with atomic_write(folder / model_folder.PREVIEW) as temporary:
                imageio.imwrite(temporary, preview)
        if previewed:
            model_folder.write_preview_recipes(folder, previewed)
        # The index comes last: a folder without it is not a model yet.
        write_json(
            folder / model_folder.INDEX,
            {
                "_class_name": "DDMIPipeline",
                "format": model_folder.FORMAT,
                "name": self.name,
                "domain": self.domain.name,
                **({} if self.usual_flaws is None else {model_folder.USUAL_FLAWS: self.usual_flaws}),
                **({model_folder.USUAL_ATTENTION: self.usual_attention} if self.usual_attention else {}),
            },
        )
        self.folder = folder
        self.hash = model_folder.folder_hash(folder)

    def sample(
        self,
        settings: SamplingSettings,
        seeds: Sequence[int],
        *,
        draft: bool = False,
        progress: Progress | None = None,
    ) -> list[Float[Tensor, "c h w"]]:
        """Draw one latent per seed, on the CPU.

        The same seed gives the same latent, whatever the other seeds. An empty prompt samples unconditionally. Where
        `settings.tries` is more than one, the encoder reads what was drawn, and what it makes of that is kept unless it
        is more torn; and what is more torn than is usual of the model's data is drawn again, with other noise on the
        way, as often as that says. A `draft` is drawn once, rounded as is fastest on this machine, and may come out a
        little different on another one.

        Raises:
            ModelError: a weaker copy is to guide, or a student to draw, and the model has none; or attention is to
                guide a denoiser of another kind than a `UViT`.
            Cancelled: from inside `progress`, between denoising steps.
        """
        return self.sample_each([settings.prompt] * len(seeds), seeds, settings, draft=draft, progress=progress)

    def sample_each(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        how: Denoising,
        *,
        draft: bool = False,
        progress: Progress | None = None,
    ) -> list[Float[Tensor, "c h w"]]:
        """Draw a latent for each prompt with the seed at its place, all at once; see `sample`.

        Of `how`, which may be settings with a prompt of their own, that one does not count.
        """
        settings = how if isinstance(how, SamplingSettings) else SamplingSettings(**how.model_dump())
        sketch, denoising = settings.sketch, settings.denoising
        start = None if sketch is None else start_from(sketch, self.autoencoder.canvas_shape)
        kept: Kept | None = None
        if settings.inpaint is not None:
            kept = self._kept(settings.inpaint, sub_progress(progress, 0.0, 0.5))
            progress = sub_progress(progress, 0.5, 1.0)
        if denoising.guide == "weak" and self.weak is None:
            raise ModelError(f"{self.name} has no weaker copy to guide with. Choose the empty prompt, or auto.")
        diffusion, weak = self.diffusion, None if denoising.guide == "empty" else self.weak
        if denoising.quality == "fast":
            if self.student is None:
                raise ModelError(f"{self.name} has no student that is fast. Choose the best quality.")
            diffusion, weak, denoising = self.student.diffusion, None, self.student.denoising
        if weak is None and not (any(prompts) and self.text_encoder.reads_texts):
            denoising = denoising.model_copy(update={"guidance": 1.0})
        denoising = self._with_attention(denoising)

        def drawn(places: Sequence[int], attempt: int, progress: Progress | None) -> list[Tensor]:
            text = self._embedded([prompts[place] for place in places])
            with self._denoiser_in_place():
                return list(
                    diffusion.sample(
                        text,
                        self._empty,
                        [seeds[place] for place in places],
                        denoising,
                        like=settings.like,
                        weak=weak,
                        kept=kept,
                        start=start,
                        draft=draft,
                        attempt=attempt,
                        progress=progress,
                    ).cpu()
                )

        everywhere, usual = range(len(seeds)), self.usual_flaws
        can_differ = denoising.sampler in NOISY_SAMPLERS
        may_mend = kept is None  # what is kept of an item stays as it is
        can_mend = may_mend and self.domain.reading == "kept"
        if usual is None or settings.tries == 1 or draft or not (can_differ or can_mend):
            return drawn(everywhere, 0, progress)
        return soundest(
            drawn(everywhere, 0, sub_progress(progress, 0.0, 0.5)),
            drawn,
            partial(self._judged, may_mend=may_mend),
            usual=usual,
            tries=settings.tries if can_differ else 1,
            progress=sub_progress(progress, 0.5, 1.0),
        )

    def _with_attention(self, denoising: Denoising) -> Denoising:
        """Return how to denoise, attention guidance being what is asked for or else what is usual."""
        if denoising.attention is None:
            return denoising.model_copy(update={"attention": self.usual_attention})
        if denoising.attention and not self.diffusion.can_attend_alone:
            raise ModelError(f"Attention cannot guide {self.name}: its denoiser is of another kind. Ask for 0.")
        return denoising

    def _judged(self, latent: Float[Tensor, "c h w"], *, may_mend: bool) -> tuple[Float[Tensor, "c h w"], int]:
        kept, flaws = judged(self.autoencoder, latent, self.diffusion.latent_std, may_mend=may_mend)
        return kept, flaws or 0

    def _kept(self, inpaint: Inpainting, progress: Progress | None) -> Kept:
        """Return what is kept of the item that is changed, which is made again unless it was the last one."""
        known, original = self._original, inpaint.of  # another thread may change something else meanwhile
        if known is not None and known[0] == original:
            latent = known[1]
        else:
            (latent,) = self.sample(original, [original.seed], progress=progress)
            self._original = original, latent
        return keep_outside(latent, inpaint.region, self.domain.layout, self.autoencoder.plane_sizes)

    def trajectories(
        self, prompts: Sequence[str], seeds: Sequence[int], denoising: Denoising, *, parts: int
    ) -> Float[Tensor, "b n c h w"]:
        """Return the ways from noise to the latents that `sample_each` draws, on the CPU.

        An empty prompt is not led away from itself, whatever the guidance, so it may be among others. See
        `LatentDiffusion.trajectories`.
        """
        weak = None if denoising.guide == "empty" else self.weak
        denoising = self._with_attention(denoising)
        with self._denoiser_in_place():
            return self.diffusion.trajectories(
                self._embedded(prompts), self._empty, seeds, denoising, parts=parts, weak=weak
            ).cpu()

    def _embedded(self, prompts: Sequence[str]) -> TextEmbedding:
        same = len(set(prompts)) == 1
        text = self.text_encoder.encode([prompts[0]] if same else list(prompts))
        if self._is_short_of_memory():
            self.text_encoder.to("cpu")  # where it reads a prompt soon enough, from now on
        return text

    def _is_short_of_memory(self) -> bool:
        """Whether a GPU has so little left that what is not in use should leave it."""
        return self.device.type != "cpu" and free_memory(self.device) < _LEAST_FREE

    @contextmanager
    def _denoiser_in_place(self) -> Iterator[None]:
        """Have the denoiser where it computes; afterwards, where a GPU is short of memory, in the machine's."""
        with self._sampling:
            for denoiser in self._denoisers:
                denoiser.to(self.device)
            try:
                yield
            finally:
                if self._is_short_of_memory():
                    for denoiser in self._denoisers:
                        denoiser.to("cpu")
                    if self.device.type == "cuda":
                        torch.cuda.empty_cache()

    def decode(self, latent: Float[Tensor, "c h w"]) -> Field:
        """Return the continuous signal of a latent.

        Raises:
            ModelError: the latent belongs to a model of other sizes.
        """
        channels, *sides = self.autoencoder.canvas_shape
        if list(latent.shape[1:]) != sides or not len(latent) or len(latent) % channels:
            raise ModelError(
                f"This item was made by another model: its latent is {tuple(latent.shape)}, "
                f"{self.name} has {self.autoencoder.canvas_shape}."
            )
        parts = [self.autoencoder.field(part) for part in latent.split(channels)]
        return parts[0] if len(parts) == 1 else self.domain.join(parts)

    def between(
        self, start: Float[Tensor, "c h w"], end: Float[Tensor, "c h w"], share: float
    ) -> Float[Tensor, "c h w"]:
        """Return the latent at a share (0..1) of the way between two, spherically in the units of the diffusion."""
        mean, std = self.diffusion.latent_mean.cpu(), self.diffusion.latent_std.cpu()
        return slerp((start - mean) / std, (end - mean) / std, share) * std + mean

    def read(self, path: str | Path, *, span: tuple[float, float] | None = None, up: Up = "y") -> ItemSource:
        """Read a user's file, to be encoded.

        Args:
            path: the file.
            span: only what it has from .. to, in seconds, where files have a duration.
            up: the axis that is up in it, where files lie in space and do not say it themselves.

        Raises:
            DataError: the file cannot be used.
        """
        given = self.autoencoder.config.encoder_input
        if span is not None:
            return self.domain.read_span(Path(path), span, queries=refinement.QUERIES, given=given)
        return self.domain.read(Path(path), queries=refinement.QUERIES, given=given, up=up)

    def fit(self, file: str | Path, plan: FitPlan = USUAL_PLAN, *, progress: Progress | None = None) -> Fit:
        """Fit basis fields to a user's file; `Fit.save` keeps them, `domain.fitted` makes the signal of them.

        Args:
            file: the file.
            plan: how; `FitPlan("balanced")`, `FitPlan(seconds=60)`.
            progress: called with the share that is done and words; may raise `Cancelled`.

        Raises:
            DataError: the file cannot be used, or signals of this domain cannot be fitted, or not so.
        """
        return self.domain.fit(Path(file), plan, progress)

    @torch.no_grad()
    def encode(
        self,
        file: str | Path | ItemSource,
        *,
        refine_steps: int = refinement.STEPS,
        progress: Progress | None = None,
    ) -> Float[Tensor, "c h w"]:
        """Return the latent of a user's file, on the CPU; the same file gives the same latent.

        Where a file is read in several parts, their latents are stacked along the channels; `decode` joins them again.

        Args:
            file: the file, or what `read` gave of it.
            refine_steps: how many steps the posterior's mean is fitted to the file, where the file tells the true
                values; 0 leaves what the encoder says.
            progress: called between the steps; may raise `Cancelled`.

        Raises:
            DataError: the file cannot be used.
        """
        source = self.read(file) if isinstance(file, str | Path) else file
        count = len(source)
        latents = [
            self.encode_source(
                source, i, refine_steps=refine_steps, progress=sub_progress(progress, i / count, (i + 1) / count)
            )
            for i in range(count)
        ]
        return torch.cat(latents)

    @torch.no_grad()
    def encode_source(
        self, source: ItemSource, index: int = 0, *, refine_steps: int = 0, progress: Progress | None = None
    ) -> Float[Tensor, "c h w"]:
        """Return the latent of one signal of a data set; see `encode`."""

        def example(number: int) -> dict[str, Tensor]:
            drawn = source.sample(index, np.random.default_rng((0, number)), augment="none")
            return {name: torch.from_numpy(values).unsqueeze(0).to(self.device) for name, values in drawn.items()}

        first = example(0)
        latent = self.autoencoder.posterior(first).mean
        if "targets" in first:
            latent = refinement.refine(self.autoencoder, latent, example, steps=refine_steps, progress=progress)
        return latent[0].cpu()


def read_config(kind: type[_Config], folder: Path, name: str) -> _Config:
    """Return one of the configurations in a model folder.

    Raises:
        ModelError: it is missing, damaged, or does not fit this version.
    """
    try:
        return kind.model_validate(model_folder.read_json(folder, name))
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"{name} in the model folder {folder} does not fit this version: "
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}."
        ) from error


def _weak_copy(diffusion: LatentDiffusion, folder: Path) -> LatentDiffusion | None:
    """The weaker copy that a model folder may have; of the same size, from the same run."""
    if not (folder / model_folder.WEAK_DENOISER_WEIGHTS).is_file():
        return None
    weak = LatentDiffusion(diffusion.config, diffusion.canvas_shape)
    _load_weights(weak, folder, model_folder.WEAK_DENOISER_WEIGHTS)
    scales = ((weak.latent_mean, diffusion.latent_mean), (weak.latent_std, diffusion.latent_std))
    if not all(torch.allclose(one, other) for one, other in scales):
        raise ModelError(
            f"{model_folder.WEAK_DENOISER_WEIGHTS} in the model folder {folder} is of another run: its latents have "
            "another scale. Take an early checkpoint of the same run, or delete it."
        )
    return weak


def _student(diffusion: LatentDiffusion, folder: Path) -> Student | None:
    """The student that a model folder may have; its weights are kept as differences from the teacher's."""
    name = model_folder.FAST_DENOISER_WEIGHTS
    if not (folder / name).is_file():
        return None
    own = read_config(_StudentConfig, folder, model_folder.FAST_DENOISER_CONFIG)
    if own.teacher != file_digest(folder / model_folder.DENOISER_WEIGHTS)[:_DIGITS]:
        raise ModelError(
            f"{name} in the model folder {folder} is of a student of other weights. Distil it again, or delete it."
        )
    student = LatentDiffusion(diffusion.config, diffusion.canvas_shape)
    _load_weights(student, folder, name, base=diffusion)
    return Student(student, own.steps, own.guidance)


def _save_student(student: Student, folder: Path) -> None:
    """Write a student beside the denoiser, which is there already, as the differences from what will be read of it."""
    (folder / model_folder.FAST_DENOISER_WEIGHTS).parent.mkdir(exist_ok=True)
    written = load_file(folder / model_folder.DENOISER_WEIGHTS)
    with atomic_write(folder / model_folder.FAST_DENOISER_WEIGHTS) as temporary:
        save_file(differences(student.diffusion.state_dict(), written), temporary)
    teacher = file_digest(folder / model_folder.DENOISER_WEIGHTS)[:_DIGITS]
    own = _StudentConfig(steps=student.steps, guidance=student.guidance, teacher=teacher)
    write_json(folder / model_folder.FAST_DENOISER_CONFIG, own.model_dump(mode="json"))


def _load_weights(module: nn.Module, folder: Path, name: str, *, base: nn.Module | None = None) -> None:
    """Load weights, or of a student what they differ by from those of its base."""
    found = _read_weights(folder, name)
    try:
        tensors = found if base is None else restored(found, base.state_dict())
        module.load_state_dict(tensors)
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{name} in the model folder {folder} does not fit its configuration.") from error


def _read_weights(folder: Path, name: str) -> dict[str, Tensor]:
    try:
        found = load_file(folder / name)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{name} in the model folder {folder} is damaged ({error}). Copy the folder again.") from error
    bad = next((key for key, tensor in found.items() if not torch.isfinite(tensor).all()), None)
    if bad is not None:
        raise ModelError(f"{name} in the model folder {folder} holds values that are not numbers ({bad}).")
    return found


def _save_weights(weights: Mapping[str, Tensor], path: Path, dtype: torch.dtype) -> None:
    tensors = {key: tensor.detach().to("cpu", dtype).contiguous() for key, tensor in weights.items()}
    with atomic_write(path) as temporary:
        save_file(tensors, temporary)
