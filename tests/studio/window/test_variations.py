"""Variations: more like an item, and many at a glance to choose from."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from ddmi_core.recipe import Recipe, Sketch
from studio.engine.work.varying import VariationReady
from studio.panels.variations import VariationsGrid
from studio.state.form import USUAL_DIFFERENCE
from studio.state.library import Item
from studio.window import MainWindow
from studio.window.live import PAUSE_MS
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


# A part drawn anew


def test_a_part_of_what_is_on_the_stage_is_drawn_anew_and_the_rest_kept(qtbot, window: MainWindow) -> None:
    change, state, inspector = window.actions_["change_part"], window.state, window.inspector
    assert not change.isEnabled() and not inspector.side.isVisibleTo(inspector)
    item = put(window)
    window.items.open(item)
    change.trigger()
    assert state.form.prompt == "a chair" and state.form.inpaint is not None
    assert state.form.inpaint.of == item.recipe.seeded
    assert inspector.side.isVisibleTo(inspector) and inspector.side.currentText() == "Top"
    assert inspector.share.value() == 50 and "seed 7" in inspector.changed_part.text()

    inspector.side.setCurrentIndex(inspector.side.findText("Left"))
    inspector.side.activated.emit(inspector.side.currentIndex())
    inspector.share.box.setValue(25)
    assert state.form.inpaint.region == ((-1.0, -0.5), (-1.0, 1.0), (-1.0, 1.0))

    window.generation.generate()
    qtbot.waitUntil(lambda: not window.state.jobs.active(quiet=True), timeout=PATIENCE)
    made = window.state.library.items()[0]
    assert made.recipe.inpaint == state.form.inpaint
    window.items.open(made)
    assert "A part of seed 7 drawn anew" in inspector.shown_facts.text()
    inspector.whole.click()
    assert state.form.inpaint is None and not inspector.side.isVisibleTo(inspector)


def test_what_another_model_made_is_not_kept(qtbot, window: MainWindow) -> None:
    window.items.open(put(window))
    window.actions_["change_part"].trigger()
    form = window.state.form
    assert form.changed(prompt="a lamp").inpaint == form.inpaint
    assert form.changed(model="another").inpaint is None


# After a sketch


def test_something_is_drawn_after_what_is_on_the_stage(qtbot, window: MainWindow) -> None:
    draw, state, inspector = window.actions_["draw_after"], window.state, window.inspector
    assert not draw.isEnabled() and not inspector.closeness.isVisibleTo(inspector)
    state.update_form(prompt="a lamp", tries=3)
    window.items.open(put(window, source="/home/rough.obj"))
    draw.trigger()
    assert state.form.prompt == "a lamp" and state.form.tries == 3  # of a file there is nothing else
    assert state.form.sketch == Sketch.of(np.full((1, 2, 2), 7, np.float32), title="rough.obj")
    assert inspector.closeness.isVisibleTo(inspector) and inspector.closeness.value() == 25
    assert "rough.obj" in inspector.sketch.text()
    inspector.closeness.box.setValue(45)
    assert state.form.sketch.closeness == 0.45

    window.generation.generate()
    qtbot.waitUntil(lambda: not window.state.jobs.active(quiet=True), timeout=PATIENCE)
    made = window.state.library.items()[0]
    assert made.recipe.sketch == state.form.sketch
    window.items.open(made)
    assert "45 % close to “rough.obj”" in inspector.shown_facts.text()
    assert state.form.changed(model="another").sketch is None
    inspector.freely.click()
    assert state.form.sketch is None and not inspector.closeness.isVisibleTo(inspector)
    draw.trigger()
    assert state.form.prompt == "a lamp" and state.form.sketch is not None
    window.actions_["undo"].trigger()
    assert state.form.sketch is None


# At a glance


def grid_of(window: MainWindow) -> VariationsGrid:
    return window.stage.variations


def wait_drawn(qtbot, window: MainWindow) -> list[int]:
    """Wait until all sketches are there; their seeds."""
    cells = grid_of(window).view.cells
    qtbot.waitUntil(lambda: calm(window) and all(not cell.picture.isNull() for cell in cells), timeout=PATIENCE)
    return [cell.seed for cell in cells]


def calm(window: MainWindow) -> bool:
    return not window.state.jobs.active(quiet=True)


def press(qtbot, window: MainWindow, *keys: Qt.Key) -> None:
    for key in keys:
        qtbot.keyClick(grid_of(window).view, key)


@pytest.fixture
def glance(qtbot, window: MainWindow) -> MainWindow:
    """A window that shows four variations at a glance."""
    window.settings.variations = 4
    window.state.update_form(prompt="a chair")
    window.actions_["variations"].trigger()
    wait_drawn(qtbot, window)
    return window


def test_sketches_lie_over_the_stage_and_are_kept_nowhere(qtbot, glance: MainWindow) -> None:
    stage, view = glance.stage, grid_of(glance).view
    assert stage.shows_variations and glance.focusWidget() is view and not stage.viewer.isVisible()
    assert not glance.state.library.items() and glance.state.shown is None
    assert "seed" in view.cells.index(0).data() and not grid_of(glance).bar.isVisible()
    press(qtbot, glance, Qt.Key.Key_Escape)
    assert not stage.shows_variations and stage.viewer.isVisible() and stage.empty.isVisible()


def test_what_is_chosen_is_made_in_full_and_kept(qtbot, glance: MainWindow) -> None:
    seeds = wait_drawn(qtbot, glance)
    glance.state.update_form(prompt="a lamp")  # after they were drawn
    press(qtbot, glance, Qt.Key.Key_End, Qt.Key.Key_Right, Qt.Key.Key_Return)  # to the right of it there is none
    assert not glance.stage.shows_variations
    qtbot.waitUntil(lambda: glance.state.shown is not None and calm(glance), timeout=PATIENCE)
    recipe = glance.state.shown.recipe
    assert (recipe.prompt, recipe.seed, recipe.steps) == ("a chair", seeds[3], glance.state.form.steps)
    assert glance.state.form.seed == seeds[3]


def test_arrows_lead_to_what_is_beside_and_below(qtbot, glance: MainWindow) -> None:
    grid_of(glance).counts.button(9).click()
    seeds, grid = wait_drawn(qtbot, glance), grid_of(glance)
    tops = [grid.view.visualRect(grid.view.cells.index(row)).top() for row in range(9)]
    beside = tops.count(tops[0])
    press(qtbot, glance, Qt.Key.Key_Left, Qt.Key.Key_Up)
    assert grid.chosen == seeds[0]
    press(qtbot, glance, Qt.Key.Key_Right, Qt.Key.Key_Down)
    assert grid.chosen == seeds[1 + beside]
    press(qtbot, glance, Qt.Key.Key_Up, Qt.Key.Key_Left)
    assert grid.chosen == seeds[0]


def test_several_are_marked_and_kept(qtbot, glance: MainWindow) -> None:
    seeds, grid = wait_drawn(qtbot, glance), grid_of(glance)
    press(qtbot, glance, Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Space)
    view = grid.view
    place = view.visualRect(view.cells.index(3)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, place)
    assert grid.keep.text() == "Keep 3" and grid.to_keep() == (seeds[0], seeds[2], seeds[3])
    grid.keep.click()
    qtbot.waitUntil(lambda: len(glance.state.library.items()) == 3 and calm(glance), timeout=PATIENCE)
    assert {item.recipe.seed for item in glance.state.library.items()} == {seeds[0], seeds[2], seeds[3]}


def test_a_double_click_keeps_the_one_under_the_mouse(qtbot, glance: MainWindow) -> None:
    seeds, view = wait_drawn(qtbot, glance), grid_of(glance).view
    place = view.visualRect(view.cells.index(1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: glance.state.shown is not None and calm(glance), timeout=PATIENCE)
    assert glance.state.shown.recipe.seed == seeds[1]


def test_more_like_one_of_them_shows_others_around_it(qtbot, glance: MainWindow) -> None:
    seeds = wait_drawn(qtbot, glance)
    press(qtbot, glance, Qt.Key.Key_Right)
    glance.actions_["more_like_this"].trigger()
    assert glance.state.form.like == ((seeds[1], USUAL_DIFFERENCE),)
    assert set(wait_drawn(qtbot, glance)).isdisjoint(seeds) and glance.stage.shows_variations


def test_they_follow_the_form_while_live_is_on(qtbot, glance: MainWindow) -> None:
    glance.state.update_form(guidance=5.0)
    qtbot.wait(4 * PAUSE_MS)
    assert calm(glance)
    sketched = []
    glance.engine.answers(VariationReady).connect(sketched.append)
    glance.actions_["live"].setChecked(True)
    glance.state.update_form(guidance=6.0)
    qtbot.waitUntil(lambda: len(sketched) == 4 and calm(glance), timeout=PATIENCE)
    assert {result.request.settings.guidance for result in sketched} == {6.0}
    assert glance.stage.shows_variations


def test_others_and_as_many_as_wanted(qtbot, glance: MainWindow) -> None:
    seeds, grid = wait_drawn(qtbot, glance), grid_of(glance)
    grid.renew.click()
    assert wait_drawn(qtbot, glance)[0] == glance.state.form.seed and grid.chosen not in seeds
    grid.counts.button(9).click()
    assert len(wait_drawn(qtbot, glance)) == 9 and glance.settings.variations == 9
    assert grid.chosen == glance.state.form.seed


def test_leaving_stops_the_sketches_and_an_item_takes_the_stage(qtbot, window: MainWindow, pipeline) -> None:
    item = put(window)
    pipeline.delay = 0.2
    window.actions_["variations"].trigger()
    qtbot.waitUntil(lambda: not calm(window), timeout=PATIENCE)
    window.items.open(item)
    assert not window.stage.shows_variations
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert window.state.shown == item and all(cell.picture.isNull() for cell in grid_of(window).view.cells)


def test_what_they_cover_is_there_again_and_is_not_exported_meanwhile(qtbot, window: MainWindow) -> None:
    item = put(window)
    window.items.open(item)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    window.actions_["variations"].trigger()
    wait_drawn(qtbot, window)
    assert window.state.shown == item and not window.actions_["export"].isEnabled()
    row = window.history.model.row_of(item)
    view = window.history.view
    place = view.visualRect(window.history.model.index(row)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert not window.stage.shows_variations and window.actions_["export"].isEnabled()


def test_what_fails_is_said(qtbot, window: MainWindow) -> None:
    window.state.update_form(prompt="fail")
    window.actions_["variations"].trigger()
    qtbot.waitUntil(lambda: bool(window.state.notifications.list()) and calm(window), timeout=PATIENCE)
    assert "asked to fail" in window.state.notifications.list()[-1].text
    assert "asked to fail" in grid_of(window)._state.text()


def test_each_room_has_its_own(qtbot, glance: MainWindow) -> None:
    glance.show_room(1)
    assert not glance.stage.shows_variations
    glance.actions_["variations"].trigger()
    wait_drawn(qtbot, glance)
    glance.show_room(0)
    assert glance.stage.shows_variations
