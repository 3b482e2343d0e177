"""Windows of pictures: of an item at any zoom, of an enlargement, and of the file that an item stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from ddmi_core.support.progress import sub_progress
from studio.engine.originals import open_original
from studio.engine.pictures import Window, enlarged
from studio.engine.work.base import FILES, Context, SignalRequest, StageAnswer, StageRequest, does
from studio.engine.work.clips import ArrangedRequest, moving, original_clip
from studio.engine.work.items import decoded

if TYPE_CHECKING:
    from ddmi_core.export.images import Renders
    from ddmi_core.fields.image import ImageField


@dataclass(frozen=True, kw_only=True)
class TilesRequest(StageRequest):
    """Windows of an item drawn with ``side`` × ``side`` pixels, in the order given. Answered by a TileReady each."""

    side: int
    windows: tuple[Window, ...]


@dataclass(frozen=True, kw_only=True)
class PictureTilesRequest(TilesRequest, SignalRequest["ImageField"]):
    """Windows of a picture.

    ``coarse`` is answered first: the same of a drawing of ``coarse_side``, to have something to show at once.
    """

    coarse_side: int
    coarse: Window | None


@dataclass(frozen=True, kw_only=True)
class MomentTilesRequest(TilesRequest, ArrangedRequest):
    """Windows of a clip at the time coordinate ``moment``."""

    moment: float


@dataclass(frozen=True, kw_only=True, eq=False)
class EnlargeRequest(TilesRequest):
    """Windows of a finished picture enlarged to ``side`` × ``side`` pixels (bicubic)."""

    picture: UInt8[np.ndarray, "h w 4"]


@dataclass(frozen=True, kw_only=True)
class OriginalRequest(TilesRequest):
    """Windows of the file that an item stands for, the canvas drawn with ``side`` × ``side`` pixels.

    Enlarged, its pixels are squares, or ``smooth`` (bicubic). ``moment``: the time coordinate, of a file that moves.
    """

    smooth: bool
    moment: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class TileReady(StageAnswer):
    """One window of the drawing that was asked for, ``side`` pixels wide as a whole."""

    request: TilesRequest
    side: int
    window: Window
    pixels: UInt8[np.ndarray, "h w 4"]


@does(PictureTilesRequest, "view", "Sharpen the view", "sharpening the view", quiet=True)
def _picture(request: PictureTilesRequest, context: Context) -> Iterator[TileReady]:
    field = decoded(request, context)
    coarse = [] if request.coarse is None else [(request.coarse_side, request.coarse)]
    yield from _drawn(field, coarse, request, context)


@does(MomentTilesRequest, "view", "Sharpen the view", "sharpening the view", quiet=True)
def _moment(request: MomentTilesRequest, context: Context) -> Iterator[TileReady]:
    yield from _drawn(moving(request, context).at(request.moment), [], request, context)


def _drawn(
    field: Renders, coarse: list[tuple[int, Window]], request: TilesRequest, context: Context
) -> Iterator[TileReady]:
    """Each tile is a window of one drawing, so that they fit together bit for bit."""
    drawings = [*coarse, *((request.side, window) for window in request.windows)]
    for index, (side, window) in enumerate(drawings):
        share = sub_progress(context.progress, index / len(drawings), (index + 1) / len(drawings))
        pixels = field.render(side, side, window=window, progress=share)
        yield TileReady(request=request, side=side, window=window, pixels=pixels)


@does(EnlargeRequest, "view", "Enlarge the picture", "sharpening the view", quiet=True)
def _enlarge(request: EnlargeRequest, context: Context) -> Iterator[TileReady]:
    for index, window in enumerate(request.windows):
        context.progress(index / len(request.windows), "enlarging")
        pixels = enlarged(request.picture, request.side, window)
        yield TileReady(request=request, side=request.side, window=window, pixels=pixels)


@does(OriginalRequest, "view", "Compare with the file", "comparing with the file", quiet=True)
def _original(request: OriginalRequest, context: Context) -> Iterator[TileReady]:
    original = (
        context.fields.get(FILES, request.item.id, lambda: open_original(request.item))
        if request.moment is None
        else original_clip(request.item, context).at(request.moment)
    )
    for index, window in enumerate(request.windows):
        context.progress(index / len(request.windows), "comparing")
        pixels = original.window(request.side, window, smooth=request.smooth)
        yield TileReady(request=request, side=request.side, window=window, pixels=pixels)
