"""Clips: their frames, slices along time, and sequences of several."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from ddmi_core.export.options import VideoExport
from ddmi_core.support.progress import Progress, sub_progress
from studio.engine.originals import OriginalClip, open_original_clip
from studio.engine.pictures import Window, blended
from studio.engine.work.base import (
    FILES,
    Answer,
    Context,
    Request,
    SignalRequest,
    StageAnswer,
    StageRequest,
    WriteRequest,
    check_free,
    does,
)
from studio.engine.work.items import decoded
from studio.state.library import Item
from studio.state.sequence import Arrangement

if TYPE_CHECKING:
    from ddmi_core.export.videos import Moving
    from ddmi_core.fields.video import VideoField
    from ddmi_core.pipeline import Pipeline
    from ddmi_core.sequences import ClipSequence


@dataclass(frozen=True, kw_only=True)
class ArrangedRequest(StageRequest, SignalRequest["VideoField"]):
    """Work on an item, or on the sequence ``arrangement`` that is on the stage in its place."""

    arrangement: Arrangement | None = None

    @property
    def latents(self) -> tuple[Item, ...]:
        """The item, unless it is a fit, or the clips of the sequence."""
        return super().latents if self.arrangement is None else self.arrangement.items


@dataclass(frozen=True, kw_only=True)
class FramesRequest(ArrangedRequest):
    """A window of an item that moves, at several moments, in the order given. Answered by a FrameReady each.

    A moment is two time coordinates in [-1, 1] and the share of the second one in the picture. ``purpose`` tells apart
    who asked: what was asked for the same purpose before is given up, unless this is ``more`` of it. ``serial`` numbers
    what the asker wanted. From the column ``bar`` of the drawing on, it is the file's own frame that is drawn, if there
    is such a bar.
    """

    moments: tuple[tuple[float, float, float], ...]
    side: int
    window: Window
    purpose: str
    serial: int
    more: bool = False
    bar: int | None = None

    def replaces(self, other: Request) -> bool:
        """What was asked for the same purpose before, unless this is more of it."""
        return isinstance(other, FramesRequest) and other.purpose == self.purpose and not self.more


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameReady(StageAnswer):
    """One of the moments that were asked for, straight alpha. ``seconds``: how long it took."""

    request: FramesRequest
    index: int
    pixels: UInt8[np.ndarray, "h w 4"]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class SlicesRequest(StageRequest, SignalRequest["VideoField"]):
    """What an item that moves has along x and along y at all times, through a place. Answered by a SlicesReady."""

    x: float
    y: float
    side: int
    moments: int


@dataclass(frozen=True, kw_only=True, eq=False)
class SlicesReady(StageAnswer):
    """Two slices through a clip, straight alpha: x along the width and y along the width, time downwards."""

    request: SlicesRequest
    along_x: UInt8[np.ndarray, "t s 4"]
    along_y: UInt8[np.ndarray, "t s 4"]


@dataclass(frozen=True, kw_only=True)
class SequenceRequest(WriteRequest):
    """Write a sequence of clips. ``options`` are those of a clip. Answered by a SequenceDone."""

    arrangement: Arrangement
    options: VideoExport

    @property
    def latents(self) -> tuple[Item, ...]:
        """The clips."""
        return self.arrangement.items


@dataclass(frozen=True, kw_only=True)
class SequenceDone(Answer):
    """A sequence of clips was written."""

    request: SequenceRequest
    path: Path
    """The file, or the folder of pictures."""


@does(
    FramesRequest,
    "view",
    "Draw frames",
    "drawing frames",
    quiet=True,
    priority=lambda request: int(request.purpose != "play"),
)
def _frames(request: FramesRequest, context: Context) -> Iterator[FrameReady]:
    field = moving(request, context)
    drawn: dict[float, np.ndarray] = {}  # a blend needs the frames of the one before it again

    def draw(t: float, progress: Progress | None) -> np.ndarray:
        if t not in drawn:
            pixels = field.at(t).render(request.side, request.side, window=request.window, progress=progress)
            while len(drawn) > 1:
                del drawn[next(iter(drawn))]
            drawn[t] = pixels
        return drawn[t]

    for index, (first, second, share) in enumerate(request.moments):
        began = time.perf_counter()
        progress = sub_progress(context.progress, index / len(request.moments), (index + 1) / len(request.moments))
        pixels = draw(first, progress)
        if share > 0:
            pixels = blended(pixels, draw(second, progress), share)
        left, top, width, height = request.window
        if request.bar is not None and (start := max(request.bar, left)) < left + width:
            beside = (start, top, left + width - start, height)
            shown = original_clip(request.item, context).at(first if share < 0.5 else second)
            pixels = np.hstack([pixels[:, : start - left], shown.window(request.side, beside, smooth=False)])
        yield FrameReady(request=request, index=index, pixels=pixels, seconds=time.perf_counter() - began)


def original_clip(item: Item, context: Context) -> OriginalClip:
    """The clip that an item stands for."""
    return context.fields.get(FILES, item.id, lambda: open_original_clip(item))


@does(SlicesRequest, "view", "Slice the clip", "drawing frames", quiet=True, priority=1)
def _slices(request: SlicesRequest, context: Context) -> Iterator[SlicesReady]:
    field = decoded(request, context)
    along_x, along_y = field.slices(
        request.x, request.y, side=request.side, moments=request.moments, progress=context.progress
    )
    yield SlicesReady(request=request, along_x=along_x, along_y=along_y)


@does(SequenceRequest, "export", "Sequence {request.path.name}", "writing {request.path.name}")
def _sequence(request: SequenceRequest, context: Context) -> Iterator[SequenceDone]:
    from ddmi_core.export.videos import export_video

    check_free(request, request.options.targets(request.path))
    context.progress(0.0, "loading the model")
    sequence = _arranged(request.arrangement, context.pipeline(request), context)
    options = request.options
    if options.seconds is None:
        options = options.model_copy(update={"seconds": sequence.seconds})
    facts = export_video(sequence, request.path, options, progress=context.progress)
    yield SequenceDone(request=request, path=Path(facts["path"]))


def moving(request: ArrangedRequest, context: Context) -> Moving:
    """A clip: the item, or the sequence that is on the stage with it."""
    arrangement = request.arrangement
    if arrangement is None:
        return decoded(request, context)
    pipeline = context.pipeline(request)
    return context.fields.get(pipeline.hash, arrangement.key, lambda: _arranged(arrangement, pipeline, context))


def _arranged(arrangement: Arrangement, pipeline: Pipeline, context: Context) -> ClipSequence:
    """The sequence of an arrangement."""
    import torch

    from ddmi_core.sequences import ClipSequence, Shot

    return ClipSequence(
        [
            Shot(torch.from_numpy(context.library.load_latent(piece.item)), piece.seconds, piece.start, piece.stop)
            for piece in arrangement.pieces
        ],
        decode=pipeline.decode,
        between=pipeline.between,
        transition=arrangement.transition,
    )
