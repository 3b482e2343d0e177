"""What a new training can be put together from, and what was found out about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DomainChoice:
    """A kind of signal to train on. `formats` are suffixes of the files that a folder may hold."""

    name: str
    title: str
    formats: tuple[str, ...]
    starter_sets: tuple[str, ...]


@dataclass(frozen=True)
class PresetChoice:
    """A preset: its name, what it says of itself, and the whole of it as YAML."""

    name: str
    domain: str
    about: str
    text: str


@dataclass(frozen=True)
class FolderReport:
    """What a folder holds. `names` are usable files relative to it; `unusable` names others, each with the reason."""

    folder: Path
    names: tuple[str, ...]
    held_out: int
    captioned: int
    unusable: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TrialReport:
    """What a trial found. Seconds are for a step, and for the whole run."""

    autoencoder_parameters: int
    denoiser_parameters: int
    autoencoder_step_seconds: float
    denoiser_step_seconds: float
    memory_bytes: int
    run_seconds: float
