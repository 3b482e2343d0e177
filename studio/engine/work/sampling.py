"""New items from a prompt and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddmi_core.prompt_matrix import prompt_matrix
from ddmi_core.recipe import Recipe, SamplingSettings
from ddmi_core.support.progress import Progress, sub_progress
from studio.engine.work.base import Context, does, free_memory, is_out_of_memory
from studio.engine.work.items import ItemReady, MakeRequest, check_domain, make_item, values_of
from studio.state.form import MAX_COUNT

if TYPE_CHECKING:
    from torch import Tensor

    from ddmi_core.pipeline import Pipeline

_SAMPLING_SHARE = 0.6
_SHORT = 60  # characters of a prompt


@dataclass(frozen=True, kw_only=True)
class GenerateRequest(MakeRequest):
    """Sample one item per seed, all with the same settings; of a prompt with alternatives, of each that it stands for.

    Answered by an ItemReady each.
    """

    settings: SamplingSettings
    seeds: tuple[int, ...]

    @property
    def wanted(self) -> list[tuple[str, int]]:
        """The prompt and the seed of each item.

        Raises:
            DataError: the prompt stands for too many.
        """
        return [(prompt, seed) for prompt in prompt_matrix(self.settings.prompt).prompts for seed in self.seeds]

    @property
    def differs_by_seed(self) -> bool:
        """Whether another seed makes something else, as it does not where nothing shall be different."""
        like = self.settings.like
        return not like or like[-1][1] > 0.0

    @property
    def about(self) -> str:
        """What is made, in short."""
        prompt, count = " ".join(self.settings.prompt.split()) or "Without a prompt", len(self.wanted)
        short = prompt if len(prompt) <= _SHORT else prompt[: _SHORT - 1] + "…"
        return short + (f" × {count}" if count > 1 else "")


@does(GenerateRequest, "make", "{request.about}", "generating", takes_stage=True)
def _generate(request: GenerateRequest, context: Context) -> Iterator[ItemReady]:
    context.progress(0.0, "loading the model")
    pipeline = context.pipeline(request)
    check_domain(pipeline, request.domain)
    wanted, encoder = request.wanted, pipeline.text_encoder
    prompts = [prompt for prompt, _ in wanted]
    longest = max(prompts, key=len)
    if longest and not encoder.reads_texts:
        context.note(
            f"{pipeline.name} was trained without texts: it makes anything it knows, whatever the prompt says."
        )
    elif any(map(encoder.is_foreign, prompts)):
        context.note(f"{pipeline.name} reads English and makes little of other scripts. Write the prompt in English.")
    elif len(read := encoder.reads(longest)) < len(longest):
        context.note(f"This prompt is too long for {pipeline.name}: it reads only as far as “…{read[-40:]}”.")
    sampling = sub_progress(context.progress, 0.0, _SAMPLING_SHARE)
    latents = sample_all(pipeline, request.settings, wanted, context, sampling)
    for index, ((prompt, seed), latent) in enumerate(zip(wanted, latents, strict=True)):
        share = (1.0 - _SAMPLING_SHARE) / len(latents)
        start = _SAMPLING_SHARE + share * index
        progress = sub_progress(context.progress, start, start + share)
        recipe = Recipe(
            domain=pipeline.domain.name,
            model=pipeline.name,
            model_hash=pipeline.hash,
            **{**request.settings.model_dump(), "prompt": prompt, "seed": seed},
        )
        values = values_of(latent, pipeline)
        yield make_item(pipeline, values, pipeline.decode(latent), recipe, request, index, context, progress)


def sample_all(
    pipeline: Pipeline,
    settings: SamplingSettings,
    wanted: Sequence[tuple[str, int]],
    context: Context,
    progress: Progress | None,
    *,
    draft: bool = False,
) -> list[Tensor]:
    """The latents of prompts with a seed each, in few batches, or in ever smaller ones when memory runs out."""
    latents: list[Tensor] = []
    batch, total = min(len(wanted), MAX_COUNT), len(wanted)
    while len(latents) < total:
        prompts, seeds = zip(*wanted[len(latents) : len(latents) + batch], strict=True)
        part = sub_progress(progress, len(latents) / total, (len(latents) + len(seeds)) / total)
        try:
            latents += pipeline.sample_each(prompts, seeds, settings, draft=draft, progress=part)
        except Exception as error:
            if batch == 1 or not is_out_of_memory(error):
                raise
            batch = (batch + 1) // 2
        else:
            continue
        free_memory()  # outside the handler, whose traceback holds the tensors
        context.note(f"There was not enough memory for all variations at once; making {batch} at a time instead.")
    return latents
