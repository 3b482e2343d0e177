"""Sketches: what the form says, made in a few steps while it changes, and kept nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddmi_core.prompt_matrix import prompt_matrix
from ddmi_core.recipe import SamplingSettings
from ddmi_core.support.progress import sub_progress
from studio.engine.work.base import Answer, Context, Request, does
from studio.engine.work.items import MakeRequest, View, check_domain

if TYPE_CHECKING:
    from ddmi_core.pipeline import Pipeline

SKETCH_STEPS = 6
"""Without a student."""

_SAMPLING_SHARE = 0.7


@dataclass(frozen=True, kw_only=True)
class SketchRequest(MakeRequest):
    """Make one signal in a few steps, to be seen and not kept. Answered by a SketchReady."""

    settings: SamplingSettings
    seed: int

    def replaces(self, other: Request) -> bool:
        """An earlier sketch."""
        return isinstance(other, SketchRequest)


@dataclass(frozen=True, kw_only=True, eq=False)
class SketchReady(Answer):
    """A first look at what the form says, and how long that took."""

    request: SketchRequest
    view: View
    resolution: int
    seconds: float


def quick(settings: SamplingSettings, pipeline: Pipeline) -> SamplingSettings:
    """Settings as a sketch has them, of several prompts the first: the model's student, or else few steps.

    These are of the sampler that is best at few.

    Raises:
        DataError: the prompt stands for too many.
    """
    prompt = prompt_matrix(settings.prompt).prompts[0]
    few = {"steps": SKETCH_STEPS, "sampler": "dpm++", "quality": "best"}
    return settings.model_copy(update={"prompt": prompt, **(few if pipeline.student is None else {"quality": "fast"})})


@does(SketchRequest, "make", "Sketch", "sketching", quiet=True, gives_way=True)
def _sketch(request: SketchRequest, context: Context) -> Iterator[SketchReady]:
    pipeline = context.pipeline(request)
    check_domain(pipeline, request.domain)
    began = time.perf_counter()  # the model is there
    settings = quick(request.settings, pipeline)
    sampling = sub_progress(context.progress, 0.0, _SAMPLING_SHARE)
    latent = pipeline.sample(settings, (request.seed,), draft=True, progress=sampling)[0]
    looking = sub_progress(context.progress, _SAMPLING_SHARE, 1.0)
    view = pipeline.decode(latent).view(resolution=request.preview_resolution, progress=looking)
    yield SketchReady(
        request=request, view=view, resolution=request.preview_resolution, seconds=time.perf_counter() - began
    )
