"""Which request takes the place of which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ddmi_core.recipe import Recipe
from studio.engine.work.viewing import ViewRequest
from studio.state.library import Item


def test_what_a_stage_is_asked_replaces_nothing_of_another_stage(tmp_path: Path) -> None:
    recipe = Recipe(domain="shape", model="m", model_hash="0")
    chair = Item("a", recipe, tmp_path)
    sofa, sky = replace(chair, id="b"), replace(chair, id="c", recipe=recipe.model_copy(update={"domain": "video"}))
    first, second, other = (ViewRequest(item=item, resolution=8) for item in (chair, sofa, sky))
    assert second.replaces(first) and not other.replaces(first) and not first.replaces(other)
