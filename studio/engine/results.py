"""Results: what the engine answers. Each carries its request; arrays are numpy, never torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ddmi_core.model_folder import ModelInfo
from studio.engine.requests import (
    ExportRequest,
    GenerateRequest,
    ModelRequest,
    ModelsRequest,
    ReconstructRequest,
    Request,
    ViewRequest,
)
from studio.state.library import Item

View = Mapping[str, np.ndarray]
"""What a viewer draws; the domain says which arrays. Shapes: vertices (v, 3) float32 in [-1, 1], faces (f, 3) int32 and
normals (v, 3) float32."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemReady:
    """An item was made, and is safe in the library's folder. ``index`` counts the variations of its request from 0."""

    request: GenerateRequest | ReconstructRequest
    item: Item
    index: int
    view: View
    resolution: int
    thumbnail: UInt8[np.ndarray, "height width 4"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ViewReady:
    """A view of a library item."""

    request: ViewRequest
    view: View
    resolution: int

    @property
    def item(self) -> Item:
        """The item that the view shows."""
        return self.request.item


@dataclass(frozen=True, kw_only=True)
class ExportDone:
    """A file was written. ``facts`` are the domain's figures about it (vertices, faces, watertight …)."""

    request: ExportRequest
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ModelLoaded:
    """The model that a request needs is in memory, on ``device`` ("cpu", "cuda:0")."""

    request: ModelRequest
    device: str


@dataclass(frozen=True, kw_only=True)
class ModelsReady:
    """The installed models."""

    request: ModelsRequest
    models: tuple[ModelInfo, ...]


@dataclass(frozen=True, kw_only=True)
class JobStarted:
    """A worker has taken the request up."""

    request: Request


@dataclass(frozen=True, kw_only=True)
class JobProgress:
    """``fraction`` (0..1) of the request is done, and ``text`` is being done now."""

    request: Request
    fraction: float
    text: str


@dataclass(frozen=True, kw_only=True)
class JobNote:
    """The work goes on, but not quite as asked, which ``text`` explains in a sentence (memory ran short, say)."""

    request: Request
    text: str


@dataclass(frozen=True, kw_only=True)
class JobDone:
    """The request is finished; its results were sent before."""

    request: Request


@dataclass(frozen=True, kw_only=True)
class JobFailed:
    """The request failed. ``message`` is one clear sentence, ``details`` the traceback if it was unforeseen."""

    request: Request
    message: str
    details: str = ""


@dataclass(frozen=True, kw_only=True)
class JobCancelled:
    """The request was cancelled and no longer runs."""

    request: Request


WorkResult = ItemReady | ViewReady | ExportDone | ModelsReady
"""What work itself yields."""

Result = WorkResult | ModelLoaded | JobStarted | JobProgress | JobNote | JobDone | JobFailed | JobCancelled
"""Everything that crosses from a worker to the window."""
