"""Items as pictures: the whole signal, drawn as its thumbnail is, at another size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from ddmi_core.support.progress import sub_progress
from studio.engine.work.base import Answer, Context, SignalRequest, does
from studio.engine.work.items import decoded

if TYPE_CHECKING:
    from ddmi_core.fields.field import Field


@dataclass(frozen=True, kw_only=True)
class ItemPictureRequest(SignalRequest["Field"]):
    """A picture of an item, ``size`` pixels a side, from a view of ``resolution``. Answered by an ItemPictureReady."""

    resolution: int
    size: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemPictureReady(Answer):
    """A picture of an item, with straight alpha."""

    request: ItemPictureRequest
    picture: UInt8[np.ndarray, "height width 4"]


@does(ItemPictureRequest, "view", "Draw an item", "drawing an item", quiet=True, priority=1)
def _draw(request: ItemPictureRequest, context: Context) -> Iterator[ItemPictureReady]:
    field = decoded(request, context)
    view = field.view(resolution=request.resolution, progress=sub_progress(context.progress, 0.0, 0.9))
    yield ItemPictureReady(request=request, picture=field.thumbnail(view, size=request.size))
