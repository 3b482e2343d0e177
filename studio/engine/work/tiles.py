"""Windows of pictures: of an item at any zoom, of an enlargement, and of the file that an item stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from jaxtyping import UInt8

from ddmi_core.support.progress import sub_progress
from studio.engine.originals import open_original
from studio.engine.pictures import Window, enlarged
from studio.engine.work.base import FILES, Context, ItemRequest, StageAnswer, does
from studio.engine.work.clips import ArrangedRequest, moving, original_clip
from studio.engine.work.items import decoded

if TYPE_CHECKING:
    from ddmi_core.export.images import Renders
    from ddmi_core.fields.image import ImageField


@dataclass(frozen=True, kw_only=True)
class TilesRequest(ArrangedRequest):
    """Windows of an item drawn with ``side`` × ``side`` pixels, in the order given. Answered by a TileReady each.

    ``coarse`` is answered first: the same of a drawing of ``coarse_side``, to have something to show at once.
    ``moment``: the time coordinate of the picture, of an item that moves.
    """

    side: int
    windows: tuple[Window, ...]
    coarse_side: int
    coarse: Window | None
    moment: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class EnlargeRequest(ItemRequest):
    """Windows of a finished picture enlarged to ``side`` × ``side`` pixels (bicubic). Answered by a TileReady each."""

    picture: UInt8[np.ndarray, "h w 4"]
    side: int
    windows: tuple[Window, ...]


@dataclass(frozen=True, kw_only=True)
class OriginalRequest(ItemRequest):
    """Windows of the file that an item stands for, the canvas drawn with ``side`` × ``side`` pixels.

    Enlarged, its pixels are squares, or ``smooth`` (bicubic). ``moment``: the time coordinate, of a file that moves.
    Answered by a TileReady each.
    """

    side: int
    windows: tuple[Window, ...]
    smooth: bool
    moment: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class TileReady(StageAnswer):
    """One window of the drawing that was asked for, ``side`` pixels wide as a whole."""

    request: TilesRequest | EnlargeRequest | OriginalRequest
    side: int
    window: Window
    pixels: UInt8[np.ndarray, "h w 4"]


@does(TilesRequest, lane="view", words="sharpening the view")
def _tiles(request: TilesRequest, context: Context) -> Iterator[TileReady]:
    """Each tile is a window of one drawing, so that they fit together bit for bit."""
    field = _picture(request, context)
    drawings = [(request.side, window) for window in request.windows]
    if request.coarse is not None:
        drawings.insert(0, (request.coarse_side, request.coarse))
    for index, (side, window) in enumerate(drawings):
        share = sub_progress(context.progress, index / len(drawings), (index + 1) / len(drawings))
        pixels = field.render(side, side, window=window, progress=share)
        yield TileReady(request=request, side=side, window=window, pixels=pixels)


def _picture(request: TilesRequest, context: Context) -> Renders:
    """What tiles are drawn of: a picture, or a clip at a moment."""
    if request.moment is not None:
        return moving(request, context).at(request.moment)
    return cast("ImageField", decoded(request, context))


@does(EnlargeRequest, lane="view", words="sharpening the view")
def _enlarge(request: EnlargeRequest, context: Context) -> Iterator[TileReady]:
    for index, window in enumerate(request.windows):
        context.progress(index / len(request.windows), "enlarging")
        pixels = enlarged(request.picture, request.side, window)
        yield TileReady(request=request, side=request.side, window=window, pixels=pixels)


@does(OriginalRequest, lane="view", words="comparing with the file")
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
