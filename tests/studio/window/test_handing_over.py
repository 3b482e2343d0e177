"""Items become files for other programs: dragged out of the history, or by the clipboard."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDrag, QDragEnterEvent, QDropEvent, QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DataError
from studio.engine.work.exporting import HandOverRequest
from studio.state.library import Item
from studio.widgets.late_files import LateFiles
from studio.window import MainWindow
from studio.window.handing_over import HandingOver
from tests.studio.window.fakes import MODEL, PICTURES, FakeField, FakeShape

PATIENCE = 60_000  # ms


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folder of files for other programs is made."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("studio.window.handing_over._PATIENCE", PATIENCE)
    return tmp_path / "temporary"


@pytest.fixture
def window(make_window: Callable[[], MainWindow]) -> MainWindow:
    window = make_window()
    window.actions_["history"].setChecked(True)  # a small screen begins without it
    return window


@pytest.fixture
def add(window: MainWindow) -> Callable[..., Item]:
    def add(prompt: str, seed: int, model=PICTURES) -> Item:
        recipe = Recipe(domain=model.domain, model=model.name, model_hash=model.hash, prompt=prompt, seed=seed)
        latent = np.full((1, 2, 2), seed, np.float32)
        return window.state.library.add(latent, recipe, np.full((32, 32, 4), 90, np.uint8))

    return add


Dropped = Callable[[LateFiles], Qt.DropAction]


@pytest.fixture
def dropping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Dropped], None]]:
    """Lets a drag be dropped at once, as another program does that asks for what it gets."""

    def drop(do: Dropped) -> None:
        monkeypatch.setattr(QDrag, "exec", lambda drag, _actions: do(drag.mimeData()))

    return drop


def files(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls()]


def select(window: MainWindow, *rows: int) -> None:
    view = window.history.view
    QApplication.processEvents()  # what was added is laid out
    for row in rows:
        modifier = Qt.KeyboardModifier.ControlModifier if row != rows[0] else Qt.KeyboardModifier.NoModifier
        spot = view.visualRect(window.history.model.index(row)).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, spot)


def pull(window: MainWindow, row: int) -> None:
    """Press on an item and move away, as one drags."""
    view = window.history.view
    QApplication.processEvents()  # what was added is laid out
    spot = view.visualRect(window.history.model.index(row)).center()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    button, held = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
    for step in (1, 2, 3):
        at = QPointF(spot + QPoint(0, -12 * step))
        moved = QMouseEvent(
            QEvent.Type.MouseMove, at, view.viewport().mapToGlobal(at), button, held, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(view.viewport(), moved)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=spot + QPoint(0, -40))


def calm(qtbot: Any, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.state.jobs.active(quiet=True), timeout=PATIENCE)


def test_a_picture_that_is_dragged_out_is_a_file_where_it_is_dropped(qtbot, window, add, dropping):
    window.show_room_of("image")
    item = add("a cat: tabby/black", 7)
    got: list[tuple[list[str], list[Path], bytes]] = []

    def drop(data: LateFiles) -> Qt.DropAction:
        got.append((data.formats(), files(data), files(data)[0].read_bytes()))
        return Qt.DropAction.CopyAction

    dropping(drop)
    pull(window, 0)
    [(formats, [path], content)] = got
    assert formats == ["text/uri-list"] and path.name == "a-cat-tabby-black-7.png"
    picture = np.asarray(Image.open(path))
    assert np.array_equal(picture, FakeField(0.3 * item.recipe.seed / 97).render(1024, 1024))
    pull(window, 0)  # it is there already, and is not written again
    assert got[1][1:] == ([path], content) and len(list(path.parent.iterdir())) == 1
    calm(qtbot, window)


def test_nothing_is_waited_for_before_it_is_dropped(qtbot, window, add, dropping, pictures, monkeypatch):
    window.show_room_of("image")
    add("a cat", 7)
    render, seen = FakeField.render, []

    def slow(field: FakeField, width: int, height: int, **rest: Any) -> np.ndarray:
        if width == 1024:
            QTest.qSleep(150)
        return render(field, width, height, **rest)

    monkeypatch.setattr(FakeField, "render", slow)

    def drop(data: LateFiles) -> Qt.DropAction:
        assert data.hasUrls() and not data.hasFormat("text/plain")
        assert any(isinstance(job.request, HandOverRequest) for job in window.state.jobs.active()), "begun, not done"
        timer = window.startTimer(5)
        monkeypatch.setattr(MainWindow, "timerEvent", lambda *_: seen.append(1), raising=False)
        assert files(data)[0].is_file()
        window.killTimer(timer)
        return Qt.DropAction.CopyAction

    dropping(drop)
    pull(window, 0)
    assert len(seen) > 3, "the window went on meanwhile"
    calm(qtbot, window)


def test_what_is_not_written_in_time_is_said_and_comes_the_next_time(qtbot, window, add, dropping, monkeypatch):
    window.show_room_of("image")
    add("a cat", 7)
    monkeypatch.setattr("studio.window.handing_over._PATIENCE", 1)
    window.engine.generate()
    window.engine.hold(True)
    got: list[list[Path]] = []

    def drop(data: LateFiles) -> Qt.DropAction:
        got.append(files(data))
        return Qt.DropAction.CopyAction

    dropping(drop)
    pull(window, 0)
    assert got == [[]] and "Not written yet: “a cat”" in window.state.notifications.list()[-1].text
    window.engine.hold(False)
    calm(qtbot, window)
    row = window.history.model.row_of(next(i for i in window.history.model.items() if i.recipe.prompt == "a cat"))
    pull(window, row)
    assert [path.name for path in got[1]] == ["a-cat-7.png"]


def test_several_of_two_rooms_go_together_each_as_its_kind(qtbot, window, add, dropping):
    window.show_room_of("image")
    window.history.model.show_all_rooms(True)
    add("a cat", 7)
    add("a chair", 3, MODEL)
    add("a cat", 7)
    got: list[Path] = []

    def drop(data: LateFiles) -> Qt.DropAction:
        got.extend(files(data))
        return Qt.DropAction.CopyAction

    dropping(drop)
    window.handing_over.drag(window.history.model.items())
    assert sorted(path.name for path in got) == ["a-cat-7-2.png", "a-cat-7.png", "a-chair-3.glb"]
    [mesh] = [path for path in got if path.suffix == ".glb"]
    magic, version, _ = struct.unpack("<4sII", mesh.read_bytes()[:12])
    assert (magic, version) == (b"glTF", 2)
    assert "meshes" in json.loads(mesh.read_bytes()[20 : 20 + struct.unpack("<I", mesh.read_bytes()[12:16])[0]])
    calm(qtbot, window)


def test_all_that_is_selected_is_dragged(qtbot, window, add, dropping):
    window.show_room_of("image")
    add("a cat", 7)
    add("a dog", 8)
    add("a cow", 9)
    select(window, 0, 2)
    got: list[Path] = []

    def drop(data: LateFiles) -> Qt.DropAction:
        got.extend(files(data))
        return Qt.DropAction.CopyAction

    dropping(drop)
    pull(window, 2)
    assert [path.name for path in got] == ["a-cow-9.png", "a-cat-7.png"]
    calm(qtbot, window)


def test_what_is_dropped_nowhere_is_written_no_longer(qtbot, window, add, dropping):
    window.show_room_of("image")
    add("a cat", 7)
    window.engine.generate()
    window.engine.hold(True)  # so that it waits
    dropping(lambda _data: Qt.DropAction.IgnoreAction)
    pull(window, 0)
    assert not any(isinstance(job.request, HandOverRequest) for job in window.state.jobs.active())
    window.engine.hold(False)
    calm(qtbot, window)


def test_the_windows_own_items_are_not_brought_in_again(qtbot, window, add, tmp_path):
    """Neither are they asked for, while they are over the window."""
    asked: list[int] = []
    data = LateFiles(lambda: asked.append(1) or [tmp_path / "a-cat.png"])

    class Enter(QDragEnterEvent):
        def source(self) -> object:
            return window.history.view

    class Drop(QDropEvent):
        def source(self) -> object:
            return window.history.view

    about = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entered, dropped = Enter(QPointF(300, 300), *about), Drop(QPointF(300, 300), *about)
    window.dragEnterEvent(entered)
    assert not entered.isAccepted() and not window.drop.isVisible()
    window.dropEvent(dropped)
    assert not dropped.isAccepted() and not asked and not window.state.jobs.active()
    assert not window.inspector.prompt.canInsertFromMimeData(data) and not asked


def test_an_item_without_its_model_is_not_handed_over(qtbot, window, add, dropping):
    window.show_room_of("image")
    add("a cat", 7)
    window.state.set_models([MODEL])
    calm(qtbot, window)
    dropping(lambda _data: pytest.fail("there is nothing to drag"))
    pull(window, 0)
    assert "cannot be handed over without its model" in window.status.currentMessage()


def test_a_failure_is_said_and_the_others_arrive(qtbot, window, add, dropping, monkeypatch):
    window.show_room_of("image")
    window.history.model.show_all_rooms(True)
    add("a cat", 7)
    add("a chair", 3, MODEL)

    def refuse(*_given: Any, **_named: Any) -> None:
        raise DataError("The disk is full.")

    monkeypatch.setattr(FakeShape, "export", refuse)
    got: list[Path] = []

    def drop(data: LateFiles) -> Qt.DropAction:
        got.extend(files(data))
        return Qt.DropAction.CopyAction

    dropping(drop)
    window.handing_over.drag(window.history.model.items())
    assert [path.name for path in got] == ["a-cat-7.png"]
    assert window.state.notifications.list()[-1].text == "The disk is full."
    calm(qtbot, window)


def test_ctrl_c_in_the_history_copies_files_which_go_with_the_window(qtbot, window, add, place):
    window.show_room_of("image")
    add("a cat", 7)
    add("a dog", 8)
    select(window, 0)
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("mine")
    assert not list(place.iterdir()), "nothing is made before it is needed"
    window.activateWindow()
    window.history.view.setFocus()
    qtbot.waitUntil(window.history.view.hasFocus, timeout=PATIENCE)
    with qtbot.waitSignal(clipboard.dataChanged, timeout=PATIENCE):
        qtbot.keyClick(window.history.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    [path] = files(clipboard.mimeData())
    assert path.name == "a-dog-8.png" and path.is_file() and clipboard.image().width() == 1024
    assert window.status.currentMessage() == "In the clipboard: “a dog” as a PNG of 1,024 pixels."
    select(window, 0, 1)
    with qtbot.waitSignal(clipboard.dataChanged, timeout=PATIENCE):
        window.actions_["copy_files"].trigger()
    both = files(clipboard.mimeData())
    assert [one.name for one in both] == ["a-dog-8.png", "a-cat-7.png"] and not clipboard.mimeData().hasImage()
    assert bytes(clipboard.mimeData().data("x-special/gnome-copied-files").data()).startswith(b"copy\nfile://")
    calm(qtbot, window)
    window.close()
    assert not list(place.iterdir()) and clipboard.text() == ""


def test_what_was_copied_meanwhile_stays_in_the_clipboard(qtbot, window, add):
    window.show_room_of("image")
    add("a cat", 7)
    select(window, 0)
    window.engine.generate()
    window.engine.hold(True)
    window.actions_["copy_files"].trigger()
    QGuiApplication.clipboard().setText("mine")
    QApplication.processEvents()
    window.engine.hold(False)
    calm(qtbot, window)
    assert QGuiApplication.clipboard().text() == "mine"


def test_the_tool_tip_says_what_another_program_gets(window):
    window.show_room_of("shape")
    assert "as a GLB of 128 samples a side" in window.actions_["copy_files"].toolTip()
    assert isinstance(window.handing_over, HandingOver)
