"""More like this: from an item to its like."""

from __future__ import annotations

import numpy as np
import pytest

from ddmi_core.recipe import Recipe
from studio.state.form import USUAL_DIFFERENCE
from studio.state.library import Item
from studio.window import MainWindow
from tests.studio.window.fakes import MODEL

pytestmark = pytest.mark.gl
PATIENCE = 60_000  # ms


def put(window: MainWindow, **values: object) -> Item:
    """Put an item into the library."""
    usual = {"domain": "shape", "model": MODEL.name, "model_hash": MODEL.hash, "prompt": "a chair", "seed": 7}
    recipe = Recipe(**usual | values)
    return window.state.library.add(np.full((1, 2, 2), 7, np.float32), recipe, np.zeros((8, 8, 4), np.uint8))


def test_more_like_this_fills_the_form_and_can_be_undone(qtbot, window: MainWindow) -> None:
    more, state = window.actions_["more_like_this"], window.state
    assert not more.isEnabled() and "Nothing is on the stage" in more.toolTip()
    window.items.open(put(window))
    assert more.isEnabled() and "like it" in more.toolTip()
    state.update_form(prompt="a lamp")
    more.trigger()
    assert state.form.prompt == "a chair" and state.form.like == ((7, USUAL_DIFFERENCE),)
    window.actions_["undo"].trigger()
    assert state.form.prompt == "a lamp" and state.form.like == ()


def test_what_has_no_seed_says_why_nothing_is_made_like_it(qtbot, window: MainWindow) -> None:
    more = window.actions_["more_like_this"]
    window.items.open(put(window, source="/home/chair.obj"))
    assert not more.isEnabled() and "made of a file" in more.toolTip()
    assert not window.inspector.akin.isEnabled() and "made of a file" in window.inspector.akin.toolTip()
    window.items.open(put(window, model="gone", model_hash="ffff"))
    assert not more.isEnabled() and "not installed" in more.toolTip()


def test_a_variation_is_made_as_the_form_says(qtbot, window: MainWindow) -> None:
    window.items.open(put(window))
    window.actions_["more_like_this"].trigger()
    window.generation.generate()
    qtbot.waitUntil(lambda: not window.state.jobs.active(quiet=True), timeout=PATIENCE)
    made = window.state.library.items()[0].recipe
    assert made.like == ((7, USUAL_DIFFERENCE),) and made.seed == window.state.form.seed
