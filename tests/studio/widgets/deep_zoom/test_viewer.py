from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from studio.theme.tokens import DARK, LIGHT
from studio.widgets.deep_zoom.images import to_image
from studio.widgets.deep_zoom.tiles import TILE
from studio.widgets.deep_zoom.viewer import DeepZoom, MissingTiles, Pointed
from tests.studio.pointing import point_at
from tests.studio.window.fakes import FakeField

FIELD = FakeField(0.1)


class Drawn:
    """A viewer whose questions a field answers at once, and a record of what was asked."""

    def __init__(self, viewer: DeepZoom) -> None:
        self.viewer = viewer
        self.asked_for: list[MissingTiles] = []
        self.answers = True
        viewer.tiles_wanted.connect(self._draw)

    def _draw(self, missing: MissingTiles) -> None:
        self.asked_for.append(missing)
        if self.answers and missing.windows:
            self.viewer.set_coarse(
                missing.coarse_side,
                missing.coarse,
                FIELD.render(missing.coarse_side, missing.coarse_side, window=missing.coarse),
            )
            for window in missing.windows:
                tile = FIELD.render(missing.side, missing.side, window=window)
                self.viewer.add_tile("function", missing.side, window, tile)


@pytest.fixture
def viewer(qtbot) -> DeepZoom:
    viewer = DeepZoom(DARK)
    qtbot.addWidget(viewer)
    viewer.resize(640, 400)
    viewer.show()
    qtbot.waitExposed(viewer)
    return viewer


@pytest.fixture
def drawn(viewer) -> Drawn:
    drawn = Drawn(viewer)
    viewer.show_picture(FIELD.render(256, 256))
    settle()
    return drawn


def settle() -> None:
    for _ in range(3):
        QApplication.processEvents()


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int16)


def test_large_pixels_have_a_grid_right_of_the_bar(drawn, viewer):
    def lines(picture: np.ndarray) -> list[int]:
        """Columns that differ from both of their neighbours."""
        differs = np.abs(np.diff(picture[190], axis=0)).sum(axis=1) > 10
        return (np.flatnonzero(differs[1:] & differs[:-1]) + 1).tolist()

    viewer.zoom(20 * 256 / viewer.look.side)
    viewer.compare("nearest")
    settle()
    assert lines(pixels(viewer.screenshot())[:, 330:]) == []
    viewer.zoom(2)
    viewer.centre(0.0, 0.0)  # a corner of four pixels
    settle()
    assert viewer.look.side == 40 * 256
    picture = pixels(viewer.screenshot())
    assert lines(picture[:, 330:]) == [column - 330 for column in range(360, 640, 40)]
    viewer.compare("off")
    alone = pixels(viewer.screenshot())
    np.testing.assert_array_equal(alone[40:, :310], picture[40:, :310])  # the function has no pixels


def test_the_mosaic_is_one_drawing_at_the_screens_own_pixels(drawn, viewer):
    for zoom in (1.0, 6.0, 8.0):
        viewer.zoom(zoom)
        settle()
        assert viewer.is_sharp()
        look = viewer.look
        left, top, width, height = look.window
        truth = FIELD.render(look.side, look.side, window=look.window)
        shown = pixels(viewer.screenshot())[top - look.top : top - look.top + height][
            :, left - look.left : left - look.left + width
        ]
        opaque = truth[..., 3] == 255
        assert opaque.mean() > 0.2
        assert np.array_equal(shown[opaque], truth[opaque][:, :3])


def test_before_the_tiles_come_something_like_the_picture_is_there(drawn, viewer):
    drawn.answers = False
    viewer.zoom(3.0)
    settle()
    assert not viewer.is_sharp()
    look = viewer.look
    truth = FIELD.render(look.side, look.side, window=look.window)[..., 0].astype(int)
    shown = pixels(viewer.screenshot())[..., 0]
    assert np.abs(shown - truth).mean() < 30


def test_nothing_is_asked_for_twice(drawn, viewer):
    asked = len(drawn.asked_for)
    viewer.pan(0.001, 0)
    viewer.pan(-0.001, 0)
    settle()
    assert all(not missing.windows for missing in drawn.asked_for[asked:])
    drawn.answers = False
    viewer.zoom(4)
    settle()
    asked = len(drawn.asked_for)
    viewer.pan(0.01, 0)
    settle()
    assert len(drawn.asked_for) == asked  # the same tiles are under way


def test_the_wheel_zooms_around_the_pointer_and_its_tiles_come_first(drawn, viewer):
    place = QPointF(500, 100)
    before = viewer.look.coordinates(500, 100)
    for _ in range(8):
        event = QWheelEvent(
            place,
            QPointF(viewer.mapToGlobal(place.toPoint())),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(viewer, event)
    settle()
    assert viewer.look.place(*before) == pytest.approx((500, 100), abs=8)
    left, top, width, height = drawn.asked_for[-1].windows[0]
    assert left <= viewer.look.left + 500 < left + width and top <= viewer.look.top + 100 < top + height


def test_dragging_pans_and_a_double_click_shows_all(qtbot, drawn, viewer):
    viewer.zoom(4)
    before = viewer.look
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    point_at(viewer, QPoint(260, 230))
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=QPoint(260, 230))
    assert (viewer.look.left, viewer.look.top) == (before.left + 40, before.top - 30)
    qtbot.mouseDClick(viewer, Qt.MouseButton.LeftButton, pos=QPoint(260, 230))
    assert viewer.look.shows_all


def test_right_of_the_bar_are_the_squares_of_256_pixels(qtbot, drawn, viewer):
    viewer.zoom(12)
    viewer.compare("nearest")
    settle()
    look = viewer.look
    shown = pixels(viewer.screenshot())
    base = FIELD.render(256, 256)
    columns = (look.left + np.arange(330, 640) + 0.5) * 256 / look.side
    rows = (look.top + np.arange(40, 400) + 0.5) * 256 / look.side
    same = (shown[40:, 330:] == base[rows.astype(int)][:, columns.astype(int), :3]).all(axis=-1)
    # Qt may round a square's edge to the pixel beside it; inside the squares nothing may differ
    edge = 256 / look.side
    inner = [(at % 1 > edge) & (at % 1 < 1 - edge) for at in (rows, columns)]
    assert sum(inner[0]) > 100 and sum(inner[1]) > 100
    assert same[np.ix_(*inner)].all()
    truth = FIELD.render(look.side, look.side, window=look.window)
    assert np.array_equal(shown[150, 200], truth[150, 200, :3])


def test_the_bar_is_moved_with_the_mouse_and_only_its_left_is_evaluated(qtbot, drawn, viewer):
    viewer.compare("nearest")
    qtbot.mousePress(viewer, Qt.MouseButton.LeftButton, pos=QPoint(321, 200))
    point_at(viewer, QPoint(161, 200))
    qtbot.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=QPoint(161, 200))
    assert viewer.split.share == pytest.approx(161 / 640)
    viewer.zoom(20)
    settle()
    limit = viewer.look.left + 161
    assert all(left < limit for left, *_ in drawn.asked_for[-1].windows)
    viewer.move_bar(0.5)
    settle()
    assert any(left + TILE > limit for left, *_ in drawn.asked_for[-1].windows)


def test_the_enlarged_picture_is_asked_for_once(drawn, viewer):
    asked: list[tuple[str, int, tuple]] = []
    viewer.enlarged_wanted.connect(lambda *given: asked.append(given))
    viewer.compare("bicubic")
    settle()
    viewer.move_bar(0.01)
    settle()
    assert len(asked) == 1 and asked[0][:2] == ("bicubic", viewer.look.side)
    viewer.compare("nearest")
    settle()
    assert len(asked) == 1  # painted from what is there


def test_the_same_picture_shown_again_is_drawn_again(drawn, viewer):
    asked, look = len(drawn.asked_for), viewer.look
    viewer.show_picture(viewer.pixels)
    settle()
    assert viewer.look == look and len(drawn.asked_for) == asked + 1 and drawn.asked_for[-1].windows


def test_of_a_file_the_squares_are_asked_for_too(drawn, viewer):
    viewer.show_picture(viewer.pixels, base=1800, beside_file=True)
    asked: list[tuple[str, int, tuple]] = []
    viewer.enlarged_wanted.connect(lambda *given: asked.append(given))
    for compare in ("nearest", "bicubic"):
        viewer.compare(compare)
        settle()
        assert len(asked) == 1 and asked[0][:2] == (compare, viewer.look.side)
        _, side, windows = asked.pop()
        for window in windows:
            red = np.full((window[3], window[2], 4), (200, 0, 0, 255), np.uint8)
            viewer.add_tile(compare, side, window, red)
        assert pixels(viewer.screenshot())[200, 420, :3].tolist() == [200, 0, 0]
    viewer.one_to_one()
    assert viewer.look.side == 1800 and viewer.look.zoom == 1


def test_what_is_under_the_pointer(qtbot, drawn, viewer):
    said: list[Pointed | None] = []
    viewer.pointed.connect(said.append)
    point_at(viewer, QPoint(300, 180))
    look = viewer.look
    truth = FIELD.render(look.side, look.side, window=(look.left + 300, look.top + 180, 1, 1))[0, 0]
    assert (said[-1].x, said[-1].y) == look.coordinates(300, 180)
    assert said[-1].colour.getRgb() == tuple(truth)
    point_at(viewer, QPoint(2, 2))
    assert said[-1].colour is None


def test_the_navigator_shows_where_one_is_and_leads_elsewhere(qtbot, drawn, viewer):
    assert viewer.navigator.isHidden()  # all is seen
    viewer.zoom(20)
    assert not viewer.navigator.isHidden()
    qtbot.mouseClick(viewer.navigator, Qt.MouseButton.LeftButton, pos=QPoint(30, 100))
    x, y = viewer.look.coordinates(320, 200)
    assert x < -0.5 and y > 0.4
    assert viewer.navigator.frame().contains(QPointF(30, 100))
    viewer.show_navigator(False)
    assert viewer.navigator.isHidden()


def test_resizing_keeps_a_fitted_picture_fitted(drawn, viewer):
    viewer.resize(900, 700)
    settle()
    assert viewer.look.shows_all and viewer.look.side == round(0.94 * 700)
    viewer.zoom(5)
    side = viewer.look.side
    viewer.resize(640, 400)
    assert viewer.look.side == side


def test_memory_stays_in_its_budget(qtbot):
    viewer = DeepZoom(DARK)
    viewer.cache.budget = 3 * 2**20
    qtbot.addWidget(viewer)
    viewer.resize(640, 400)
    viewer.show()
    Drawn(viewer)
    viewer.show_picture(FIELD.render(256, 256))
    for _ in range(6):
        viewer.zoom(1.5)
        settle()
    assert viewer.cache.size <= 3 * 2**20


def test_transparent_parts_show_the_checks_of_the_theme(drawn, viewer):
    look = viewer.look
    corner = (10 - look.top, 10 - look.left)
    dark = pixels(viewer.screenshot())[corner]
    viewer.set_colours(LIGHT)
    assert pixels(viewer.screenshot())[corner].mean() - dark.mean() > 100


def test_no_picture_asks_nothing(drawn, viewer):
    viewer.show_picture(None)
    asked = len(drawn.asked_for)
    viewer.zoom(2)
    viewer.pan(1, 1)
    viewer.one_to_one()
    settle()
    assert viewer.look is None and len(drawn.asked_for) == asked
    viewer.screenshot()


def test_images_own_their_memory():
    array = np.full((3, 5, 4), 255, np.uint8)
    image = to_image(array)
    array[:] = 0
    assert image.pixelColor(4, 2).getRgb() == (255, 255, 255, 255)
