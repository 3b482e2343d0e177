"""The palette: found by typing, chosen by the arrows, done by Enter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from studio.actions import Actions
from studio.panels.palette import Entry, Palette
from studio.rooms.shapes import facts as shapes


@pytest.fixture
def gone_to() -> list[str]:
    return []


@pytest.fixture
def palette(qtbot, actions: Actions, gone_to: list[str]) -> Palette:
    actions.enter(shapes.FACTS.words)
    actions["export"].setEnabled(False)
    rooms = [
        Entry("Shapes", "Room", "shape furniture", do=lambda: gone_to.append("Shapes"), state="shown"),
        Entry("Images", "Room", "picture", do=lambda: gone_to.append("Images")),
    ]
    palette = Palette(actions, shapes.FACTS.words, rooms)
    palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(palette)
    return palette


def texts(palette: Palette) -> list[str]:
    return [entry.text for entry in palette.entries()]


def test_it_offers_the_rooms_and_what_can_be_done_here(palette: Palette):
    offered = texts(palette)
    assert offered[:2] == ["Shapes", "Images"]
    assert {"Wireframe", "Top view", "About DDMI Studio"} <= set(offered)
    assert not set(offered) & {"Export", "One to one", "Find an action"}  # disabled, of another room, itself


def test_words_in_any_order_find_an_action_and_enter_does_it(qtbot, palette: Palette, actions: Actions):
    qtbot.keyClicks(palette.search, "wire disp")
    assert texts(palette) == ["Wireframe"]
    with qtbot.waitSignal(actions["wireframe"].toggled):
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert not palette.isVisible()


@pytest.mark.parametrize(
    ("typed", "text"), [("preferences", "Settings"), ("manual", "Guide"), ("wirefraem", "Wireframe"), ("hotk", None)]
)
def test_other_names_and_slips_find_it_too(qtbot, palette: Palette, typed: str, text: str | None):
    qtbot.keyClicks(palette.search, typed)
    assert texts(palette)[0] == (text or "Keyboard shortcuts")


def test_a_room_is_gone_to(qtbot, palette: Palette, gone_to: list[str]):
    qtbot.keyClicks(palette.search, "pictu")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: gone_to == ["Images"])


def test_the_arrows_move_within_what_was_found(qtbot, palette: Palette):
    qtbot.keyClicks(palette.search, "view")
    first = palette.chosen()
    qtbot.keyClick(palette.search, Qt.Key.Key_Up)
    assert palette.chosen() == first
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    assert palette.chosen() != first
    qtbot.keyClick(palette.search, Qt.Key.Key_PageDown)
    qtbot.keyClick(palette.search, Qt.Key.Key_PageDown)
    assert palette.rows.currentRow() == palette.rows.count() - 1


@pytest.fixture
def window(qtbot) -> Callable[[int], QWidget]:
    def make(height: int) -> QWidget:
        window = QWidget()
        qtbot.addWidget(window)
        window.resize(1000, height)
        window.show()
        return window

    return make


@pytest.mark.gl  # a popup needs a real display
@pytest.mark.parametrize("height", [420, 700])
def test_it_keeps_its_size_whatever_is_typed(qtbot, palette: Palette, window: Callable[[int], QWidget], height: int):
    palette.open_over(window(height))
    sizes = {palette.size()}
    for key in (*"make coffee", *(Qt.Key.Key_Backspace,) * 11, *"wire"):
        qtbot.keyClick(palette.search, key)
        qtbot.wait(1)
        sizes.add(palette.size())
    assert len(sizes) == 1 and palette.height() < height
    palette.close()


def test_what_is_not_there_is_said(qtbot, palette: Palette):
    assert palette.nothing.isHidden() and not palette.rows.isHidden()
    qtbot.keyClicks(palette.search, "make coffee")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert palette.rows.isHidden() and not palette.nothing.isHidden()
