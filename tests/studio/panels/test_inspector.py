from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from ddmi_core.recipe import MAX_SEED, MOST_STEPS
from studio.panels.inspector import Inspector
from studio.state.form import MAX_COUNT
from tests.studio.window.fakes import MODEL


@pytest.fixture
def inspector(qtbot, state, actions, theme):
    inspector = Inspector(state, actions, theme)
    qtbot.addWidget(inspector)
    inspector.resize(320, 900)
    inspector.show()
    return inspector


def test_what_is_typed_is_in_the_form(qtbot, inspector, state):
    qtbot.keyClicks(inspector.prompt, "a round table")
    inspector.count.setValue(MAX_COUNT)
    assert state.form.count == MAX_COUNT
    inspector.count.setValue(4)
    inspector.seed.set_value(77)
    inspector.lock.click()
    inspector.advanced.set_open(True)
    inspector.steps.set_value(35)
    inspector.guidance.set_value(4.5)
    inspector.sampler.setCurrentIndex(1)
    inspector.sampler.activated.emit(1)
    form = state.form
    assert (form.prompt, form.count, form.seed, form.seed_locked) == ("a round table", 4, 77, True)
    assert (form.steps, form.guidance, form.sampler) == (35, 4.5, "dpm++")


def test_typing_keeps_spaces_and_the_cursor(qtbot, inspector, state):
    qtbot.keyClicks(inspector.prompt, "a  ")
    assert inspector.prompt.toPlainText() == "a  "
    qtbot.keyClicks(inspector.prompt, "chair")
    assert inspector.prompt.toPlainText() == "a  chair"
    inspector.prompt.moveCursor(inspector.prompt.textCursor().MoveOperation.Start)
    qtbot.keyClicks(inspector.prompt, "xy")
    assert state.form.prompt == "xya  chair"


def test_an_items_whole_recipe_comes_back(inspector, state, add_item):
    item = add_item("a sofa", 42, steps=50, sampler="ddpm", guidance=7.5)
    state.recall(item.recipe)
    assert inspector.prompt.text() == "a sofa"
    assert inspector.seed.value() == 42 and inspector.lock.isChecked()
    assert inspector.steps.value() == 50 and inspector.guidance.value() == 7.5
    assert inspector.sampler.currentData() == "ddpm"


def test_whatever_a_recipe_may_have_comes_back_as_it_is(inspector, state, add_item):
    item = add_item("a sofa", MAX_SEED, steps=MOST_STEPS, guidance=40.125)
    state.recall(item.recipe)
    assert state.form.settings == item.recipe.settings and state.form.seed == MAX_SEED
    assert inspector.seed.value() == MAX_SEED and inspector.guidance.value() == pytest.approx(40.1)
    assert inspector.seed.text() == str(MAX_SEED)


def test_a_seed_is_typed_and_stepped_to_its_very_ends(qtbot, inspector, state):
    inspector.seed.selectAll()
    qtbot.keyClicks(inspector.seed, "12345678901x")
    assert state.form.seed == 12345678901
    qtbot.keyClick(inspector.seed, Qt.Key.Key_Up)
    assert state.form.seed == 12345678902
    inspector.seed.selectAll()
    qtbot.keyClicks(inspector.seed, "9" * 19)
    assert state.form.seed == MAX_SEED
    inspector.seed.set_value(0)
    qtbot.keyClick(inspector.seed, Qt.Key.Key_Down)
    assert state.form.seed == 0
    inspector.seed.selectAll()
    qtbot.keyClick(inspector.seed, Qt.Key.Key_Delete)
    qtbot.keyClick(inspector.seed, Qt.Key.Key_Return)
    assert inspector.seed.text() == "0" and state.form.seed == 0


def test_an_empty_prompt_is_explained_and_a_long_one_stays_low(inspector, state):
    assert "unconditional" in inspector.hint.text()
    state.update_form(prompt="chair " * 2000)
    assert inspector.hint.text() == ""
    assert inspector.prompt.height() < 220


def test_generate_becomes_add_to_queue_while_something_runs(inspector):
    assert inspector.generate.text() == "Generate" and inspector.cancel.isHidden()
    inspector.set_working(True, True)
    assert inspector.generate.text() == "Add to queue" and not inspector.cancel.isHidden()


def test_without_a_model_nothing_can_be_generated(inspector, state):
    state.set_models([])
    assert not inspector.generate.isEnabled() and not inspector.model.isEnabled()
    other = replace(MODEL, name="other", text_encoder="ViT-B-32")
    state.set_models([MODEL, other])
    assert inspector.generate.isEnabled()
    inspector.model.setCurrentIndex(1)
    inspector.model.activated.emit(1)
    assert state.form.model == "other" and "ViT-B-32" in inspector.encoder.text()


def test_the_shape_on_the_stage_is_described(qtbot, inspector, state, add_item):
    assert inspector.export.parentWidget().isHidden()
    state.show(add_item("a chair", 5))
    assert inspector.shown_title.text() == "a chair" and "Seed 5" in inspector.shown_facts.text()
    with qtbot.waitSignal(inspector.export_clicked):
        qtbot.mouseClick(inspector.export, Qt.MouseButton.LeftButton)
    state.show(add_item("", 6, source="/some/where/stool.obj"))
    assert inspector.shown_title.text() == "stool.obj"


def test_a_renamed_model_has_its_new_name_on_the_stage_and_in_the_list(inspector, state, add_item):
    state.show(add_item("a chair"))
    assert MODEL.name in inspector.shown_facts.text()
    state.set_models([replace(MODEL, name="my chairs")])
    assert "my chairs" in inspector.shown_facts.text() and MODEL.name not in inspector.shown_facts.text()
    assert inspector.model.currentText() == "my chairs"


def test_nothing_is_wider_than_the_panel(inspector, state, add_item):
    state.update_form(prompt="word" * 100, seed=MAX_SEED, steps=1000)
    state.show(add_item("supercalifragilistic" * 40, MAX_SEED))
    inspector.advanced.set_open(True)
    content = inspector.export.parentWidget().parentWidget()
    assert content.minimumSizeHint().width() <= inspector.width()


def test_what_it_shall_be_like_is_there_while_it_shall_be_like_something(inspector, state, add_item):
    item = add_item("a sofa", 42)
    assert not inspector.difference.isVisible()
    state.vary(item.recipe)
    assert inspector.difference.isVisible() and inspector.like.text() == "How different from seed 42"
    inspector.difference.slider.setValue(60)
    assert state.form.like == ((42, 0.6),)
    varied = add_item("a sofa", 7, like=((42, 0.123),))
    state.recall(varied.recipe)
    assert inspector.difference.value() == 12 and state.form.like == ((42, 0.123),)
    state.show(varied)
    assert "12.3 % different from seed 42" in inspector.shown_facts.text()
    state.vary(varied.recipe)
    assert inspector.like.text() == "How different from seed 7, itself like seed 42"
    inspector.unlike.click()
    assert state.form.like == () and not inspector.difference.isVisible()


def test_quality_can_be_chosen_where_the_model_has_a_student(inspector, state, add_item):
    assert not inspector.quality.isVisible()
    able = replace(MODEL, has_student=True)
    state.set_models([able, replace(MODEL, name="other", hash="0", folder=MODEL.folder / "other")])
    assert inspector.quality.isVisible() and inspector.quality.currentText() == "Best"
    inspector.quality.setCurrentIndex(1)
    inspector.quality.activated.emit(1)
    assert state.form.quality == "fast" and not inspector.steps.isEnabled() and not inspector.sampler.isEnabled()
    state.show(add_item("a sofa", 3, quality="fast"))
    assert "Seed 3  ·  fast" in inspector.shown_facts.text() and "guidance" not in inspector.shown_facts.text()
    inspector.model.setCurrentIndex(1)
    inspector.model.activated.emit(1)
    assert state.form.quality == "best" and inspector.steps.isEnabled() and not inspector.quality.isVisible()
