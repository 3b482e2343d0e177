from __future__ import annotations

from collections import Counter
from dataclasses import replace

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel

from studio.actions import ACTIONS
from studio.panels.about import AboutDialog
from studio.panels.models import ModelsRoom
from studio.panels.shortcut_sheet import ShortcutSheet, sections
from tests.studio.window.fakes import MODEL


def test_ids_and_shortcuts_are_unique():
    assert max(Counter(spec.id for spec in ACTIONS).values()) == 1
    keys = Counter(QKeySequence(keys).toString() for spec in ACTIONS for keys in spec.shortcuts)
    assert [key for key, count in keys.items() if count > 1 or not key] == []


def test_menus_come_from_the_actions(actions):
    actions.fill_menus()
    window = actions.parent()
    texts = {
        entry.text()
        for menu in window.menuBar().actions()
        for entry in menu.menu().actions()
        if not entry.isSeparator()
    }
    assert {spec.text for spec in ACTIONS if spec.menu and "/" not in spec.menu} <= texts


def test_the_sheet_lists_every_shortcut(qtbot, theme):
    listed = {text for _, rows in sections() for text, _ in rows}
    assert {spec.text.rstrip("…") for spec in ACTIONS if spec.shortcuts} <= listed
    sheet = ShortcutSheet()
    qtbot.addWidget(sheet)
    sheet.show()
    assert sheet.height() < 700 and sheet.width() < 1200


def test_about_names_whose_work_it_is(qtbot, theme):
    about = AboutDialog(theme)
    qtbot.addWidget(about)
    text = " ".join(child.text() for child in about.findChildren(QLabel))
    for word in ("CC BY 3.0", "MiniLM", "LGPL", "MIT licence"):
        assert word in text


def test_models_room_offers_what_is_installed(qtbot, state, theme, tmp_path):
    other = replace(MODEL, name="other")
    state.set_models([MODEL, other])
    room = ModelsRoom(state, tmp_path, theme)
    qtbot.addWidget(room)
    used: list[str] = []
    room.used.connect(lambda name: (used.append(name), state.update_form(model=name)))
    assert not room._buttons[MODEL.name].isEnabled()
    room._buttons["other"].click()
    assert used == ["other"] and room._buttons[MODEL.name].isEnabled() and not room._buttons["other"].isEnabled()
    state.set_models([])
    assert room._buttons == {}
