"""What lies behind items and between them: basis fields, and walks through latents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ddmi_core.frame_size import frame_size
from ddmi_core.support.progress import sub_progress
from studio.engine.pictures import BasisScale, basis_scale
from studio.engine.work.base import (
    Answer,
    Context,
    ModelRequest,
    Request,
    SignalRequest,
    StageRequest,
    WriteRequest,
    check_free,
    does,
)
from studio.engine.work.items import View, decoded
from studio.state.library import Item

if TYPE_CHECKING:
    from ddmi_core.fields.field import Field


@dataclass(frozen=True, kw_only=True)
class BasisRequest(StageRequest, SignalRequest["Field"]):
    """The basis fields of an item as pictures. Answered by a BasisReady."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BasisReady(Answer):
    """The basis fields of an item, coarse to fine."""

    request: BasisRequest
    scales: tuple[BasisScale, ...]


@dataclass(frozen=True, kw_only=True)
class BetweenRequest(ModelRequest):
    """What lies ``share`` (0..1) of the way from one item to another. Answered by a BetweenReady."""

    start: Item
    end: Item
    share: float
    resolution: int

    @property
    def latents(self) -> tuple[Item, ...]:
        """Both items."""
        return self.start, self.end

    def replaces(self, other: Request) -> bool:
        """What was asked for before."""
        return isinstance(other, BetweenRequest)


@dataclass(frozen=True, kw_only=True, eq=False)
class BetweenReady(Answer):
    """A view of what lies between two items."""

    request: BetweenRequest
    view: View


@dataclass(frozen=True, kw_only=True)
class WalkRequest(WriteRequest):
    """Write a walk from one item to another: a film, or a folder of pictures where ``path`` has no suffix.

    Answered by a WalkDone.
    """

    start: Item
    end: Item
    frames: int
    """From the start to the end."""
    resolution: int
    rate: int
    """Frames a second, of a film."""
    back: bool = False
    """Whether it also goes back to where it began, so that a film that is repeated never jumps."""

    @property
    def latents(self) -> tuple[Item, ...]:
        """Both items."""
        return self.start, self.end


@dataclass(frozen=True, kw_only=True)
class WalkDone(Answer):
    """A walk was written."""

    request: WalkRequest
    path: Path
    """The file, or the folder of pictures."""


@does(BasisRequest, "view", "Basis fields", "looking at the basis fields", quiet=True)
def _basis(request: BasisRequest, context: Context) -> Iterator[BasisReady]:
    field = decoded(request, context)
    scales = []
    for index, planes in enumerate(field.basis):
        context.progress(index / len(field.basis), "transforming")
        scales.append(basis_scale(planes[0][0].float().cpu().numpy()))
    yield BasisReady(request=request, scales=tuple(scales))


@does(BetweenRequest, "view", "Interpolate", "interpolating", quiet=True)
def _between(request: BetweenRequest, context: Context) -> Iterator[BetweenReady]:
    field_at = _way(request, context)
    view = field_at(request.share).view(resolution=request.resolution, progress=context.progress)
    yield BetweenReady(request=request, view=view)


@does(WalkRequest, "export", "Walk {request.path.name}", "writing {request.path.name}")
def _walk(request: WalkRequest, context: Context) -> Iterator[WalkDone]:
    from ddmi_core.export.frames import write_frames

    check_free(request, [request.path])
    field_at = _way(request, context)
    side, _ = frame_size(request.resolution, request.resolution, request.path.suffix)

    steps = list(range(request.frames))
    if request.back:
        steps += steps[-2:0:-1]

    def frames() -> Iterator[np.ndarray]:
        for number, step in enumerate(steps):
            share = sub_progress(context.progress, number / len(steps), (number + 1) / len(steps))
            yield field_at(step / max(1, request.frames - 1)).view(resolution=side, progress=share)["pixels"]

    written = write_frames(frames(), request.path, rate=Fraction(request.rate))
    yield WalkDone(request=request, path=written)


def _way(request: BetweenRequest | WalkRequest, context: Context) -> Callable[[float], Field]:
    """The field at each share of the way between two items."""
    import torch

    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    start, end = (torch.from_numpy(context.library.load_latent(item)) for item in (request.start, request.end))
    return lambda share: pipeline.decode(pipeline.between(start, end, share))
