"""A person's own files: encoded to a latent, or fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddmi_core.fidelity import Fidelity
from ddmi_core.placement import Up
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DDMIError, TooLongError
from ddmi_core.support.progress import Progress, sub_progress
from studio.engine.work.base import FITS, Answer, Context, ItemRequest, Request, does
from studio.engine.work.items import (
    PREVIEW_RESOLUTION,
    THUMBNAIL_SIZE,
    ItemReady,
    MakeRequest,
    View,
    check_domain,
    make_item,
    values_of,
)
from studio.state.library import Item

if TYPE_CHECKING:
    from torch import Tensor

    from ddmi_core.data.items import ItemSource
    from ddmi_core.fidelity import FitFacts
    from ddmi_core.fields.field import Field
    from ddmi_core.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class ReconstructRequest(MakeRequest):
    """Encode a person's file and make an item of it.

    Answered by an ItemReady, or by a SpanWanted where the file is too long to be read at once.
    """

    path: Path
    span: tuple[float, float] | None = None
    """Only what the file has from .. to, in seconds."""
    up: Up = "y"
    """The axis that is up in a file that lies in space and does not say it itself."""
    fidelity: Fidelity = "faithful"
    """How closely a file is represented, in a domain whose fits are there at once; in others it becomes a latent
    first, and a :class:`FitRequest` may follow."""


@dataclass(frozen=True, kw_only=True)
class SpanWanted(Answer):
    """A file lasts ``seconds``, of which ``longest`` at most can be read: the person is to say which."""

    request: ReconstructRequest
    seconds: float
    longest: float


@dataclass(frozen=True, kw_only=True)
class FitRequest(ItemRequest):
    """Fit basis fields to the file that an item stands for, which takes a while.

    Answered by a FitReady, or by several where it can be seen on the way; what was answered is kept if it is stopped.
    """

    fidelity: Fidelity
    goes_on: bool = False
    """Whether with the fit that the item is, rather than anew."""
    preview_resolution: int = PREVIEW_RESOLUTION

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.item.recipe.source or "")

    def replaces(self, other: Request) -> bool:
        """Another fit of the item."""
        return isinstance(other, FitRequest) and other.item.id == self.item.id


@dataclass(frozen=True, kw_only=True, eq=False)
class FitReady(Answer):
    """An item was fitted to its file; `item` is what it has become."""

    request: FitRequest
    item: Item
    view: View
    resolution: int


@does(
    ReconstructRequest,
    "make",
    "Reconstruct {request.path.name}",
    "reconstructing {request.path.name}",
    takes_stage=True,
)
def _reconstruct(request: ReconstructRequest, context: Context) -> Iterator[ItemReady | SpanWanted]:
    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    check_domain(pipeline, request.domain)
    try:
        context.progress(0.05, f"reading {request.path.name}")
        source = pipeline.read(request.path, span=request.span, up=request.up)
    except TooLongError as error:
        yield SpanWanted(request=request, seconds=error.seconds, longest=error.longest)
        return
    progress = sub_progress(context.progress, 0.05, 0.7)
    latent, field, fit, facts = _represented(request, source, pipeline, progress)
    recipe = Recipe(
        domain=pipeline.domain.name,
        model=pipeline.name,
        model_hash=pipeline.hash,
        seed=0,
        source=str(request.path),
        extent=pipeline.domain.extent(request.path),
        seconds=pipeline.domain.duration(request.path, request.span),
        span=request.span,
        placement=pipeline.domain.placement(source),
        fit=facts,
    )
    values, progress = values_of(latent, pipeline), sub_progress(context.progress, 0.7, 1.0)
    yield make_item(pipeline, values, field, recipe, request, 0, context, progress, fit)


def _represented(
    request: ReconstructRequest, source: ItemSource, pipeline: Pipeline, progress: Progress | None
) -> tuple[Tensor, Field, bytes | None, FitFacts | None]:
    """What a file becomes: its latent, the signal, the content of a fit's file if there is one, and facts about it."""
    from ddmi_core.fitting.plan import FitPlan

    domain = pipeline.domain
    if domain.fits_at_once and request.fidelity != "small":
        fit = pipeline.fit(request.path, FitPlan(request.fidelity), progress=progress)
        latent = pipeline.encode(source, refine_steps=0)  # stands for the file where only a latent can
        compared = domain.latent_facts(request.path, source, latent, pipeline.decode(latent), roughly=True)
        return latent, domain.fitted(fit), fit.to_bytes(), _beside(fit.facts, compared)
    # Where a fit follows, the person waits for the encoder alone
    if domain.fits(request.path) and request.fidelity != "small":
        latent = pipeline.encode(source, refine_steps=0)
    else:
        latent = pipeline.encode(source, progress=progress)
    field = pipeline.decode(latent)
    return latent, field, None, domain.latent_facts(request.path, source, latent, field)


def _beside(facts: FitFacts, latent: FitFacts | None) -> FitFacts:
    """The facts of a fit, with what is known of the latent that stands for the file where only a latent can."""
    if latent is None:
        return facts
    return facts.model_copy(update={"of_latent": latent.figures if latent.fidelity == "small" else latent.of_latent})


@does(FitRequest, "fit", "Fit {request.path.name}", "fitting {request.path.name}")
def _fit(request: FitRequest, context: Context) -> Iterator[FitReady]:
    from ddmi_core.domains import get_domain
    from ddmi_core.fitting.fit import Fit
    from ddmi_core.fitting.plan import FitPlan

    item, recipe = request.item, request.item.recipe
    domain = get_domain(recipe.domain)
    up = recipe.placement.up if recipe.placement is not None else "y"
    kept = context.library.load_fit(item) if request.goes_on else None
    start = Fit.from_bytes(kept, f"The fit of {request.path.name}") if kept is not None else None
    plan = FitPlan(request.fidelity, up, recipe.span, start=start)
    share = 0.0

    def fitting(fraction: float, text: str) -> None:
        nonlocal share
        share = 0.95 * fraction
        context.progress(share, text)

    def looking(fraction: float, text: str) -> None:
        context.progress(share + 0.05 * fraction, text)

    for fit in domain.fit_gradually(request.path, plan, fitting):
        field = domain.fitted(fit)
        try:
            view = field.view(resolution=request.preview_resolution, progress=looking)
        except DDMIError:
            if fit.done < 1:  # nothing can be seen of it yet
                continue
            raise
        thumbnail = field.thumbnail(view, size=THUMBNAIL_SIZE)
        placement = fit.placement or recipe.placement
        known = recipe.model_copy(update={"fit": _beside(fit.facts, recipe.fit), "placement": placement})
        fitted = context.library.save_fit(item, known, thumbnail, fit.to_bytes())
        context.fields.put(FITS, item.id, field)
        yield FitReady(request=request, item=fitted, view=view, resolution=request.preview_resolution)
