from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton

from ddmi_core.evaluation.known_reports import KnownReport
from ddmi_core.model_folder import Base
from ddmi_core.rendering.picture_layout import SHEET_COLUMNS, contact_sheet
from ddmi_core.support.paths import assets
from studio.keymap import Keymap
from studio.panels.about import AboutDialog
from studio.panels.model_card import ModelCard
from studio.panels.models import ModelsRoom
from studio.panels.shortcut_sheet import ShortcutSheet, sections
from studio.rooms import actions_of
from studio.rooms.images import facts as images
from studio.rooms.shapes import facts as shapes
from studio.rooms.video import facts as video
from studio.theme.tokens import GRID
from tests.studio.window.fakes import MODEL, PICTURES

ACTIONS = actions_of()
KEYMAP = Keymap(ACTIONS)

FACTS = (shapes.FACTS, images.FACTS, video.FACTS)
ROOMS = tuple(facts.words for facts in FACTS)


@pytest.mark.parametrize("words", ROOMS, ids=lambda words: words.domain)
def test_ids_and_shortcuts_are_unique_in_each_room(words):
    assert max(Counter(spec.id for spec in ACTIONS).values()) == 1
    keys = Counter(QKeySequence(keys).toString() for spec in KEYMAP.specs_in(words.domain) for keys in spec.shortcuts)
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


def test_a_room_offers_what_is_its_own_in_its_words(actions):
    for words in ROOMS:
        actions.enter(words)
        for spec in ACTIONS:
            offered = spec.room in ("", words.domain)
            assert actions[spec.id].isVisible() is offered
            assert actions[spec.id].isEnabled() is offered  # or its shortcut would be taken
        assert actions["newer"].text() == f"Newer {words.noun}"
        assert "{" not in actions["export"].toolTip() and words.written_as in actions["export"].toolTip()


def test_the_menus_of_a_room_are_there_while_one_is_in_it(actions):
    actions.fill_menus()
    actions.enter(video.FACTS.words)

    def menus() -> list[str]:
        return [entry.text() for entry in actions.parent().menuBar().actions() if entry.isVisible()]

    in_room = menus()
    actions.go_on_stage(False)
    assert set(in_room) - set(menus()) == {"View", "Playback"} and "Generate" in menus()
    assert not actions["slices"].isVisible() and actions["generate"].isVisible()
    actions.enter(shapes.FACTS.words)
    assert not actions["wireframe"].isVisible()
    actions.go_on_stage(True)
    assert actions["wireframe"].isVisible() and "View" in menus() and "Playback" not in menus()


@pytest.mark.parametrize("room", FACTS, ids=lambda room: room.title)
def test_the_sheet_lists_every_shortcut_of_the_room(qtbot, theme, room):
    words = room.words
    listed = {text for _, rows in sections(room, KEYMAP) for text, _ in rows}
    expected = {words.put_into(spec.text).rstrip("…") for spec in KEYMAP.specs_in(words.domain) if spec.shortcuts}
    assert expected <= listed
    sheet = ShortcutSheet(room, KEYMAP)
    qtbot.addWidget(sheet)
    sheet.show()
    room = sheet.screen().availableGeometry()
    assert sheet.height() <= room.height() and sheet.width() <= room.width()


def test_about_names_whose_work_it_is(qtbot, theme):
    about = AboutDialog(theme)
    qtbot.addWidget(about)
    text = " ".join(child.text() for child in about.findChildren(QLabel))
    for word in ("CC BY 3.0", "MiniLM", "LGPL", "MIT licence"):
        assert word in text


def test_models_room_offers_what_is_installed(qtbot, state, theme, tmp_path, model_folders):
    other = replace(MODEL, name="other")
    state.set_models([MODEL, other])
    room = ModelsRoom(state, model_folders, tmp_path, {"shape": "thing in space"}, theme)
    qtbot.addWidget(room)
    used: list[str] = []
    room.used.connect(lambda model: (used.append(model.name), state.use_model(model)))
    assert not room._buttons[MODEL].isEnabled()
    room._buttons[other].click()
    assert used == ["other"] and room._buttons[MODEL].isEnabled() and not room._buttons[other].isEnabled()
    state.set_models([])
    assert room._buttons == {}


def test_the_models_of_one_room_are_listed_alone(qtbot, state, theme, tmp_path, model_folders):
    state.set_models([MODEL, PICTURES])
    titles = {"shape": "Shapes", "image": "Images", "video": "Video"}
    room = ModelsRoom(state, model_folders, tmp_path, {}, theme, titles)
    qtbot.addWidget(room)
    buttons = {button.text(): button for button in room.findChildren(QToolButton)}
    assert room.domain == "" and list(room._buttons) == [MODEL, PICTURES]
    buttons["Images"].click()
    assert room.domain == "image" and list(room._buttons) == [PICTURES]
    state.set_models([PICTURES, MODEL])
    assert list(room._buttons) == [PICTURES]
    room.domain = "video"

    def texts() -> str:
        return " ".join(child.text() for child in room.findChildren(QLabel) if not child.isHidden())

    assert not room._buttons and "No model of the room Video is installed" in texts()
    room.domain = "of a room that is gone"
    assert room.domain == "video"
    buttons["All"].click()
    assert list(room._buttons) == [PICTURES, MODEL]


def test_what_was_measured_of_a_model_is_on_its_card(qtbot, state, theme, tmp_path, model_folders):
    state.set_models([MODEL, PICTURES])
    room = ModelsRoom(state, model_folders, tmp_path, {}, theme)
    qtbot.addWidget(room)
    page = tmp_path / "report.html"
    report = KnownReport(MODEL.hash, page, "/data/chairs", 1200, "2026-01-02 10:00", ("IoU <b>0.9", "1-NNA-CD 0.52"))
    model_folders.reports_ready.emit({MODEL.hash: report})
    links = [button for button in room.findChildren(QPushButton) if button.text() == "Report"]
    (link,) = (button for button in links if not button.parent().isHidden())
    (figures,) = (one.text() for one in link.parent().findChildren(QLabel))
    assert figures == "Measured on chairs with 1,200 samples, 2026-01-02  ·  IoU <b>0.9  ·  1-NNA-CD 0.52"
    with qtbot.waitSignal(room.report_asked) as asked:
        link.click()
    assert asked.args == [page]
    model_folders.reports_ready.emit({})
    assert link.parent().isHidden()


def test_a_model_of_changes_says_which_one_it_goes_with(qtbot, state, theme, tmp_path, model_folders):
    mine = replace(MODEL, name="mine", hash="mine", base=Base("before it was renamed", MODEL.hash))
    room = ModelsRoom(state, model_folders, tmp_path, {"shape": "thing in space"}, theme)
    qtbot.addWidget(room)

    def texts() -> str:
        return " ".join(child.text() for child in room.findChildren(QLabel) if not child.parent().isHidden())

    state.set_models([MODEL, mine])
    assert "changes to furniture" in texts() and room._buttons[mine].isEnabled()
    state.set_models([replace(MODEL, hash="other"), mine])
    assert f"before it was renamed that it goes with (hash {MODEL.hash}) is not here" in texts()
    assert not room._buttons[mine].isEnabled()


def test_models_of_the_persons_own_can_be_renamed_and_deleted(qtbot, state, theme, tmp_path, model_folders):
    shipped = replace(MODEL, folder=assets() / "models" / "furniture", hash="shipped")
    own = replace(MODEL, name="mine", folder=tmp_path / "mine", origin="Imported from elsewhere")
    own.folder.mkdir()
    pictures = [np.full((160, 160, 3), 40 + 40 * number, np.uint8) for number in range(4)]
    Image.fromarray(contact_sheet(pictures, SHEET_COLUMNS)).save(own.folder / "preview.png")
    (own.folder / "README.md").write_text("# Mine\n\nTrained on chairs.")
    state.set_models([shipped, own])
    room = ModelsRoom(state, model_folders, tmp_path, {"shape": "thing in space"}, theme)
    qtbot.addWidget(room)
    buttons = {button.accessibleName(): button for button in room.findChildren(QPushButton)}
    texts = " ".join(child.text() for child in room.findChildren(QLabel))
    assert "Thing in space model" in texts and own.hash in texts and "Imported from elsewhere" in texts
    assert not buttons["Rename, furniture"].isEnabled() and not buttons["Delete, furniture"].isEnabled()
    preview = room._previews[own.folder]
    qtbot.waitUntil(lambda: not preview.pixmap().isNull())
    shown = preview.pixmap().toImage()
    assert (shown.width(), shown.height()) == (preview.width(), preview.height())  # nothing of it is cut off
    near, far = shown.width() // 4, shown.width() * 3 // 4
    greys = [shown.pixelColor(x, y).red() for y in (near, far) for x in (near, far)]
    assert greys == [40, 80, 120, 160]
    for name, signal in (("Rename, mine", room.rename_asked), ("Delete, mine", room.delete_asked)):
        with qtbot.waitSignal(signal) as asked:
            buttons[name].click()
        assert asked.args == [own]
    with qtbot.waitSignal(model_folders.card_ready) as read:
        buttons["Card, mine"].click()
    card = ModelCard(*read.args, theme, state.notifications)
    card.show()
    assert "Trained on chairs." in card.text.toPlainText()
    card.close()


def test_a_card_opens_at_its_licence(qtbot, theme, state):
    text = "# Mine\n\n## Data\n\n" + "A chair.\n\n" * 60 + "## Licence\n\nMIT\n\n## Training\n\n" + "A step.\n\n" * 60
    card = ModelCard(MODEL, text, theme, state.notifications)
    qtbot.addWidget(card)
    card.open_at_licence()
    assert card.text.cursorForPosition(QPoint(GRID, 3 * GRID)).block().text() in ("Licence", "MIT")
