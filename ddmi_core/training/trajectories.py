"""The ways that a teacher goes from noise to a latent: made once, kept beside the run, for its student to learn from.

RUN/cache/trajectories.safetensors   float16 (n, parts + 1, c, h, w), scaled as the denoiser sees latents
          trajectories.partial       the same while it is being made; it goes on where it was interrupted
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.utils.data import Dataset

from ddmi_core.pipeline import Pipeline
from ddmi_core.support.devices import autocast
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import write_json
from ddmi_core.support.parsing import parse_json
from ddmi_core.training.autoencoder_stage import open_mixture
from ddmi_core.training.config import DistillationConfig, RunConfig
from ddmi_core.training.latents import EmbeddedTexts, Telling
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.tensor_file import PartsFile, Rows, StoredRows, metadata_of

HELD_OUT = 64
"""Trajectories that are measured on, beside those that are learned from."""

_AT_ONCE = 32


class Trajectories(NamedTuple):
    """Ways from noise to a latent, the last `HELD_OUT` of them to measure on.

    Attributes:
        points: float16 (n, parts + 1, c, h, w).
        texts: the different prompts that have gone through the text encoder.
        prompts: for each trajectory its prompt's place there.
    """

    points: Rows
    texts: EmbeddedTexts
    prompts: Sequence[int]

    @property
    def learned_from(self) -> int:
        """How many are not held out."""
        return len(self.points) - HELD_OUT

    def text(self, number: int) -> dict[str, Tensor]:
        """Return the prompt of a trajectory as the denoiser reads it."""
        return self.texts.text(self.prompts[number])


class TrajectoryParts(Dataset[dict[str, Tensor]]):
    """Endless draws of a part of a trajectory: where it begins and ends, which one it is, and the prompt."""

    def __init__(self, trajectories: Trajectories, seed: int) -> None:
        self.trajectories = trajectories
        self.seed = seed

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, 6, number))
        known = self.trajectories
        index, part = int(rng.integers(known.learned_from)), int(rng.integers(known.points.shape[1] - 1))
        points = known.points[index]
        return {"begin": points[part], "end": points[part + 1], "part": torch.tensor(part), **known.text(index)}


def seed_of(config: RunConfig, number: int) -> int:
    """Return the seed of a trajectory's noise."""
    return int(np.random.SeedSequence((config.seed, 5, number)).generate_state(1)[0])


def trajectories(
    config: RunConfig,
    settings: DistillationConfig,
    teacher: Pipeline,
    run: RunFolder,
    precision: torch.dtype,
    *,
    say: Callable[[str], None],
    between: Callable[[], object],
) -> Trajectories:
    """Go `settings.trajectories` ways and those held out, or open what an earlier start of this run has gone.

    Args:
        config: the run's.
        settings: those of its distillation.
        teacher: a model.
        run: where they are kept.
        precision: that the teacher computes in.
        say: puts a message on record.
        between: called between batches; may raise.

    Raises:
        DDMIError: they cannot be written, for example because the disk is full; what is there is kept.
    """
    count = settings.trajectories + HELD_OUT
    prompts = _prompts(config, settings, count)
    different = sorted({"", *prompts}, key=len)  # a batch of texts takes as long as its longest one
    texts = EmbeddedTexts.of(different, teacher.text_encoder)
    places = {prompt: place for place, prompt in enumerate(different)}
    path = run.cache / "trajectories.safetensors"
    gone = [teacher.hash, settings.teacher.model_dump(mode="json"), settings.student_steps, prompts]
    identity = hashlib.sha256(json.dumps(gone).encode()).hexdigest()
    if not _is_of(path, identity):
        try:
            _go(config, settings, teacher, prompts, path, identity, precision, say, between)
        except OSError as error:
            raise DDMIError(
                f"Trajectories cannot be written to {path.parent} ({error.strerror or error}). Make room, or allow "
                "writing there, and resume."
            ) from error
    return Trajectories(StoredRows(path, "points"), texts, [places[prompt] for prompt in prompts])


def _prompts(config: RunConfig, settings: DistillationConfig, count: int) -> list[str]:
    """Return a prompt for each trajectory: captions of what the second stage learns from, now and then none."""
    mixture = open_mixture(config, "train", for_diffusion=True)
    prompts = []
    for number in range(count):
        rng = np.random.default_rng((config.seed, 5, number))
        source, index = mixture.draw(rng, number, config.seed)
        caption = source.draw_captions(index, rng, 1)[0]
        prompts.append("" if rng.random() < settings.drop_prompt else caption)
    return prompts


def _go(
    config: RunConfig,
    settings: DistillationConfig,
    teacher: Pipeline,
    prompts: Sequence[str],
    path: Path,
    identity: str,
    precision: torch.dtype,
    say: Callable[[str], None],
    between: Callable[[], object],
) -> None:
    count, parts = len(prompts), settings.student_steps
    partial, progress = path.with_suffix(".partial"), path.with_suffix(".json")
    done = _done(partial, progress, identity)
    if not done:
        partial.unlink(missing_ok=True)
    shape = (count, parts + 1, *teacher.diffusion.canvas_shape)
    file = PartsFile(partial, {"points": (torch.float16, shape)}, {"identity": identity})
    telling = Telling("went", "ways", count, say, done)
    for start in range(done, count, _AT_ONCE):
        between()
        end = min(start + _AT_ONCE, count)
        with autocast(teacher.device, precision):
            points = teacher.trajectories(
                prompts[start:end],
                [seed_of(config, number) for number in range(start, end)],
                settings.teacher,
                parts=parts,
            )
        file.write("points", start, points.half())
        file.flush()
        write_json(progress, {"done": end})
        telling.tell(end)
    partial.replace(path)


def _done(partial: Path, progress: Path, identity: str) -> int:
    """Return how many trajectories an earlier start has written."""
    try:
        return int(parse_json(progress.read_text(encoding="utf-8"))["done"]) if _is_of(partial, identity) else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _is_of(file: Path, identity: str) -> bool:
    """Whether a file is there and holds ways of this teacher for these prompts."""
    try:
        return metadata_of(file).get("identity") == identity
    except (OSError, SafetensorError):
        return False  # none yet, or damaged
