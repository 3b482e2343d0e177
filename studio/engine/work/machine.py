"""What the machine has: models, warmed up or measured, and devices."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ddmi_core.model_folder import ModelInfo, list_models
from ddmi_core.recipe import SamplingSettings
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import sub_progress
from studio.engine.pipelines import gpus
from studio.engine.work.base import Answer, Context, ModelRequest, Request, does

MODELS_ROOM = "models"
"""What the jobs call the room that lists the models; the others are called by their domains."""
_WARM_UP_RESOLUTION = 32


@dataclass(frozen=True, kw_only=True)
class PreloadRequest(ModelRequest):
    """Load the model and run it once, so that the first Generate finds it warm; gives way to what the person asks.

    Has no result of its own.
    """


@dataclass(frozen=True, kw_only=True)
class ModelsRequest(Request):
    """Look which models are installed. Answered by a ModelsReady."""


@dataclass(frozen=True, kw_only=True)
class ModelsReady(Answer):
    """The installed models."""

    request: ModelsRequest
    models: tuple[ModelInfo, ...]


@dataclass(frozen=True, kw_only=True)
class GpusRequest(Request):
    """Look which CUDA devices there are. Answered by a GpusFound."""


@dataclass(frozen=True, kw_only=True)
class GpusFound(Answer):
    """The names of the CUDA devices that there are."""

    request: GpusRequest
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest(ModelRequest):
    """Measure a model against a data set and write a report into a folder. Answered by an EvaluationDone.

    ``data`` is a starter set's name or a folder. What an earlier request of the same kind has done is not done again.
    """

    model: Path
    data: str
    samples: int
    path: Path

    @property
    def room(self) -> str:
        """That of the models."""
        return MODELS_ROOM


@dataclass(frozen=True, kw_only=True)
class EvaluationDone(Answer):
    """A model was measured; ``page`` is the report."""

    request: EvaluateRequest
    page: Path


@does(PreloadRequest, "make", "Load {model}", "loading the model", quiet=True, gives_way=True, priority=1)
def _preload(request: PreloadRequest, context: Context) -> Iterator[Answer]:
    """The first pass through a network is several times slower than the next; do it while nobody waits."""
    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    [latent] = pipeline.sample(
        SamplingSettings(steps=1, tries=1), [0], progress=sub_progress(context.progress, 0.5, 0.8)
    )
    field = pipeline.decode(latent)
    with contextlib.suppress(DDMIError):  # one step may well give an empty shape, which warms up just the same
        field.view(resolution=_WARM_UP_RESOLUTION, progress=sub_progress(context.progress, 0.8, 1.0))
    yield from ()


@does(ModelsRequest, "make", "Look for models", "looking for models", quiet=True, priority=1)
def _models(request: ModelsRequest, context: Context) -> Iterator[ModelsReady]:
    yield ModelsReady(request=request, models=tuple(list_models()))


@does(GpusRequest, "view", "Look for devices", "looking for devices", quiet=True)
def _gpus(request: GpusRequest, context: Context) -> Iterator[GpusFound]:
    yield GpusFound(request=request, names=gpus())


@does(EvaluateRequest, "measure", "Evaluate {model}", "measuring the model")
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
