"""The palette: found by typing, chosen by the arrows, done by Enter."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from studio.actions import Actions
from studio.panels import shapes
from studio.panels.palette import Palette


@pytest.fixture
def palette(qtbot, actions: Actions) -> Palette:
    actions.enter(shapes.FACTS.words)
    actions["export"].setEnabled(False)
    palette = Palette(actions, shapes.FACTS.words)
    palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(palette)
    return palette


def chosen(palette: Palette) -> str:
    return palette.rows.currentItem().data(Qt.ItemDataRole.UserRole).objectName()


def test_it_offers_what_can_be_done_in_the_room(palette: Palette):
    ids = {palette.rows.item(i).data(Qt.ItemDataRole.UserRole).objectName() for i in range(palette.rows.count())}
    assert {"wireframe", "view_top", "about"} <= ids
    assert not ids & {"export", "one_to_one", "palette"}  # disabled, of another room, itself


def test_words_in_any_order_find_an_action_and_enter_does_it(qtbot, palette: Palette, actions: Actions):
    qtbot.keyClicks(palette.search, "wire disp")
    assert palette.rows.count() == 1 and chosen(palette) == "wireframe"
    with qtbot.waitSignal(actions["wireframe"].toggled):
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert not palette.isVisible()


def test_the_arrows_move_within_what_was_found(qtbot, palette: Palette):
    qtbot.keyClicks(palette.search, "view")
    first = chosen(palette)
    qtbot.keyClick(palette.search, Qt.Key.Key_Up)
    assert chosen(palette) == first
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    assert chosen(palette) != first
    qtbot.keyClick(palette.search, Qt.Key.Key_PageDown)
    qtbot.keyClick(palette.search, Qt.Key.Key_PageDown)
    assert palette.rows.currentRow() == palette.rows.count() - 1


def test_what_is_not_there_is_said(qtbot, palette: Palette):
    qtbot.keyClicks(palette.search, "make coffee")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert palette.rows.isHidden() and not palette.nothing.isHidden()
