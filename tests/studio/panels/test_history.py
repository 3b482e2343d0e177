from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor
from PySide6.QtTest import QAbstractItemModelTester

from studio.panels.history import HistoryPanel


@pytest.fixture
def make_history(qtbot, state, actions, theme):
    def make() -> HistoryPanel:
        panel = HistoryPanel(state, actions, theme)
        qtbot.addWidget(panel)
        panel.resize(700, 148)
        panel.show()
        return panel

    return make


def test_empty_history_says_what_it_is_for(make_history):
    panel = make_history()
    assert panel.view.isHidden() and panel._empty.isVisible() and not panel._all.isVisible()


def test_newest_first_and_changes_are_followed(make_history, state, add_item):
    first = add_item("a chair", 1)
    panel = make_history()
    tester = QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    second = add_item("a sofa", 2)
    assert [panel.model.item(row).recipe.seed for row in range(2)] == [2, 1]
    state.library.star(first)
    assert panel.model.item(1).starred
    state.library.delete(second)
    assert panel.model.rowCount() == 1
    state.library.restore(second)
    assert [panel.model.item(row).recipe.seed for row in range(2)] == [2, 1]
    panel.bar.starred.setChecked(True)
    assert [panel.model.item(row).recipe.seed for row in range(panel.model.rowCount())] == [1]
    del tester


def test_tool_tip_tells_the_whole_prompt_and_how_it_was_made(make_history, add_item):
    add_item("a chair\nwith armrests " + 20 * "and more legs ", 31)
    panel = make_history()
    tip = panel.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "a chair with armrests" in tip and tip.count("legs") == 20
    assert max(map(len, tip.splitlines())) <= 72 and "Seed 31" in tip and "furniture" in tip and "20 steps" in tip


def test_arrow_keys_choose(qtbot, make_history, state, add_item):
    items = [add_item(seed=seed) for seed in range(3)]
    panel = make_history()
    chosen: list[int] = []
    panel.chosen.connect(lambda item: (chosen.append(item.recipe.seed), state.show(item)))
    state.show(items[2])
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    panel.step(-1)
    assert chosen == [1, 0, 1]


def test_thousands_of_items_are_listed_at_once(make_history, state, add_item):
    item = add_item()
    panel = make_history()
    panel.model._items = [item] * 5000
    began = time.perf_counter()
    panel.model.layoutChanged.emit()
    panel.grab()
    assert time.perf_counter() - began < 2.0
    panel.model.reload()


def listed(panel: HistoryPanel) -> list[int]:
    return [panel.model.item(row).recipe.seed for row in range(panel.model.rowCount())]


def test_typing_narrows_the_list_and_an_empty_answer_says_so(qtbot, make_history, state, add_item):
    for seed, prompt in enumerate(("a round table", "a tall bookcase", "a round chair")):
        add_item(prompt, seed)
    panel = make_history()
    qtbot.keyClicks(panel.bar.search, "roud")
    assert listed(panel) == [2, 0] and panel.bar._count.text() == "2 of 3"
    add_item("a round stool", 3)
    add_item("a lamp", 4)
    assert listed(panel) == [3, 2, 0] and panel.bar._count.text() == "3 of 5"
    qtbot.keyClicks(panel.bar.search, " zebra")
    assert listed(panel) == [] and panel.view.isHidden() and "roud zebra" in panel._empty.text()
    qtbot.mouseClick(panel._all, Qt.MouseButton.LeftButton)
    assert listed(panel) == [4, 3, 2, 1, 0] and not panel._all.isVisible()
    assert panel.focusWidget() is panel.view


@pytest.mark.parametrize("as_grid", [False, True])
def test_what_is_found_is_seen_from_its_begin(qtbot, make_history, state, actions, add_item, as_grid: bool):
    items = [add_item("a chair" if seed % 3 else "a lamp", seed) for seed in range(90)]
    panel = make_history()
    actions["history_grid"].setChecked(as_grid)
    bar = panel.view.verticalScrollBar() if as_grid else panel.view.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    state.show(items[1])
    qtbot.waitUntil(lambda: bar.value() > 0)
    qtbot.keyClicks(panel.bar.search, "chair")
    qtbot.waitUntil(lambda: panel.view.visualRect(panel.model.index(0)).isValid())
    assert bar.value() == 0 and panel.view.viewport().rect().contains(
        panel.view.visualRect(panel.model.index(0)).center()
    )
    assert panel.view.currentIndex().data(Qt.ItemDataRole.UserRole) == items[1]
    bar.setValue(bar.maximum())
    state.library.star(items[1])
    panel.bar.starred.setChecked(True)
    panel.bar.starred.setChecked(False)
    assert bar.value() == 0


def test_the_search_is_left_by_the_keyboard(qtbot, make_history, add_item):
    add_item("a chair", 1)
    add_item("a sofa", 2)
    panel = make_history()
    chosen = []
    panel.chosen.connect(lambda item: chosen.append(item.recipe.seed))
    panel.activateWindow()
    panel.bar.focus_search()
    qtbot.keyClicks(panel.bar.search, "chair")
    qtbot.keyClick(panel.bar.search, Qt.Key.Key_Return)
    assert chosen == [1] and listed(panel) == [1]
    qtbot.keyClick(panel.bar.search, Qt.Key.Key_Escape)
    assert panel.bar.search.text() == "" and listed(panel) == [2, 1]


def test_the_filter_offers_the_models_and_all_rooms(make_history, state, add_item):
    state.add_room("shape")
    state.add_room("image")
    state.enter("shape")
    add_item("a chair", 1)
    add_item("a sofa", 2, model="another & other")
    add_item("a face", 3, domain="image", model="faces")
    panel = make_history()
    assert listed(panel) == [2, 1]
    panel.bar.menu.aboutToShow.emit()
    choices = {action.text(): action for action in panel.bar.menu.actions()}
    assert list(choices) == ["Of all rooms", "Made by", "Any model", "another && other", "furniture"]
    choices["another && other"].trigger()
    assert listed(panel) == [2]
    state.enter("image")
    assert listed(panel) == [3]  # no model of one room is asked for in another
    panel.model.show_all_rooms(True)
    assert listed(panel) == [3, 2, 1]
    state.enter("shape")
    assert listed(panel) == [3, 2, 1]


def test_the_filter_offers_the_tags_and_what_becomes_of_them(qtbot, make_history, state, add_item):
    items = [add_item("a chair", seed) for seed in range(3)]
    state.library.tag({items[0].id: ["kitchen & bath"], items[1].id: ["kitchen & bath", "attic"]})
    panel = make_history()

    def choices() -> dict[str, QAction]:
        panel.bar.menu.aboutToShow.emit()
        offered = {action.text(): action for action in panel.bar.menu.actions()}
        inside = [action.menu() for action in panel.bar.menu.actions() if action.menu() is not None]
        return offered | {f"/{action.text()}": action for menu in inside for action in menu.actions()}

    offered = choices()
    assert (
        list(offered)[-4:] == ["Any tag", "/Any tag", "/attic", "/kitchen && bath"]
        and "Rename this tag…" not in offered
    )
    offered["/kitchen && bath"].trigger()
    assert listed(panel) == [1, 0] and "tagged “kitchen & bath”" in panel.bar.filter.toolTip()
    offered = choices()
    assert offered["/kitchen && bath"].isChecked() and not offered["/Any tag"].isChecked()
    for name, signal in (
        ("Rename this tag…", panel.bar.tag_renamed),
        ("Remove this tag from all items", panel.bar.tag_removed),
    ):
        with qtbot.waitSignal(signal) as asked:
            offered[name].trigger()
        assert asked.args == ["kitchen & bath"]
    state.library.tag({item.id: () for item in items})
    assert listed(panel) == [1, 0]  # what is changed does not vanish under the pointer
    assert "/kitchen && bath" in choices()  # what is asked for can be seen, though nothing has it
    panel.bar.show_all()
    assert listed(panel) == [2, 1, 0] and "Any tag" not in choices()


def test_many_that_change_at_once_are_shown_at_once(qtbot, make_history, state, add_item):
    items = [add_item("a chair", seed) for seed in range(9)]
    panel = make_history()
    shown = []
    panel.model.dataChanged.connect(lambda first, last, _roles: shown.append((first.row(), last.row())))
    state.library.tag({item.id: ["kitchen"] for item in items[1:7]})
    assert shown == [(2, 7)]
    assert [item.tags for item in panel.model.items()] == [(), (), *[("kitchen",)] * 6, ()]


def test_the_search_finds_tags_as_they_come(qtbot, make_history, state, add_item):
    item = add_item("a chair", 1)
    add_item("a lamp", 2)
    panel = make_history()
    qtbot.keyClicks(panel.bar.search, "#attic")
    assert listed(panel) == []
    state.library.tag({item.id: ["Attic"]})
    panel.model.set_filter(typed="#attic")
    assert listed(panel) == [1]
    tip = panel.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "\nTags: Attic\n" in tip


def test_only_what_was_painted_has_its_thumbnail_read(qtbot, make_history, add_item):
    for seed in range(40):
        add_item(seed=seed)
    panel = make_history()
    panel.grab()
    qtbot.waitUntil(lambda: not panel.model._wanted)
    assert 0 < len(panel.model._pixmaps) < 20
    panel.view.scrollToBottom()
    panel.grab()
    last = panel.model.index(39)
    qtbot.waitUntil(lambda: not last.data(Qt.ItemDataRole.DecorationRole).isNull())


def test_a_thumbnail_that_comes_while_another_room_is_shown_is_seen_on_return(qtbot, make_history, state, add_item):
    item = add_item()
    for domain in ("shape", "image"):
        state.add_room(domain)
    state.enter("shape")
    panel = make_history()

    def colour() -> QColor:
        pixmap = panel.model.index(0).data(Qt.ItemDataRole.DecorationRole)
        return pixmap.toImage().pixelColor(5, 5) if not pixmap.isNull() else QColor()

    qtbot.waitUntil(lambda: colour().isValid())
    state.enter("image")
    fitted = state.library.save_fit(item, item.recipe, np.full((32, 32, 4), 255, np.uint8), b"fit")
    state.library.adopt_fit(fitted)
    state.enter("shape")
    qtbot.waitUntil(lambda: colour() == QColor("white"))


def test_a_grid_has_many_rows_and_goes_up_and_down(qtbot, make_history, state, actions, add_item):
    items = [add_item(seed=seed) for seed in range(12)]
    panel = make_history()
    panel.resize(700, 500)
    actions["history_grid"].setChecked(True)
    panel.chosen.connect(state.show)
    state.show(items[-1])
    qtbot.waitUntil(lambda: panel.view.height() > 300)
    assert len({panel.view.visualRect(panel.model.index(row)).top() for row in range(12)}) > 1
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    below = state.shown
    assert below not in (items[-1], items[-2])
    actions["history_grid"].setChecked(False)
    qtbot.waitUntil(lambda: panel.view.height() < 300)
    assert len({panel.view.visualRect(panel.model.index(row)).top() for row in range(12)}) == 1
    assert state.shown == below and panel.model.item(panel.view.currentIndex().row()) == below
