"""At text sizes that are no whole multiples a widget may begin between two pixels of the screen.

Qt reads the scale before the application exists, hence the process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from studio.theme.tokens import DARK
from studio.widgets.deep_zoom.viewer import DeepZoom

app = QApplication([])
window, viewer, asked_for = QWidget(), DeepZoom(DARK), []
layout = QVBoxLayout(window)
layout.setContentsMargins(81, 77, 0, 0)
layout.addWidget(viewer)
window.resize(501, 403)
viewer.show_navigator(False)
viewer.tiles_wanted.connect(asked_for.append)
window.show()
app.processEvents()
viewer.show_picture(np.full((256, 256, 4), 255, np.uint8))
viewer.zoom(6.6)
for _ in range(5):
    app.processEvents()
look, missing = viewer.look, asked_for[-1]
drawing = np.full((missing.side, missing.side, 3), 0, np.uint8)
rng = np.random.default_rng(0)
for left, top, width, height in missing.windows:
    pixels = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    drawing[top : top + height, left : left + width] = pixels[..., :3]
    viewer.add_tile("function", missing.side, (left, top, width, height), pixels)
image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
shown = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)[:, : 3 * image.width()]
shown = shown.reshape(image.height(), image.width(), 3)
left, top = (round(value * viewer.devicePixelRatioF()) for value in (viewer.x(), viewer.y()))
inside = slice(4, look.height - 4), slice(4, look.width - 4)
expected = drawing[look.top : look.top + look.height, look.left : look.left + look.width][inside]
matches = [
    np.array_equal(shown[top + dy : top + dy + look.height, left + dx : left + dx + look.width][inside], expected)
    for dx in (-1, 0, 1) for dy in (-1, 0, 1)
]
print(viewer.devicePixelRatioF(), any(matches))
"""


@pytest.mark.parametrize("scale", ["1.25", "1.5", "1.75", "2.0"])
def test_a_tile_is_shown_pixel_for_pixel_at_every_text_size(scale: str) -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale}
    run = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [scale, "True"]
