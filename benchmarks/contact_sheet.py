"""A sheet of what a model makes of fixed prompts and seeds, to be looked at; beside another model's, if asked for.

    python -m benchmarks.contact_sheet --model furniture --out sheet.png
    python -m benchmarks.contact_sheet --model FOLDER --beside furniture --out sheet.png
    python -m benchmarks.contact_sheet --model furniture --quality fast --beside furniture --out sheet.png

Each prompt has its samples side by side above its text, those of the other model to their right, after a line. What is
empty stays dark. Prompts are fixed for the kinds that come along; of others they are captions of the first data set.
Prints how long it took, as a JSON line.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import tyro
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from benchmarks.judging import furniture_prompts, portrait_prompts, sky_prompts
from benchmarks.judging.lines import Lines
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import Quality, SamplingSettings
from ddmi_core.rendering.picture_layout import DARK, contact_sheet
from ddmi_core.support.errors import DDMIError

PROMPTS = 24
_SHEETS = {
    "shape": furniture_prompts.SHEET,
    "nerf": furniture_prompts.SHEET,
    "image": portrait_prompts.SHEET,
    "video": sky_prompts.SHEET,
}
_PICTURES, _GAP, _LINE = 8, 8, 18  # in a row, between groups, and below them
_INK, _RULE = (154, 163, 173), (91, 140, 255)

Picture = UInt8[np.ndarray, "h w 3"]


def main(
    model: str = "furniture",
    beside: str | None = None,
    out: Path = Path("out/contact-sheet.png"),
    prompts: tuple[str, ...] = (),
    seeds: int = 2,
    size: int = 144,
    device: str = "auto",
    threads: int = 2,
    quality: Quality = "best",
) -> None:
    """Draw a contact sheet.

    Args:
        model: name or folder.
        beside: another model of the same kind, drawn to the right of it.
        out: the PNG.
        prompts: others than the fixed ones.
        seeds: samples of each prompt.
        size: side of a picture in pixels.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
        quality: fast asks its student.
    """
    torch.set_num_threads(threads)
    began = time.perf_counter()
    pipelines = [Pipeline.from_pretrained(find_model(name), device=device) for name in (model, beside) if name]
    chosen = prompts or sheet_prompts(pipelines[0])
    drawn = list(zip(pipelines, (quality, "best"), strict=False))
    groups = [_group(prompt, drawn, seeds, size) for prompt in chosen]
    columns = max(1, _PICTURES // (seeds * len(pipelines)))
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(contact_sheet(groups, columns, gap=_GAP)).save(out)
    lines = Lines("contact_sheet", pipelines[0])
    lines("seconds", time.perf_counter() - began, "<= 120", samples=seeds * len(chosen) * len(pipelines), file=str(out))


def sheet_prompts(pipeline: Pipeline) -> Sequence[str]:
    """Return the prompts that are drawn of a model unless others are asked for."""
    domain = pipeline.domain
    if domain.name in _SHEETS:
        return _SHEETS[domain.name]
    items = domain.items(domain.starter_sets[0], "train", seed=0, queries=1)
    return [items.captions(i)[0] for i in np.linspace(0, len(items) - 1, PROMPTS).astype(int).tolist()]


def _group(prompt: str, drawn: Sequence[tuple[Pipeline, Quality]], seeds: int, size: int) -> Picture:
    """What the models make of a prompt, above its text."""
    rows = [contact_sheet(_samples(*how, prompt, seeds, size), seeds, gap=2) for how in drawn]
    rule = np.full((rows[0].shape[0], 2, 3), _RULE, np.uint8)
    pictures = rows[0] if len(rows) == 1 else np.concatenate([rows[0], rule, rows[1]], axis=1)
    text = Image.new("RGB", (pictures.shape[1], _LINE), DARK)
    ImageDraw.Draw(text).text((3, 1), prompt, fill=_INK, font=ImageFont.load_default(12))
    return np.concatenate([pictures, np.asarray(text)])


def _samples(pipeline: Pipeline, quality: Quality, prompt: str, seeds: int, size: int) -> list[Picture]:
    drawn = []
    for latent in pipeline.sample(SamplingSettings(prompt=prompt, quality=quality), range(seeds)):
        try:
            drawn.append(pipeline.decode(latent).preview(size=size))
        except DDMIError:  # nothing solid anywhere
            drawn.append(np.full((size, size, 3), DARK, np.uint8))
    return drawn


if __name__ == "__main__":
    tyro.cli(main)
