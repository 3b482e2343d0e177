"""Requests: what the window asks of the engine. Frozen, and each captures all that its work needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ddmi_core.export_options import ExportOptions
from ddmi_core.recipe import SamplerName
from studio.state.library import Item


@dataclass(frozen=True, kw_only=True)
class Request:
    """``job_id`` names the job in the queue; ``generation`` is the state's number when it was asked."""

    job_id: str
    generation: int


@dataclass(frozen=True, kw_only=True)
class ModelRequest(Request):
    """Work that needs the model in the folder ``model``."""

    model: Path


@dataclass(frozen=True, kw_only=True)
class GenerateRequest(ModelRequest):
    """Sample one item per seed, all from one prompt (empty: unconditional). Answered by an ItemReady each."""

    domain: str
    prompt: str
    seeds: tuple[int, ...]
    steps: int
    sampler: SamplerName
    guidance: float
    preview_resolution: int
    """Resolution of the first view, in samples along the longest axis."""


@dataclass(frozen=True, kw_only=True)
class ReconstructRequest(ModelRequest):
    """Encode a person's file and make an item of it. Answered by an ItemReady."""

    domain: str
    path: Path
    preview_resolution: int


@dataclass(frozen=True, kw_only=True)
class ViewRequest(ModelRequest):
    """Something to look at, of a library item, at a resolution. Answered by a ViewReady.

    Opening an item asks for a coarse view; refining asks for a finer one later, at leisure (``refining``).
    """

    item: Item
    resolution: int
    refining: bool = False


@dataclass(frozen=True, kw_only=True)
class ExportRequest(ModelRequest):
    """Write a library item to a file, whose suffix says the format. Answered by an ExportDone.

    ``options`` are those of the item's domain.
    """

    item: Item
    path: Path
    options: ExportOptions


@dataclass(frozen=True, kw_only=True)
class PreloadRequest(ModelRequest):
    """Load the model and run it once, so that the first Generate finds it warm. Has no result of its own."""


@dataclass(frozen=True, kw_only=True)
class ModelsRequest(Request):
    """Look which models are installed. Answered by a ModelsReady."""
