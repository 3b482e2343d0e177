"""A ruler over a canvas."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage

from studio.state.lengths import Lengths
from studio.state.ruler import Ruler
from studio.theme.theme import Theme
from studio.theme.tokens import DARK, Colours
from studio.widgets.canvas import Canvas
from studio.widgets.ruler import RulerOverlay
from tests.studio.gl.test_viewport import drag, pixels

HALF = 200  # px


class Plain(Canvas):
    """Nothing but coordinates, from -1 to 1; there is nothing beyond 0.9."""

    def __init__(self) -> None:
        super().__init__(DARK)
        self.resize(2 * HALF, 2 * HALF)
        self.heard: list[str] = []

    def set_colours(self, colours: Colours) -> None:
        self._colours = colours

    def screenshot(self) -> QImage:
        image = QImage(self.size(), QImage.Format.Format_RGB32)
        image.fill(QColor("black"))
        return image

    def on_screen(self, points: Float[np.ndarray, "n d"]) -> list[QPointF | None]:
        return [QPointF((x + 1) * HALF, (y + 1) * HALF) for x, y, *_ in points.tolist()]

    def point_at(self, place: QPointF) -> tuple[float, ...] | None:
        found = place.x() / HALF - 1, place.y() / HALF - 1
        return found if max(map(abs, found)) < 0.9 else None

    def mousePressEvent(self, event: object) -> None:
        self.heard.append("press")

    def mouseMoveEvent(self, event: object) -> None:
        self.heard.append("move")

    def mouseDoubleClickEvent(self, event: object) -> None:
        self.heard.append("double click")


@pytest.fixture
def canvas(qtbot) -> Plain:
    canvas = Plain()
    qtbot.addWidget(canvas)
    canvas.show()
    return canvas


@pytest.fixture
def overlay(canvas: Plain, theme: Theme) -> RulerOverlay:
    return RulerOverlay(canvas, theme)


def test_clicks_pick_and_drags_do_not(qtbot, canvas: Plain, overlay: RulerOverlay):
    picked: list[tuple[float, ...]] = []
    overlay.picked.connect(picked.append)
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(canvas, left, pos=QPoint(100, 300))
    assert not picked, "it is off"
    overlay.picks = True
    assert canvas.cursor().shape() == Qt.CursorShape.CrossCursor
    canvas.heard.clear()
    qtbot.mouseClick(canvas, left, pos=QPoint(100, 300))
    assert picked == [(-0.5, 0.5)] and canvas.heard == ["press"]
    qtbot.mouseDClick(canvas, left, pos=QPoint(100, 300))
    qtbot.mouseRelease(canvas, left, pos=QPoint(100, 300))
    assert len(picked) == 2 and "double click" not in canvas.heard, "it is the second click of two"
    canvas.heard.clear()
    drag(qtbot, canvas, left)
    assert len(picked) == 2 and "move" in canvas.heard
    qtbot.mouseClick(canvas, Qt.MouseButton.RightButton, pos=QPoint(100, 300))
    qtbot.mouseClick(canvas, left, pos=QPoint(2, 2))
    assert len(picked) == 2, "there is nothing"
    overlay.picks = False
    assert canvas.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_it_is_drawn_where_its_ends_are_and_so_it_is_on_pictures(canvas: Plain, overlay: RulerOverlay):
    plain = pixels(canvas.screenshot())
    assert not overlay.isVisible()
    overlay.show_ruler(Ruler(((-0.5, 0.0), (0.5, 0.0))), Lengths.of(2.0))
    assert overlay.isVisible()
    drawn = pixels(overlay.painted_on(canvas.screenshot()))
    star = np.array(QColor(DARK.star).getRgb()[:3])
    assert np.abs(drawn[HALF, HALF // 2 + 4 : 3 * HALF // 2 - 4] - star).max() < 80, "the line"
    rows, columns = np.nonzero(np.abs(drawn - plain).max(axis=2) > 10)
    assert HALF - 60 < rows.min() < HALF < rows.max() < HALF + 60
    assert columns.min() > HALF // 2 - 12 and columns.max() < 3 * HALF // 2 + 12
    ticks = drawn[HALF - 3, HALF // 2 : 3 * HALF // 2, 0] > star[0] / 3
    assert np.diff(ticks.astype(int)).clip(0).sum() > 8
    overlay.show_ruler(Ruler(((-0.5, 0.0),)), Lengths.of(2.0))
    one = pixels(overlay.painted_on(canvas.screenshot()))
    assert np.abs(one[HALF, HALF // 2] - star).max() < 30 and not one[HALF, HALF:].any()
    overlay.show_ruler(Ruler(), Lengths.of(2.0))
    assert not overlay.isVisible()
    np.testing.assert_array_equal(pixels(overlay.painted_on(canvas.screenshot())), plain)


@pytest.mark.parametrize("ends", [((0.1, 0.1), (0.1, 0.1)), ((0.0, -0.8), (0.0, 0.8)), ((-3e5, 0.3), (3e5, 0.2))])
def test_a_ruler_of_any_size_and_direction_can_be_drawn(canvas: Plain, overlay: RulerOverlay, ends):
    overlay.show_ruler(Ruler(ends), Lengths.of(2.0))
    assert pixels(overlay.painted_on(canvas.screenshot())).any()
