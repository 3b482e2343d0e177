from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QScrollArea, QVBoxLayout

from studio.widgets.basics import label
from studio.widgets.dialog import Dialog, fit_to


def make_dialog(qtbot, rows: int, *, with_fields: bool = True) -> Dialog:
    dialog = Dialog()
    qtbot.addWidget(dialog)
    layout = QVBoxLayout(dialog)
    for _ in range(rows):
        part = QLineEdit() if with_fields else QLabel("text")
        part.setFixedHeight(40)
        layout.addWidget(part)
    layout.addWidget(QPushButton("Close"))
    dialog.setFixedWidth(480)
    dialog.adjustSize()
    return dialog


def test_a_dialog_that_fits_stays_as_it_is(qtbot):
    dialog = make_dialog(qtbot, 3)
    before = dialog.size()
    fit_to(dialog, QSize(640, 400))
    assert dialog.size() == before and dialog.findChild(QScrollArea) is None


@pytest.mark.parametrize("room", [QSize(640, 400), QSize(300, 400), QSize(300, 2000)], ids=str)
def test_a_dialog_that_does_not_fit_scrolls_and_is_reached_to_its_end(qtbot, room):
    dialog = make_dialog(qtbot, 20)
    fit_to(dialog, room)
    dialog.show()
    assert dialog.width() <= room.width() and dialog.height() <= room.height()
    area = dialog.findChild(QScrollArea)
    last = dialog.findChild(QPushButton)
    area.ensureWidgetVisible(last)
    assert not last.visibleRegion().isEmpty()
    assert area.focusPolicy() == Qt.FocusPolicy.NoFocus  # the fields take the keys


def test_a_text_that_wraps_leaves_the_rest_its_room(qtbot):
    dialog = Dialog()
    qtbot.addWidget(dialog)
    layout = QVBoxLayout(dialog)
    layout.addWidget(label("A long text about the pictures below. " * 4, wrap=True))
    boxes = [QLabel("picture") for _ in range(3)]
    for box in boxes:
        box.setFixedSize(320, 120)
        layout.addWidget(box)
    dialog.show()
    assert all(above.geometry().bottom() < below.geometry().top() for above, below in pairwise(boxes))


def test_text_alone_is_scrolled_by_the_keys(qtbot):
    dialog = make_dialog(qtbot, 20, with_fields=False)
    dialog.findChild(QPushButton).deleteLater()
    dialog.findChild(QPushButton).setFocusPolicy(Qt.FocusPolicy.NoFocus)
    fit_to(dialog, QSize(640, 300))
    dialog.show()
    area = dialog.findChild(QScrollArea)
    qtbot.keyClick(area, Qt.Key.Key_PageDown)
    assert area.verticalScrollBar().value() > 0
