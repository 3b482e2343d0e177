"""Objects in space as a camera sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from ddmi_core.export.options import KeyFrame
from ddmi_core.rendering.view_settings import ViewSettings
from studio.engine.work.base import Context, SignalRequest, StageAnswer, StageRequest, does
from studio.engine.work.items import decoded

if TYPE_CHECKING:
    from ddmi_core.fields.radiance import RadianceField


@dataclass(frozen=True, kw_only=True)
class RenderRequest(StageRequest, SignalRequest["RadianceField"]):
    """An item in space as a camera sees it, ``width`` × ``height`` pixels. Answered by a RenderReady.

    ``serial`` numbers what the asker wanted; ``moving`` says that the camera moves, so that a rough picture will do.
    """

    camera: KeyFrame
    width: int
    height: int
    settings: ViewSettings
    serial: int
    moving: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class RenderReady(StageAnswer):
    """What the camera sees, straight alpha. ``seconds``: how long it took."""

    request: RenderRequest
    pixels: UInt8[np.ndarray, "h w 4"]
    seconds: float


@does(RenderRequest, "view", "Render the view", "rendering the view", quiet=True)
def _render(request: RenderRequest, context: Context) -> Iterator[RenderReady]:
    from ddmi_core.rendering.cameras import Camera

    field = decoded(request, context)
    began = time.perf_counter()
    camera = Camera(np.array(request.camera.pose), request.camera.fov)
    view = field.render(camera, request.width, request.height, request.settings, progress=context.progress)
    pixels = view.picture(request.settings)
    yield RenderReady(request=request, pixels=pixels, seconds=time.perf_counter() - began)
