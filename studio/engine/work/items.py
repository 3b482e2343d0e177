"""What becomes of items: a signal is decoded once, looked at, and put into the library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from jaxtyping import UInt8

from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DataError, ModelError
from ddmi_core.support.progress import Progress, sub_progress
from studio.engine.work.base import FITS, Answer, Context, F, ModelRequest, Request, SignalRequest, kind_of
from studio.state.library import FIT, Item

if TYPE_CHECKING:
    from torch import Tensor

    from ddmi_core.fields.field import Field
    from ddmi_core.pipeline import Pipeline

View = Mapping[str, Any]
"""What a viewer draws; the domain says which. Shapes: vertices (v, 3) float32 in [-1, 1], faces (f, 3) int32, normals
(v, 3) float32, and pieces, the same as a tuple of MeshPiece. Pictures and radiance fields: pixels (h, w, 4) uint8,
straight alpha. Videos: frames (n, h, w, 4) uint8, pixels, the one of them that stands for all, and marks (m,) float32,
the moments of the base frames."""
THUMBNAIL_SIZE = 256
PREVIEW_RESOLUTION = 64


@dataclass(frozen=True, kw_only=True)
class MakeRequest(ModelRequest):
    """Make an item of a domain, with the form's model. Answered by an ItemReady each."""

    domain: str = ""
    preview_resolution: int = PREVIEW_RESOLUTION
    """Resolution of the first view, in samples along the longest axis."""

    @property
    def room(self) -> str:
        """That of the domain."""
        return self.domain

    def replaces(self, other: Request) -> bool:
        """What gives way."""
        return kind_of(other).gives_way


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemReady(Answer):
    """An item was made, and is safe in the library's folder. ``index`` counts the variations of its request from 0."""

    request: MakeRequest
    item: Item
    index: int
    view: View
    resolution: int
    thumbnail: UInt8[np.ndarray, "height width 4"]


def decoded(request: SignalRequest[F], context: Context) -> F:
    """An item's signal: its fit where there is one, else what its model makes of its latent."""
    import torch

    from ddmi_core.domains import get_domain
    from ddmi_core.fitting.fit import Fit

    item = request.item
    if item.recipe.is_fitted:

        def read() -> F:
            context.progress(0.02, "reading the fit")
            content, origin = context.library.load_fit(item) or b"", f"The fit of this item ({item.folder / FIT})"
            return cast("F", get_domain(item.recipe.domain).fitted(Fit.from_bytes(content, origin)))

        return context.fields.get(FITS, item.id, read)
    pipeline = context.pipeline(request)
    check_domain(pipeline, item.recipe.domain)

    def decode() -> F:
        context.progress(0.02, "decoding")
        return cast("F", pipeline.decode(torch.from_numpy(context.library.load_latent(item))))

    return context.fields.get(pipeline.hash, item.id, decode)


def make_item(
    pipeline: Pipeline,
    latent: np.ndarray,
    field: Field,
    recipe: Recipe,
    request: MakeRequest,
    index: int,
    context: Context,
    progress: Progress | None,
    fit: bytes | None = None,
) -> ItemReady:
    """Look at a signal, and put it into the library."""
    view = field.view(resolution=request.preview_resolution, progress=sub_progress(progress, 0.0, 0.9))
    if progress is not None:
        progress(0.9, "making the thumbnail")
    thumbnail = field.thumbnail(view, size=THUMBNAIL_SIZE)
    try:
        item = context.library.save(latent, recipe, thumbnail, fit)
    except DataError as error:
        item = context.library.hold(latent, recipe, thumbnail, fit)
        context.note(f"{error} Until then it is kept in memory, and saved with the next result or when you quit.")
    context.fields.put(FITS if recipe.is_fitted else pipeline.hash, item.id, field)
    return ItemReady(
        request=request,
        item=item,
        index=index,
        view=view,
        resolution=request.preview_resolution,
        thumbnail=thumbnail,
    )


def values_of(latent: Tensor, pipeline: Pipeline) -> np.ndarray:
    """A latent as the library keeps it."""
    array = np.asarray(latent.detach().cpu().float())
    if not np.isfinite(array).all():
        raise ModelError(
            f"The model {pipeline.name} produced values that are not numbers. "
            "Its weights are damaged, or the guidance is far too high."
        )
    return array


def check_domain(pipeline: Pipeline, domain: str) -> None:
    """Raise ModelError if a model is for signals of another domain."""
    from ddmi_core.domains import get_domain

    if pipeline.domain.name != domain:
        wanted = get_domain(domain).title
        raise ModelError(
            f"{pipeline.name} is a model for {pipeline.domain.title}, not for {wanted}. Choose another one."
        )
