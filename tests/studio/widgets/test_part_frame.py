"""The outline of a part lies where the part is seen."""

import numpy as np
import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.theme.theme import Theme
from studio.widgets.camera_widget import CameraWidget
from studio.widgets.canvas import Canvas
from studio.widgets.deep_zoom.viewer import DeepZoom
from studio.widgets.orbit_camera import View
from studio.widgets.part_frame import PartFrame
from studio.widgets.radiance_view import RadianceView

ALL = (-1.0, 1.0)


@pytest.fixture
def picture(qtbot: QtBot, theme: Theme) -> DeepZoom:
    zoom = DeepZoom(theme.colours)
    qtbot.addWidget(zoom)
    zoom.resize(400, 300)
    zoom.show()
    zoom.show_picture(np.full((64, 64, 4), 128, np.uint8))
    return zoom


def _marked(widget: QWidget, colour: str) -> np.ndarray:
    """Rows and columns of the pixels that are about of a colour."""
    image, wanted = widget.grab().toImage(), np.array(QColor(colour).getRgb()[:3])
    seen = np.array(
        [[image.pixelColor(x, y).getRgb()[:3] for x in range(image.width())] for y in range(image.height())]
    )
    return np.argwhere(np.abs(seen - wanted).sum(axis=2) < 120)


def test_a_part_of_a_picture_is_outlined_where_it_is(picture: DeepZoom, theme: Theme) -> None:
    frame = PartFrame(picture, theme)
    frame.outline((ALL, (-1.0, 0.0)))
    picture.clearFocus()
    rows, columns = _marked(picture, theme.colours.accent).T
    look = picture.look
    assert look is not None
    left, top = look.place(-1, -1)
    right, middle = look.place(1, 0)
    assert (columns.min(), columns.max()) == pytest.approx((left, right), abs=2)
    assert (rows.min(), rows.max()) == pytest.approx((top, middle), abs=2)
    frame.outline(None)
    assert len(_marked(picture, theme.colours.accent)) == 0


def test_the_outline_follows_the_zoom_and_the_size(picture: DeepZoom, theme: Theme) -> None:
    frame = PartFrame(picture, theme)
    frame.outline((ALL, (-1.0, 0.0)))
    picture.zoom(0.5)
    picture.resize(300, 500)
    assert frame.size() == picture.size()
    first, last = picture.on_screen(np.array([[-1, -1], [1, 1]]))
    assert first is not None and last is not None and picture.look is not None
    assert last.x() - first.x() == pytest.approx(picture.look.side)


def test_both_projections_of_space_agree(qtbot: QtBot, theme: Theme) -> None:
    """The shape's picture is drawn by OpenGL's matrices, that of a radiance field by rays."""
    view = RadianceView(theme.colours)
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show_picture(np.zeros((30, 40, 4), np.uint8))
    view.set_view(View(azimuth=35, elevation=20, distance=3.0))
    corners = np.array([[x, y, z] for x in (-0.9, 0.9) for y in (-0.9, 0.9) for z in (-0.9, 0.9)])
    for one, other in zip(CameraWidget.on_screen(view, corners), view.on_screen(corners), strict=True):
        assert one is not None and other is not None
        assert (one.x(), one.y()) == pytest.approx((other.x(), other.y()), abs=1.0)
    assert CameraWidget.on_screen(view, view.view.position()[None] * 1.5) == [None]


def test_where_nothing_is_known_of_places_nothing_is_outlined(qtbot: QtBot, theme: Theme) -> None:
    canvas = Canvas(theme.colours)
    qtbot.addWidget(canvas)
    canvas.resize(60, 40)
    PartFrame(canvas, theme).outline((ALL, ALL, (0.0, 1.0)))
    assert canvas.grab().toImage() == canvas.grab().toImage()
    assert len(_marked(canvas, theme.colours.accent)) == 0
