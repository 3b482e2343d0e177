"""Results: what the engine answers. Each carries its request; arrays are numpy, never torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from ddmi_core.model_folder import ModelInfo
from ddmi_core.rendering.mesh_pieces import MeshPiece
from studio.engine.requests import (
    BasisRequest,
    BetweenRequest,
    DetailRequest,
    EnlargeRequest,
    EvaluateRequest,
    ExportRequest,
    FitRequest,
    FramesRequest,
    GenerateRequest,
    GpusRequest,
    ModelRequest,
    ModelsRequest,
    OriginalRequest,
    ReconstructRequest,
    RenderRequest,
    Request,
    SequenceRequest,
    SlicesRequest,
    TilesRequest,
    ViewRequest,
    WalkRequest,
    Window,
)
from studio.state.library import Item

View = Mapping[str, Any]
"""What a viewer draws; the domain says which. Shapes: vertices (v, 3) float32 in [-1, 1], faces (f, 3) int32, normals
(v, 3) float32, and pieces, the same as a tuple of MeshPiece. Pictures and radiance fields: pixels (h, w, 4) uint8,
straight alpha. Videos: frames (n, h, w, 4) uint8, pixels, the one of them that stands for all, and marks (m,) float32,
the moments of the base frames."""


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
class FitReady:
    """An item was fitted to its file; `item` is what it has become."""

    request: FitRequest
    item: Item
    view: View
    resolution: int


@dataclass(frozen=True, kw_only=True)
class SpanWanted:
    """A file lasts ``seconds``, of which ``longest`` at most can be read: the person is to say which."""

    request: ReconstructRequest
    seconds: float
    longest: float


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


@dataclass(frozen=True, kw_only=True, eq=False)
class DetailReady:
    """The surface that was asked for. ``rough``: a lighter one, before the fine one follows."""

    request: DetailRequest
    pieces: tuple[MeshPiece, ...]
    resolution: int
    """Cells along an axis, where they are smallest."""
    rough: bool


@dataclass(frozen=True, kw_only=True)
class ExportDone:
    """A file was written. ``facts`` are the domain's figures about it (vertices, faces, watertight …)."""

    request: ExportRequest
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class TileReady:
    """One window of the drawing that was asked for, ``side`` pixels wide as a whole."""

    request: TilesRequest | EnlargeRequest | OriginalRequest
    side: int
    window: Window
    pixels: UInt8[np.ndarray, "h w 4"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameReady:
    """One of the moments that were asked for, straight alpha. ``seconds``: how long it took."""

    request: FramesRequest
    index: int
    pixels: UInt8[np.ndarray, "h w 4"]
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RenderReady:
    """What the camera sees, straight alpha. ``seconds``: how long it took."""

    request: RenderRequest
    pixels: UInt8[np.ndarray, "h w 4"]
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SlicesReady:
    """Two slices through a clip, straight alpha: x along the width and y along the width, time downwards."""

    request: SlicesRequest
    along_x: UInt8[np.ndarray, "t s 4"]
    along_y: UInt8[np.ndarray, "t s 4"]


@dataclass(frozen=True, kw_only=True, eq=False)
class BasisScale:
    """One scale of the basis fields: a picture of its main components, and its spectrum.

    ``spectrum`` is the mean amplitude at every frequency as a picture, the constant in the middle; ``profile`` the same
    over all directions, at ``frequencies`` (cycles across the canvas, which is as wide as the field's longer side),
    relative to the largest.
    """

    width: int
    height: int
    channels: int
    picture: UInt8[np.ndarray, "h w 3"]
    spectrum: UInt8[np.ndarray, "h w"]
    frequencies: Float32[np.ndarray, " n"]
    profile: Float32[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True, eq=False)
class BasisReady:
    """The basis fields of an item, coarse to fine."""

    request: BasisRequest
    scales: tuple[BasisScale, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class BetweenReady:
    """A view of what lies between two items."""

    request: BetweenRequest
    view: View


@dataclass(frozen=True, kw_only=True)
class WalkDone:
    """A walk was written."""

    request: WalkRequest
    path: Path
    """The file, or the folder of pictures."""


@dataclass(frozen=True, kw_only=True)
class EvaluationDone:
    """A model was measured; ``page`` is the report."""

    request: EvaluateRequest
    page: Path


@dataclass(frozen=True, kw_only=True)
class SequenceDone:
    """A sequence of clips was written."""

    request: SequenceRequest
    path: Path
    """The file, or the folder of pictures."""


@dataclass(frozen=True, kw_only=True)
class ModelLoading:
    """The model that a request needs has to be brought into memory first, which takes seconds."""

    request: ModelRequest


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
class GpusFound:
    """The names of the CUDA devices that there are."""

    request: GpusRequest
    names: tuple[str, ...]


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


WorkResult = (
    ItemReady
    | FitReady
    | SpanWanted
    | ViewReady
    | DetailReady
    | ExportDone
    | ModelsReady
    | GpusFound
    | TileReady
    | FrameReady
    | RenderReady
    | SlicesReady
    | BasisReady
    | BetweenReady
    | WalkDone
    | EvaluationDone
    | SequenceDone
)
"""What work itself yields."""

Result = (
    WorkResult | ModelLoading | ModelLoaded | JobStarted | JobProgress | JobNote | JobDone | JobFailed | JobCancelled
)
"""Everything that crosses from a worker to the window."""
