"""Which tags some items have, and which they get."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

from studio.panels.tags_dialog import TagsDialog

KNOWN = ("attic", "Chairs", "kitchen")


@pytest.fixture
def make_dialog(qtbot, theme):
    def make(*tags: tuple[str, ...], known: tuple[str, ...] = KNOWN) -> TagsDialog:
        dialog = TagsDialog("3 shapes", tags, known)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


def shown(dialog: TagsDialog) -> dict[str, Qt.CheckState]:
    rows = [dialog.list.item(place) for place in range(dialog.list.count())]
    return {row.text(): row.checkState() for row in rows if not row.isHidden()}


def click(qtbot, dialog: TagsDialog, name: str, *, on_box: bool) -> None:
    [row] = dialog.list.findItems(name, Qt.MatchFlag.MatchExactly)
    place = dialog.list.visualItemRect(row)
    at = QPoint(place.left() + 14, place.center().y()) if on_box else place.center()
    qtbot.mouseClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_what_all_have_is_ticked_and_what_some_have_stays_so(make_dialog):
    dialog = make_dialog(("kitchen", "chairs"), ("kitchen",))
    assert shown(dialog) == {
        "attic": Qt.CheckState.Unchecked,
        "Chairs": Qt.CheckState.PartiallyChecked,
        "kitchen": Qt.CheckState.Checked,
    }
    dialog._finish()
    assert dialog.added() == [] and dialog.removed() == []


@pytest.mark.parametrize("on_box", [True, False])
def test_a_click_ticks_and_another_one_takes_away(qtbot, make_dialog, on_box: bool):
    dialog = make_dialog(("kitchen", "Chairs"), ("kitchen",))
    for name in ("attic", "Chairs", "kitchen"):
        click(qtbot, dialog, name, on_box=on_box)
    assert dialog.added() == ["attic", "Chairs"] and dialog.removed() == ["kitchen"]
    click(qtbot, dialog, "Chairs", on_box=on_box)
    assert dialog.added() == ["attic"] and dialog.removed() == ["Chairs", "kitchen"]


def test_what_is_typed_narrows_the_list_and_enter_ticks_it(qtbot, make_dialog):
    dialog = make_dialog((), ())
    qtbot.keyClicks(dialog.typed, "#chai")
    assert list(shown(dialog)) == ["Chairs"]
    dialog.typed.insert("RS, for Größe")
    qtbot.keyClick(dialog.typed, Qt.Key.Key_Return)
    assert dialog.isVisible() and dialog.typed.text() == ""
    assert list(shown(dialog)) == ["for Größe", "attic", "Chairs", "kitchen"]
    assert dialog.added() == ["for Größe", "Chairs"]
    click(qtbot, dialog, "for Größe", on_box=False)
    assert dialog.added() == ["Chairs"] and dialog.removed() == []  # none had it
    qtbot.keyClicks(dialog.typed, "lamps")
    dialog._finish()
    assert dialog.added() == ["lamps", "Chairs"]


def test_the_keyboard_leads_into_the_list_and_ticks(qtbot, make_dialog):
    dialog = make_dialog((), known=("attic", "beds"))
    qtbot.keyClicks(dialog.typed, "be")
    qtbot.keyClick(dialog.typed, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Space)
    assert dialog.added() == ["beds"] and dialog.removed() == []


def test_long_names_and_many_of_them_make_no_dialog_larger(make_dialog):
    few, many = (
        make_dialog((), known=("a",)),
        make_dialog((), known=tuple(f"{number} {40 * 'W'}" for number in range(300))),
    )
    assert many.size() == few.size()
