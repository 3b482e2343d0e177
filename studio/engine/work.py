"""What is done for each kind of request. Runs in worker threads; knows pipelines, but no particular domain."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ddmi_core.frame_size import frame_size
from ddmi_core.model_folder import list_models
from ddmi_core.recipe import Recipe, SamplingSettings
from ddmi_core.support.errors import DataError, DDMIError, ExportError, ModelError, TooLongError
from ddmi_core.support.progress import Progress, sub_progress
from studio.engine.decoded import FieldCache
from studio.engine.originals import open_original
from studio.engine.pictures import basis_scale, blended, enlarged
from studio.engine.pipelines import gpus
from studio.engine.requests import (
    BasisRequest,
    BetweenRequest,
    DetailRequest,
    EnlargeRequest,
    EvaluateRequest,
    ExportRequest,
    FitRequest,
    FramesRequest,
    GenerateRequest,
    GpusRequest,
    ModelRequest,
    ModelsRequest,
    OriginalRequest,
    PreloadRequest,
    ReconstructRequest,
    RenderRequest,
    Request,
    SequenceRequest,
    SlicesRequest,
    TilesRequest,
    ViewRequest,
    WalkRequest,
)
from studio.engine.results import (
    BasisReady,
    BetweenReady,
    DetailReady,
    EvaluationDone,
    ExportDone,
    FitReady,
    FrameReady,
    GpusFound,
    ItemReady,
    ModelsReady,
    RenderReady,
    SequenceDone,
    SlicesReady,
    SpanWanted,
    TileReady,
    ViewReady,
    WalkDone,
    WorkResult,
)
from studio.state.library import FIT, Library
from studio.state.sequence import Arrangement

if TYPE_CHECKING:
    from torch import Tensor

    from ddmi_core.data.items import ItemSource
    from ddmi_core.export.images import Renders
    from ddmi_core.export.videos import Moving
    from ddmi_core.fidelity import FitFacts
    from ddmi_core.fields.field import Field
    from ddmi_core.fields.image import ImageField
    from ddmi_core.fields.radiance import RadianceField
    from ddmi_core.fields.shape import ShapeField
    from ddmi_core.fields.video import VideoField
    from ddmi_core.pipeline import Pipeline
    from ddmi_core.sequences import ClipSequence

THUMBNAIL_SIZE = 256
_SAMPLING_SHARE = 0.6
_WARM_UP_RESOLUTION = 32
_FITS, _FILES = "fits", "files"  # in the place of a model's hash among the decoded items: these need no model


@dataclass(frozen=True)
class Context:
    """What work may use: the loaded models, the library's files, the decoded items, and ways to report.

    ``device`` and ``threads`` are what a person chose to compute with: auto, cpu or cuda, and 0 for torch's own choice.
    ``progress`` raises `Cancelled` to stop the work. ``note`` tells the person something in
    passing.
    """

    pipeline: Callable[[ModelRequest], Pipeline]
    library: Library
    fields: FieldCache
    device: str
    threads: int
    progress: Progress
    note: Callable[[str], None]


def work(request: Request, context: Context) -> Iterator[WorkResult]:
    """Do what ``request`` asks, yielding each result as soon as it exists."""
    match request:
        case GenerateRequest():
            yield from _generate(request, context)
        case ReconstructRequest():
            yield from _reconstruct(request, context)
        case FitRequest():
            yield from _fit(request, context)
        case ViewRequest():
            yield from _view(request, context)
        case DetailRequest():
            yield from _detail(request, context)
        case ExportRequest():
            yield from _export(request, context)
        case TilesRequest():
            yield from _tiles(request, context)
        case EnlargeRequest():
            yield from _enlarge(request, context)
        case OriginalRequest():
            yield from _original(request, context)
        case FramesRequest():
            yield from _frames(request, context)
        case RenderRequest():
            yield from _render(request, context)
        case SlicesRequest():
            yield from _slices(request, context)
        case BasisRequest():
            yield from _basis(request, context)
        case BetweenRequest():
            yield from _between(request, context)
        case WalkRequest():
            yield from _walk(request, context)
        case SequenceRequest():
            yield from _sequence(request, context)
        case EvaluateRequest():
            yield from _evaluate(request, context)
        case PreloadRequest():
            _preload(request, context)
        case ModelsRequest():
            yield ModelsReady(request=request, models=tuple(list_models()))
        case GpusRequest():
            yield GpusFound(request=request, names=gpus())
        case _:
            raise TypeError(f"no work is known for {type(request).__name__}")


def describe(request: Request) -> str:
    """What work on the request is, to go after "Something went wrong while"."""
    match request:
        case GenerateRequest():
            return "generating"
        case ReconstructRequest():
            return f"reconstructing {request.path.name}"
        case FitRequest():
            return f"fitting {request.path.name}"
        case ViewRequest():
            return "preparing the view"
        case ExportRequest():
            return f"exporting {request.path.name}"
        case DetailRequest() | TilesRequest() | EnlargeRequest():
            return "sharpening the view"
        case OriginalRequest():
            return "comparing with the file"
        case FramesRequest() | SlicesRequest():
            return "drawing frames"
        case RenderRequest():
            return "rendering the view"
        case BasisRequest():
            return "looking at the basis fields"
        case BetweenRequest():
            return "interpolating"
        case WalkRequest() | SequenceRequest():
            return f"writing {request.path.name}"
        case EvaluateRequest():
            return "measuring the model"
        case PreloadRequest():
            return "loading the model"
        case ModelsRequest():
            return "looking for models"
        case GpusRequest():
            return "looking for devices"
        case _:
            return "working"


def _generate(request: GenerateRequest, context: Context) -> Iterator[ItemReady]:
    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    _check_domain(pipeline, request.domain)
    prompt, encoder = request.settings.prompt, pipeline.text_encoder
    if encoder.is_foreign(prompt):
        context.note(f"{pipeline.name} reads English and makes little of other scripts. Write the prompt in English.")
    elif len(read := encoder.reads(prompt)) < len(prompt):
        context.note(f"This prompt is too long for {pipeline.name}: it reads only as far as “…{read[-40:]}”.")
    latents = _sample(pipeline, request, context)
    for index, (seed, latent) in enumerate(zip(request.seeds, latents, strict=True)):
        share = (1.0 - _SAMPLING_SHARE) / len(latents)
        start = _SAMPLING_SHARE + share * index
        progress = sub_progress(context.progress, start, start + share)
        recipe = Recipe(
            domain=pipeline.domain.name,
            model=pipeline.name,
            model_hash=pipeline.hash,
            seed=seed,
            **request.settings.model_dump(),
        )
        values = _values(latent, pipeline)
        yield _make_item(pipeline, values, pipeline.decode(latent), recipe, request, index, context, progress)


def _sample(pipeline: Pipeline, request: GenerateRequest, context: Context) -> list[Tensor]:
    """All latents of a request, in one batch, or in ever smaller ones when memory runs out."""
    latents: list[Tensor] = []
    batch = len(request.seeds)
    while len(latents) < len(request.seeds):
        seeds = request.seeds[len(latents) : len(latents) + batch]
        done, total = len(latents), len(request.seeds)
        progress = sub_progress(
            context.progress, _SAMPLING_SHARE * done / total, _SAMPLING_SHARE * (done + len(seeds)) / total
        )
        try:
            latents += pipeline.sample(request.settings, seeds, progress=progress)
        except Exception as error:
            if batch == 1 or not is_out_of_memory(error):
                raise
            batch = (batch + 1) // 2
        else:
            continue
        _free_memory()  # outside the handler, whose traceback holds the tensors
        context.note(f"There was not enough memory for all variations at once; making {batch} at a time instead.")
    return latents


def _reconstruct(request: ReconstructRequest, context: Context) -> Iterator[ItemReady | SpanWanted]:
    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    _check_domain(pipeline, request.domain)
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
        placement=pipeline.domain.placement(source),
        fit=facts,
    )
    values, progress = _values(latent, pipeline), sub_progress(context.progress, 0.7, 1.0)
    yield _make_item(pipeline, values, field, recipe, request, 0, context, progress, fit)


def _represented(
    request: ReconstructRequest, source: ItemSource, pipeline: Pipeline, progress: Progress | None
) -> tuple[Tensor, Field, bytes | None, FitFacts | None]:
    """What a file becomes: its latent, the signal, the content of a fit's file if there is one, and facts about it."""
    domain = pipeline.domain
    if domain.fits_at_once and request.fidelity != "small":
        fit = pipeline.fit(request.path, request.fidelity, progress=progress)
        latent = pipeline.encode(source, refine_steps=0)  # stands for the file where only a latent can
        return latent, domain.fitted(fit), fit.to_bytes(), fit.facts
    if domain.can_fit and request.fidelity != "small":  # a fit follows, so that the person waits for the encoder alone
        latent = pipeline.encode(source, refine_steps=0)
    else:
        latent = pipeline.encode(source, progress=progress)
    field = pipeline.decode(latent)
    return latent, field, None, domain.latent_facts(request.path, source, latent, field)


def _fit(request: FitRequest, context: Context) -> Iterator[FitReady]:
    from ddmi_core.domains import get_domain

    item, recipe = request.item, request.item.recipe
    domain = get_domain(recipe.domain)
    up = recipe.placement.up if recipe.placement is not None else "y"
    fit = domain.fit(request.path, request.fidelity, sub_progress(context.progress, 0.0, 0.9), up=up)
    field, progress = domain.fitted(fit), sub_progress(context.progress, 0.9, 1.0)
    view = field.view(resolution=request.preview_resolution, progress=progress)
    thumbnail = field.thumbnail(view, size=THUMBNAIL_SIZE)
    fitted = context.library.save_fit(item, recipe.model_copy(update={"fit": fit.facts}), thumbnail, fit.to_bytes())
    context.fields.put(_FITS, item.id, field)
    yield FitReady(request=request, item=fitted, view=view, resolution=request.preview_resolution)


def _values(latent: Tensor, pipeline: Pipeline) -> np.ndarray:
    """A latent as the library keeps it."""
    array = np.asarray(latent.detach().cpu().float())
    if not np.isfinite(array).all():
        raise ModelError(
            f"The model {pipeline.name} produced values that are not numbers. "
            "Its weights are damaged, or the guidance is far too high."
        )
    return array


def _make_item(
    pipeline: Pipeline,
    latent: np.ndarray,
    field: Field,
    recipe: Recipe,
    request: GenerateRequest | ReconstructRequest,
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
    context.fields.put(_FITS if recipe.is_fitted else pipeline.hash, item.id, field)
    return ItemReady(
        request=request,
        item=item,
        index=index,
        view=view,
        resolution=request.preview_resolution,
        thumbnail=thumbnail,
    )


def _view(request: ViewRequest, context: Context) -> Iterator[ViewReady]:
    context.progress(0.0, "loading the model")
    field = _decode_item(request, context)
    view = field.view(resolution=request.resolution, progress=sub_progress(context.progress, 0.1, 1.0))
    yield ViewReady(request=request, view=view, resolution=request.resolution)


def _detail(request: DetailRequest, context: Context) -> Iterator[DetailReady]:
    from ddmi_core.rendering.adaptive_surface import Sight
    from ddmi_core.rendering.cameras import Camera
    from ddmi_core.rendering.mesh_pieces import mesh_pieces

    field = cast("ShapeField", _decode_item(request, context))
    fit = request.item.recipe.fit if request.item.recipe.is_fitted else None
    maker = _FITS if fit is not None else context.pipeline(request).hash
    name = (request.item.id, "surface", fit.fidelity if fit is not None else None)
    surface = context.fields.get(maker, name, lambda: field.adaptive_surface(context.progress))
    sight = Sight(Camera(np.array(request.camera.pose), request.camera.fov), request.aspect)
    for index, mesh in enumerate(surface.meshes(sight, context.progress)):
        pieces = mesh_pieces(mesh.vertices, mesh.faces, mesh.vertex_normals)
        resolution = mesh.metadata["resolution"]
        yield DetailReady(request=request, pieces=pieces, resolution=resolution, rough=index == 0)
    context.fields.put(maker, name, surface)  # it has grown


def _check_free(request: ExportRequest | WalkRequest | SequenceRequest, targets: Iterable[Path]) -> None:
    """What was asked for is written only where the person knows that it may be: something may be there by now."""
    from ddmi_core.export.targets import in_the_way

    if (taken := in_the_way(targets, replace=request.replace)) is not None:
        raise ExportError(f"{taken} is there already, and was kept. Export again under another name.")


def _export(request: ExportRequest, context: Context) -> Iterator[ExportDone]:
    _check_free(request, request.options.targets(request.path))
    context.progress(0.0, "loading the model")
    field = _decode_item(request, context)
    facts = field.export(
        request.path,
        request.options,
        recipe=request.item.recipe,
        progress=sub_progress(context.progress, 0.02, 1.0),
    )
    yield ExportDone(request=request, facts=dict(facts))


def _preload(request: PreloadRequest, context: Context) -> None:
    """The first pass through a network is several times slower than the next; do it while nobody waits."""
    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    [latent] = pipeline.sample(SamplingSettings(steps=1), [0], progress=sub_progress(context.progress, 0.5, 0.8))
    field = pipeline.decode(latent)
    with contextlib.suppress(DDMIError):  # one step may well give an empty shape, which warms up just the same
        field.view(resolution=_WARM_UP_RESOLUTION, progress=sub_progress(context.progress, 0.8, 1.0))


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


def _frames(request: FramesRequest, context: Context) -> Iterator[FrameReady]:
    field = _moving(request, context)
    drawn: dict[float, np.ndarray] = {}  # a blend needs the frames of the one before it again

    def draw(t: float, progress: Progress | None) -> np.ndarray:
        if t not in drawn:
            pixels = field.at(t).render(request.side, request.side, window=request.window, progress=progress)
            while len(drawn) > 1:
                del drawn[next(iter(drawn))]
            drawn[t] = pixels
        return drawn[t]

    for index, (first, second, share) in enumerate(request.moments):
        began = time.perf_counter()
        progress = sub_progress(context.progress, index / len(request.moments), (index + 1) / len(request.moments))
        pixels = draw(first, progress)
        if share > 0:
            pixels = blended(pixels, draw(second, progress), share)
        yield FrameReady(request=request, index=index, pixels=pixels, seconds=time.perf_counter() - began)


def _render(request: RenderRequest, context: Context) -> Iterator[RenderReady]:
    from ddmi_core.rendering.cameras import Camera

    field = cast("RadianceField", _decode_item(request, context))
    began = time.perf_counter()
    camera = Camera(np.array(request.camera.pose), request.camera.fov)
    view = field.render(camera, request.width, request.height, request.settings, progress=context.progress)
    pixels = view.picture(request.settings)
    yield RenderReady(request=request, pixels=pixels, seconds=time.perf_counter() - began)


def _slices(request: SlicesRequest, context: Context) -> Iterator[SlicesReady]:
    field = cast("VideoField", _decode_item(request, context))
    along_x, along_y = field.slices(
        request.x, request.y, side=request.side, moments=request.moments, progress=context.progress
    )
    yield SlicesReady(request=request, along_x=along_x, along_y=along_y)


def _enlarge(request: EnlargeRequest, context: Context) -> Iterator[TileReady]:
    for index, window in enumerate(request.windows):
        context.progress(index / len(request.windows), "enlarging")
        pixels = enlarged(request.picture, request.side, window)
        yield TileReady(request=request, side=request.side, window=window, pixels=pixels)


def _original(request: OriginalRequest, context: Context) -> Iterator[TileReady]:
    original = context.fields.get(_FILES, request.item.id, lambda: open_original(request.item))
    for index, window in enumerate(request.windows):
        context.progress(index / len(request.windows), "comparing")
        pixels = original.window(request.side, window, smooth=request.smooth)
        yield TileReady(request=request, side=request.side, window=window, pixels=pixels)


def _basis(request: BasisRequest, context: Context) -> Iterator[BasisReady]:
    field = _decode_item(request, context)
    scales = []
    for index, planes in enumerate(field.basis):
        context.progress(index / len(field.basis), "transforming")
        scales.append(basis_scale(planes[0][0].float().cpu().numpy()))
    yield BasisReady(request=request, scales=tuple(scales))


def _between(request: BetweenRequest, context: Context) -> Iterator[BetweenReady]:
    field_at = _way(request, context)
    view = field_at(request.share).view(resolution=request.resolution, progress=context.progress)
    yield BetweenReady(request=request, view=view)


def _walk(request: WalkRequest, context: Context) -> Iterator[WalkDone]:
    from ddmi_core.export.frames import write_frames

    _check_free(request, [request.path])
    field_at = _way(request, context)
    side, _ = frame_size(request.resolution, request.resolution, request.path.suffix)

    def frames() -> Iterator[np.ndarray]:
        for index in range(request.frames):
            share = sub_progress(context.progress, index / request.frames, (index + 1) / request.frames)
            yield field_at(index / max(1, request.frames - 1)).view(resolution=side, progress=share)["pixels"]

    written = write_frames(frames(), request.path, rate=Fraction(request.rate))
    yield WalkDone(request=request, path=written)


def _evaluate(request: EvaluateRequest, context: Context) -> Iterator[EvaluationDone]:
    from ddmi_core.evaluation.child import evaluate_in_child

    page = evaluate_in_child(
        request.model,
        request.data,
        request.samples,
        request.path,
        device=context.device,
        threads=context.threads,
        progress=context.progress,
    )
    yield EvaluationDone(request=request, page=page)


def _sequence(request: SequenceRequest, context: Context) -> Iterator[SequenceDone]:
    from ddmi_core.export.videos import export_video

    _check_free(request, request.options.targets(request.path))
    context.progress(0.0, "loading the model")
    sequence = _arranged(request.arrangement, context.pipeline(request), context)
    options = request.options
    if options.seconds is None:
        options = options.model_copy(update={"seconds": sequence.seconds})
    facts = export_video(sequence, request.path, options, progress=context.progress)
    yield SequenceDone(request=request, path=Path(facts["path"]))


def _arranged(arrangement: Arrangement, pipeline: Pipeline, context: Context) -> ClipSequence:
    """The sequence of an arrangement."""
    import torch

    from ddmi_core.sequences import ClipSequence, Shot

    return ClipSequence(
        [
            Shot(torch.from_numpy(context.library.load_latent(piece.item)), piece.seconds, piece.start, piece.stop)
            for piece in arrangement.pieces
        ],
        decode=pipeline.decode,
        between=pipeline.between,
        transition=arrangement.transition,
    )


def _way(request: BetweenRequest | WalkRequest, context: Context) -> Callable[[float], Field]:
    """The field at each share of the way between two items."""
    import torch

    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    start, end = (torch.from_numpy(context.library.load_latent(item)) for item in (request.start, request.end))
    return lambda share: pipeline.decode(pipeline.between(start, end, share))


def _picture(request: TilesRequest, context: Context) -> Renders:
    """What tiles are drawn of: a picture, or a clip at a moment."""
    if request.moment is not None:
        return _moving(request, context).at(request.moment)
    return cast("ImageField", _decode_item(request, context))


def _moving(request: TilesRequest | FramesRequest, context: Context) -> Moving:
    """A clip: the item, or the sequence that is on the stage with it."""
    arrangement = request.arrangement
    if arrangement is None:
        return cast("VideoField", _decode_item(request, context))
    pipeline = context.pipeline(request)
    return context.fields.get(pipeline.hash, arrangement.key, lambda: _arranged(arrangement, pipeline, context))


def _decode_item(
    request: (
        ViewRequest
        | DetailRequest
        | ExportRequest
        | TilesRequest
        | FramesRequest
        | RenderRequest
        | SlicesRequest
        | BasisRequest
    ),
    context: Context,
) -> Field:
    """An item's signal: its fit where there is one, else what its model makes of its latent."""
    import torch

    from ddmi_core.domains import get_domain
    from ddmi_core.fitting.fit import Fit

    item = request.item
    if item.recipe.is_fitted:

        def read() -> Field:
            context.progress(0.02, "reading the fit")
            content, origin = context.library.load_fit(item) or b"", f"The fit of this item ({item.folder / FIT})"
            return get_domain(item.recipe.domain).fitted(Fit.from_bytes(content, origin))

        return context.fields.get(_FITS, item.id, read)
    pipeline = context.pipeline(request)
    _check_domain(pipeline, item.recipe.domain)

    def decode() -> Field:
        context.progress(0.02, "decoding")
        return pipeline.decode(torch.from_numpy(context.library.load_latent(item)))

    return context.fields.get(pipeline.hash, item.id, decode)


def _check_domain(pipeline: Pipeline, domain: str) -> None:
    from ddmi_core.domains import get_domain

    if pipeline.domain.name != domain:
        wanted = get_domain(domain).title
        raise ModelError(
            f"{pipeline.name} is a model for {pipeline.domain.title}, not for {wanted}. Choose another one."
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on the CPU or on a GPU."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def _free_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
