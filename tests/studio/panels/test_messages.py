from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from studio.panels.messages import MessagesDialog
from studio.panels.status import StatusBar
from studio.state.notifications import Action


@pytest.fixture
def dialog(qtbot, state, theme):
    dialog = MessagesDialog(state.notifications, theme)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def texts(dialog: MessagesDialog) -> list[str]:
    return [text for one in dialog.findChildren(QLabel) if (text := one.text()) and ":" not in text]


def buttons(dialog: MessagesDialog) -> dict[str, QPushButton]:
    return {one.text(): one for one in dialog.findChildren(QPushButton)}


def test_what_has_gone_can_be_read_copied_and_acted_on(qtbot, dialog, state):
    assert texts(dialog) == ["Nothing was said yet."]
    done: list[str] = []
    state.notifications.info("Deleted.", action=Action("Undo", lambda: done.append("undone")))
    state.notifications.dismiss(state.notifications.error("It failed.", details="the trace"))
    qtbot.waitUntil(lambda: texts(dialog) == ["It failed.", "Deleted."], timeout=5000)
    buttons(dialog)["Undo"].click()
    buttons(dialog)["Copy details"].click()
    assert done == ["undone"] and "the trace" in QApplication.clipboard().text()
    assert state.notifications.unread == 0, "it is open, so they are read"


def test_the_status_bar_counts_what_is_new_and_opens_the_list(qtbot, state, actions):
    status = StatusBar(state, actions)
    qtbot.addWidget(status)
    state.notifications.info("Saved.")
    assert status.messages.text() == "Messages"
    state.notifications.error("It failed.")
    assert status.messages.text() == "Messages (1)"
    with qtbot.waitSignal(actions["messages"].triggered):
        status.messages.click()
    state.notifications.mark_read()
    assert status.messages.text() == "Messages"
    status.say("Saved a\nfile.")
    assert status.currentMessage() == "Saved a file."
