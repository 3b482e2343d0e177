"""On the keyboards that people have, no key means two things, and a widget gets the keys that it has a use for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QMenuBar, QWidget

from studio.rooms import actions_of
from studio.window import MainWindow
from tests.studio.keyboards import LAYOUTS, Press, normal, presses
from tests.studio.window.test_accessibility import dialogs, items, opened

ACTIONS = actions_of()

__all__ = ["items", "opened"]

pytestmark = pytest.mark.gl

Bound = list[tuple[str, str, QWidget]]
"""Key sequences: who has each, the sequence, and the widget below which it counts."""


def bound(window: QWidget) -> Bound:
    """The sequences that count in a window as it is now, those of what is invisible left out."""
    found: Bound = []
    inside = [window, *(part for part in window.findChildren(QWidget) if part.window() is window)]
    for part in inside:
        if isinstance(part, QMenuBar | QMenu):
            continue
        for action in part.actions():
            if action.isVisible():
                found += _of_action(action, part, window)
    for shortcut in window.findChildren(QShortcut):
        place = shortcut.parent()
        if isinstance(place, QWidget) and place.window() is window:
            everywhere = shortcut.context() == Qt.ShortcutContext.WindowShortcut
            sequences = shortcut.keys()
            found += [("a QShortcut", _text(keys), window if everywhere else place) for keys in sequences]
    return list(dict.fromkeys(found))


def _of_action(action: QAction, part: QWidget, window: QWidget) -> Bound:
    everywhere = action.shortcutContext() == Qt.ShortcutContext.WindowShortcut
    return [(action.objectName(), _text(keys), window if everywhere else part) for keys in action.shortcuts()]


def _text(keys: QKeySequence) -> str:
    return keys.toString(QKeySequence.SequenceFormat.PortableText)


def meant(press: Press, focused: QWidget, all_bound: Bound) -> list[str]:
    """What a key may mean while a widget has the focus. More than one is what Qt calls ambiguous: it does neither."""
    return [
        f"{who} ({sequence})"
        for who, sequence, place in all_bound
        if sequence in press.sequences and (place is focused or place.isAncestorOf(focused))
    ]


def clashes(window: QWidget, layout: str) -> list[str]:
    """The keys that mean two things somewhere in a window."""
    all_bound = bound(window)
    places = {place for _, _, place in all_bound}
    return [
        f"{press}: {' or '.join(meanings)}"
        for press in presses(layout)
        for place in places
        if len(meanings := meant(press, place, all_bound)) > 1
    ]


def with_keys(window: QWidget) -> Iterator[QWidget]:
    """The widgets of ours that do something with keys by themselves."""
    for part in window.findChildren(QWidget):
        if part.window() is window and part.isVisibleTo(window):
            ours = [kind for kind in type(part).__mro__ if kind.__module__.startswith("studio.")]
            if any("keyPressEvent" in vars(kind) for kind in ours):
                yield part


def uses(widget: QWidget, press: Press) -> bool:
    """Whether a widget itself has a use for a key."""
    event = QKeyEvent(QEvent.Type.KeyPress, press.key, press.modifiers)
    widget.keyPressEvent(event)
    return event.isAccepted()


def keeps(widget: QWidget, press: Press) -> bool:
    """Whether a key is kept from the shortcuts while a widget has the focus."""
    event = QKeyEvent(QEvent.Type.ShortcutOverride, press.key, press.modifiers)
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


@pytest.fixture
def everything(window: MainWindow, items: dict) -> MainWindow:
    """The window with all its parts shown."""
    for name in ("look_pane", "sequence", "fly", "navigator", "slices"):
        window.actions_[name].setChecked(True)
    window.stage_of("video").sequence.show()  # it comes with the first clip
    return window


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_key_means_two_things_in_any_room(everything: MainWindow, layout: str):
    window = everything
    found: dict[int, list[str]] = {}
    heard_of: set[str] = set()
    for room in range(window.rooms.count()):
        window.show_room(room)
        heard_of |= {who for who, _, _ in bound(window)}
        found[room] = clashes(window, layout)
    assert {room: keys for room, keys in found.items() if keys} == {}
    assert heard_of >= {spec.id for spec in ACTIONS if spec.shortcuts}, "actions that no room has"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_key_means_two_things_in_any_dialog(
    qtbot, window: MainWindow, items: dict, tmp_path: Path, opened: list[QDialog], layout: str
):
    window.help.show_guide()
    assert window.help.guide is not None
    found = {"guide": clashes(window.help.guide, layout)}
    for which, make in dialogs(window, items, tmp_path).items():
        dialog = make()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        opened.append(dialog)
        found[which] = clashes(dialog, layout)
    qtbot.waitUntil(lambda: not window.state.jobs.active(quiet=True), timeout=20_000)
    assert {which: keys for which, keys in found.items() if keys} == {}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_shortcut_can_be_pressed(layout: str):
    can = {sequence for press in presses(layout) for sequence in press.sequences}
    unreachable = {
        spec.id for spec in ACTIONS if spec.shortcuts and not any(normal(keys) in can for keys in spec.shortcuts)
    }
    assert unreachable == set()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_widget_gets_the_keys_that_it_has_a_use_for(everything: MainWindow, layout: str):
    window = everything
    seen: set[str] = set()
    lost: set[str] = set()
    for room in range(window.rooms.count()):
        window.show_room(room)
        all_bound = bound(window)
        for widget in with_keys(window):
            used = [press for press in presses(layout) if uses(widget, press)]
            if used:
                seen.add(type(widget).__name__)
            lost |= set(_taken(widget, used, all_bound))
    assert lost == set()
    assert {"Timeline", "SequenceTrack", "RadianceView"} <= seen


def _taken(widget: QWidget, used: Iterable[Press], all_bound: Bound) -> Iterator[str]:
    """The keys that a shortcut takes from a widget which has a use for them."""
    for press in used:
        meanings = meant(press, widget, all_bound)
        if meanings and not keeps(widget, press):
            yield f"{type(widget).__name__}, {press}: {' or '.join(meanings)}"
