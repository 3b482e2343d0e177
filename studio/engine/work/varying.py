"""Variations at a glance: sketches of what the form says, one for each of many seeds, and kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from ddmi_core.recipe import SamplingSettings
from ddmi_core.support.progress import sub_progress
from studio.engine.work.base import Answer, Context, does
from studio.engine.work.items import MakeRequest, check_domain
from studio.engine.work.sampling import sample_all
from studio.engine.work.sketching import quick

_SAMPLING_SHARE = 0.6


@dataclass(frozen=True, kw_only=True)
class VariationsRequest(MakeRequest):
    """Draw a sketch of each seed, ``size`` pixels a side. Answered by a VariationReady each."""

    settings: SamplingSettings
    seeds: tuple[int, ...]
    size: int


@dataclass(frozen=True, kw_only=True, eq=False)
class VariationReady(Answer):
    """The picture of a sketch, with straight alpha. ``index`` counts the seeds of its request from 0."""

    request: VariationsRequest
    index: int
    picture: UInt8[np.ndarray, "height width 4"]


@does(VariationsRequest, "make", "Variations", "drawing variations", quiet=True, gives_way=True)
def _vary(request: VariationsRequest, context: Context) -> Iterator[VariationReady]:
    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    check_domain(pipeline, request.domain)
    sampling = sub_progress(context.progress, 0.0, _SAMPLING_SHARE)
    settings = quick(request.settings, pipeline)
    wanted = [(settings.prompt, seed) for seed in request.seeds]
    latents = sample_all(pipeline, settings, wanted, context, sampling, draft=True)
    for index, latent in enumerate(latents):
        begun, words = index / len(latents), f"drawing {index + 1} of {len(latents)}"

        def looking(fraction: float, _words: str, begun: float = begun, words: str = words) -> None:
            done = begun + fraction / len(latents)
            context.progress(_SAMPLING_SHARE + (1.0 - _SAMPLING_SHARE) * done, words)

        looking(0.0, "")
        field = pipeline.decode(latent)
        view = field.view(resolution=request.preview_resolution, progress=looking)
        yield VariationReady(request=request, index=index, picture=field.thumbnail(view, size=request.size))
