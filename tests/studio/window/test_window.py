from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PySide6.QtCore import QEvent, QMimeData, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QInputDialog, QMessageBox

from ddmi_core.export.options import ShapeExport
from ddmi_core.export.recipe_files import RECIPE_KEY
from ddmi_core.model_folder import PREVIEW, Base, describe, list_models, write_preview_recipes
from ddmi_core.recipe import Recipe, Seeded
from ddmi_core.training.ownership import owned
from ddmi_core.training.run_folder import RunFolder
from studio.engine.work.fitting import ReconstructRequest
from studio.engine.work.machine import EvaluateRequest, EvaluationDone
from studio.panels.evaluate_dialog import EvaluateDialog
from studio.panels.export_dialog import Order, Place
from studio.panels.guide import GuideWindow
from studio.panels.span_dialog import SpanDialog
from studio.window import MainWindow, questions
from studio.window.shell import first_size
from tests.studio.window.fakes import MODEL, PICTURES
from tests.tiny_model import save_tiny_model

pytestmark = pytest.mark.gl
PATIENCE = 60_000  # ms


def make_shape(qtbot, window: MainWindow, prompt: str = "a round table") -> None:
    before = len(window.state.library.items())
    window.state.update_form(prompt=prompt)
    window.generation.generate()
    qtbot.waitUntil(lambda: len(window.state.library.items()) > before and calm(window), timeout=PATIENCE)


def calm(window: MainWindow) -> bool:
    return not window.state.jobs.active(quiet=True)


def test_all_of_the_window_is_seen_at_first():
    assert first_size(QSize(2560, 1440)) == QSize(1280, 800)
    assert first_size(QSize(1280, 800)).height() < 770, "there is a title bar above it"


def test_prompt_to_shape_to_file(qtbot, window, tmp_path: Path):
    assert window.inspector.prompt.hasFocus() or not window.isActiveWindow()
    assert not window.stage.empty.isHidden()
    qtbot.keyClicks(window.inspector.prompt, "a round table")
    qtbot.keyClick(window.inspector.prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    if not window.state.jobs.active():  # without a window manager the shortcut may not reach an inactive window
        window.generation.generate()
    qtbot.waitUntil(lambda: window.state.shown is not None, timeout=PATIENCE)
    assert window.stage.empty.isHidden() and "faces" in window.stage.facts.text()
    assert window.state.shown.recipe.prompt == "a round table"
    window.actions_["copy_view"].trigger()
    assert QGuiApplication.clipboard().image().size() == window.stage.viewer.size() * window.devicePixelRatioF()
    target = tmp_path / "table.glb"
    window.exports.export(window.state.shown, Order(target, ShapeExport(resolution=64)))
    qtbot.waitUntil(lambda: any("Saved" in n.text for n in window.state.notifications.list()), timeout=PATIENCE)
    assert len(trimesh.load(target, force="mesh").faces) > 100
    assert "Show in folder" in [n.action.label for n in window.state.notifications.list() if n.action]


def test_what_needs_a_model_waits_while_they_are_being_read(qtbot, make_window):
    first = make_window()
    make_shape(qtbot, first, "a round table")
    window = make_window(look_for_models=False)
    (item,) = window.state.library.items()
    window.items.open(item)
    window.generation.use_recipe_of(item)
    assert window.actions_["generate"].isEnabled() and window.inspector.generate.isEnabled()
    assert "being read" in window.status.currentMessage() and not window.state.notifications.list()
    window.state.set_models([MODEL, PICTURES])
    qtbot.waitUntil(lambda: window.state.shown == item and calm(window), timeout=PATIENCE)
    assert window.inspector.prompt.text() == "a round table" and not window.status.currentMessage()
    assert not window.state.notifications.list()


def test_a_prompt_sent_off_while_the_models_are_being_read_is_generated(qtbot, make_window):
    window = make_window(look_for_models=False)
    window.generation.generate_example("a round table")
    window.state.set_models([MODEL, PICTURES])
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.prompt == "a round table"


def test_the_folder_of_an_export_that_failed_is_not_the_next_ones(qtbot, window, tmp_path: Path, monkeypatch):
    make_shape(qtbot, window)
    usual = window.settings.folder("exports")
    places: list[Place] = []
    orders = iter([tmp_path / "gone" / "a.glb", tmp_path / "there.glb", None])

    def ask(_item: object, place: Place, *_: object) -> Order | None:
        places.append(place)
        path = next(orders)
        return None if path is None else Order(path, ShapeExport(resolution=64))

    monkeypatch.setattr(window.stage, "ask_export", ask)
    for _ in range(3):
        window.exports.choose()
        qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert [place.folder for place in places] == [usual, usual, tmp_path]


def test_two_exports_of_one_name_do_not_replace_each_other(qtbot, window, tmp_path: Path):
    make_shape(qtbot, window)
    item, target = window.state.shown, tmp_path / "table.glb"
    for _ in range(2):
        window.exports.export(item, Order(target, ShapeExport(resolution=64)))
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert "is there already, and was kept" in window.state.notifications.list()[-1].text
    window.exports.export(item, Order(target, ShapeExport(resolution=64), replace=True))
    qtbot.waitUntil(lambda: "Saved" in window.state.notifications.list()[-1].text, timeout=PATIENCE)


def test_without_a_program_for_folders_the_place_is_told(qtbot, window, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: False)
    window.models.opened.emit(tmp_path)
    told = window.state.notifications.list()[-1]
    assert told.level == "warning" and str(tmp_path) in told.text and told.action is not None
    told.action.run()
    assert QApplication.clipboard().text() == str(tmp_path)
    (tmp_path / "file").touch()
    window.models.opened.emit(tmp_path / "file" / "inside")
    assert "cannot be opened" in window.state.notifications.list()[-1].text


def test_what_is_reconstructed_keeps_where_it_lay(qtbot, window, tmp_path: Path):
    window.settings.fidelity = "small"  # a fit would take a while
    mesh = tmp_path / "stool.obj"
    trimesh.creation.box().export(mesh)
    window.own_files.reconstruct(mesh)
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    kept = window.state.library.get(window.state.shown.id).recipe.placement
    assert kept is not None and (kept.centre, kept.unit, kept.up) == ((1.0, 2.0, 3.0), 2.0, "y")
    offer = next(one for one in window.state.notifications.list() if "read with y up" in one.text)
    assert offer.action is not None and offer.action.label == "z is up"
    offer.action.run()
    qtbot.waitUntil(lambda: len(window.state.library.items()) == 2 and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.placement.up == "z"


def click_in_history(qtbot, window: MainWindow, row: int, *, twice: bool = False) -> None:
    view = window.history.view
    place = view.visualRect(window.history.model.index(row)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    if twice:
        qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_click_in_the_history_only_shows(qtbot, window):
    make_shape(qtbot, window, "a chair")
    first = window.state.shown
    make_shape(qtbot, window, "a sofa")
    window.inspector.prompt.setPlainText("a prompt just typed")
    window.state.update_form(steps=5, count=3)
    form = window.state.form
    click_in_history(qtbot, window, 1)
    qtbot.waitUntil(lambda: window.state.shown.id == first.id, timeout=PATIENCE)
    window.actions_["newer"].trigger()
    qtbot.waitUntil(lambda: window.state.shown.id != first.id, timeout=PATIENCE)
    assert window.state.form == form and window.inspector.prompt.text() == "a prompt just typed"


@pytest.mark.parametrize("way", ["double click", "button", "action"])
def test_a_recipe_is_brought_back_when_it_is_asked_for_and_undone_with_the_form(qtbot, window, way: str):
    make_shape(qtbot, window, "a chair")
    first = window.state.shown
    window.inspector.prompt.setPlainText("a prompt just typed")
    window.state.update_form(steps=5, guidance=8.0, count=3, seed=11)
    before = window.state.form
    if way == "double click":
        click_in_history(qtbot, window, 0, twice=True)
    elif way == "button":
        qtbot.mouseClick(window.inspector.recipe, Qt.MouseButton.LeftButton)
    else:
        window.actions_["recipe"].trigger()
    form = window.state.form
    assert (form.prompt, form.seed, form.steps, form.guidance) == ("a chair", first.recipe.seed, 20, 3.0)
    assert form.seed_locked and window.inspector.prompt.text() == "a chair"
    (offer,) = (one for one in window.state.notifications.list() if one.action and one.action.label == "Undo")
    assert "“a chair”" in offer.text and "recipe" in window.actions_["undo"].text()
    window.inspector.prompt.setPlainText("a chair, changed")
    recalled = window.state.form
    window.actions_["undo"].trigger()
    assert window.state.form == before and window.inspector.prompt.text() == "a prompt just typed"
    assert offer not in window.state.notifications.list(), "its button would do nothing"
    window.actions_["redo"].trigger()
    assert window.state.form == recalled


def test_a_recipe_does_not_make_what_is_there_and_a_new_seed_is_offered(qtbot, window):
    make_shape(qtbot, window, "a chair")
    first = window.state.shown
    make_shape(qtbot, window, "a sofa")
    window.generation.use_recipe_of(first)
    for _ in range(5):
        window.generation.generate()
    qtbot.waitUntil(lambda: calm(window) and window.state.shown == first, timeout=PATIENCE)
    assert len(window.state.library.items()) == 2
    (said,) = (one for one in window.state.notifications.list() if one.action and one.action.label == "New seed")
    assert "in the history already" in said.text
    said.action.run()
    qtbot.waitUntil(lambda: calm(window) and len(window.state.library.items()) == 3, timeout=PATIENCE)
    newest = window.state.library.items()[0]
    assert newest.recipe.prompt == "a chair" and newest.recipe.seed != first.recipe.seed
    assert not window.state.form.seed_locked and window.state.shown == newest


def test_only_the_variations_that_are_missing_are_made_and_each_once(qtbot, window):
    window.state.update_form(prompt="a chair", seed=7, seed_locked=True)
    window.generation.generate()
    qtbot.waitUntil(lambda: calm(window) and len(window.state.library.items()) == 1, timeout=PATIENCE)
    window.state.update_form(count=3, seed=6)
    window.generation.generate()
    window.generation.generate()  # while they are being made
    assert len(window.state.jobs.active()) == 1
    assert "3 of these 3 shapes are there already" in window.state.notifications.list()[-1].text
    qtbot.waitUntil(lambda: not window.state.jobs.active(), timeout=PATIENCE)
    assert sorted(item.recipe.seed for item in window.state.library.items()) == [6, 7, 8]
    window.state.update_form(steps=9)  # another recipe
    window.generation.generate()
    qtbot.waitUntil(lambda: not window.state.jobs.active() and len(window.state.library.items()) == 6, timeout=PATIENCE)
    window.state.library.delete(window.state.library.items()[0])
    window.generation.generate()  # what is in the trash is not there
    qtbot.waitUntil(lambda: len(window.state.library.items()) == 6, timeout=PATIENCE)


def test_undo_in_the_prompt_is_of_the_typing_first_and_then_of_the_recipe(qtbot, window):
    make_shape(qtbot, window, "a chair")
    prompt = window.inspector.prompt
    window.state.update_form(prompt="")
    qtbot.keyClicks(prompt, "a lamp")
    window.generation.use_recipe()
    assert prompt.text() == "a chair"
    asked = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    def is_kept_from_the_window() -> bool:
        asked.setAccepted(False)
        QApplication.sendEvent(prompt, asked)
        return asked.isAccepted()

    assert not is_kept_from_the_window()
    qtbot.keyClicks(prompt, "s")
    assert is_kept_from_the_window()
    prompt.undo()
    assert prompt.text() == "a chair" and not is_kept_from_the_window()
    window.actions_["undo"].trigger()
    assert prompt.text() == "a lamp"


def test_a_reconstruction_has_no_recipe_to_bring_back(qtbot, window, tmp_path: Path):
    window.state.update_form(prompt="a prompt just typed")
    window.settings.fidelity = "small"  # a fit would take a while
    mesh = tmp_path / "stool.obj"
    trimesh.creation.box().export(mesh)
    drop(window, mesh)
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert not window.actions_["recipe"].isEnabled() and not window.inspector.recipe.isEnabled()
    click_in_history(qtbot, window, 0, twice=True)
    assert window.state.form.prompt == "a prompt just typed"
    assert "stool.obj was reconstructed" in window.state.notifications.list()[-1].text


def test_variations_arrive_with_their_seeds(qtbot, window):
    window.state.update_form(prompt="a bed", count=3, seed=10, seed_locked=True)
    window.generation.generate()
    qtbot.waitUntil(lambda: len(window.state.library.items()) == 3, timeout=PATIENCE)
    assert sorted(item.recipe.seed for item in window.state.library.items()) == [10, 11, 12]
    qtbot.waitUntil(lambda: window.state.shown is not None, timeout=PATIENCE)
    assert window.state.shown.recipe.seed == 10


def test_cancel_stops_and_the_queue_goes_away(qtbot, window, pipeline):
    pipeline.delay = 0.1
    window.state.update_form(prompt="a chair")
    window.generation.generate()
    qtbot.waitUntil(lambda: bool(window.state.jobs.active()) and not window.queue.isHidden(), timeout=PATIENCE)
    assert window.inspector.generate.text() == "Add to queue" and window.actions_["cancel"].isEnabled()
    window.generation.cancel()
    qtbot.waitUntil(lambda: not window.state.jobs.active(), timeout=PATIENCE)
    assert window.queue.isHidden() and window.inspector.generate.text() == "Generate"
    assert window.state.library.items() == []


def test_cancel_means_what_was_started_last_in_this_room(qtbot, window, pipeline, monkeypatch):
    pipeline.delay = 0.1
    window.state.update_form(prompt="a chair")
    window.generation.generate()
    chair = window.state.jobs.newest("shape")
    window.show_room_of("image")
    assert not window.actions_["cancel"].isEnabled() and window.inspector.cancel.isHidden()
    window.generation.cancel()
    assert not chair.cancelling and chair.is_active
    window.show_room_of("shape")
    window.state.update_form(prompt="a sofa")
    window.generation.generate()
    assert window.actions_["cancel"].isEnabled()
    window.generation.cancel()
    assert chair.is_active and not chair.cancelling, "the sofa was started last"
    assert window.state.notifications.list()[-1].text == "Cancelled “a sofa”."
    qtbot.waitUntil(lambda: window.state.jobs.newest("shape") is chair, timeout=PATIENCE)


def test_cancelling_what_ran_long_is_asked_about(qtbot, window, pipeline, monkeypatch):
    pipeline.delay = 0.1
    window.state.update_form(prompt="a chair")
    window.generation.generate()
    (job,) = window.state.jobs.active()
    qtbot.waitUntil(lambda: job.status == "running", timeout=PATIENCE)
    monkeypatch.setattr(window.state.jobs, "seconds", lambda _job: 3700.0)
    asked = _answering(monkeypatch, "Keep working", "Cancel it")
    window.generation.cancel()
    assert asked == ["Cancel “a chair”?"] and not job.cancelling
    window.generation.cancel()
    assert len(asked) == 2 and (job.cancelling or not job.is_active)


def test_an_error_is_shown_once_and_the_next_job_runs(qtbot, window):
    window.state.update_form(prompt="fail")
    window.generation.generate()
    qtbot.waitUntil(lambda: len(window.toasts.toasts()) == 1, timeout=PATIENCE)
    assert window.toasts.toasts()[0].level == "error" and "asked to fail" in window.toasts.toasts()[0].text
    window.state.notifications.clear()
    make_shape(qtbot, window)


def test_delete_can_be_undone(qtbot, window):
    make_shape(qtbot, window, "a chair")
    make_shape(qtbot, window, "a sofa")
    window.actions_["delete"].trigger()
    assert window.history.model.rowCount() == 1
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.prompt == "a chair"
    window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: window.state.shown.recipe.prompt == "a sofa" and calm(window), timeout=PATIENCE)
    assert window.history.model.rowCount() == 2
    window.actions_["star"].trigger()
    assert window.state.shown.starred and window.actions_["star"].isChecked()


def prompts_in(window: MainWindow) -> list[str]:
    return [item.recipe.prompt for item in window.history.model.items()]


def test_what_is_chosen_counts_before_its_view_is_there(qtbot, window):
    for prompt in ("a chair", "a sofa", "a table", "a bed"):
        make_shape(qtbot, window, prompt)
    click_in_history(qtbot, window, 2)
    assert not window.actions_["export"].isEnabled(), "the stage still shows the bed"
    window.exports.choose()
    assert "“a sofa” is still being opened" in window.status.currentMessage()
    window.actions_["delete"].trigger()
    assert prompts_in(window) == ["a bed", "a table", "a chair"]
    window.actions_["delete"].trigger()  # as fast as the keys come
    window.actions_["delete"].trigger()
    assert prompts_in(window) == ["a bed"]
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.prompt == "a bed" and window.actions_["export"].isEnabled()


def test_what_lacks_its_model_says_which_and_can_be_deleted(qtbot, window):
    make_shape(qtbot, window, "a chair")
    add_a_ruin(window, "gone")
    click_in_history(qtbot, window, 0)
    missing = window.stage.missing
    assert not missing.isHidden() and missing.title.text() == "This shape needs the model gone"
    assert window.stage.empty.isHidden() and not window.actions_["export"].isEnabled()
    assert not window.state.notifications.list(), "nothing went wrong"
    assert window.inspector.shown_facts.text().endswith("gone, not installed")
    window.inspector.export.click()
    assert "without its model, gone" in window.status.currentMessage()
    click_in_history(qtbot, window, 1)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert missing.isHidden() and missing.item is None and window.stage.empty.isHidden()
    click_in_history(qtbot, window, 0)
    window.actions_["delete"].trigger()
    assert prompts_in(window) == ["a chair"]


def test_what_lacks_its_model_is_shown_as_soon_as_that_is_imported(qtbot, window, tmp_path, monkeypatch):
    make_shape(qtbot, window, "a chair")
    add_a_ruin(window, "gone")
    click_in_history(qtbot, window, 0)
    imported = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(tmp_path), ""))
    monkeypatch.setattr(window.model_folders, "add", imported.append)
    window.stage.missing.bring.click()
    assert imported == [tmp_path]
    window.state.set_models([*window.state.models, replace(MODEL, name="gone", hash="gone")])
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert window.stage.missing.isHidden() and window.stage.empty.isHidden() and "faces" in window.stage.facts.text()
    assert window.actions_["export"].isEnabled()


def test_the_prompts_of_a_text_file_come_into_the_form(qtbot, window, tmp_path):
    file = tmp_path / "chairs.txt"
    file.write_text("a chair\n\na {red|blue} stool\n")
    window.state.update_form(prompt="a table")
    assert window.own_files.prospect_of(file).title == "Drop to use its prompts"
    drop(window, file)
    assert window.inspector.prompt.text() == "{a chair|a red stool|a blue stool}"
    offer = window.state.notifications.list()[-1]
    assert offer.text == "The form holds the 3 prompts of chairs.txt."
    offer.action.run()
    assert window.state.form.prompt == "a table"
    file.write_text("# none\n")
    drop(window, file)
    assert "no prompt" in window.state.notifications.list()[-1].text and window.state.form.prompt == "a table"
    assert not window.own_files.prospect_of(tmp_path / "intrinsics.txt").title.startswith("Drop to use")


def test_of_many_prompts_of_a_file_everything_is_made_if_the_person_agrees(window, pipeline, tmp_path, monkeypatch):
    file = tmp_path / "chairs.txt"
    file.write_text("\n".join(f"chair {number}" for number in range(70)))
    window.state.update_form(prompt="a table", count=2, steps=2)
    pipeline.delay = 0.2
    asked = _answering(monkeypatch, "Cancel", "Make them all", "Make them all")
    drop(window, file)
    assert asked == ["chairs.txt has 70 prompts."] and not window.state.jobs.active()
    drop(window, file)
    requests = [job.request for job in window.state.jobs.active()]
    assert [len(request.wanted) for request in requests] == [128, 12]
    assert [prompt for request in requests for prompt, _ in request.wanted][::2] == [f"chair {n}" for n in range(70)]
    assert {request.seeds for request in requests} == {window.state.form.seeds()}
    assert window.state.form.prompt == "a table" and requests[0].settings.steps == 2
    window.state.update_form(seed_locked=True)
    drop(window, file)
    assert len(window.state.jobs.active()) == 2 and "there already" in window.state.notifications.list()[-1].text
    window.engine.cancel_all()
    file.write_text("\n".join(f"chair {number}" for number in range(1001)))
    drop(window, file)
    assert "chairs.txt has 1,001 prompts" in window.state.notifications.list()[-1].text


def test_a_model_is_saved_as_one_file_and_added_where_it_is_dropped(qtbot, window, tmp_path, monkeypatch):
    folder = save_tiny_model(tmp_path / "tiny")
    file = tmp_path / "tiny.ddmi"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(file), ""))
    window.models.save_asked.emit(describe(folder))
    qtbot.waitUntil(file.exists, timeout=PATIENCE)
    assert window.own_files.prospect_of(file).title == window.own_files.prospect_of(folder).title
    drop(window, file)
    qtbot.waitUntil(lambda: any(model.name == "tiny" for model in list_models()), timeout=PATIENCE)
    qtbot.waitUntil(lambda: "imported" in window.state.notifications.list()[-1].text, timeout=PATIENCE)
    drop(window, folder)  # once more
    qtbot.waitUntil(lambda: "there already" in window.state.notifications.list()[-1].text, timeout=PATIENCE)


def test_the_recipe_of_what_lacks_its_model_can_be_used_with_another(qtbot, window):
    make_shape(qtbot, window, "a chair")
    add_a_ruin(window, "gone")
    click_in_history(qtbot, window, 0)
    window.stage.missing.recipe.click()
    assert (window.state.form.prompt, window.state.form.model) == ("a ruin", MODEL.name)


def add_a_ruin(window, model: str) -> None:
    """An item like the one on the stage, but of another model."""
    shown = window.state.shown
    recipe = shown.recipe.model_copy(update={"model": model, "model_hash": model, "prompt": "a ruin"})
    window.state.library.add(window.state.library.load_latent(shown), recipe, np.zeros((8, 8, 4), np.uint8))


def test_where_opening_gives_way_to_a_generation_that_is_cancelled_the_stage_keeps_its_item(qtbot, window, pipeline):
    make_shape(qtbot, window, "a chair")
    make_shape(qtbot, window, "a sofa")
    sofa = window.state.shown
    click_in_history(qtbot, window, 1)
    pipeline.delay = 0.1
    window.generation.generate()
    window.generation.cancel()
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert window.state.shown == sofa and window.history.view.currentIndex().row() == 0
    assert window.actions_["export"].isEnabled()


def test_several_deletions_are_undone_in_turn_and_each_by_its_own_message(qtbot, window):
    for prompt in ("a chair", "a sofa", "a table", "a bed"):
        make_shape(qtbot, window, prompt)
    window.state.update_form(prompt="a prompt just typed")
    form = window.state.form
    for _ in range(3):
        window.actions_["delete"].trigger()
        qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    said = {one.text: one for one in window.state.notifications.list() if one.action and one.action.label == "Undo"}
    assert len(said) == 3 and window.state.shown.recipe.prompt == "a chair"

    def prompts() -> list[str]:
        return [item.recipe.prompt for item in window.history.model.items()]

    bed, table, sofa = said.values()
    bed.action.run()  # the first of the three
    assert prompts() == ["a bed", "a chair"]
    assert bed not in window.state.notifications.list() and table in window.state.notifications.list()
    for _ in range(3):  # as fast as the keys come
        window.actions_["undo"].trigger()
    assert prompts() == ["a bed", "a table", "a sofa", "a chair"]
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.prompt == "a table" and window.state.form == form
    assert window.history.model.item(window.history.view.currentIndex().row()) == window.state.shown
    assert not {bed, table, sofa} & set(window.state.notifications.list()) and not window.actions_["undo"].isEnabled()
    window.actions_["redo"].trigger()
    assert "a table" not in prompts()


def test_what_is_brought_back_all_at_once_is_not_offered_to_be_undone_any_more(qtbot, window):
    make_shape(qtbot, window, "a chair")
    make_shape(qtbot, window, "a sofa")
    window.actions_["delete"].trigger()
    assert window.actions_["undo"].isEnabled()
    assert window.trash.bring_back() == 1
    assert [item.recipe.prompt for item in window.history.model.items()] == ["a sofa", "a chair"]
    assert not window.actions_["undo"].isEnabled() and not window.actions_["redo"].isEnabled()
    assert not any(one.action and one.action.label == "Undo" for one in window.state.notifications.list())


def test_history_is_there_after_a_restart_and_the_form_too(qtbot, make_window):
    window = make_window()
    window.state.update_form(steps=33, count=4, seed_locked=True, seed=3)
    make_shape(qtbot, window)
    window.actions_["grid"].setChecked(False)
    window.close()
    again = make_window()
    assert again.history.model.rowCount() == 4
    assert (again.state.form.steps, again.state.form.count) == (33, 4)
    assert not again.actions_["grid"].isChecked() and not again.stage.viewer.grid


def test_a_dropped_mesh_is_reconstructed_and_other_files_are_refused(qtbot, window, tmp_path: Path):
    window.settings.fidelity = "small"  # a fit would take a while
    mesh = tmp_path / "stool.obj"
    trimesh.creation.box().export(mesh)
    drop(window, mesh)
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.source == str(mesh)
    drop(window, tmp_path / "notes.txt")
    assert "notes.txt cannot be read" in window.state.notifications.list()[-1].text
    drop(window, tmp_path)
    assert "is a folder without posed pictures" in window.state.notifications.list()[-1].text


def test_dragging_over_the_window_says_what_will_happen(window, tmp_path: Path):
    frames = [Image.new("RGB", (16, 16), (grey, grey, grey)) for grey in (0, 255)]
    frames[0].save(tmp_path / "moves.webp", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "still.gif")
    said = {}
    for name in ("stool.obj", "cat.png", "film.mp4", "moves.webp", "still.gif", "notes.odt"):
        assert drag(window, tmp_path / name)
        assert window.drop.isVisible() and window.drop.geometry() == window.rect()
        said[name] = f"{window.drop.title.text()}: {window.drop.text.text()}"
        QApplication.sendEvent(window, QDragLeaveEvent())
        assert not window.drop.isVisible()
    assert (
        said["stool.obj"].startswith("Drop to reconstruct a shape: stool.obj") and "appears here" in said["stool.obj"]
    )
    assert "reconstruct a picture" in said["cat.png"] and "in the room Images" in said["cat.png"]
    assert "reconstruct a picture" in said["still.gif"]
    assert "No model for clips is installed" in said["film.mp4"]
    assert "No model for clips is installed" in said["moves.webp"]
    assert "cannot be read" in said["notes.odt"] and "OBJ" in said["notes.odt"]
    drag(window, tmp_path / "stool.obj", tmp_path / "notes.odt")
    assert window.drop.title.text() == "Drop 2 files"
    drop(window, tmp_path / "notes.odt")
    assert not window.drop.isVisible()


def test_a_file_that_carries_its_recipe_is_foretold_to_bring_it_back(window, tmp_path: Path):
    recipe = Recipe(domain="image", model=PICTURES.name, model_hash=PICTURES.hash, prompt="a cat", seed=3)
    picture = tmp_path / "cat.png"
    text = PngInfo()
    text.add_text(RECIPE_KEY, recipe.model_dump_json())
    Image.new("RGB", (8, 8)).save(picture, pnginfo=text)
    drag(window, picture)
    assert window.drop.title.text() == "Drop to bring its recipe back"
    drop(window, picture)
    assert window.state.form.prompt == "a cat" and not window.drop.isVisible()


def test_files_dropped_on_the_prompt_are_the_windows(window, tmp_path: Path):
    data = dragged(tmp_path / "stool.obj")
    data.setText("stool.obj")
    assert not window.inspector.prompt.canInsertFromMimeData(data)


def dragged(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def drag(window: MainWindow, *paths: Path) -> bool:
    """Drag files over the window; whether it takes them."""
    data = dragged(*paths)
    event = QDragEnterEvent(
        QPointF(300, 300), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(window, event)
    return event.isAccepted()


def drop(window: MainWindow, path: Path) -> None:
    data = dragged(path)
    event = QDropEvent(
        QPointF(300, 300), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)


def test_a_film_is_cut_before_it_is_encoded(qtbot, window, monkeypatch):
    answers = iter([QDialog.DialogCode.Rejected, QDialog.DialogCode.Accepted])
    monkeypatch.setattr(SpanDialog, "exec", lambda dialog: next(answers))
    for made in (0, 1):
        window.engine.ask(ReconstructRequest(path=Path("film.mp4")))
        qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
        qtbot.waitUntil(lambda made=made: calm(window) and len(window.state.library.items()) == made, timeout=PATIENCE)
    assert window.state.library.items()[0].recipe.source == "film.mp4"


def test_closing_while_working_asks(qtbot, window, pipeline, monkeypatch):
    pipeline.delay = 0.1
    window.state.update_form(prompt="a chair")
    window.generation.generate()
    asked: list[str] = []
    answers = iter(["Keep working", "Quit"])

    def answer(question: QMessageBox) -> None:
        asked.append(question.text())
        wanted = next(answers)
        chosen = next(button for button in question.buttons() if button.text() == wanted)
        monkeypatch.setattr(question, "clickedButton", lambda: chosen, raising=False)

    monkeypatch.setattr(QMessageBox, "exec", answer)
    window.close()
    assert window.isVisible() and "still going on" in asked[0]
    window.close()
    assert not window.isVisible() and len(asked) == 2


def test_single_key_shortcuts_do_not_disturb_typing(qtbot, window):
    window.activateWindow()
    window.inspector.focus_prompt()
    qtbot.keyClicks(window.inspector.prompt, "wg137s?[]/")
    assert window.inspector.prompt.text() == "wg137s?[]/"
    assert not window.stage.viewer.wireframe and window.stage.viewer.grid


def test_every_action_does_something(window):
    unbound = [
        name
        for name, action in window.actions_._actions.items()
        if action.receivers("2triggered(bool)") + action.receivers("2toggled(bool)") < 1
    ]
    assert unbound == []


def test_what_a_shape_seems_to_be_made_of_is_chosen_and_kept(window):
    viewer = window.stage_of("shape").viewer
    window.actions_["material_clay"].trigger()
    assert viewer.matcap == "clay" and not window.actions_["material_plain"].isChecked()
    window.remember()
    window.actions_["material_plain"].trigger()
    assert viewer.matcap is None
    window.restore()
    assert viewer.matcap == "clay" and not window.actions_["material_plain"].isChecked()


@pytest.mark.parametrize("size", [(960, 600), (1280, 800), (1900, 1060)])
def test_nothing_is_cut_off(qtbot, window, size):
    window.resize(*size)
    window.state.update_form(prompt="a very long prompt about a table " * 60)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    assert window.inspector.geometry().right() < size[0]
    assert window.stage.viewer.width() > 400


def _answering(monkeypatch, *wanted: str) -> list[str]:
    """Answer questions with these buttons, one after the other; what was asked."""
    asked: list[str] = []
    answers = iter(wanted)

    def answer(question: QMessageBox) -> None:
        asked.append(question.text())
        text = next(answers)
        chosen = next(button for button in question.buttons() if button.text() == text)
        monkeypatch.setattr(question, "clickedButton", lambda: chosen, raising=False)

    monkeypatch.setattr(QMessageBox, "exec", answer)
    return asked


@pytest.fixture
def run(home: Path) -> RunFolder:
    run = RunFolder(home / "runs" / "chairs")
    run.create("name: chairs\ndomain: shape\n")
    return run


def test_closing_while_training_asks_what_becomes_of_it(qtbot, make_window, run: RunFolder, monkeypatch):
    with owned(run):
        window = make_window()
        qtbot.waitUntil(lambda: bool(window.runs.alive()), timeout=60_000)
        asked = _answering(monkeypatch, "Stay", "Go on in the background")
        window.close()
        assert window.isVisible() and asked == ["chairs is training."]
        window.close()
        assert not window.isVisible() and run.take_command() is None
        again = make_window()
        qtbot.waitUntil(
            lambda: "chairs is training." in [one.text for one in again.state.notifications.list()], timeout=60_000
        )
        _answering(monkeypatch, "Stop and quit")
        again.close()
        assert not again.isVisible() and run.take_command() == "stop"


def test_what_was_just_noted_on_a_run_is_kept_when_the_window_closes(qtbot, make_window, run: RunFolder, monkeypatch):
    window = make_window()
    notes = window.runs.monitor.notes
    qtbot.waitUntil(lambda: window.runs.monitor.run.folder == run.path, timeout=60_000)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    notes.edit.setPlainText("legs are thinner")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        asked = _answering(patch, "Stay")
        assert not window.close() and asked == ["Notes on a run could not be kept."]
    window.close()
    assert not window.isVisible() and run.notes() == "legs are thinner"


def test_a_run_that_was_cut_off_is_offered_to_go_on(qtbot, make_window, run: RunFolder, monkeypatch):
    window = make_window()
    started: list[Path] = []
    monkeypatch.setattr(window.training, "go_on", started.append)
    qtbot.waitUntil(lambda: bool(window.state.notifications.list()), timeout=60_000)
    (offer,) = window.state.notifications.list()
    assert "chairs was interrupted" in offer.text and offer.action is not None
    offer.action.run()
    assert started == [run.path]
    assert window.rooms.currentWidget() is window.runs


def test_the_model_of_a_run_is_chosen_in_its_room_and_measured(qtbot, window, run: RunFolder):
    owner = {"pid": 1, "host": "elsewhere", "started": 0.0}
    run.status_file.write_text(json.dumps({"state": "done", "message": "", "owner": owner}))
    trained = replace(MODEL, name="chairs", hash="mine", folder=run.model)
    needs = replace(trained, base=Base("another", "not here"))
    window.show_training()
    monitor = window.runs.monitor
    window.state.set_models([MODEL, PICTURES, trained])
    qtbot.waitUntil(monitor.use_button.isVisible, timeout=60_000)
    window.state.set_models([MODEL, PICTURES, needs])
    assert not monitor.use_button.isVisible() and not monitor.measure_button.isVisible()
    window.state.set_models([MODEL, PICTURES, trained])
    monitor.measure_button.click()
    dialog = window.findChild(EvaluateDialog)
    assert dialog is not None and "chairs" in str(dialog.folder())
    dialog.reject()
    window.state.enter("image")
    monitor.use_button.click()
    assert window.state.domain == "shape" and window.state.selected_model == trained
    assert window.rooms.currentWidget() is window.stage_of("shape")


def test_a_model_is_evaluated_in_the_background_and_the_report_opens(window, monkeypatch, tmp_path: Path):
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(window.engine, "ask", asked.append)
    window.models.evaluate_asked.emit(MODEL)
    dialog = window.findChild(EvaluateDialog)
    assert dialog is not None and [dialog.sets.itemText(i) for i in range(2)] == ["furniture", "procedural"]
    first = dialog.folder()
    dialog.samples.setValue(321)
    assert dialog.folder() != first and "321" in dialog.folder().name
    dialog.accept()
    assert asked == [EvaluateRequest(model=MODEL.folder, data="furniture", samples=321, path=dialog.folder())]
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True)
    request = EvaluateRequest(
        job_id="1", generation=0, model=MODEL.folder, data="furniture", samples=321, path=tmp_path
    )
    window.installed.on_evaluation_done(EvaluationDone(request=request, page=tmp_path / "report.html"))
    window.models.report_asked.emit(tmp_path / "report.html")
    assert opened == 2 * [str(tmp_path / "report.html")]
    assert "report.html" in window.state.notifications.list()[-1].text


def test_models_are_renamed_and_deleted_when_the_person_agrees(window, monkeypatch):
    done: list[tuple[str, ...]] = []
    monkeypatch.setattr(window.model_folders, "rename", lambda model, name: done.append((model.name, name)))
    monkeypatch.setattr(window.model_folders, "delete", lambda model: done.append((model.name,)))
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("chairs", True))
    window.models.rename_asked.emit(MODEL)
    asked = _answering(monkeypatch, "Keep", "Delete")
    window.models.delete_asked.emit(MODEL)
    assert done == [("furniture", "chairs")] and asked == ["Delete furniture?"]
    window.models.delete_asked.emit(MODEL)
    assert done[1:] == [("furniture",)]


def test_what_a_model_of_changes_needs_is_told(window, monkeypatch, tmp_path):
    mine = replace(MODEL, name="mine", hash="mine", base=Base("furniture", MODEL.hash))
    window.state.set_models([MODEL, mine])
    questions: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda question: questions.append(question.informativeText()))
    window.models.delete_asked.emit(mine)
    window.models.delete_asked.emit(MODEL)
    assert ["without it: mine" in text for text in questions] == [False, True]

    window.models.domain = "video"
    window.model_folders.imported.emit(mine)
    assert window.models.domain == ""
    assert "can be used" in window.state.notifications.list()[-1].text
    window.model_folders.imported.emit(replace(mine, base=Base("chairs", "gone")))
    assert "goes with the model chairs, which is not here" in window.state.notifications.list()[-1].text
    window.model_folders.saved.emit(mine, tmp_path / "mine.ddmi")
    assert "It needs furniture there, too." in window.state.notifications.list()[-1].text


def test_the_guide_keeps_its_size(window):
    window.actions_["guide"].trigger()
    (guide,) = window.findChildren(GuideWindow)
    guide.resize(900, 640)
    guide.close()
    window.close()
    kept = window.settings.geometry("guide")
    guide.resize(700, 500)
    assert guide.restoreGeometry(kept) and (guide.width(), guide.height()) == (900, 640)


def test_the_guide_opens_beside_the_work_and_is_opened_once(qtbot, window):
    assert QKeySequence("F1") in window.actions_["guide"].shortcuts()
    assert QKeySequence("F1") not in window.actions_["shortcuts"].shortcuts()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    if not window.findChildren(GuideWindow):  # without a window manager the shortcut may not reach an inactive window
        window.actions_["guide"].trigger()
    (guide,) = window.findChildren(GuideWindow)
    assert guide.isVisible() and guide.isWindow() and not guide.isModal()
    guide.list.setCurrentRow(4)
    guide.close()
    window.actions_["guide"].trigger()
    assert window.findChildren(GuideWindow) == [guide] and guide.isVisible() and guide.list.currentRow() == 4
    window.preferences.set_theme("light")
    assert guide.page.document().firstBlock().text() == guide.list.item(4).text()
    window.preferences.set_theme("dark")


def test_the_guide_opens_at_the_page_of_the_room_and_stays_at_what_is_read_there(window):
    def shown_after_asking() -> str:
        window.actions_["guide"].trigger()
        return window.help.guide.shown().path.name

    for place in reversed(range(window.rooms.count())):
        window.show_room(place)
        assert shown_after_asking() == window.guide_page()
    assert window.help.guide.shown().title == "Your first shape"
    window.help.guide.open_at("08-history.md")
    assert shown_after_asking() == "08-history.md"
    window.show_room_of("image")
    assert shown_after_asking() == "04-pictures.md"
    window.actions_["gallery"].trigger()
    assert window.help.guide.shown().title == "Gallery" and shown_after_asking() == "04-pictures.md"


def test_a_picture_of_the_gallery_brings_its_recipe_into_the_form_of_its_room(qtbot, window, tmp_path):
    Image.fromarray(np.full((176, 1352, 3), 22, np.uint8)).save(tmp_path / PREVIEW)
    write_preview_recipes(tmp_path, [Seeded(prompt="a man with a hat", seed=5, steps=9)])
    window.state.set_models([MODEL, replace(PICTURES, folder=tmp_path)])
    window.inspector.prompt.setPlainText("a chair")
    window.actions_["gallery"].trigger()
    guide = window.help.guide
    assert guide.isVisible() and guide.shown().title == "Gallery"
    qtbot.waitUntil(lambda: "a man with a hat" in guide.page.toPlainText(), timeout=PATIENCE)
    assert "no preview" in guide.page.toPlainText(), "of the other model"
    guide.page.anchorClicked.emit(guide.page.current.resolved(QUrl("gallery.html?exhibit=0")))
    assert window.state.domain == "image"
    form = window.state.form
    assert (form.prompt, form.seed, form.steps, form.model) == ("a man with a hat", 5, 9, PICTURES.name)
    assert form.seed_locked and window.state.library.items() == [], "nothing is made that was not asked for"
    window.show_room_of("shape")
    assert window.state.form.prompt == "a chair"
    window.state.set_models([MODEL])
    qtbot.waitUntil(lambda: "a man with a hat" not in guide.page.toPlainText(), timeout=PATIENCE)


def test_what_cannot_be_saved_is_shown_and_told_and_saved_when_there_is_room(
    window: MainWindow, qtbot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    asked: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box.text()) or 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        window.state.update_form(prompt="a table")
        window.generation.generate()
        qtbot.waitUntil(lambda: window.state.shown is not None, timeout=PATIENCE)
        qtbot.waitUntil(lambda: not window.state.jobs.active(quiet=True), timeout=PATIENCE)
        assert any("kept in memory" in one.text for one in window.state.notifications.list())
        assert window.history.model.rowCount() == 1
        assert not window.close(), "the question was not answered with Quit"
        assert asked == ["One result could not be saved."]
    item = window.state.shown
    assert item is not None and not item.folder.exists()
    assert window.close()
    assert (item.folder / "latent.safetensors").exists()


def test_the_trash_is_emptied_when_it_is_asked_for_and_confirmed(qtbot, window: MainWindow, monkeypatch) -> None:
    said: list[str] = []
    answers = iter(["Keep", "Delete for good"])

    def answer(question: QMessageBox) -> QAbstractButton:
        said.append(question.text())
        wanted = next(answers)
        return next(button for button in question.buttons() if button.text() == wanted)

    monkeypatch.setattr(questions, "answer", answer)
    make_shape(qtbot, window)
    window.items.delete()
    window.actions_["empty_trash"].trigger()
    qtbot.waitUntil(lambda: len(said) == 1, timeout=60_000)
    assert said[0].startswith("The trash holds 1 item, ") and window.actions_["undo"].isEnabled()
    window.actions_["empty_trash"].trigger()
    qtbot.waitUntil(lambda: len(said) == 2, timeout=60_000)
    assert window.state.library.items(deleted=True) == []
    assert not window.actions_["undo"].isEnabled()  # it could not be done any more
    qtbot.waitUntil(lambda: not (window.state.library.folder / "emptied").exists(), timeout=60_000)
