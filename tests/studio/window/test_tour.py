from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QWidget

from studio import app
from studio.widgets.spotlight import Spotlight
from studio.window import MainWindow
from studio.window.tour import STOPS, Tour
from tests.studio.window.test_window import PATIENCE, calm, make_shape

pytestmark = pytest.mark.gl


def press(qtbot, tour: Tour, key: Qt.Key) -> None:
    assert tour.bubble is not None
    qtbot.keyClick(tour.bubble.next, key)
    QApplication.processEvents()


def go_to(qtbot, tour: Tour, title: str) -> None:
    tour.start()
    while STOPS[tour.place].title != title:
        press(qtbot, tour, Qt.Key.Key_Right)


def lit(window: MainWindow) -> QRect:
    """What is lit, in the window's coordinates."""
    (spotlight,) = window.findChildren(Spotlight)
    return spotlight.lit


def place_of(window: MainWindow, part: QWidget) -> QRect:
    return QRect(part.mapTo(window, QPoint()), part.size())


def test_nothing_of_it_is_there_unless_asked_for(window: MainWindow):
    assert window.tour.card is None and window.tour.bubble is None
    assert not window.findChildren(Spotlight) and window.settings.tour == ""


def test_it_goes_through_all_stops_and_is_remembered(qtbot, window: MainWindow):
    tour = window.tour
    window.actions_["tour"].trigger()
    rooms = []
    for place, stop in enumerate(STOPS):
        assert tour.place == place and tour.bubble is not None and tour.bubble.isVisible()
        assert tour.bubble.title.text() == stop.title
        assert not {"{", "["} & set(tour.bubble.text.text())
        assert stop.title in tour.bubble.accessibleName()
        assert not lit(window).isEmpty() and window.rect().contains(lit(window)), stop.title
        assert place_of(window, window.rooms).contains(tour.bubble.geometry()), stop.title
        rooms.append(window.rooms.currentWidget())
        press(qtbot, tour, Qt.Key.Key_Return)
    assert window.runs in rooms and window.rooms.currentWidget() is window.stage
    assert tour.place == -1 and tour.bubble.isHidden() and window.settings.tour == "done"
    assert not any(light.isVisible() for light in window.findChildren(Spotlight))
    assert window.inspector.prompt.hasFocus() or not window.isActiveWindow()


def test_the_keys_go_through_it_and_leave_it(qtbot, window: MainWindow):
    tour = window.tour
    tour.start()
    press(qtbot, tour, Qt.Key.Key_Left)
    assert tour.place == 0
    press(qtbot, tour, Qt.Key.Key_Right)
    press(qtbot, tour, Qt.Key.Key_Right)
    press(qtbot, tour, Qt.Key.Key_Left)
    assert tour.place == 1
    bubble = tour.bubble
    passed = []
    for _ in range(4):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        passed.append(window.focusWidget())
    assert passed == [bubble.skip, bubble.back, bubble.next, bubble.skip]
    press(qtbot, tour, Qt.Key.Key_Escape)
    assert tour.place == -1 and window.settings.tour == "skipped"


def test_the_window_stays_usable_meanwhile(qtbot, window: MainWindow):
    tour = window.tour
    go_to(qtbot, tour, "Generate it")
    for part in (window.inspector.generate, window.inspector.prompt, window.history):
        assert not isinstance(window.childAt(place_of(window, part).center()), Spotlight)
    window.inspector.prompt.setFocus()
    qtbot.keyClicks(window.inspector.prompt, "a chair")
    assert window.state.form.prompt == "a chair"
    qtbot.keyClick(window.inspector.prompt, Qt.Key.Key_Escape)
    assert tour.place == -1


def test_it_follows_the_window_and_the_rooms(qtbot, window: MainWindow):
    tour = window.tour
    go_to(qtbot, tour, "Look closely")
    assert "orbit" in tour.bubble.text.text()
    window.resize(1000, 620)
    qtbot.waitUntil(lambda: place_of(window, window.rooms).contains(tour.bubble.geometry()), timeout=PATIENCE)
    assert lit(window).contains(place_of(window, window.stage)) and window.rect().contains(lit(window))
    window.show_room_of("image")
    qtbot.waitUntil(lambda: "picture" in tour.bubble.text.text(), timeout=PATIENCE)
    assert window.childAt(tour.bubble.geometry().center()) in (tour.bubble, *tour.bubble.findChildren(QWidget))
    window.show_room(len(window.stages) + 1)  # the models: what it speaks of is not there
    qtbot.waitUntil(lambda: lit(window).isEmpty(), timeout=PATIENCE)
    press(qtbot, tour, Qt.Key.Key_Right)
    assert window.rooms.currentWidget() is window.stage and not lit(window).isEmpty()


def test_hidden_parts_are_shown_while_it_lasts(qtbot, window: MainWindow):
    window.actions_["inspector"].setChecked(False)
    window.tour.start()
    assert window.inspector.isVisible()
    press(qtbot, window.tour, Qt.Key.Key_Escape)
    assert not window.inspector.isVisible() and window.history.isVisible()


def test_the_newest_item_comes_to_an_empty_stage_and_the_form_stays(qtbot, make_window: Callable[[], MainWindow]):
    make_shape(qtbot, first := make_window())
    first.close()
    window = make_window()
    window.state.update_form(prompt="a bench")
    go_to(qtbot, window.tour, "Look closely")
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert window.stage.empty.isHidden() and window.state.form.prompt == "a bench"


def test_the_offer_is_quiet_and_answered_once(qtbot, make_window: Callable[[], MainWindow]):
    window = make_window()
    window.tour.offer()
    card = window.tour.card
    assert card is not None and card.isVisible() and window.rooms.rect().contains(card.geometry())
    assert window.inspector.prompt.hasFocus() or not window.isActiveWindow()
    assert not card.geometry().intersects(window.stage.empty.geometry().translated(window.stage.viewer.pos()))
    window.show_training()
    assert not card.isVisible()
    window.show_stage()
    make_shape(qtbot, window)
    assert not card.isVisible()
    window.actions_["delete"].trigger()
    assert card.isVisible()
    card.skipped.click()
    assert not card.isVisible() and window.settings.tour == "skipped"
    window.close()
    again = make_window()
    again.tour.offer()
    assert again.tour.card is None


def test_the_offer_begins_it(window: MainWindow):
    window.tour.offer()
    window.tour.card.taken.click()
    assert window.tour.place == 0 and not window.tour.card.isVisible()


def test_a_picture_of_the_window_is_taken_without_it(window: MainWindow, tmp_path: Path):
    photographer = app._begin(window, app._parse(["--screenshot", str(tmp_path / "studio.png")]))
    photographer._timer.stop()
    assert window.tour.card is None
    assert app._begin(window, app._parse(["--prompt", "a chair"])) is None
    assert window.tour.card is not None and window.state.form.prompt == "a chair"


def test_messages_and_the_tour_do_not_cover_each_other(qtbot, window: MainWindow):
    window.tour.offer()
    window.show_room_of("shape")
    window.resize(window.minimumSize())
    window.state.notifications.info("Saved.")

    def apart(part: QWidget) -> bool:
        said = window.toasts
        return said.isVisible() and not place_of(window, said).intersects(place_of(window, part))

    assert window.tour.card is not None and window.tour.card.isVisible()
    qtbot.waitUntil(lambda: apart(window.tour.card), timeout=PATIENCE)
    window.tour.start()
    for _ in STOPS[1:]:
        assert window.tour.bubble is not None
        qtbot.waitUntil(lambda: apart(window.tour.bubble), timeout=PATIENCE)
        press(qtbot, window.tour, Qt.Key.Key_Right)
