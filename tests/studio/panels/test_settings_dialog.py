from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QComboBox

from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.pipelines import PipelineCache
from studio.engine.trash import Trash
from studio.engine.work.machine import GpusFound, GpusRequest
from studio.library_folder import usual_folder
from studio.panels.settings_dialog import SettingsDialog
from studio.panels.shortcut_sheet import sections
from studio.panels.shortcuts_page import ShortcutsPage
from studio.rooms.images import facts as images
from studio.rooms.shapes import facts as shapes
from studio.rooms.video import facts as video
from studio.settings import Settings
from studio.state.memory import MemoryBudget
from tests.studio.pointing import turn_wheel

ROOMS = (shapes.FACTS, images.FACTS, video.FACTS)
PATIENCE = 60_000  # ms


@pytest.fixture
def engine(state) -> Iterator[Engine]:
    engine = Engine(state, PipelineCache(load=lambda _folder, _device: None))
    yield engine
    assert engine.shutdown()


@pytest.fixture
def trash(state) -> Iterator[Trash]:
    trash = Trash(state.library)
    yield trash
    assert trash.shutdown()


@pytest.fixture
def make_dialog(qtbot, engine, trash, actions, theme) -> Callable[[], SettingsDialog]:
    from studio.rooms.radiance import facts as radiance

    def make() -> SettingsDialog:
        rooms = (*ROOMS, radiance.FACTS)
        dialog = SettingsDialog(Settings(), usual_folder(), engine, trash, actions, theme, rooms, ROOMS[0].words)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


@pytest.fixture
def dialog(make_dialog, engine, qtbot) -> SettingsDialog:
    with qtbot.waitSignal(engine.answers(GpusFound), timeout=PATIENCE):
        return make_dialog()


@pytest.fixture
def page(dialog) -> ShortcutsPage:
    dialog.tabs.setCurrentIndex(1)
    return dialog.shortcuts


def press(qtbot, page: ShortcutsPage, key: Qt.Key, modifiers=Qt.KeyboardModifier.ControlModifier, which: int = 0):
    qtbot.keyClick(page.fields[which], key, modifiers)
    qtbot.waitUntil(lambda: not page.fields[which].keySequence().isEmpty())


def test_what_is_changed_is_kept_and_told_at_once(qtbot, dialog):
    told: list[str] = []
    dialog.changed.connect(told.append)
    dialog.theme.setCurrentIndex(dialog.theme.findData("light"))
    dialog.device.setCurrentIndex(dialog.device.findData("cpu"))
    dialog.threads.setValue(1)
    dialog.memory.setValue(1.5)
    dialog.text_size.setCurrentIndex(dialog.text_size.findData(150))
    assert told == ["theme", "device", "threads", "memory"]
    kept = Settings()
    assert (kept.theme, kept.device, kept.threads) == ("light", "cpu", 1)
    assert (kept.memory, kept.text_size) == (MemoryBudget(3 * 2**29), 150)


def test_cuda_is_offered_only_where_there_is_a_device(qtbot, make_dialog, engine, dialog):
    dialog._show_gpus(())
    assert dialog.device.findData("cuda") < 0
    engine.answers(GpusFound).emit(
        GpusFound(request=GpusRequest(job_id="", generation=0), names=("Some GPU", "Another"))
    )
    assert "Another" in dialog.device.itemText(dialog.device.findData("cuda:1"))
    assert "Some GPU" in dialog.device.itemText(dialog.device.findData("cuda"))
    dialog.device.setCurrentIndex(dialog.device.findData("cuda"))
    again = make_dialog()
    assert again.device.currentData() == "cuda" and "not there" in again.device.currentText()
    again._show_gpus(("Some GPU",))
    assert again.device.currentText() == "CUDA: Some GPU"


def test_a_library_folder_is_taken_from_the_next_start_on(dialog, tmp_path: Path):
    dialog.use_library(tmp_path)
    assert Settings().library == tmp_path and dialog.problem.isHidden()
    assert str(usual_folder()) in dialog.library_note.text().replace("\u200b", "")
    dialog.use_library(tmp_path / "gone")
    assert Settings().library == tmp_path and "is not there" in dialog.problem.text()
    dialog.usual.click()
    assert Settings().library is None and dialog.problem.isHidden() and not dialog.usual.isEnabled()


def test_pressed_keys_count_at_once_everywhere(qtbot, page, actions: Actions, dialog):
    words = ROOMS[0].words
    actions.enter(words)
    page.choose("export")
    press(qtbot, page, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: actions["export"].shortcut() == QKeySequence("Ctrl+J"))
    assert "Ctrl+J" in actions["export"].toolTip() and Settings().shortcuts == {"export": ["Ctrl+J"]}
    listed = dict(row for _, rows in sections(ROOMS[0], actions.keymap) for row in rows)
    assert listed["Export"] == ["Ctrl+J"]
    page.reset.click()
    assert actions["export"].shortcut() == QKeySequence("Ctrl+E") and Settings().shortcuts == {}


def test_keys_that_somebody_has_are_asked_about(qtbot, page, actions: Actions):
    page.choose("export")
    press(qtbot, page, Qt.Key.Key_R)
    qtbot.waitUntil(page.agree.isVisible)
    assert "Roll a new seed" in page.problem.text() and actions["export"].shortcut() == QKeySequence("Ctrl+E")
    page.leave.click()
    assert page.fields[0].keySequence() == QKeySequence("Ctrl+E") and not page.agree.isVisible()
    press(qtbot, page, Qt.Key.Key_R)
    qtbot.waitUntil(page.agree.isVisible)
    page.agree.click()
    assert actions["export"].shortcut() == QKeySequence("Ctrl+R") and actions["dice"].shortcuts() == []
    page.reset_all.click()
    page.agree.click()
    assert actions["dice"].shortcut() == QKeySequence("Ctrl+R") and Settings().shortcuts == {}


def test_an_action_can_do_without_keys(qtbot, page, actions: Actions):
    page.choose("export")
    page.removes[0].click()
    assert actions["export"].shortcuts() == [] and Settings().shortcuts == {"export": []}
    assert "(" not in actions["export"].toolTip()


def test_the_search_finds_actions_by_name_place_and_keys(page):
    def found(typed: str) -> list[str]:
        page.search.setText(typed)
        rows = [page.list.topLevelItem(place) for place in range(page.list.topLevelItemCount())]
        return [row.text(0) for row in rows if not row.isHidden()]

    assert found("ctrl+k") == ["Find an action"]
    assert "Wireframe" in found("shapes") and "Export" not in found("shapes")
    assert found("no such thing") == []
    assert len(found("")) == page.list.topLevelItemCount()


def test_the_trash_tells_what_is_in_it_and_gives_it_back(qtbot, dialog, state, add_item) -> None:
    qtbot.waitUntil(lambda: dialog.in_trash.text() == "Empty", timeout=PATIENCE)
    assert not dialog.empty_trash.isEnabled() and not dialog.bring_back.isEnabled()
    items = [add_item(seed=seed) for seed in range(2)]
    for item in items:
        state.library.delete(item)
    dialog.trash.measure()
    qtbot.waitUntil(lambda: dialog.in_trash.text().startswith("2 items, "), timeout=PATIENCE)
    with qtbot.waitSignal(dialog.empty_trash_asked):
        qtbot.mouseClick(dialog.empty_trash, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(dialog.bring_back, Qt.MouseButton.LeftButton)
    assert {item.id for item in state.library.items()} == {item.id for item in items}
    qtbot.waitUntil(lambda: dialog.in_trash.text() == "Empty", timeout=PATIENCE)


def test_how_long_the_trash_is_kept_is_remembered(dialog) -> None:
    assert dialog.trash_days.currentText() == "After 30 days"
    dialog.trash_days.setCurrentText("Only when the trash is emptied")
    assert Settings().trash_days == 0


def test_what_pictures_become_is_remembered(dialog) -> None:
    assert dialog.fidelity.currentText() == "Faithful" and "for each pixel" in dialog.fidelity_note.text()
    dialog.fidelity.setCurrentIndex(dialog.fidelity.findText("Small"))
    assert Settings().fidelity == "small" and "kilobytes" in dialog.fidelity_note.text()


def test_the_wheel_scrolls_the_page_and_changes_no_setting_by_the_way(qtbot, dialog) -> None:
    dialog.resize(dialog.minimumSizeHint())
    bar = dialog.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0, timeout=PATIENCE)
    for field in (dialog.trash_days, dialog.threads):
        before = field.currentIndex() if isinstance(field, QComboBox) else field.value()
        bar.setValue(bar.maximum())
        dialog.page.ensureWidgetVisible(field)
        place = bar.value()
        turn_wheel(field, 1)
        assert bar.value() < place
        assert (field.currentIndex() if isinstance(field, QComboBox) else field.value()) == before
