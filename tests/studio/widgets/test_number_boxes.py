from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.widgets.basics import SliderField, decimal_box, figure_box
from studio.widgets.number_boxes import DecimalBox, WholeBox


def typed(qtbot: QtBot, box: WholeBox | DecimalBox, keys: str) -> str:
    """What stands in a box after typing over it, and before leaving it."""
    qtbot.addWidget(box)
    box.show()
    box.lineEdit().selectAll()
    QTest.keyClicks(box, keys)
    return box.text()


@pytest.mark.parametrize(
    ("keys", "while_typing", "value"),
    [
        ("5000", "5000 px", 4096),
        ("1234567", "1234567 px", 4096),
        ("1,000", "1,000 px", 1000),
        ("4000", "4000 px", 4000),
        ("3", "3 px", 16),
    ],
)
def test_whole_numbers_beyond_the_range_are_corrected_when_one_has_finished(
    qtbot: QtBot, keys: str, while_typing: str, value: int
) -> None:
    box = figure_box("Size", 16, 4096, 512, " px")
    assert typed(qtbot, box, keys) == while_typing
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == value and box.text() == f"{value:,} px"


@pytest.mark.parametrize(
    ("keys", "while_typing", "value"), [("300", "300 s", 30.0), ("31.25", "31.25 s", 30.0), ("0.1", "0.1 s", 0.5)]
)
def test_decimals_beyond_the_range_are_corrected_when_one_has_finished(
    qtbot: QtBot, keys: str, while_typing: str, value: float
) -> None:
    box = decimal_box("Seconds", 0.5, 30, 2, " s")
    assert typed(qtbot, box, keys) == while_typing
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == value and box.text() == f"{value:.2f} s"


def test_beside_a_slider_it_is_corrected_too(qtbot: QtBot) -> None:
    field = SliderField("Steps", 1, 1000, slider_high=100)
    qtbot.addWidget(field)
    changes: list[float] = []
    field.changed.connect(changes.append)
    assert typed(qtbot, field.box, "25000") == "25000"
    field.box.clearFocus()
    QTest.keyClick(field.box, Qt.Key.Key_Return)
    assert field.value() == 1000 and changes == [1000]


def test_what_is_no_number_cannot_be_typed(qtbot: QtBot) -> None:
    box = figure_box("Quality", 1, 100, 50)
    assert typed(qtbot, box, "1x2") == "12"
