from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton

from ddmi_core.export.frames import write_frames
from ddmi_core.export.meshes import export_mesh
from ddmi_core.export.options import ImageExport
from ddmi_core.export.outlines import traced
from ddmi_core.export.recipe_files import RECIPE_KEY
from ddmi_core.recipe import Recipe
from studio.engine.work.viewing import ViewRequest
from studio.panels.export_dialog import Order
from studio.rooms.images.stage import ImageStage
from studio.state.library import FIT
from studio.window import MainWindow
from tests.studio.window.fakes import MODEL, PICTURES
from tests.studio.window.test_window import PATIENCE, calm, drop, make_shape

pytestmark = pytest.mark.gl


def make_picture(qtbot, window: MainWindow, prompt: str = "red heart") -> ImageStage:
    window.show_room_of("image")
    before = len(window.state.library.items(domain="image"))
    window.state.update_form(prompt=prompt)
    window.generation.generate()
    qtbot.waitUntil(lambda: len(window.state.library.items(domain="image")) > before and calm(window), timeout=PATIENCE)
    assert isinstance(window.stage, ImageStage)
    return window.stage


def test_a_prompt_becomes_a_picture_that_sharpens(qtbot, window):
    stage = make_picture(qtbot, window)
    qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)
    assert stage.empty.isHidden() and window.state.shown.recipe.model == PICTURES.name
    assert window.inspector.shown_title.text() == "red heart"
    assert window.inspector.model.count() == 1 and window.history.model.rowCount() == 1


def test_each_room_keeps_its_item_its_form_and_its_history(qtbot, window):
    make_shape(qtbot, window, "a round table")
    shape = window.state.shown
    window.state.update_form(steps=7)
    stage = make_picture(qtbot, window)
    picture = window.state.shown
    assert window.state.form.steps == 20 and window.state.form.model == PICTURES.name
    assert "picture" in window.actions_["newer"].text() and not window.actions_["wireframe"].isVisible()
    stage.viewer.zoom(5)
    look = stage.viewer.look
    window.show_room_of("shape")
    assert window.state.shown == shape and window.history.model.items() == [shape]
    assert (window.state.form.steps, window.state.form.model) == (7, MODEL.name)
    assert window.inspector.prompt.text() == "a round table"
    assert window.actions_["wireframe"].isVisible() and not window.actions_["whole"].isEnabled()
    window.show_room(window.rooms.indexOf(window.models))
    assert not window.actions_["wireframe"].isEnabled()  # nor does its key do anything there
    window.go_to_prompt()
    assert window.rooms.currentWidget() is window.stage_of("shape") and window.actions_["wireframe"].isVisible()
    window.show_room_of("image")
    assert window.state.shown == picture and window.history.model.items() == [picture]
    assert stage.viewer.look == look


def test_what_is_made_in_a_room_one_has_left_waits_there(qtbot, window, pictures):
    pictures.delay = 0.05
    window.show_room_of("image")
    window.state.update_form(prompt="red heart")
    window.generation.generate()
    window.show_room_of("shape")
    qtbot.waitUntil(lambda: calm(window) and bool(window.state.library.items()), timeout=PATIENCE)
    assert window.state.shown is None and not window.stage.empty.isHidden()
    window.show_room_of("image")
    assert window.state.shown.recipe.prompt == "red heart" and window.stage.empty.isHidden()


def test_a_dropped_picture_is_reconstructed_wherever_one_is(qtbot, window, tmp_path: Path):
    photo = tmp_path / "photo.JPG"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photo)
    drop(window, photo)
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert window.state.domain == "image" and window.state.shown.recipe.source == str(photo)
    drop(window, tmp_path / "notes.odt")
    assert "cannot be read as a picture" in window.state.notifications.list()[-1].text


def test_a_dropped_picture_is_fitted_and_needs_no_model_any_more(qtbot, window, tmp_path: Path):
    photo = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(photo)
    drop(window, photo)
    stage = window.stage_of("image")
    qtbot.waitUntil(lambda: window.state.shown is not None and stage.viewer.is_sharp(), timeout=PATIENCE)
    item = window.state.shown
    assert item.recipe.fit.fidelity == "faithful" and item.recipe.fit.pixels == (30, 30)
    assert "Faithful fit of the file\n30 × 30  ·" in window.inspector.shown_facts.text()
    window.exports.export(item, Order(tmp_path / "again.png", ImageExport(resolution=30)))
    qtbot.waitUntil(lambda: (tmp_path / "again.png").exists() and calm(window), timeout=PATIENCE)
    with Image.open(tmp_path / "again.png") as again:
        assert np.abs(np.asarray(again.convert("RGB")).astype(int) - pixels).max() <= 5  # noise is what it likes least
    window.state.set_models([])
    window.engine.ask(ViewRequest(item=item))
    qtbot.waitUntil(lambda: calm(window) and stage.viewer.is_sharp(), timeout=PATIENCE)
    assert not [one.text for one in window.state.notifications.list() if one.level != "info"]


def test_a_picture_that_the_model_makes_little_of_can_be_fitted_after_all(qtbot, window, tmp_path: Path):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photo)
    window.settings.fidelity = "small"
    drop(window, photo)
    qtbot.waitUntil(lambda: bool(window.state.notifications.list()) and calm(window), timeout=PATIENCE)
    assert window.inspector.shown_facts.text().startswith("Small: what portraits makes of the file\n8 × 8  ·  12 dB")
    [said] = window.state.notifications.list()
    assert "portraits makes little of photo.png (12 dB, SSIM 0.123)" in said.text
    said.action.run()
    qtbot.waitUntil(lambda: len(window.state.library.items()) == 2 and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.is_fitted and len(window.state.notifications.said()) == 1


def test_a_lost_fit_is_named(qtbot, window, tmp_path: Path):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photo)
    drop(window, photo)
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    item = window.state.shown
    (item.folder / FIT).write_bytes((item.folder / FIT).read_bytes()[:-9])
    window.engine.set_device("cpu")  # nothing stays decoded
    window.engine.ask(ViewRequest(item=item))
    qtbot.waitUntil(lambda: bool(window.state.notifications.list()) and calm(window), timeout=PATIENCE)
    assert str(item.folder / FIT) in window.state.notifications.list()[0].text


def test_a_mesh_brings_its_recipe_back_too(qtbot, window, tmp_path: Path):
    recipe = Recipe(domain="shape", model=MODEL.name, model_hash=MODEL.hash, prompt="a bench", seed=78)
    export_mesh(trimesh.creation.box(), tmp_path / "bench.glb", recipe=recipe)
    window.show_room_of("image")
    drop(window, tmp_path / "bench.glb")
    assert window.state.domain == "shape" and not window.state.library.items()
    assert (window.state.form.prompt, window.state.form.seed) == ("a bench", 78)


def test_outlines_bring_their_recipe_back_and_drawings_of_others_say_that_they_cannot_be_read(
    qtbot, window, tmp_path: Path
):
    recipe = Recipe(domain="image", model="no longer here", model_hash="", prompt="red heart", seed=77)
    ours, foreign = tmp_path / "heart.svg", tmp_path / "foreign.svg"
    ours.write_text(traced(np.full((8, 8, 4), 255, np.uint8), 2, recipe))
    foreign.write_text("<svg/>")
    window.show_room_of("shape")
    drop(window, foreign)
    assert "SVG" in window.state.notifications.said()[-1].text.upper()
    drop(window, ours)
    assert window.state.domain == "image" and window.state.form.prompt == "red heart"
    assert window.state.notifications.said()[-1].action is None  # there is nothing to fit


@pytest.mark.parametrize("way", ["dropped", "opened"])
def test_an_export_brings_its_recipe_back(qtbot, window, tmp_path: Path, monkeypatch, way: str):
    recipe = Recipe(domain="image", model="no longer here", model_hash="", prompt="red heart", seed=77, steps=9)
    note = PngInfo()
    note.add_itxt(RECIPE_KEY, recipe.model_dump_json())
    export = tmp_path / "heart.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(export, pnginfo=note)
    window.show_room_of("shape")
    offered: list[str] = []
    if way == "dropped":
        drop(window, export)
    else:

        def choose(_parent: object, _title: str, _folder: str, filters: str) -> tuple[str, str]:
            offered.extend(filters.split(";;"))
            return str(export), ""

        monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
        window.actions_["import"].trigger()
        assert all(f"*{suffix}" in offered[0] for suffix in (".png", ".mp4", ".obj"))  # those of every room
        assert offered[1].startswith("Meshes") and ".png" not in offered[1]
    form = window.state.form
    assert window.state.domain == "image" and not window.state.library.items()
    assert (form.prompt, form.seed, form.seed_locked, form.steps) == ("red heart", 77, True, 9)
    said = window.state.notifications.list()[-1]
    assert "heart.png" in said.text and "no longer here" in said.text
    said.action.run()
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.source == str(export)


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".webm"])
def test_so_does_a_film_also_one_of_a_radiance_field(window, tmp_path: Path, suffix: str):
    frames = iter([np.zeros((16, 16, 4), np.uint8)] * 2)
    recipe = Recipe(domain="nerf", model="no longer here", model_hash="", prompt="a chair", seed=77)
    drop(window, write_frames(frames, tmp_path / f"turn{suffix}", rate=Fraction(10), recipe=recipe))
    assert window.state.domain == "nerf" and window.state.form.prompt == "a chair"


def export_with(folder: Path, **values: object) -> Path:
    recipe = Recipe(domain="image", model=PICTURES.name, model_hash=PICTURES.hash, prompt="red heart", seed=77)
    note = PngInfo()
    note.add_itxt(RECIPE_KEY, json.dumps(json.loads(recipe.model_dump_json()) | values))
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "heart.png", pnginfo=note)
    return folder / "heart.png"


def test_a_dropped_recipe_may_be_all_that_the_command_line_allows(qtbot, window, tmp_path: Path):
    window.show_room_of("image")
    window.state.update_form(prompt="what was just typed")
    drop(window, export_with(tmp_path, guidance=40.0, seed=2**40))
    undo = next(one.action for one in window.state.notifications.list() if one.action and one.action.label == "Undo")
    undo.run()
    assert window.state.form.prompt == "what was just typed"
    drop(window, export_with(tmp_path, guidance=40.0, seed=2**40))
    assert (window.state.form.guidance, window.state.form.seed) == (40.0, 2**40)
    window.generation.generate()
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert (window.state.shown.recipe.guidance, window.state.shown.recipe.seed) == (40.0, 2**40)


def test_a_dropped_recipe_out_of_bounds_is_told_and_the_file_can_be_encoded(qtbot, window, tmp_path: Path):
    form = window.state.form
    export = export_with(tmp_path, guidance=1e6)
    drop(window, export)
    said = window.state.notifications.list()[-1]
    assert "heart.png" in said.text and "guidance is 1000000.0 and" in said.text and window.state.form == form
    assert said.action.label == "Fit the file"
    said.action.run()
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.source == str(export)


def test_a_dropped_recipe_whose_model_is_missing_does_not_promise_the_same(window, tmp_path: Path):
    drop(window, export_with(tmp_path, model="unicorn", model_hash="gone"))
    said = window.state.notifications.list()[-1].text
    assert "unicorn, is not installed" in said and "makes something else" in said and "makes it again" not in said


def test_the_room_is_remembered_and_one_without_a_model_says_so(qtbot, make_window):
    window = make_window()
    window.show_room_of("image")
    window.actions_["navigator"].setChecked(False)
    window.close()
    again = make_window()
    assert again.state.domain == "image" and not again.actions_["navigator"].isChecked()
    again.state.set_models([MODEL])
    assert not again.actions_["generate"].isEnabled() and again.inspector.model.count() == 0
    again.generation.generate()
    assert "No model for pictures" in again.state.notifications.list()[-1].text
    again.show_room_of("shape")
    assert again.actions_["generate"].isEnabled()


def test_no_model_is_said_to_be_missing_before_they_were_looked_for(make_window):
    window = make_window(look_for_models=False)
    title = window.stage.empty.findChild(QLabel)
    assert "No model" not in title.text()
    window.state.set_models([])
    assert "No model" in title.text()


@pytest.mark.parametrize("size", [(960, 600), (1900, 1060)])
def test_nothing_is_cut_off_among_the_pictures(qtbot, window, size):
    stage = make_picture(qtbot, window)
    window.resize(*size)
    QApplication.processEvents()
    stage.under_pointer.setText("+0.0000  +0.0000    #ffffff 100 %")
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    assert window.inspector.geometry().right() < size[0]
    assert stage.zoom.geometry().right() < stage.width()


def test_the_cursor_stays_in_the_room_that_is_entered(window):
    assert window.focusWidget() is window.inspector.prompt
    window.show_training()
    assert window.runs.isAncestorOf(window.focusWidget())
    window.show_room(window.rooms.indexOf(window.models))
    assert window.models.isAncestorOf(window.focusWidget())
    window.show_room_of("image")
    assert window.focusWidget() is window.inspector.prompt
    window.actions_["inspector"].setChecked(False)
    window.show_training()
    window.show_room_of("image")
    assert window.focusWidget() is window.stage.viewer
    rail = window.rail.button(0)
    rail.setFocus()
    window.show_training()  # whoever goes along the rail with the arrow keys stays there
    assert window.focusWidget() is rail


@pytest.mark.parametrize("width", [960, 1280, 1920])
def test_examples_are_seen_whole(qtbot, window: MainWindow, width: int) -> None:
    window.resize(width, 800)
    window.show_room_of("image")
    empty = window.stage.empty
    qtbot.waitUntil(empty.isVisible)
    for button in empty.findChildren(QPushButton):
        place = button.rect().translated(button.mapTo(empty.viewport(), QPoint()))
        assert empty.viewport().rect().contains(place), button.text()
