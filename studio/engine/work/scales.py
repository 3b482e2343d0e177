"""Pictures scale by scale: moments of the film in which finer basis fields come in, and the film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ddmi_core.export.options import VideoExport
from ddmi_core.frame_size import pixel_size
from studio.engine.work.base import Answer, Context, SignalRequest, StageRequest, WriteRequest, check_free, does
from studio.engine.work.items import decoded


@dataclass(frozen=True, kw_only=True)
class ScaleFrameRequest(StageRequest, SignalRequest[Any]):
    """What the film of a picture's scales shows at a moment ``t`` in [-1, 1]. Answered by a ScaleFrameReady."""

    t: float
    resolution: int
    """Pixels along the longer side."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleFrameReady(Answer):
    """A moment of the film; ``weights`` of the scales, coarse to fine."""

    request: ScaleFrameRequest
    weights: tuple[float, ...]
    pixels: UInt8[np.ndarray, "h w 4"]


@dataclass(frozen=True, kw_only=True)
class ScaleFilmRequest(SignalRequest[Any], WriteRequest):
    """Write the film of a picture's scales. Answered by a ScaleFilmDone."""

    options: VideoExport


@dataclass(frozen=True, kw_only=True)
class ScaleFilmDone(Answer):
    """The film was written."""

    request: ScaleFilmRequest
    path: Path


@does(ScaleFrameRequest, "view", "Scale by scale", "drawing scale by scale", quiet=True)
def _frame(request: ScaleFrameRequest, context: Context) -> Iterator[ScaleFrameReady]:
    from ddmi_core.coordinates import WHOLE
    from ddmi_core.fields.scales import ScaleFilm

    frame = ScaleFilm(decoded(request, context)).at(request.t)
    region = request.item.recipe.extent or WHOLE
    width, height = pixel_size(region, request.resolution)
    pixels = frame.render(width, height, region=region, progress=context.progress)
    yield ScaleFrameReady(request=request, weights=frame.weights, pixels=pixels)


@does(ScaleFilmRequest, "export", "Scales {request.path.name}", "writing {request.path.name}")
def _film(request: ScaleFilmRequest, context: Context) -> Iterator[ScaleFilmDone]:
    from ddmi_core.export.videos import export_video
    from ddmi_core.fields.scales import ScaleFilm

    check_free(request, request.options.targets(request.path))
    context.progress(0.0, "loading the model")
    film = ScaleFilm(decoded(request, context))
    facts = export_video(film, request.path, request.options, recipe=request.item.recipe, progress=context.progress)
    yield ScaleFilmDone(request=request, path=Path(facts["path"]))
