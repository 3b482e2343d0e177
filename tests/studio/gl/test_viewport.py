from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QOpenGLContext, QWheelEvent
from PySide6.QtWidgets import QApplication

from ddmi_core.rendering.mesh_pieces import MeshPiece, mesh_pieces
from studio.theme.tokens import DARK, LIGHT
from studio.widgets import shape_scene
from studio.widgets.matcaps import MATCAPS, SIZE, matcap
from studio.widgets.offscreen import NoOpenGL
from studio.widgets.orbit_camera import View
from studio.widgets.shape_scene import ShapeScene
from studio.widgets.viewport import Viewport

pytestmark = pytest.mark.gl


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int16)


def mesh_of(shape: trimesh.Trimesh) -> tuple[MeshPiece, ...]:
    return mesh_pieces(shape.vertices, shape.faces, shape.vertex_normals)


def faces_of(pieces: tuple[MeshPiece, ...]) -> int:
    return sum(len(piece.faces) for piece in pieces)


@pytest.fixture
def viewport(qtbot) -> Iterator[Viewport]:
    viewport = Viewport(DARK)
    viewport.resize(480, 360)
    viewport.show()
    qtbot.waitExposed(viewport)
    yield viewport
    viewport.close()
    viewport.deleteLater()


def sphere(subdivisions: int = 4) -> tuple[MeshPiece, ...]:
    return mesh_of(trimesh.creation.icosphere(subdivisions, 0.8))


def inside_of_sphere(picture: np.ndarray) -> np.ndarray:
    """A disc that lies well inside the sphere, in the middle of the picture."""
    height, width, _ = picture.shape
    y, x = np.mgrid[:height, :width]
    return np.hypot(x - width / 2, y - height / 2) < 0.22 * height


def test_a_sphere_is_lit_and_no_side_is_black(viewport):
    viewport.grid = False
    empty = pixels(viewport.screenshot())
    viewport.show_mesh(sphere())
    for azimuth in range(0, 360, 60):
        for elevation in (-80, 0, 80):
            viewport.set_view(
                viewport.view.orbited(azimuth - viewport.view.azimuth, elevation - viewport.view.elevation)
            )
            disc = inside_of_sphere(empty)
            shades = pixels(viewport.screenshot())[disc].mean(axis=1)
            assert shades.min() > 50, (azimuth, elevation)
            assert shades.max() < 255
            assert shades.max() - shades.min() > 25, "flat, not lit"
    assert empty[inside_of_sphere(empty)].max() < 70


def test_the_first_picture_is_whole(viewport):
    scene = ShapeScene(viewport, DARK)
    first, second = (pixels(list(scene.drawing(View(), QSize(300, 200)))[-1]) for _ in range(2))
    assert np.array_equal(first, second) and len(np.unique(first)) > 20
    scene.close()


def test_shading_is_smooth(viewport):
    viewport.show_mesh(sphere(3))
    picture = pixels(viewport.screenshot())
    middle = picture[picture.shape[0] // 2, picture.shape[1] // 2 - 60 : picture.shape[1] // 2 + 60]
    assert np.abs(np.diff(middle, axis=0)).max() <= 6


def test_wireframe_and_grid_change_the_picture(viewport):
    viewport.show_mesh(sphere(3))
    plain = pixels(viewport.screenshot())
    viewport.wireframe = True
    wired = pixels(viewport.screenshot())
    disc = inside_of_sphere(plain)
    assert (np.abs(wired - plain)[disc].max(axis=1) > 20).mean() > 0.03
    viewport.wireframe = False
    viewport.grid = False
    assert (np.abs(pixels(viewport.screenshot()) - plain)[~disc].max(axis=1) > 3).mean() > 0.01
    viewport.grid = True
    assert np.abs(pixels(viewport.screenshot()) - plain).max() <= 2


@pytest.mark.parametrize("name", MATCAPS)
def test_a_ball_looks_as_its_matcap_from_every_side(viewport, name):
    viewport.grid = False
    viewport.show_mesh(mesh_of(trimesh.creation.icosphere(5, 0.8)))
    viewport.matcap = name
    for view in (View(azimuth=0.0, elevation=0.0), View(azimuth=130.0, elevation=50.0)):
        viewport.set_view(view)
        picture = pixels(viewport.screenshot())
        height, width, _ = picture.shape
        centre, right = viewport.on_screen(np.array([[0.0, 0.0, 0.0], 0.8 * view.rotation()[0]]))
        radius = right.x() - centre.x()
        shares = np.linspace(-0.6, 0.6, 13)
        up = [picture[round(height / 2 - share * radius), width // 2] for share in shares]
        ball = matcap(name).astype(int)
        told = [ball[round((share + 1) / 2 * SIZE - 0.5), SIZE // 2] for share in shares]
        assert np.corrcoef(np.ravel(up), np.ravel(told))[0, 1] > (0.8 if name == "stripes" else 0.95)
    viewport.matcap = None
    assert np.abs(pixels(viewport.screenshot()) - picture).max() > 30


def test_a_matcap_stays_with_what_is_refined_and_leaves_marks_their_colours(viewport):
    viewport.grid = False
    viewport.matcap = "clay"

    def colour() -> np.ndarray:
        picture = pixels(viewport.screenshot())
        return picture[inside_of_sphere(picture)].mean(axis=0)

    viewport.show_mesh(sphere(2))
    red, _, blue = colour()
    viewport.show_detail(sphere(5), light=False)
    finer = colour()
    assert red > blue + 40 and np.abs(finer - (red, _, blue)).max() < 6
    ball = trimesh.creation.icosphere(4, 0.8)
    marked = mesh_pieces(ball.vertices, ball.faces, ball.vertex_normals, np.zeros(len(ball.vertices)))
    viewport.show_detail(marked, light=False)
    red, _, blue = colour()
    assert blue > 1.5 * red  # as the scale says
    viewport.matcap = None
    np.testing.assert_allclose(colour(), (red, _, blue), atol=1)


def test_marks_colour_the_surface_from_low_to_high(viewport):
    ball = trimesh.creation.icosphere(4, 0.8)
    viewport.grid = False

    def colour(mark: float) -> np.ndarray:
        marks = np.full(len(ball.vertices), mark)
        viewport.show_mesh(mesh_pieces(ball.vertices, ball.faces, ball.vertex_normals, marks))
        picture = pixels(viewport.screenshot())
        return picture[inside_of_sphere(picture)].mean(axis=0)

    (low_red, _, low_blue), (high_red, _, high_blue) = colour(0.0), colour(1.0)
    assert low_blue > 1.5 * low_red and high_red > 1.5 * high_blue
    middle_red, middle_green, middle_blue = colour(0.5)
    assert min(middle_red, middle_green) > 1.5 * middle_blue
    viewport.show_mesh(mesh_of(ball))
    grey = pixels(viewport.screenshot())
    assert np.ptp(grey[inside_of_sphere(grey)].mean(axis=0)) < 20


def test_another_surface_shines_through_only_where_it_lies_outside(viewport):
    viewport.grid = False
    viewport.show_mesh(sphere())
    plain = pixels(viewport.screenshot())
    disc = inside_of_sphere(plain)
    viewport.show_other(mesh_of(trimesh.creation.icosphere(4, 0.7)))
    assert np.abs(pixels(viewport.screenshot()) - plain).max() <= 2
    viewport.show_other(mesh_of(trimesh.creation.icosphere(4, 0.9)))
    glass = pixels(viewport.screenshot())
    assert (glass - plain)[disc][:, 2].mean() > (glass - plain)[disc][:, 0].mean() + 15  # bluer
    viewport.show_other(())
    assert np.abs(pixels(viewport.screenshot()) - plain).max() <= 2


def test_orbit_pan_and_zoom_change_the_picture_and_reset_brings_it_back(viewport, qtbot):
    box = mesh_of(trimesh.creation.box((1.2, 0.5, 0.8)))
    viewport.show_mesh(box)
    first = pixels(viewport.screenshot())
    for move in (lambda: viewport.orbit(40, 10), lambda: viewport.pan(0.2, 0.0), lambda: viewport.zoom(0.7)):
        before = pixels(viewport.screenshot())
        move()
        assert (np.abs(pixels(viewport.screenshot()) - before).max(axis=2) > 10).mean() > 0.02
    viewport.reset()
    qtbot.waitUntil(lambda: np.abs(pixels(viewport.screenshot()) - first).max() <= 2, timeout=5000)


def test_top_view_looks_down(viewport, qtbot):
    viewport.turn_to("top")
    qtbot.waitUntil(lambda: viewport.view.elevation == 90.0, timeout=5000)
    assert viewport.view.azimuth == 0.0


def test_mouse_orbits_pans_and_zooms(viewport, qtbot):
    viewport.show_mesh(sphere(2))
    view = viewport.view
    drag(qtbot, viewport, Qt.MouseButton.LeftButton)
    assert viewport.view.azimuth != view.azimuth and viewport.view.centre == view.centre
    view = viewport.view
    drag(qtbot, viewport, Qt.MouseButton.RightButton)
    assert viewport.view.azimuth == view.azimuth and viewport.view.centre != view.centre
    view = viewport.view
    wheel = QWheelEvent(
        QPointF(100, 80),
        QPointF(viewport.mapToGlobal(QPoint(100, 80))),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, wheel)
    assert viewport.view.distance < view.distance and viewport.view.centre != view.centre


def drag(qtbot, widget, button: Qt.MouseButton) -> None:
    start, end = QPoint(200, 150), QPoint(260, 170)
    qtbot.mousePress(widget, button, pos=start)
    for share in (0.3, 0.6, 1.0):
        place = start + (end - start) * share
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(place),
            QPointF(widget.mapToGlobal(place)),
            Qt.MouseButton.NoButton,
            button,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(widget, move)
    qtbot.mouseRelease(widget, button, pos=end)


def test_the_floor_has_a_shadow_under_the_object(viewport):
    viewport.grid = False
    viewport.set_colours(LIGHT)
    stool = mesh_of(trimesh.creation.box((0.5, 0.05, 0.5)))
    viewport.show_mesh(stool)
    viewport.orbit(0, 30)
    with_shadow = pixels(viewport.screenshot())
    viewport._frames.scene.shade = 0.0
    viewport._frames.redraw()
    without = pixels(viewport.screenshot())
    assert (without - with_shadow).max() > 20


def test_themes_differ(viewport):
    dark = pixels(viewport.screenshot())
    viewport.set_colours(LIGHT)
    assert pixels(viewport.screenshot()).mean() - dark.mean() > 100


def test_a_large_mesh_and_no_mesh(viewport):
    large = sphere(7)
    assert faces_of(large) > 300_000
    viewport.show_mesh(large)
    assert pixels(viewport.screenshot()).max() > 150
    viewport.show_mesh(())
    assert pixels(viewport.screenshot())[inside_of_sphere(pixels(viewport.screenshot()))].max() < 110


def test_without_opengl_it_says_so(qtbot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(QOpenGLContext, "create", lambda _context: False)
    blind = Viewport(DARK)
    qtbot.addWidget(blind)
    blind.resize(480, 360)
    empty = pixels(blind.grab().toImage())
    blind.show_mesh(sphere(1))
    assert np.array_equal(pixels(blind.grab().toImage()), empty) and empty.max() > 100  # the sentence
    with pytest.raises(NoOpenGL, match="OpenGL is not available"):
        blind.screenshot()


def wait_for_rest(viewport: Viewport, qtbot) -> None:
    qtbot.waitUntil(lambda: viewport._frames._is_fine, timeout=20_000)


def shown(viewport: Viewport) -> np.ndarray:
    return pixels(viewport.grab().toImage())


def test_what_rests_is_drawn_finely_by_itself_and_what_moves_in_its_light_form(viewport, qtbot):
    viewport._frames._is_quick = False
    rod, ball = mesh_of(trimesh.creation.box((0.1, 1.6, 0.1))), sphere()
    viewport.show_mesh(rod)
    viewport.show_detail(ball, light=False)
    wait_for_rest(viewport, qtbot)
    fine = shown(viewport)
    viewport._frames._is_quick = False
    viewport.orbit(0.1, 0.0)
    before = viewport._frames._picture
    viewport.repaint()
    assert viewport._frames._picture is before, "drawn in turns, so that the window is not held up"
    qtbot.waitUntil(lambda: viewport._frames._is_current, timeout=20_000)
    light = shown(viewport)
    disc = inside_of_sphere(fine)
    assert (np.abs(light - fine)[disc].max(axis=1) > 10).mean() > 0.3, "the rod stands in for the sphere"
    wait_for_rest(viewport, qtbot)
    again = shown(viewport)
    assert np.abs(again - fine)[disc].mean() < 2


def test_a_finer_surface_is_drawn_in_turns_while_the_picture_stays(viewport, qtbot):
    viewport.show_mesh(sphere(3))
    viewport.screenshot()
    viewport._frames._is_quick = False
    before = shown(viewport)
    viewport.show_detail(mesh_of(trimesh.creation.box((0.6, 0.6, 0.6))), light=True)
    assert viewport._frames._work is not None
    viewport._frames._step()
    np.testing.assert_array_equal(shown(viewport), before)
    wait_for_rest(viewport, qtbot)
    assert np.abs(shown(viewport) - before).max() > 30


def test_a_camera_that_keeps_moving_is_followed(viewport, qtbot):
    viewport.show_mesh(mesh_of(trimesh.creation.box((1.2, 0.5, 0.8))))
    viewport.screenshot()
    viewport._frames._is_quick = False
    frames: list[QImage] = []
    qtbot.waitUntil(lambda: _moved_and_seen(viewport, frames), timeout=20_000)
    wait_for_rest(viewport, qtbot)
    seen = pixels(viewport._frames.picture())
    viewport._frames.redraw()
    np.testing.assert_array_equal(seen, pixels(viewport.screenshot()))


def _moved_and_seen(viewport: Viewport, frames: list[QImage]) -> bool:
    """Move the camera before a frame can be complete; whether several were seen nevertheless."""
    viewport.orbit(3.0, 0.0)
    viewport._frames._go_on()
    viewport.repaint()
    picture = viewport._frames._picture
    if not frames or picture is not frames[-1]:
        frames.append(picture)
    return len(frames) > 3


def parts(viewport: Viewport, view: View, *, light: bool = False) -> int:
    return len(list(viewport._frames.scene.drawing(view, QSize(400, 300), light=light)))


def test_a_large_surface_takes_many_turns(viewport):
    viewport.show_mesh(sphere(7))
    assert parts(viewport, viewport.view) > faces_of(sphere(7)) / 6200


def test_what_fills_the_picture_is_drawn_in_bands_that_leave_no_seam(viewport, monkeypatch: pytest.MonkeyPatch):
    viewport.show_mesh(sphere(5))
    viewport.wireframe = True
    for distance in (1.0, 0.2):
        viewport.zoom(distance)

        def drawn() -> list[QImage | None]:
            return list(viewport._frames.scene.drawing(viewport.view, QSize(300, 211)))

        drawn()  # and the shadow, which is drawn once
        in_bands = drawn()
        with monkeypatch.context() as patch:
            patch.setattr(shape_scene, "_BANDS", 1)
            whole = drawn()
        assert len(in_bands) >= len(whole) + 6
        np.testing.assert_array_equal(pixels(in_bands[-1]), pixels(whole[-1]))


def test_what_is_out_of_sight_is_not_drawn(viewport):
    viewport.show_mesh(sphere(7))
    near = View(distance=0.1, centre=(0.0, 0.0, 0.8), azimuth=0.0, elevation=0.0)
    assert parts(viewport, near, light=True) < parts(viewport, viewport.view, light=True) / 2


def test_a_resized_viewport_is_drawn_at_its_new_size(viewport, qtbot):
    viewport.show_mesh(sphere())
    viewport.screenshot()
    viewport.resize(360, 300)
    assert viewport.screenshot().size() == viewport.size()
    assert viewport._frames.picture().size() == viewport.size()


def test_what_is_hidden_is_not_drawn_and_what_came_meanwhile_is_seen_afterwards(viewport, qtbot):
    viewport.show_mesh(sphere(3))
    viewport.screenshot()
    before = shown(viewport)
    viewport.show_detail(mesh_of(trimesh.creation.box((0.6, 0.6, 0.6))), light=True)
    viewport.hide()
    assert viewport._frames._work is None and not viewport._frames._turns.isActive()
    viewport.show()
    wait_for_rest(viewport, qtbot)
    assert np.abs(shown(viewport) - before).max() > 30
