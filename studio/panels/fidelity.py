"""How closely a person's file is represented, in words."""

from __future__ import annotations

import math
from pathlib import Path

from ddmi_core.fidelity import Fidelity, FitFacts
from studio.state.amounts import formatted_bytes
from studio.state.library import Item

NAMES: dict[Fidelity, str] = {"small": "Small", "balanced": "Balanced", "faithful": "Faithful"}
TIPS: dict[Fidelity, str] = {
    "small": "What the model makes of the file: a latent of a few kilobytes",
    "balanced": "Basis fields with a cell for 4 × 4 pixels, of clips 2 × 2; in space, planes of 64 cells a side",
    "faithful": "Basis fields with a cell for each pixel, the file as it is; in space, planes of 128 cells a side",
}
_LIKE = {"psnr": 24.0, "iou": 0.8}
"""What a model makes of a file that is like what it was taught comes nearer to it than that."""


def made_of_file(facts: FitFacts, model: str) -> str:
    """What an item that stands for a file is, in a line."""
    if facts.fidelity == "small":
        return f"Small: what {model} makes of the file"
    unfinished = f", {100 * facts.done:.0f} % done" if facts.done < 1 else ""
    return f"{NAMES[facts.fidelity]} fit of the file{unfinished}"


def figures(facts: FitFacts) -> str:
    """The size of the file, how near the item comes to it, and what it takes, in a line."""
    parts = []
    if facts.pixels is not None:
        parts.append("{} × {}".format(*facts.pixels) + (", 16 bits" if facts.bits == 16 else ""))
    if near := nearness(facts):
        parts.append(near)
    parts.append(formatted_bytes(facts.size_bytes).replace(" ", "\u00a0"))  # a line never ends within it
    return "  ·  ".join(parts)


def nearness(facts: FitFacts) -> str:
    """How near an item comes to its file: PSNR and SSIM, or how much a shape and the solid of its file share."""
    if (psnr := facts.figures.get("psnr")) is not None:
        views, ssim = facts.figures.get("held_out_views"), facts.figures.get("ssim")
        near = f"{psnr:.0f} dB" if views is None else f"{psnr:.1f} dB at {views:.0f} held-out views"
        return near if ssim is None else f"{near}, {similarity(ssim)}"
    iou = facts.figures.get("iou")
    return "" if iou is None else f"IoU {iou:.3f}" if iou > 0.99 else f"IoU {iou:.2f}"


def is_unlike(facts: FitFacts) -> bool:
    """Whether a file is unlike what the model was taught that made a latent of it."""
    near = facts.figures if facts.fidelity == "small" else facts.of_latent
    return any(near.get(name, least) < least for name, least in _LIKE.items())


def unlike(facts: FitFacts, model: str) -> str:
    """That a file is unlike what a model was taught, and what a fit of it is no good for then, in a line."""
    said = f"The file is unlike what {model} was taught"
    return said if facts.fidelity == "small" else f"{said}, so blends, which go by its latent, show little of it"


def nearness_tip(facts: FitFacts) -> str:
    """What the figure means that says how near an item comes to its file."""
    if "psnr" in facts.figures:
        return "How near it comes to the file: PSNR in dB and structural similarity, which is 1 at most"
    return (
        "How near it comes to the file: the space that both fill, of that which either fills" if facts.figures else ""
    )


def similarity(ssim: float) -> str:
    """A structural similarity; what is short of 1 is not rounded up to it."""
    return f"SSIM {math.floor(1000 * ssim) / 1000:.3f}"


def has_its_file(item: Item) -> bool:
    """Whether the file that an item stands for is where it was."""
    return item.recipe.source is not None and Path(item.recipe.source).is_file()


def gone(item: Item) -> str:
    """That the file of an item is not where it was."""
    path = Path(item.recipe.source or "")
    return f"{path.name} is no longer in {path.parent}."
