"""The model folder that a run leaves behind."""

import logging
import re
import time
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from ddmi_core.pipeline import Changes, Pipeline
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import DiffusionStage, shown_recipes
from ddmi_core.training.history import History
from ddmi_core.training.run_folder import RunFolder

_log = logging.getLogger(__name__)


def save_model(
    pipeline: Pipeline, stage: DiffusionStage, config: RunConfig, run: RunFolder, steps: tuple[int, int]
) -> Path:
    """Write the trained model with its card and its last pictures as preview; return its folder.

    Args:
        pipeline: the model.
        stage: the second one.
        config: the run's.
        run: the folder.
        steps: how many each stage had in the end.
    """
    preview = _preview(stage, run, steps[1])
    previewed = shown_recipes(config) if preview is not None else ()
    about = card(config, run, steps, pipeline.changes)
    pipeline.save_pretrained(run.model, card=about, preview=preview, previewed=previewed)
    return run.model


def card(config: RunConfig, run: RunFolder, steps: tuple[int, int], changes: Changes | None = None) -> str:
    """Return the model card: what the preset says of data and licence, then how the run and its two stages went.

    Args:
        config: the run's.
        run: the folder.
        steps: how many each stage had in the end.
        changes: what was learned, where that is changes to another model.
    """
    history = History(run.events_file)
    history.refresh()
    figures = [
        f"- {name.stage}, held out, {name.term}: {history.curve(name).values[-1]:.4g}"
        for name in history.names()
        if name.kind == "held_out"
    ]
    about = config.card.strip() or "# A model\n\nA DDMI model (Park et al., ICLR 2024), trained on own data."
    first = f"{steps[0]:,} steps, {config.stage1.batch} examples each" if config.has_first_stage else "none"
    about = re.sub(r"\A# [^:\n]*", lambda _: f"# {config.name}", about)  # a preset's card has the preset's name
    if changes is not None:
        heading, _, rest = about.partition("\n")
        about = f"{heading}\n\n{_of_a_base(changes)}\n{rest}"
    return "\n".join(
        (
            f"{about}\n",
            "## Training\n",
            f"- Data: {', '.join(part.source for part in config.data)}",
            f"- Stage 1: {first}; stage 2: {steps[1]:,} steps, {config.stage2.batch} examples each; seed {config.seed}",
            *_ended_early(config, steps),
            f"- Ended {time.strftime('%Y-%m-%d %H:%M')}",
            *figures,
            "",
        )
    )


def _of_a_base(changes: Changes) -> str:
    base, learned = changes
    (rank,) = {len(factor) for name, factor in learned.items() if name.endswith("down")}
    megabytes = sum(factor.numel() for factor in learned.values()) * 2 / 1e6  # in half precision
    return (
        f"Changes of rank {rank} to the denoiser of {base.name}: {megabytes:.1f} MB. All else is read from {base.name} "
        f"(hash {base.hash}), which must be on the same machine, and whose licence holds for this one, too."
    )


def _ended_early(config: RunConfig, steps: tuple[int, int]) -> list[str]:
    planned = (config.stage1.steps if config.has_first_stage else 0, config.stage2.steps)
    sooner = [f"stage {1 + i} ({planned[i]:,} planned)" for i in range(2) if steps[i] < planned[i]]
    return [f"- Ended when held-out figures stopped getting better: {', '.join(sooner)}"] if sooner else []


def _preview(stage: DiffusionStage, run: RunFolder, step: int) -> np.ndarray | None:
    """Return the pictures of the last step, drawn now if they were not; None where that fails."""
    file = run.samples / f"{stage.name}-{step:08d}.png"
    try:
        if not file.exists():
            stage.save_pictures(stage.evaluate(slice(None)).pictures, file)
        return imageio.imread(file)
    except (DDMIError, OSError, RuntimeError) as error:
        _log.warning("the model has no preview: %s", error)
        return None
