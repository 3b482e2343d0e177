from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddmi_core.model_folder import PREVIEW, PREVIEW_RECIPES, ModelInfo, list_models, write_preview_recipes
from ddmi_core.recipe import Seeded
from ddmi_core.rendering.picture_layout import contact_sheet
from studio.engine.gallery import exhibition

HOW = [Seeded(prompt="a chair", seed=seed, steps=9) for seed in (0, 1)] + [Seeded(prompt="a sofa", seed=0)]
GREYS = (60, 120, 180)


@pytest.fixture
def model(tmp_path: Path) -> ModelInfo:
    """A model whose preview has three pictures."""
    tiles = [np.full((40, 40, 3), grey, np.uint8) for grey in GREYS]
    Image.fromarray(contact_sheet(tiles, columns=8)).save(tmp_path / PREVIEW)
    return ModelInfo("mine", "shape", tmp_path, 1, "0123", "none")


def test_a_preview_is_taken_apart_and_each_picture_has_its_recipe(model):
    write_preview_recipes(model.folder, HOW)
    found = exhibition(model).exhibits
    assert [one.picture.pixelColor(20, 20).red() for one in found] == list(GREYS)
    assert [one.recipe.seeded for one in found] == HOW
    assert {(one.recipe.domain, one.recipe.model, one.recipe.model_hash) for one in found} == {
        ("shape", "mine", "0123")
    }


@pytest.mark.parametrize("content", [None, "", "{}", "[3]", '[{"seed": -1}]', json.dumps([{"prompt": "one too few"}])])
def test_pictures_of_which_nobody_knows_how_they_were_made_are_shown_all_the_same(model, content):
    if content is not None:
        (model.folder / PREVIEW_RECIPES).write_text(content)
    assert [one.recipe for one in exhibition(model).exhibits] == [None] * 3


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_model_without_a_preview_shows_nothing(model, content):
    (model.folder / PREVIEW).unlink()
    if content is not None:
        (model.folder / PREVIEW).write_bytes(content)
    assert exhibition(model).exhibits == ()


def test_all_that_the_models_that_come_along_show_can_be_made_again():
    for model in list_models():
        found = exhibition(model).exhibits
        assert len(found) > 16, f"{model.name}: its preview, and at least one of the ready items"
        assert all(one.recipe is not None and one.recipe.prompt for one in found), model.name
