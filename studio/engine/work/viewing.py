"""Items to look at: a first view, and a surface as finely as a camera sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from ddmi_core.export.options import KeyFrame
from ddmi_core.placement import HALF_SIDE
from ddmi_core.rendering.mesh_pieces import MeshPiece
from ddmi_core.support.progress import sub_progress
from studio.engine.originals import OriginalMesh, last_written, open_original_mesh
from studio.engine.work.base import FILES, FITS, Context, Request, SignalRequest, StageAnswer, StageRequest, does
from studio.engine.work.items import PREVIEW_RESOLUTION, View, decoded
from studio.state.library import Item

if TYPE_CHECKING:
    import trimesh

    from ddmi_core.fields.field import Field
    from ddmi_core.fields.shape import ShapeField

FAR_SHARE = 0.01
"""How far a point may be from a file's surface before its colour tells no more, as a share of the longest side."""
THICK_SHARE = 0.05
"""From which thickness on a colour tells no more, as a share of the longest side."""

Measured = Literal["nothing", "distances", "thickness"]
"""What the points of a surface are marked with: their distance from the mesh that the item was made of, 1 being
`FAR_SHARE` of its longest side; or how thin it is beneath them, from 0 at `THICK_SHARE` to 1 where nothing is left."""


@dataclass(frozen=True, kw_only=True)
class ViewRequest(StageRequest, SignalRequest["Field"]):
    """Something to look at, of a library item, at a resolution: coarse and at once. Answered by a ViewReady."""

    resolution: int = PREVIEW_RESOLUTION

    def replaces(self, other: Request) -> bool:
        """Whatever is under way for the same stage."""
        return isinstance(other, StageRequest) and other.room == self.room


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
class DetailRequest(StageRequest, SignalRequest["ShapeField"]):
    """The surface of an item as finely as a camera sees it. Answered by a DetailReady twice, roughly and finely.

    ``aspect``: width by height of the picture. ``serial`` numbers what the asker wanted.
    """

    camera: KeyFrame
    aspect: float
    serial: int
    measured: Measured = "nothing"


class Distances(NamedTuple):
    """How far a surface is from a mesh, in the units of its file.

    Mean over the surface, the largest, and the one that is marked with 1.
    """

    mean: float
    largest: float
    far: float


@dataclass(frozen=True, kw_only=True, eq=False)
class DetailReady(StageAnswer):
    """The surface that was asked for. ``rough``: a lighter one, before the fine one follows."""

    request: DetailRequest
    pieces: tuple[MeshPiece, ...]
    resolution: int
    """Cells along an axis, where they are smallest."""
    rough: bool
    distances: Distances | None = None
    thinnest: float | None = None
    """Of a hundredth of the surface, the thickness at most, as a share of the longest side."""


@dataclass(frozen=True, kw_only=True)
class MeshRequest(StageRequest):
    """The surface of the mesh that an item was made of. Answered by a MeshReady."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshReady(StageAnswer):
    """The surface of a file, where the item's lies."""

    request: MeshRequest
    pieces: tuple[MeshPiece, ...]


@does(ViewRequest, "view", "Open", "preparing the view", quiet=True, gives_way=True, takes_stage=True)
def _view(request: ViewRequest, context: Context) -> Iterator[ViewReady]:
    context.progress(0.0, "loading the model")
    field = decoded(request, context)
    view = field.view(resolution=request.resolution, progress=sub_progress(context.progress, 0.1, 1.0))
    yield ViewReady(request=request, view=view, resolution=request.resolution)


@does(DetailRequest, "view", "Refine the view", "sharpening the view", quiet=True, gives_way=True, priority=1)
def _detail(request: DetailRequest, context: Context) -> Iterator[DetailReady]:
    from ddmi_core.rendering.adaptive_surface import Sight
    from ddmi_core.rendering.cameras import Camera
    from ddmi_core.rendering.mesh_pieces import mesh_pieces

    field = decoded(request, context)
    fit = request.item.recipe.fit if request.item.recipe.is_fitted else None
    maker = FITS if fit is not None else context.pipeline(request).hash
    # A fit that goes on is another one each time
    name = (request.item.id, "surface", fit.model_dump_json() if fit is not None else None)
    surface = context.fields.get(maker, name, lambda: field.adaptive_surface(context.progress))
    sight = Sight(Camera(np.array(request.camera.pose), request.camera.fov), request.aspect)
    for index, mesh in enumerate(surface.meshes(sight, context.progress)):
        marks, distances, thinnest = None, None, None
        if request.measured == "distances":
            marks, distances = _measured(request.item, mesh, context)
        elif request.measured == "thickness" and len(mesh.faces):
            marks, thinnest = _thinness(mesh, context)
        yield DetailReady(
            request=request,
            pieces=mesh_pieces(mesh.vertices, mesh.faces, mesh.vertex_normals, marks),
            resolution=mesh.metadata["resolution"],
            rough=index == 0,
            distances=distances,
            thinnest=thinnest,
        )
    context.fields.put(maker, name, surface)  # it has grown


@does(MeshRequest, "view", "Compare with the file", "reading the file", quiet=True)
def _mesh(request: MeshRequest, context: Context) -> Iterator[MeshReady]:
    from ddmi_core.rendering.mesh_pieces import mesh_pieces

    context.progress(0.0, "reading the file")
    mesh = _original(request.item, context).mesh
    yield MeshReady(request=request, pieces=mesh_pieces(mesh.vertices, mesh.faces, mesh.vertex_normals))


def _original(item: Item, context: Context) -> OriginalMesh:
    written = last_written(item)
    return context.fields.get(FILES, (item.id, written), lambda: open_original_mesh(item))


def _measured(item: Item, mesh: trimesh.Trimesh, context: Context) -> tuple[Float[np.ndarray, " v"], Distances]:
    """Marks for the points of a surface, and what they tell."""
    from ddmi_core.metrics.shapes import surface_distances

    original = _original(item, context)
    found = surface_distances(mesh.vertices, original.mesh, context.progress)
    over_surface = np.bincount(mesh.faces.ravel(), np.repeat(mesh.area_faces, 3), len(found))
    mean = float((found * over_surface).sum() / max(over_surface.sum(), 1e-12))
    far, unit = FAR_SHARE * 2 * HALF_SIDE, original.placement.unit
    distances = Distances(unit * mean, unit * float(found.max(initial=0)), unit * far)
    return (found / far).clip(0, 1), distances


def _thinness(mesh: trimesh.Trimesh, context: Context) -> tuple[Float[np.ndarray, " v"], float]:
    """Marks for the points of a surface, and the thickness of its thinnest hundredth."""
    from ddmi_core.rendering.thickness import thicknesses

    shares = thicknesses(mesh, context.progress) / (2 * HALF_SIDE)
    return (1 - shares / THICK_SHARE).clip(0, 1), float(np.quantile(shares, 0.01))
