"""The figures of a method: by `ddmi evaluate`'s own metrics, as lines of JSON, and a sheet of pictures to look at."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ddmi_core.baselines.plan import Plan
from ddmi_core.baselines.run import Trained
from ddmi_core.evaluation.plan import available, make_plan
from ddmi_core.evaluation.run import evaluate
from ddmi_core.pipeline import Pipeline
from ddmi_core.rendering.picture_layout import DARK, SHEET_COLUMNS
from ddmi_core.support.files import write_text
from ddmi_core.support.progress import Progress, report, sub_progress
from ddmi_core.training.pictures import PICTURE_SIZE, picture, save_sheet

REPORT, SHEET = "figures.jsonl", "sheet.png"
_METRICS = ("psnr", "ssim", "iou", "chamfer", "frechet", "kernel", "precision-recall", "clouds-cd")
"""Those of them that there are of a domain's signals."""
_ROWS_OF_SAMPLES = 3
_DIGITS = 5


def measure(
    trained: Trained, plan: Plan, out: Path, *, samples: int, device: str = "auto", progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Measure a method, write its report and sheet into a folder, and return the lines of the report.

    The first line is of what it had to learn with, the others of a figure each. The sheet has held-out signals, what
    becomes of them, and samples, all with the same numbers for all methods.

    Args:
        trained: the method.
        plan: of its training.
        out: the folder, in which `evaluation` keeps what was seen, and is gone on with.
        samples: how many to generate, and to compare with as many signals of the data.
        device: auto, cpu or cuda.
        progress: may raise `Cancelled`.

    Raises:
        DDMIError: the folder holds an evaluation of other settings, or cannot be written.
    """
    pipeline, sampling = trained.pipeline, plan.recipe.stage2.sampling
    what = make_plan(
        pipeline.domain,
        [name for name in _METRICS if name in available(pipeline.domain)],
        None,
        None,
        model=pipeline.name,
        model_hash=pipeline.hash,
        data=plan.source,
        samples=samples,
        references=samples,
        **sampling.model_dump(),
    )
    found = evaluate(what, pipeline, out / "evaluation", device=device, progress=sub_progress(progress, 0.0, 0.9))
    lines = [dict(trained.facts)]
    for figure in found["figures"]:
        value = figure["value"]
        line = {"method": plan.method, "metric": figure["metric"], "name": figure["name"]}
        line["value"] = None if value is None else round(value, _DIGITS)
        lines.append(line | {name: figure[name] for name in ("unit", "better", "counts", "reason") if name in figure})
    write_text(out / REPORT, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    _draw(pipeline, plan, out / SHEET, sub_progress(progress, 0.9, 1.0))
    return lines


def _draw(pipeline: Pipeline, plan: Plan, path: Path, progress: Progress | None) -> None:
    domain = pipeline.domain
    given = pipeline.autoencoder.config.encoder_input
    held_out = domain.items(plan.source, "held_out", seed=0, queries=plan.recipe.stage1.queries, given=given)
    count = _ROWS_OF_SAMPLES * SHEET_COLUMNS
    true, again, made = [], [], []
    for number in range(min(SHEET_COLUMNS, len(held_out))):
        report(progress, number / count, "drawing")
        true.append(_laid(held_out.thumbnail(number, PICTURE_SIZE)))
        again.append(picture(pipeline.decode(pipeline.encode_source(held_out, number))))
    prompts = [(held_out.captions(number % len(held_out)) or [""])[0] for number in range(count)]
    for latent in pipeline.sample_each(prompts, range(count), plan.recipe.stage2.sampling, progress=progress):
        made.append(picture(pipeline.decode(latent)))
    save_sheet([*true, *again, *made], path)


def _laid(premultiplied: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return a small picture of a data set on the ground that samples have."""
    beyond = 255 - premultiplied[..., 3:].astype(np.int32)
    return (premultiplied[..., :3] + beyond * np.array(DARK) // 255).clip(0, 255).astype(np.uint8)
