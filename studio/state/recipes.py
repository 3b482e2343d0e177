"""What a new training can be put together from, and what was found out about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import UInt8
from numpy import ndarray


@dataclass(frozen=True)
class DomainChoice:
    """A kind of signal to train on; `formats` are those of the files that a folder may hold, `picture` shows some."""

    name: str
    title: str
    about: str
    formats: tuple[str, ...]
    starter_sets: tuple[str, ...]
    picture: Path | None


@dataclass(frozen=True)
class PresetChoice:
    """A preset: its name, what it says of itself, and the whole of it as YAML."""

    name: str
    domain: str
    about: str
    text: str


@dataclass(frozen=True)
class TextEncoderChoice:
    """A text encoder to train with, and the settings that choose it."""

    title: str
    name: str
    settings: Mapping[str, object]


@dataclass(frozen=True, eq=False)
class DataReport:
    """What a starter set or a folder holds: `count` usable signals, some of them held out, some with captions.

    `unusable` names other files of a folder, each with the reason. `thumbnails` are pictures of some of the usable
    ones, premultiplied RGBA, by file name or caption. `size_bytes` is what a folder's files take, 0 if not known.
    """

    source: str
    count: int
    held_out: int
    captioned: int
    unusable: tuple[tuple[str, str], ...]
    thumbnails: Mapping[str, UInt8[ndarray, "s s 4"]]
    size_bytes: int


@dataclass(frozen=True)
class TrialReport:
    """What a trial found. Seconds are for a step, and for the whole run."""

    autoencoder_parameters: int
    denoiser_parameters: int
    autoencoder_step_seconds: float
    denoiser_step_seconds: float
    memory_bytes: int
    run_seconds: float


@dataclass(frozen=True)
class LargestBatch:
    """How many examples a stage takes at once, and what keeps it from taking more: memory, data, time or most."""

    examples: int
    limit: str


@dataclass(frozen=True)
class BatchReport:
    """The largest batch of each stage."""

    autoencoder: LargestBatch
    denoiser: LargestBatch
