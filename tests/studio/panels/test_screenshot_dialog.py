from __future__ import annotations

from studio.rooms.shapes.screenshot_dialog import MAX_WIDTH, ScreenshotChoice, ScreenshotDialog


def test_it_begins_as_the_view_is_says_the_size_and_keeps_the_background_as_last_time(qtbot):
    dialog = ScreenshotDialog(900, lambda width: width // 2, ScreenshotChoice(transparent=True))
    qtbot.addWidget(dialog)
    assert dialog.width_box.value() == 900 and "900 × 450 px" in dialog.size_note.text()
    assert dialog.choice() == ScreenshotChoice(transparent=True)
    dialog.width_box.setValue(10 * MAX_WIDTH)
    dialog.transparent.setChecked(False)
    assert "8,192 × 4,096 px" in dialog.size_note.text() and dialog.choice() == ScreenshotChoice()
