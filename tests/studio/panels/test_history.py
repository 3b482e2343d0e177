from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
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
    assert panel.view.isHidden() and not panel._empty.isHidden()


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
    panel.starred.setChecked(True)
    assert [panel.model.item(row).recipe.seed for row in range(panel.model.rowCount())] == [1]
    del tester


def test_tool_tip_names_prompt_and_seed(make_history, add_item):
    add_item("a chair\nwith armrests", 31)
    panel = make_history()
    tip = panel.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "a chair with armrests" in tip and "31" in tip


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
