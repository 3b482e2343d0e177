"""What models have made, for the guide's gallery: pictures on disk, with the recipes that make them again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image
from PySide6.QtGui import QImage

from ddmi_core.model_folder import PREVIEW, ModelInfo, read_preview_recipes
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.picture_layout import over, pictures_on
from ddmi_core.support.paths import assets
from studio.state.library import RECIPE, THUMBNAIL


@dataclass(frozen=True)
class Exhibit:
    """A picture of something that a model made, and how: None where that is not known."""

    picture: QImage
    recipe: Recipe | None


@dataclass(frozen=True)
class Exhibition:
    """What there is to be seen of a model; of one without a preview and ready items nothing."""

    model: ModelInfo
    exhibits: tuple[Exhibit, ...]


def exhibition(model: ModelInfo) -> Exhibition:
    """Read what a model made, which takes a moment: the pictures of its preview, and items that came along."""
    return Exhibition(model, (*_previewed(model), *_ready_items(model)))


def opaque_image(pixels: UInt8[ndarray, "h w 3"]) -> QImage:
    """Return pixels as a picture that Qt can draw."""
    height, width = pixels.shape[:2]
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _ready_items(model: ModelInfo) -> list[Exhibit]:
    """Those of the same weights: others would make something else of the same recipe."""
    found = []
    for folder in sorted((assets() / "ready").glob("*/")):
        try:
            recipe = Recipe.model_validate_json((folder / RECIPE).read_text(encoding="utf-8"))
            if recipe.model_hash == model.hash:
                found.append(Exhibit(opaque_image(over(_pixels(folder / THUMBNAIL, "RGBA"))), recipe))
        except (OSError, ValueError):  # a gallery without them is as good
            continue
    return found


def _previewed(model: ModelInfo) -> list[Exhibit]:
    try:
        pictures = pictures_on(_pixels(model.folder / PREVIEW, "RGB"))
    except (OSError, ValueError):
        return []
    recipes: Sequence[Recipe | None] = _recipes(model)
    if len(recipes) != len(pictures):  # of another sheet
        recipes = ()
    return [Exhibit(opaque_image(pixels), recipe) for pixels, recipe in itertools.zip_longest(pictures, recipes)]


def _recipes(model: ModelInfo) -> list[Recipe]:
    of = {"domain": model.domain, "model": model.name, "model_hash": model.hash}
    return [Recipe(**of, **how.model_dump()) for how in read_preview_recipes(model.folder)]


def _pixels(file: Path, mode: str) -> UInt8[ndarray, "h w _"]:
    with Image.open(file) as picture:
        return np.asarray(picture.convert(mode))
