"""What other windows have covered is painted again, on a display without a compositor too."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QWidget

from studio.window import MainWindow

pytestmark = pytest.mark.gl
PATIENCE = 10_000  # ms
CARET = 0.002
"""The share of the pixels that may change by itself: the blinking cursor, the figures of the status bar."""


def on_screen(window: MainWindow) -> np.ndarray:
    """What the display shows where the window is: (h, w, 3)."""
    place = window.geometry()
    shot = window.screen().grabWindow(0, place.x(), place.y(), place.width(), place.height())
    image = shot.toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """The share of the pixels that differ."""
    return float((before != after).any(axis=-1).mean())


def test_nothing_stays_of_a_window_that_lay_over_this_one(qtbot, window: MainWindow):
    qtbot.waitUntil(lambda: len(np.unique(on_screen(window))) > 100, timeout=PATIENCE)
    before = on_screen(window)
    place: QRect = window.geometry().adjusted(40, 20, -40, -20)
    for cover in (QDialog(window), QWidget()):
        qtbot.addWidget(cover)
        cover.setStyleSheet("background: #ff00ff")
        cover.setGeometry(place)
        cover.show()
        qtbot.waitUntil(lambda: changed(before, on_screen(window)) > 0.5, timeout=PATIENCE)
        cover.close()
        qtbot.waitUntil(lambda: changed(before, on_screen(window)) < CARET, timeout=PATIENCE)


def test_the_window_is_the_only_native_one_in_every_room(window: MainWindow):
    for place in range(window.rooms.count()):
        window.show_room(place)
        native = [part for part in window.findChildren(QWidget) if part.internalWinId() and not part.isWindow()]
        assert native == [], place
