"""Items to look at: a first view, and a surface as finely as a camera sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from ddmi_core.export.options import KeyFrame
from ddmi_core.rendering.mesh_pieces import MeshPiece
from ddmi_core.support.progress import sub_progress
from studio.engine.work.base import FITS, Context, SignalRequest, StageAnswer, does
from studio.engine.work.items import View, decoded
from studio.state.library import Item

if TYPE_CHECKING:
    from ddmi_core.fields.shape import ShapeField


@dataclass(frozen=True, kw_only=True)
class ViewRequest(SignalRequest):
    """Something to look at, of a library item, at a resolution. Answered by a ViewReady."""

    resolution: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ViewReady(StageAnswer):
    """A view of a library item."""

    request: ViewRequest
    view: View
    resolution: int

    @property
    def item(self) -> Item:
        """The item that the view shows."""
        return self.request.item


@dataclass(frozen=True, kw_only=True)
class DetailRequest(SignalRequest):
    """The surface of an item as finely as a camera sees it. Answered by a DetailReady twice, roughly and finely.

    ``aspect``: width by height of the picture. ``wish`` numbers what the asker wanted.
    """

    camera: KeyFrame
    aspect: float
    wish: int


@dataclass(frozen=True, kw_only=True, eq=False)
class DetailReady(StageAnswer):
    """The surface that was asked for. ``rough``: a lighter one, before the fine one follows."""

    request: DetailRequest
    pieces: tuple[MeshPiece, ...]
    resolution: int
    """Cells along an axis, where they are smallest."""
    rough: bool


@does(ViewRequest, lane="view", words="preparing the view")
def _view(request: ViewRequest, context: Context) -> Iterator[ViewReady]:
    context.progress(0.0, "loading the model")
    field = decoded(request, context)
    view = field.view(resolution=request.resolution, progress=sub_progress(context.progress, 0.1, 1.0))
    yield ViewReady(request=request, view=view, resolution=request.resolution)


@does(DetailRequest, lane="view", words="sharpening the view", priority=1)
def _detail(request: DetailRequest, context: Context) -> Iterator[DetailReady]:
    from ddmi_core.rendering.adaptive_surface import Sight
    from ddmi_core.rendering.cameras import Camera
    from ddmi_core.rendering.mesh_pieces import mesh_pieces

    field = cast("ShapeField", decoded(request, context))
    fit = request.item.recipe.fit if request.item.recipe.is_fitted else None
    maker = FITS if fit is not None else context.pipeline(request).hash
    name = (request.item.id, "surface", fit.fidelity if fit is not None else None)
    surface = context.fields.get(maker, name, lambda: field.adaptive_surface(context.progress))
    sight = Sight(Camera(np.array(request.camera.pose), request.camera.fov), request.aspect)
    for index, mesh in enumerate(surface.meshes(sight, context.progress)):
        pieces = mesh_pieces(mesh.vertices, mesh.faces, mesh.vertex_normals)
        resolution = mesh.metadata["resolution"]
        yield DetailReady(request=request, pieces=pieces, resolution=resolution, rough=index == 0)
    context.fields.put(maker, name, surface)  # it has grown
