"""Requests: what the window asks of the engine. Frozen, and each captures all that its work needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from ddmi_core.export.options import ExportOptions, KeyFrame, VideoExport
from ddmi_core.fidelity import Fidelity
from ddmi_core.placement import Up
from ddmi_core.recipe import SamplingSettings
from ddmi_core.rendering.view_settings import ViewSettings
from studio.state.library import Item
from studio.state.sequence import Arrangement

Window = tuple[int, int, int, int]
"""A rectangle of pixels: left, top, width and height."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """``job_id`` names the job in the queue; ``generation`` is the state's number when it was asked."""

    job_id: str
    generation: int


@dataclass(frozen=True, kw_only=True)
class ModelRequest(Request):
    """Work that needs the model in the folder ``model``; None where it is about a fit, which needs none."""

    model: Path | None


@dataclass(frozen=True, kw_only=True)
class GenerateRequest(ModelRequest):
    """Sample one item per seed, all with the same settings. Answered by an ItemReady each."""

    domain: str
    settings: SamplingSettings
    seeds: tuple[int, ...]
    preview_resolution: int
    """Resolution of the first view, in samples along the longest axis."""


@dataclass(frozen=True, kw_only=True)
class ReconstructRequest(ModelRequest):
    """Encode a person's file and make an item of it.

    Answered by an ItemReady, or by a SpanWanted where the file is too long to be read at once.
    """

    domain: str
    path: Path
    span: tuple[float, float] | None
    """Only what the file has from .. to, in seconds."""
    up: Up = "y"
    """The axis that is up in a file that lies in space and does not say it itself."""
    fidelity: Fidelity = "faithful"
    """How closely a file is represented, in a domain whose fits are there at once; in others it becomes a latent
    first, and a :class:`FitRequest` may follow."""
    preview_resolution: int


@dataclass(frozen=True, kw_only=True)
class FitRequest(Request):
    """Fit basis fields to the file that an item stands for, which takes a while. Answered by a FitReady."""

    item: Item
    fidelity: Fidelity
    preview_resolution: int

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.item.recipe.source or "")


@dataclass(frozen=True, kw_only=True)
class ViewRequest(ModelRequest):
    """Something to look at, of a library item, at a resolution. Answered by a ViewReady."""

    item: Item
    resolution: int


@dataclass(frozen=True, kw_only=True)
class DetailRequest(ModelRequest):
    """The surface of an item as finely as a camera sees it. Answered by a DetailReady twice, roughly and finely.

    ``aspect``: width by height of the picture. ``wish`` numbers what the asker wanted.
    """

    item: Item
    camera: KeyFrame
    aspect: float
    wish: int


@dataclass(frozen=True, kw_only=True)
class ExportRequest(ModelRequest):
    """Write a library item to a file, whose suffix says the format. Answered by an ExportDone.

    ``options`` are those of the item's domain. ``replace``: whether a file of that name may be replaced.
    """

    item: Item
    path: Path
    options: ExportOptions
    replace: bool = False


@dataclass(frozen=True, kw_only=True)
class TilesRequest(ModelRequest):
    """Windows of an item drawn with ``side`` × ``side`` pixels, in the order given. Answered by a TileReady each.

    ``coarse`` is answered first: the same of a drawing of ``coarse_side``, to have something to show at once.
    ``moment``: the time coordinate of the picture, of an item that moves. ``arrangement``: what is drawn instead of the
    item that is on the stage.
    """

    item: Item
    side: int
    windows: tuple[Window, ...]
    coarse_side: int
    coarse: Window | None
    moment: float | None = None
    arrangement: Arrangement | None = None


@dataclass(frozen=True, kw_only=True)
class FramesRequest(ModelRequest):
    """A window of an item that moves, at several moments, in the order given. Answered by a FrameReady each.

    A moment is two time coordinates in [-1, 1] and the share of the second one in the picture. ``purpose`` tells apart
    who asked: what was asked for the same purpose before is given up. ``wish`` numbers what the asker wanted.
    ``arrangement``: what is drawn instead of the item that is on the stage.
    """

    item: Item
    moments: tuple[tuple[float, float, float], ...]
    side: int
    window: Window
    purpose: str
    wish: int
    arrangement: Arrangement | None = None


@dataclass(frozen=True, kw_only=True)
class SlicesRequest(ModelRequest):
    """What an item that moves has along x and along y at all times, through a place. Answered by a SlicesReady."""

    item: Item
    x: float
    y: float
    side: int
    moments: int


@dataclass(frozen=True, kw_only=True)
class RenderRequest(ModelRequest):
    """An item in space as a camera sees it, ``width`` × ``height`` pixels. Answered by a RenderReady.

    ``wish`` numbers what the asker wanted; ``moving`` says that the camera moves, so that a rough picture will do.
    """

    item: Item
    camera: KeyFrame
    width: int
    height: int
    settings: ViewSettings
    wish: int
    moving: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class EnlargeRequest(Request):
    """Windows of a finished picture enlarged to ``side`` × ``side`` pixels (bicubic). Answered by a TileReady each."""

    item: Item
    picture: UInt8[np.ndarray, "h w 4"]
    side: int
    windows: tuple[Window, ...]


@dataclass(frozen=True, kw_only=True)
class OriginalRequest(Request):
    """Windows of the file that an item stands for, the canvas drawn with ``side`` × ``side`` pixels.

    Enlarged, its pixels are squares, or ``smooth`` (bicubic). Answered by a TileReady each.
    """

    item: Item
    side: int
    windows: tuple[Window, ...]
    smooth: bool


@dataclass(frozen=True, kw_only=True)
class BasisRequest(ModelRequest):
    """The basis fields of an item as pictures. Answered by a BasisReady."""

    item: Item


@dataclass(frozen=True, kw_only=True)
class BetweenRequest(ModelRequest):
    """What lies ``share`` (0..1) of the way from one item to another. Answered by a BetweenReady."""

    start: Item
    end: Item
    share: float
    resolution: int


@dataclass(frozen=True, kw_only=True)
class WalkRequest(ModelRequest):
    """Write a walk from one item to another: a video, or a folder of pictures where ``path`` has no suffix.

    Answered by a WalkDone.
    """

    start: Item
    end: Item
    path: Path
    frames: int
    resolution: int
    rate: int
    """Frames a second, of a video."""
    replace: bool = False


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest(ModelRequest):
    """Measure a model against a data set and write a report into a folder. Answered by an EvaluationDone.

    ``data`` is a starter set's name or a folder. What an earlier request of the same kind has done is not done again.
    """

    model: Path
    data: str
    samples: int
    path: Path


@dataclass(frozen=True, kw_only=True)
class SequenceRequest(ModelRequest):
    """Write a sequence of clips. ``options`` are those of a clip. Answered by a SequenceDone."""

    arrangement: Arrangement
    path: Path
    options: VideoExport
    replace: bool = False


@dataclass(frozen=True, kw_only=True)
class PreloadRequest(ModelRequest):
    """Load the model and run it once, so that the first Generate finds it warm. Has no result of its own."""


@dataclass(frozen=True, kw_only=True)
class GpusRequest(Request):
    """Look which CUDA devices there are. Answered by a GpusFound."""


@dataclass(frozen=True, kw_only=True)
class ModelsRequest(Request):
    """Look which models are installed. Answered by a ModelsReady."""
