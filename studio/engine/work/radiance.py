"""Objects in space as a camera sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

from ddmi_core.export.options import KeyFrame
from ddmi_core.rendering.view_settings import ViewSettings
from studio.engine.originals import last_written, open_original_scene
from studio.engine.work.base import FILES, Context, Request, SignalRequest, StageAnswer, StageRequest, does
from studio.engine.work.items import decoded

if TYPE_CHECKING:
    from ddmi_core.data.scene_views import SceneViews
    from ddmi_core.fields.radiance import RadianceField


@dataclass(frozen=True, kw_only=True)
class RenderRequest(StageRequest, SignalRequest["RadianceField"]):
    """An item in space as a camera sees it, ``width`` × ``height`` pixels. Answered by RenderReady, each time sharper.

    ``stride``: pixels from one ray to the next in the first picture, a power of two. ``serial`` numbers what the asker
    wanted; ``moving`` says that the camera moves, so that the first picture will do.
    """

    camera: KeyFrame
    width: int
    height: int
    settings: ViewSettings
    stride: int
    serial: int
    moving: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class RenderReady(StageAnswer):
    """What the camera sees, straight alpha. ``stride``: pixels between rays; ``seconds``: how long it took so far."""

    request: RenderRequest
    pixels: UInt8[np.ndarray, "h w 4"]
    seconds: float
    stride: int


@dataclass(frozen=True, kw_only=True)
class HeldOutRequest(StageRequest, SignalRequest["RadianceField"]):
    """A view of a scene's file that its fit did not learn from, and what the fit shows there. See HeldOutReady.

    ``number`` counts the views from 0, round and round; ``serial`` numbers what the asker wanted.
    """

    number: int
    serial: int

    def replaces(self, other: Request) -> bool:
        """Other views of the stage."""
        return isinstance(other, HeldOutRequest | RenderRequest)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutReady(StageAnswer):
    """The photograph and the same view of the fit, both straight alpha; the camera, and what was measured there.

    ``number`` of ``count`` views; ``name`` is what the file calls it; ``psnr`` is in dB,
    and like ``ssim`` measured on white.
    """

    request: HeldOutRequest
    photograph: UInt8[np.ndarray, "h w 4"]
    pixels: UInt8[np.ndarray, "h w 4"]
    camera: KeyFrame
    number: int
    count: int
    name: str
    psnr: float
    ssim: float


@does(RenderRequest, "view", "Render the view", "rendering the view", quiet=True)
def _render(request: RenderRequest, context: Context) -> Iterator[RenderReady]:
    from ddmi_core.rendering.cameras import Camera

    field = decoded(request, context)
    began = time.perf_counter()
    camera = Camera(np.array(request.camera.pose), request.camera.fov)
    size = camera, request.width, request.height
    views = field.render_gradually(*size, request.settings, stride=request.stride, progress=context.progress)
    stride = request.stride
    for view in islice(views, 1) if request.moving else views:
        pixels = view.picture(request.settings)
        yield RenderReady(request=request, pixels=pixels, seconds=time.perf_counter() - began, stride=stride)
        stride //= 2


@does(HeldOutRequest, "view", "Compare with the file", "comparing with the file", quiet=True)
def _held_out(request: HeldOutRequest, context: Context) -> Iterator[HeldOutReady]:
    from ddmi_core.likeness import psnr, spread_ssim

    item = request.item
    context.progress(0.0, "reading the file")
    scene: SceneViews = context.fields.get(FILES, (item.id, last_written(item)), lambda: open_original_scene(item))
    views = scene.held_out if scene.held_out.cameras else scene.learned
    number = request.number % len(views.cameras)
    camera, photograph = views.cameras[number], views.pixels[number]
    height, width = photograph.shape[:2]
    field = decoded(request, context)
    settings = ViewSettings()
    pixels = field.render(camera, width, height, settings, progress=context.progress).picture(settings)
    seen, wanted = _on_white(pixels), _on_white(photograph)
    yield HeldOutReady(
        request=request,
        photograph=photograph,
        pixels=pixels,
        camera=KeyFrame(pose=camera.pose.tolist(), fov=camera.fov),
        number=number,
        count=len(views.cameras),
        name=scene.names[number] if scene.held_out.cameras else "",
        psnr=psnr(seen, wanted),
        ssim=spread_ssim(seen, wanted),
    )


def _on_white(pixels: UInt8[np.ndarray, "h w 4"]) -> Float[np.ndarray, "h w 3"]:
    values = pixels / 255.0
    return values[..., :3] * values[..., 3:] + 1 - values[..., 3:]
