"""What is done with several items of the history at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from ddmi_core.export.options import ShapeExport
from ddmi_core.recipe import Recipe
from studio.panels.compare_dialog import CompareDialog
from studio.panels.export_dialog import Order, Place
from studio.panels.tags_dialog import TagsDialog
from studio.state.library import TAGS, Item
from studio.window import MainWindow
from tests.studio.window.fakes import MODEL

PATIENCE = 30_000
PROMPTS = ("a chair", "a sofa", "a table", "a bed", "a lamp")


@pytest.fixture
def window(make_window) -> MainWindow:
    """With five shapes, the newest one last."""
    window = make_window()
    window.actions_["history"].setChecked(True)  # a small screen begins without it
    for seed, prompt in enumerate(PROMPTS):
        recipe = Recipe(domain="shape", model=MODEL.name, model_hash=MODEL.hash, prompt=prompt, seed=seed)
        window.state.library.add(np.full((1, 2, 2), seed, np.float32), recipe, np.zeros((8, 8, 4), np.uint8))
    return window


def click(qtbot, window: MainWindow, row: int, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    view = window.history.view
    place = view.visualRect(window.history.model.index(row)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, held, place)


def calm(window: MainWindow) -> bool:
    return not window.state.jobs.active(quiet=True)


def prompts(window: MainWindow) -> list[str]:
    return [item.recipe.prompt for item in window.history.model.items()]


def selected(window: MainWindow) -> list[str]:
    return [item.recipe.prompt for item in window.history.selected()]


def test_shift_and_ctrl_select_several_and_the_stage_shows_one_of_them(qtbot, window):
    click(qtbot, window, 1)
    assert selected(window) == ["a bed"]
    click(qtbot, window, 3, Qt.KeyboardModifier.ShiftModifier)
    assert selected(window) == ["a bed", "a table", "a sofa"]
    assert window.history.bar._count.text() == "5  ·  3 selected" and window.state.shown.recipe.prompt == "a sofa"
    click(qtbot, window, 3, Qt.KeyboardModifier.ControlModifier)
    assert selected(window) == ["a bed", "a table"] and window.state.shown.recipe.prompt in selected(window)
    window.history.view.setFocus()
    qtbot.keyClick(window.history.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(selected(window)) == 5
    click(qtbot, window, 0)
    assert selected(window) == ["a lamp"]
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)


def test_several_are_deleted_and_brought_back_by_one_undo(qtbot, window):
    opened: list[Item] = []
    window.state.shown_changed.connect(opened.append)
    click(qtbot, window, 1)
    click(qtbot, window, 3, Qt.KeyboardModifier.ShiftModifier)
    opened.clear()
    window.actions_["delete"].trigger()
    assert prompts(window) == ["a lamp", "a chair"]
    assert [one and one.recipe.prompt for one in opened] == [None, "a chair"]  # none of those in between
    offer = window.state.notifications.list()[-1]
    assert offer.text == "Deleted 3 shapes." and offer.action.label == "Undo"
    window.actions_["undo"].trigger()
    assert prompts(window) == list(reversed(PROMPTS)) and offer not in window.state.notifications.list()
    window.actions_["redo"].trigger()
    assert prompts(window) == ["a lamp", "a chair"]
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)


def test_what_could_be_deleted_of_several_can_be_undone(qtbot, window, monkeypatch):
    click(qtbot, window, 0)
    click(qtbot, window, 2, Qt.KeyboardModifier.ShiftModifier)
    stuck = window.history.model.item(1).folder
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path == stuck:
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    window.actions_["delete"].trigger()
    assert prompts(window) == ["a bed", "a table", "a sofa", "a chair"]
    assert "could not be moved" in "".join(one.text for one in window.state.notifications.list())
    window.actions_["undo"].trigger()
    assert len(prompts(window)) == 5
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)


def test_several_are_starred_and_then_unstarred(qtbot, window):
    click(qtbot, window, 0)
    window.actions_["star"].trigger()
    click(qtbot, window, 1, Qt.KeyboardModifier.ShiftModifier)
    window.actions_["star"].trigger()
    assert [item.starred for item in window.history.model.items()] == [True, True, False, False, False]
    window.actions_["star"].trigger()
    assert not any(item.starred for item in window.history.model.items())
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)


def test_several_are_exported_beside_each_other_with_one_message(qtbot, window, monkeypatch, tmp_path: Path):
    places: list[Place] = []

    def ask(item: Item, place: Place, _parent: object) -> Order:
        places.append(place)
        return Order(tmp_path / "first.obj", ShapeExport(resolution=16))

    monkeypatch.setattr(window.stage, "ask_export", ask)
    (tmp_path / "a-bed-3.obj").write_text("mine")
    click(qtbot, window, 1)
    click(qtbot, window, 2, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    window.actions_["export"].trigger()
    assert places[0].others == 1 and places[0].models == (MODEL,)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-bed-3-2.obj", "a-bed-3.obj", "first.obj"]
    assert (tmp_path / "a-bed-3.obj").read_text() == "mine"
    said = [one.text for one in window.state.notifications.list()]
    assert said[-1] == f"Saved 2 files in {tmp_path}." and not any("first.obj" in one for one in said)


def test_several_are_saved_as_one_picture(qtbot, window, monkeypatch, tmp_path: Path):
    target = tmp_path / "sheet.png"
    monkeypatch.setattr("studio.window.exports.ask_where", lambda *_: target)
    click(qtbot, window, 0)
    assert not window.actions_["sheet"].isEnabled()
    click(qtbot, window, 2, Qt.KeyboardModifier.ShiftModifier)
    assert window.actions_["sheet"].isEnabled()
    window.actions_["sheet"].trigger()
    qtbot.waitUntil(lambda: calm(window) and target.exists(), timeout=PATIENCE)
    with Image.open(target) as sheet:
        assert sheet.height == 3 * 16 + 8  # a row for each prompt
    qtbot.waitUntil(lambda: window.state.notifications.list()[-1].text == "Saved sheet.png.", timeout=PATIENCE)


def test_two_are_compared_and_either_is_shown_from_there(qtbot, window):
    click(qtbot, window, 0)
    assert not window.actions_["compare_items"].isEnabled()
    click(qtbot, window, 2, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    window.actions_["compare_items"].trigger()
    dialog = window.findChild(CompareDialog)
    said = [(one.text(), one.property("look")) for one in dialog.findChildren(QLabel)]
    assert {("a table", "heading"), ("a lamp", "heading"), ("2", "heading"), ("4", "heading")} <= set(said)
    assert said.count(("20", "muted")) == 2  # what is alike stands back
    thumbnails = [picture._image for picture in dialog.pictures]
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert all(picture._image is not small for picture, small in zip(dialog.pictures, thumbnails, strict=True))
    assert [picture._image.width() for picture in dialog.pictures] == [400, 400]
    older = dialog.findChildren(QPushButton)[0]
    older.click()
    assert window.state.shown.recipe.prompt == "a table"
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    click(qtbot, window, 0)
    click(qtbot, window, 2, Qt.KeyboardModifier.ShiftModifier)
    assert not window.actions_["compare_items"].isEnabled()  # three
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)


def tags(window: MainWindow) -> list[tuple[str, ...]]:
    return [item.tags for item in window.history.model.items()]


def answer_tags(monkeypatch, typed: str = "", untick: str = "") -> list[str]:
    """Let the next dialogs of tags be answered so; what each of them is of is listed."""
    of: list[str] = []

    def exec_(dialog: TagsDialog) -> int:
        of.append(dialog.findChildren(QLabel)[0].text())
        for row in dialog.list.findItems(untick, Qt.MatchFlag.MatchExactly):
            row.setCheckState(Qt.CheckState.Unchecked)
        dialog.typed.setText(typed)
        dialog._finish()
        return int(dialog.result())

    monkeypatch.setattr(TagsDialog, "exec", exec_)
    return of


def test_one_or_several_are_tagged_and_each_change_is_undone(qtbot, window, monkeypatch):
    of = answer_tags(monkeypatch, "kitchen")
    click(qtbot, window, 0)
    window.actions_["tags"].trigger()
    click(qtbot, window, 2, Qt.KeyboardModifier.ShiftModifier)
    answer_tags(monkeypatch, "attic, kitchen")
    window.actions_["tags"].trigger()
    assert of == ["Tags of “a lamp”, seed 4"]
    assert tags(window) == [("attic", "kitchen")] * 3 + [()] * 2
    written = [item.folder / TAGS for item in window.history.model.items()[:3]]
    qtbot.waitUntil(lambda: all(file.exists() and "attic" in file.read_text() for file in written), timeout=PATIENCE)
    assert "Tags: attic, kitchen" in window.inspector.shown_facts.text()
    of = answer_tags(monkeypatch, untick="kitchen")
    window.actions_["tags"].trigger()
    assert of == ["Tags of 3 shapes"] and tags(window) == [("attic",)] * 3 + [()] * 2
    assert window.actions_["undo"].text() == "Undo tags"
    window.actions_["undo"].trigger()
    window.show_room_of("image")
    window.actions_["undo"].trigger()
    assert window.state.domain == "shape"  # where it can be seen
    assert tags(window) == [("kitchen",)] + [()] * 4
    window.actions_["redo"].trigger()
    assert tags(window) == [("attic", "kitchen")] * 3 + [()] * 2
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)


def test_a_tag_that_stays_as_it_is_makes_nothing_to_undo(qtbot, window, monkeypatch):
    answer_tags(monkeypatch)
    click(qtbot, window, 0)
    window.actions_["tags"].trigger()
    assert not window.actions_["undo"].isEnabled()
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)


def test_a_tag_gets_another_name_or_goes_from_all_items(qtbot, window, monkeypatch):
    items = window.history.model.items()
    window.state.library.tag({items[0].id: ["kitchn"], items[1].id: ["attic", "kitchn"]})
    window.state.library.delete(items[1])
    window.history.model.set_filter(tag="kitchn")
    monkeypatch.setattr("studio.window.tagging.QInputDialog.getText", lambda *_, **__: (" #kitchen", True))
    window.history.bar.tag_renamed.emit("kitchn")
    assert window.history.model.filter.tag == "kitchen" and prompts(window) == ["a lamp"]
    assert window.state.library.get(items[1].id).tags == ("attic", "kitchen")  # in the trash
    window.history.bar.tag_removed.emit("kitchen")
    assert window.history.model.filter.tag == "" and window.state.library.tagged("kitchen") == []
    offer = window.state.notifications.list()[-1]
    assert offer.text == "Removed the tag “kitchen” from 2 items."
    offer.action.run()
    assert window.state.library.get(items[0].id).tags == ("kitchen",)
    assert offer not in window.state.notifications.list()
    window.actions_["undo"].trigger()
    assert window.state.library.get(items[1].id).tags == ("attic", "kitchn")


def seeds(window: MainWindow) -> list[int]:
    return [item.recipe.seed for item in window.history.model.items()]


def test_what_is_selected_is_made_again_with_new_seeds(qtbot, window):
    window.state.update_form(prompt="a bookcase", seed=77, seed_locked=True, steps=7)
    form = window.state.form
    click(qtbot, window, 0)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    window.actions_["repeat"].trigger()
    window.actions_["repeat"].trigger()  # the next one, though the first is still on its way
    qtbot.waitUntil(lambda: calm(window) and len(prompts(window)) == 7, timeout=PATIENCE)
    assert prompts(window)[:3] == ["a lamp"] * 3 and seeds(window)[:3] == [6, 5, 4]
    assert {item.recipe.steps for item in window.history.model.items()} == {20} and window.state.form == form
    window.history.view.clearSelection()
    click(qtbot, window, 0)
    click(qtbot, window, 1, Qt.KeyboardModifier.ControlModifier)
    click(qtbot, window, 3, Qt.KeyboardModifier.ControlModifier)
    assert selected(window) == ["a lamp", "a lamp", "a bed"]
    window.actions_["repeat"].trigger()
    qtbot.waitUntil(lambda: calm(window) and len(prompts(window)) == 10, timeout=PATIENCE)
    assert sorted(zip(prompts(window), seeds(window), strict=True))[:2] == [("a bed", 3), ("a bed", 4)]
    assert [seed for prompt, seed in zip(prompts(window), seeds(window), strict=True) if prompt == "a lamp"][:2] == [
        8,
        7,
    ]


def test_a_job_of_the_queue_is_made_again_after_it(qtbot, window, pipeline):
    pipeline.delay = 0.02
    window.state.update_form(prompt="a stool", seed=10, seed_locked=True, count=2)
    window.actions_["generate"].trigger()
    window.state.update_form(prompt="something else by now", seed_locked=False)
    row = window.queue.rows()[0]
    row.repeat.click()
    drawn = window.state.jobs.active()[-1].request
    assert drawn.settings.prompt == "a stool" and len(drawn.seeds) == 2 and drawn.seeds != (10, 11)
    window.state.update_form(seed_locked=True)
    row.repeat.click()
    assert window.state.jobs.active()[-1].request.seeds == (12, 13)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)


def test_what_cannot_be_made_again_says_why(qtbot, window):
    recipe = Recipe(domain="shape", model="gone", model_hash="gone", prompt="a hat", seed=1)
    window.state.library.add(np.zeros((1, 2, 2), np.float32), recipe, np.zeros((8, 8, 4), np.uint8))
    file = Recipe(domain="shape", model=MODEL.name, model_hash=MODEL.hash, source="stool.obj")
    window.state.library.add(np.zeros((1, 2, 2), np.float32), file, np.zeros((8, 8, 4), np.uint8))
    click(qtbot, window, 1)
    window.actions_["repeat"].trigger()
    assert "needs the model gone" in window.state.notifications.list()[-1].text
    click(qtbot, window, 0)
    assert not window.actions_["repeat"].isEnabled()
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
