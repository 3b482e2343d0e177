"""The Radiance room: what is drawn while the camera moves and when it rests, the pane, the path, and exports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QImage

from ddmi_core.domains.nerf import NerfDomain
from ddmi_core.fields.radiance import RadianceField
from ddmi_core.placement import Placement
from ddmi_core.recipe import Recipe
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.pipelines import PipelineCache
from studio.engine.work.radiance import RenderReady
from studio.panels.export_dialog import Place
from studio.rooms.radiance import facts as radiance
from studio.rooms.radiance.export_page import RadianceChoice, RadianceExportDialog, Scene
from studio.rooms.radiance.path_editor import PICTURE
from studio.rooms.radiance.stage import RadianceStage
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.camera_timeline import FILE, read_timeline
from studio.state.library import Item
from studio.state.playback import Pace
from studio.widgets.orbit_camera import key_frame
from tests.studio.window.fakes import RADIANCE, FakeRadiance, FakeRadiancePipeline

PATIENCE = 60_000  # ms


@pytest.fixture
def engine(state: AppState) -> Iterator[Engine]:
    engine = Engine(state, PipelineCache(load=lambda _folder, _device: FakeRadiancePipeline()))
    state.add_room("nerf")
    state.set_models([RADIANCE])
    state.enter("nerf")
    yield engine
    engine.cancel_all()
    assert engine.shutdown()


PIXELS_A_SECOND = 100_000.0  # that any machine seems to draw, however busy it is: too few for the screen


@pytest.fixture
def stage(
    qtbot, state: AppState, engine: Engine, actions: Actions, theme, monkeypatch: pytest.MonkeyPatch
) -> RadianceStage:
    monkeypatch.setattr(Pace, "learn", lambda pace, *_: setattr(pace, "_pixels_a_second", PIXELS_A_SECOND))
    stage = RadianceStage(state, engine, actions, theme, Settings())
    actions.enter(radiance.FACTS.words)
    qtbot.addWidget(stage)
    stage.resize(640, 360)
    stage.show()
    qtbot.waitExposed(stage)
    return stage


@pytest.fixture
def pictures(engine: Engine) -> list[RenderReady]:
    found: list[RenderReady] = []
    engine.answers(RenderReady).connect(found.append)
    return found


@pytest.fixture
def settle(qtbot, state: AppState, stage: RadianceStage, pictures: list[RenderReady]):
    """Wait until the last and sharpest picture has come; return it."""

    def wait() -> RenderReady:
        def rests() -> bool:
            done = not state.jobs.active(quiet=True) and not stage._settled.isActive()
            return done and bool(pictures) and pictures[-1].stride == 1 and not pictures[-1].request.moving

        qtbot.waitUntil(rests, timeout=PATIENCE)
        return pictures[-1]

    return wait


@pytest.fixture
def item(state: AppState, stage: RadianceStage, settle) -> Item:
    item = state.library.add(
        np.zeros((1, 2, 2), np.float32),
        Recipe(domain="nerf", model=RADIANCE.name, model_hash=RADIANCE.hash),
        np.zeros((32, 32, 4), np.uint8),
    )
    state.show(item)
    stage.show_view(item, FakeRadiance(0.5).view(resolution=32), 32)
    settle()
    return item


def shown(stage: RadianceStage) -> np.ndarray:
    image = stage.screenshot()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return pixels[:, : image.width(), :3].astype(int)


def test_formats_are_those_of_the_domain() -> None:
    assert radiance.FACTS.export is RadianceField.export_options
    assert set(radiance.FACTS.import_formats) == set(NerfDomain.import_formats)


def test_an_empty_room_draws_nothing(stage: RadianceStage, actions: Actions, pictures: list[RenderReady]) -> None:
    stage.viewer.orbit(20, 0)
    actions["key_frame"].trigger()
    assert not stage.empty.isHidden() and not actions["turntable"].isEnabled()
    assert not pictures and not stage.path


def test_it_is_rough_while_the_camera_moves_and_then_sharpens_up_to_the_screens_pixels(
    stage: RadianceStage, item: Item, pictures: list[RenderReady], settle
) -> None:
    pictures.clear()
    stage.viewer.orbit(30, 10)
    finest = settle()
    rough = pictures[0].request
    assert rough.moving and rough.settings.samples < finest.request.settings.samples
    strides = [picture.stride for picture in pictures if not picture.request.moving]
    assert len(strides) > 1 and strides == [2**power for power in reversed(range(len(strides)))]
    for picture in pictures:  # however roughly, all are of the size of the screen
        assert picture.pixels.shape[:2] == (stage.viewer.height(), stage.viewer.width())
    pose = np.array(finest.request.camera.pose)
    assert np.allclose(pose, stage.viewer.view.camera_to_world())
    assert f"{finest.request.width} × {finest.request.height} px" in stage.figures.text()


def test_an_item_that_is_deleted_before_the_camera_rests_leaves_no_picture(
    qtbot, stage: RadianceStage, item: Item, pictures: list[RenderReady]
) -> None:
    stage.viewer.orbit(30, 10)
    assert stage._settled.isActive()
    stage.show_view(None, None)
    pictures.clear()
    qtbot.waitUntil(lambda: not stage._settled.isActive(), timeout=PATIENCE)
    assert not stage.empty.isHidden() and not [one for one in pictures if not one.request.moving]


def test_only_one_rough_picture_is_drawn_at_a_time_and_the_last_one_counts(
    qtbot, stage: RadianceStage, item: Item, pictures: list[RenderReady], settle
) -> None:
    pictures.clear()
    for _ in range(50):
        stage.viewer.orbit(1, 0)
    settle()
    assert sum(picture.request.moving for picture in pictures) <= 3
    assert np.allclose(pictures[-1].request.camera.pose, stage.viewer.view.camera_to_world())


def test_another_field_is_drawn_though_the_one_before_was_given_up(
    stage: RadianceStage, engine: Engine, item: Item, pictures: list[RenderReady], settle
) -> None:
    stage.viewer.orbit(30, 0)
    engine.cancel_all()  # as opening another one does
    pictures.clear()
    stage.show_view(item, FakeRadiance(0.6).view(resolution=32), 32)
    settle()
    assert pictures[0].request.moving


def test_after_a_rough_picture_that_never_came_the_fine_ones_still_do(
    stage: RadianceStage, engine: Engine, item: Item, pictures: list[RenderReady], settle
) -> None:
    pictures.clear()
    stage.viewer.orbit(30, 0)
    engine.cancel_all()
    assert settle().request.height == stage.viewer.height()


def test_the_picture_is_where_the_camera_sees_it(stage: RadianceStage, item: Item, settle) -> None:
    picture = shown(stage)
    row, column = picture.shape[0] // 2, picture.shape[1] // 2
    stage_colour = picture[2, 2]
    assert np.abs(picture[row, column] - stage_colour).max() > 30
    stage.viewer.pan(0.9, 0)  # the ball leaves to the left
    settle()
    assert np.abs(shown(stage)[row, column] - stage_colour).max() <= 2


def test_channels_and_the_crop_box_change_what_is_asked_for(
    stage: RadianceStage, item: Item, actions: Actions, settle
) -> None:
    actions["channel_depth"].trigger()
    assert settle().request.settings.channel == "depth"
    actions["look_pane"].setChecked(True)
    stage.pane.crop[0].setValue((-1.0, 0.0))
    stage.pane.samples.set_value(64)
    settings = settle().request.settings
    assert settings.crop == (-1, -1, -1, 0, 1, 1) and settings.samples == 64
    stage.pane.uncrop.click()
    assert settle().request.settings.crop == (-1, -1, -1, 1, 1, 1)


def test_a_wider_field_of_view_keeps_the_object_as_large(stage: RadianceStage, item: Item, settle) -> None:
    before = stage.viewer.view
    stage.pane.fov_field.set_value(70)
    request = settle().request
    assert request.camera.fov == 70 and stage.viewer.view.distance < before.distance
    slope = np.tan(np.radians([before.fov / 2, 35]))
    assert np.isclose(before.distance * slope[0], stage.viewer.view.distance * slope[1])


@pytest.mark.parametrize(("near", "far"), [(0.0, 0.0), (5.0, 1.0), (20.0, 20.0)])
def test_no_choice_of_distances_is_refused(stage: RadianceStage, near: float, far: float) -> None:
    stage.pane.near.setValue(near)
    stage.pane.far.setValue(far)
    settings = stage.settings()
    assert 0 <= settings.near < settings.far


def test_flying_moves_the_camera_itself(qtbot, stage: RadianceStage, item: Item, actions: Actions) -> None:
    actions["fly"].trigger()
    before = stage.viewer.view
    qtbot.keyPress(stage.viewer, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: not np.allclose(stage.viewer.view.position(), before.position()), timeout=PATIENCE)
    qtbot.keyRelease(stage.viewer, Qt.Key.Key_W)
    forward = (stage.viewer.view.position() - before.position()) @ -before.rotation()[2]
    assert forward > 0
    place = stage.viewer.view.position()
    stage.viewer.orbit(20, 0)
    assert np.allclose(stage.viewer.view.position(), place)


def test_a_path_is_drawn_but_not_from_the_very_camera_across_the_view(
    stage: RadianceStage, item: Item, actions: Actions, settle
) -> None:
    def drawn() -> int:
        """How many pixels the path changes."""
        seen = []
        for path in (stage.viewer._path, ()):
            before, stage.viewer._path = stage.viewer._path, path
            picture = stage.viewer.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
            seen.append(np.frombuffer(picture.constBits(), np.uint32).copy())
            stage.viewer._path = before
        return int((seen[0] != seen[1]).sum())

    stage.viewer.orbit(0, -20)
    for _ in range(2):
        actions["key_frame"].trigger()
        stage.viewer.orbit(30, 0)
    stage.viewer.orbit(-60, 0)
    view = stage.viewer.view
    stage.viewer.set_view(replace(view, distance=1.001 * view.distance))  # just behind the first key frame
    settle()
    assert drawn() == 0
    stage.viewer.orbit(195, 5)  # before the path
    settle()
    assert drawn() > 20


def test_the_path_is_played_and_ends_at_the_last_key_frame(
    qtbot, stage: RadianceStage, item: Item, actions: Actions, pictures: list[RenderReady], settle
) -> None:
    actions["key_frame"].trigger()
    stage.viewer.orbit(60, 0)
    actions["key_frame"].trigger()
    stage.pane.path.keys.setCurrentRow(0)
    stage.pane.path.seconds.setValue(0.5)
    stage.viewer.orbit(-30, 0)
    settle()
    pictures.clear()
    actions["play_path"].trigger()
    qtbot.waitUntil(lambda: not stage._preview.isActive(), timeout=PATIENCE)
    settle()
    assert sum(picture.request.moving for picture in pictures) >= 2
    assert stage.viewer.view == stage.path[-1]
    editor = stage.pane.path
    editor.keys.setCurrentRow(0)
    editor.buttons["remove"].click()
    assert len(stage.path) == 1 and not editor.buttons["preview"].isEnabled()
    editor.buttons["clear"].click()
    assert not stage.path


def test_key_frames_are_changed_and_stay_with_their_item(
    qtbot, stage: RadianceStage, item: Item, actions: Actions, settle
) -> None:
    for _ in range(3):
        actions["key_frame"].trigger()
        stage.viewer.orbit(20, 0)
    settle()
    first, second, third = stage.path
    assert all(QImage.fromData(key.picture).width() >= PICTURE.width() for key in stage.timeline.keys)
    editor = stage.pane.path
    editor.keys.setCurrentRow(0)
    editor.seconds.setValue(3.5)
    editor.easing.setCurrentIndex(editor.easing.findData("resting"))
    editor.easing.activated.emit(editor.easing.currentIndex())
    editor.keys.setCurrentRow(1)
    editor.buttons["update"].click()
    moved = stage.viewer.view
    assert stage.path == [first, moved, third] and moved != second
    editor.keys.model().moveRow(QModelIndex(), 2, QModelIndex(), 0)  # as dragging it to the top does
    qtbot.waitUntil(lambda: stage.path == [third, first, moved], timeout=PATIENCE)
    assert [key.seconds for key in stage.timeline.keys] == [2.0, 3.5, 2.0]
    kept = stage.timeline
    other = replace(item, id="other", folder=item.folder.with_name("other"))
    stage.show_view(other, FakeRadiance(0.5).view(resolution=32), 32)
    assert not stage.timeline.keys
    stage.show_view(item, FakeRadiance(0.5).view(resolution=32), 32)
    settle()
    assert stage.timeline == kept and stage.timeline.seconds == 5.5
    options = stage._key_frames()
    assert [(key.seconds, key.easing) for key in options][1] == (3.5, "resting")
    editor.buttons["clear"].click()
    assert not read_timeline(item).keys and not (item.folder / FILE).exists()


def test_a_camera_path_that_cannot_be_read_is_no_path(item: Item) -> None:
    (item.folder / FILE).write_text("{")
    assert not read_timeline(item).keys


@pytest.fixture
def scene(stage: RadianceStage) -> Scene:
    key = key_frame(stage.viewer.view)
    return Scene(key, 35.0, 20.0, 4.4, (key, key))


def dialog_for(
    qtbot,
    stage: RadianceStage,
    scene: Scene,
    place: Place | None = None,
    placement: Placement | None = None,
    **choice: object,
) -> RadianceExportDialog:
    dialog = RadianceExportDialog(
        "a chair",
        RadianceChoice(**choice),
        place or Place(Path.home()),
        scene,
        stage.settings(),
        placement,
    )
    qtbot.addWidget(dialog)
    dialog.as_last_time.click()
    dialog.show()
    return dialog


def test_exports_ask_for_what_the_format_can_hold(qtbot, stage: RadianceStage, scene: Scene, tmp_path: Path) -> None:
    still = dialog_for(qtbot, stage, scene, suffix=".png", width=320, height=200)
    options = still.options()
    assert (options.width, options.height, options.views, len(options.path)) == (320, 200, None, 1)
    mesh = dialog_for(qtbot, stage, scene, suffix=".glb", resolution=96, simplify=True, faces=700)
    assert mesh.options().resolution == 96 and mesh.options().faces == 700 and mesh.resolution.isVisible()
    film = dialog_for(qtbot, stage, scene, suffix=".mp4", motion="path", views=48)
    assert len(film.options().path) == 2 and film.options().views is None and film.fps.isVisible()
    turn = dialog_for(qtbot, stage, scene, **vars(RadianceChoice(suffix=".png").as_turntable()))
    assert turn.suffix() == ".mp4" and not turn.options().path and turn.options().views == 72


def test_where_there_are_several_views_the_camera_moves(qtbot, stage: RadianceStage, scene: Scene) -> None:
    alone = Scene(scene.here, 0.0, 0.0, 4.0)
    for around, motion in ((alone, "turntable"), (scene, "path")):
        dialog = dialog_for(qtbot, stage, around, suffix=".png")
        assert dialog.choice().motion == "still"
        for suffix in (".mp4", ".gif", ".json"):
            dialog.format.setCurrentIndex(dialog.format.findData(suffix))
            timed = motion == "path" and suffix != ".json"  # whose key frames say how long it takes
            assert dialog.choice().motion == motion and dialog.views.isVisible() is not timed
            assert dialog.options().count(suffix) > 1
            assert dialog.options().views == (None if timed else dialog.views.value())
        dialog.format.setCurrentIndex(dialog.format.findData(".png"))
        assert dialog.choice().motion == "still" and dialog.options().views is None


def test_films_have_any_rate_and_tell_of_odd_sizes(qtbot, stage: RadianceStage, scene: Scene, tmp_path: Path) -> None:
    dialog = dialog_for(qtbot, stage, scene, Place(tmp_path), suffix=".mp4", motion="turntable", width=769, height=433)
    dialog.fps.setCurrentText("29.97")
    assert dialog.options().fps == Fraction(30000, 1001)
    assert "769 × 433 px becomes 770 × 434 px" in dialog.remark.text()
    dialog.fps.setCurrentText("often")
    dialog.export.click()
    assert "fps does not fit" in dialog.problem.text() and not dialog.result()
    dialog.format.setCurrentIndex(dialog.format.findData(".gif"))
    dialog.fps.setCurrentText("60")
    dialog.export.click()
    assert "up to 50 frames" in dialog.problem.text() and dialog.embed_recipe.isVisible()


def test_a_film_of_a_path_takes_its_seconds_and_says_how_long_it_will_take(qtbot, stage: RadianceStage, scene) -> None:
    keys = tuple(key.model_copy(update={"seconds": 4.0}) for key in scene.path)
    measured = replace(scene, path=keys, pixels_a_second=100 * 80 * 97 / 120)
    dialog = dialog_for(qtbot, stage, measured, suffix=".mp4", motion="path", width=100, height=80, fps="24")
    assert dialog.options().count(".mp4") == 97 and not dialog.views.isVisible()
    assert "97 frames" in dialog.remark.text() and "about 2 minutes" in dialog.remark.text()
    assert dialog.options().frame_object and dialog.options().path[0].seconds == 4.0
    dialog.motion.setCurrentIndex(dialog.motion.findData("turntable"))
    assert dialog.views.isVisible() and dialog.options().views == dialog.views.value()


def test_posed_views_are_taken_from_all_around_and_partly_held_out(qtbot, stage: RadianceStage, scene: Scene) -> None:
    dialog = dialog_for(qtbot, stage, scene, suffix=".json", motion="sphere", views=40, held_out=5)
    options = dialog.options()
    assert (options.around, options.views, options.held_out) == ("sphere", 40, 5)
    assert dialog.held_out.isVisible() and dialog.choice().motion == "sphere"
    dialog.format.setCurrentIndex(dialog.format.findData(".mp4"))
    assert dialog.choice().motion == "turntable" and not dialog.held_out.isVisible()
    assert dialog.options().held_out == 0


def test_units_are_offered_where_a_file_had_some(qtbot, stage: RadianceStage, scene: Scene) -> None:
    lay = Placement(centre=(0.0, 1.0, 0.0), unit=2.0, up="z")
    dialog = dialog_for(qtbot, stage, scene, placement=lay, suffix=".glb")
    assert dialog.units.isVisible() and not dialog.options().unit_cube and "3.6" in dialog.units.currentText()
    dialog.units.setCurrentIndex(1)
    assert dialog.options().unit_cube and dialog.choice().unit_cube
    for suffix, offered in ((".json", True), (".tif", True), (".png", False), (".mp4", False)):
        dialog.format.setCurrentIndex(dialog.format.findData(suffix))
        assert dialog.units.isVisible() is offered
    assert not dialog_for(qtbot, stage, scene, suffix=".glb").units.isVisible()


def test_a_path_without_key_frames_is_explained(qtbot, stage: RadianceStage, scene: Scene, tmp_path: Path) -> None:
    alone = Scene(scene.here, 0.0, 0.0, 4.0)
    dialog = dialog_for(qtbot, stage, alone, Place(tmp_path), suffix=".mp4", motion="path")
    dialog.export.click()
    assert "two key frames" in dialog.problem.text() and not dialog.result()


def test_the_choice_is_remembered() -> None:
    choice = RadianceChoice(
        suffix=".gif", motion="turntable", width=128, height=96, views=12, fps="30000/1001", unit_cube=True
    )
    Settings().keep_export_choice(choice)
    assert Settings().export_choice(RadianceChoice) == choice


def test_a_picture_that_was_left_unfinished_goes_on_when_the_room_is_seen_again(
    stage: RadianceStage, item: Item, engine: Engine, pictures: list[RenderReady], settle
) -> None:
    stage.viewer.orbit(30, 10)
    stage.hide()
    engine.cancel_all()
    stage._settled.stop()
    pictures.clear()
    stage.show()
    assert settle().stride == 1
    count = len(pictures)
    stage.hide()
    stage.show()
    settle()
    assert len(pictures) == count  # what is sharp already stays
