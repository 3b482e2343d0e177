from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import av
import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QMenu

from ddmi_core.export.recipe_files import read_recipe
from ddmi_core.fidelity import FitFacts
from ddmi_core.recipe import Recipe
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.pipelines import PipelineCache
from studio.engine.work.latents import WalkDone, WalkRequest
from studio.engine.work.scales import ScaleFilmDone
from studio.rooms.images import facts as images
from studio.rooms.images.basis_dialog import BasisDialog
from studio.rooms.images.scales_dialog import ScalesDialog
from studio.rooms.images.stage import ImageStage
from studio.rooms.images.walk_dialog import WalkDialog
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Item
from tests.studio.pointing import point_at
from tests.studio.window.fakes import PICTURES, FakeField, FakePicturePipeline

PATIENCE = 60_000  # ms


@pytest.fixture
def pipeline() -> FakePicturePipeline:
    return FakePicturePipeline()


@pytest.fixture
def engine(state: AppState, pipeline: FakePicturePipeline) -> Iterator[Engine]:
    engine = Engine(state, PipelineCache(load=lambda _folder, _device: pipeline))
    state.add_room("image")
    state.set_models([PICTURES])
    state.enter("image")
    yield engine
    engine.cancel_all()
    assert engine.shutdown()


@pytest.fixture
def stage(qtbot, state: AppState, engine: Engine, actions: Actions, theme) -> ImageStage:
    stage = ImageStage(state, engine, actions, theme, Settings())
    actions.enter(images.FACTS.words)
    qtbot.addWidget(stage)
    stage.resize(900, 480)
    stage.show()
    qtbot.waitExposed(stage)
    return stage


@pytest.fixture
def add_picture(state: AppState) -> Callable[[float], Item]:
    def add(value: float = 10.0, **recipe: object) -> Item:
        return state.library.add(
            np.full((1, 2, 2), value, np.float32),
            Recipe(domain="image", model=PICTURES.name, model_hash=PICTURES.hash, seed=int(value), **recipe),
            np.zeros((32, 32, 4), np.uint8),
        )

    return add


@pytest.fixture
def show(qtbot, state: AppState, stage: ImageStage) -> Callable[[Item], FakeField]:
    def show(item: Item) -> FakeField:
        field = FakeField(0.3 * float(state.library.load_latent(item).mean()) / 97)
        state.show(item)
        stage.show_view(item, {"pixels": field.render(256, 256)}, 256)
        qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)
        return field

    return show


def test_what_is_shown_is_the_function_at_the_screens_own_pixels(qtbot, stage, show, add_picture):
    field = show(add_picture())
    for _ in range(12):
        stage.viewer.zoom(1.3)
    qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)
    look = stage.viewer.look
    truth = field.render(look.side, look.side, window=look.window)
    shot = stage.screenshot()
    for x, y in ((10, 10), (300, 200), (600, 330)):
        assert shot.pixelColor(x, y).getRgb()[:3] == tuple(truth[y, x, :3])
    assert stage.zoom.text().endswith("×") and not stage.empty.isVisible()
    assert stage.visible_region() == look.region


def test_an_item_is_decoded_once_and_no_more_than_visible_is_evaluated(qtbot, stage, show, add_picture, pipeline):
    show(add_picture())
    counts = []
    for _ in range(3):
        before = pipeline.fields[0].evaluations
        stage.viewer.zoom(3.1)
        qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)
        counts.append(pipeline.fields[0].evaluations - before)
    assert len(pipeline.fields) == 1
    visible = stage.viewer.width() * stage.viewer.height()
    ring = (stage.viewer.width() + 512) * (stage.viewer.height() + 512)
    assert visible < min(counts) and max(counts) < ring + visible / 40


def test_tiles_of_another_item_and_stale_ones_are_dropped(qtbot, stage, show, add_picture, state, engine):
    first, second = add_picture(10.0), add_picture(60.0)
    show(first)
    stage.viewer.zoom(9)
    QApplication.processEvents()  # its tiles are asked for, and not there yet
    state.next_generation()
    field = show(second)
    qtbot.waitUntil(lambda: not state.jobs.active(quiet=True), timeout=PATIENCE)
    look = stage.viewer.look
    truth = field.render(look.side, look.side, window=look.window)
    middle = (look.height // 2, look.width // 2)
    left, top, *_ = look.window
    shown = stage.screenshot().pixelColor(middle[1], middle[0]).getRgb()[:3]
    assert shown == tuple(truth[middle[0] + look.top - top, middle[1] + look.left - left, :3])


def test_the_right_of_the_bar_is_enlarged_in_the_background(qtbot, stage, show, add_picture, actions, state):
    show(add_picture())
    actions["compare_bicubic"].trigger()
    stage.viewer.zoom(20)
    tiles = lambda: [tile for tile in stage.viewer.cache if tile.source == "bicubic"]  # noqa: E731
    qtbot.waitUntil(
        lambda: any(tile.side == stage.viewer.look.side for tile in tiles()) and not state.jobs.active(quiet=True),
        timeout=PATIENCE,
    )
    before = stage.screenshot().pixelColor(500, 200)
    actions["compare_off"].trigger()
    qtbot.waitUntil(stage.viewer.is_sharp, timeout=PATIENCE)
    assert stage.screenshot().pixelColor(500, 200) != before


def test_the_keyboard_alone_is_enough(qtbot, stage, show, add_picture, actions, state):
    show(add_picture())
    viewer = stage.viewer
    stage.activateWindow()
    viewer.setFocus()
    qtbot.waitUntil(viewer.hasFocus, timeout=PATIENCE)
    side = viewer.look.side
    for _ in range(9):
        qtbot.keyClick(viewer, Qt.Key.Key_Plus)
    assert viewer.look.side > 7 * side
    left = viewer.look.left
    qtbot.keyClick(viewer, Qt.Key.Key_Right)
    assert viewer.look.left > left
    qtbot.keyClick(viewer, Qt.Key.Key_Left)
    qtbot.keyClick(viewer, Qt.Key.Key_Minus)
    assert viewer.look.side < 7 * side
    actions["compare_nearest"].trigger()
    qtbot.keyClick(viewer, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert viewer.split.share == pytest.approx(0.48)
    actions["one_to_one"].trigger()
    assert viewer.look.zoom == 1.0
    actions["lift_cap"].setChecked(True)
    for _ in range(60):
        viewer.zoom(1.5)
    assert viewer.look.zoom > 64
    actions["lift_cap"].setChecked(False)
    assert viewer.look.zoom == 64
    actions["whole"].trigger()
    assert viewer.look.shows_all


def test_an_empty_room_asks_nothing_and_offers_examples(stage, actions, state):
    assert stage.empty.isVisible() and not actions["walk"].isEnabled()
    chosen: list[str] = []
    stage.example_chosen.connect(chosen.append)
    stage.empty.findChildren(type(stage.empty._examples.layout().itemAt(0).widget()))[0].click()
    assert chosen == [images.FACTS.examples[0]]
    assert not state.jobs.active(quiet=True)


def test_what_is_under_the_pointer_is_said(qtbot, stage, show, add_picture):
    show(add_picture())
    point_at(stage.viewer, QPoint(320, 200))
    assert "#" in stage.under_pointer.text() and "0." in stage.under_pointer.text()
    stage.viewer.leaveEvent(None)
    assert stage.under_pointer.text() == ""


def test_a_picture_that_is_wide_fits_as_such(stage, show, add_picture):
    show(add_picture(10.0, extent=(-1.0, -0.25, 1.0, 0.25)))
    assert not stage.viewer.look.shows_all and stage.viewer.look.side > 560


def test_basis_fields_are_shown_with_their_spectra(qtbot, stage, show, add_picture):
    show(add_picture())
    stage.show_basis()
    [dialog] = stage.findChildren(BasisDialog)
    qtbot.waitUntil(lambda: all(box.has_image() for box in dialog.pictures + dialog.spectra), timeout=PATIENCE)
    assert [size.text() for size in dialog.sizes] == [f"{n} × {n},  6 channels" for n in (16, 32, 64)]
    assert dialog.chart._curves[2].frequencies[-1] == 32
    for picture, spectrum in zip(dialog.pictures, dialog.spectra, strict=True):
        assert picture.geometry().bottom() < spectrum.geometry().top(), "a spectrum lies over its map"
    dialog.grab()
    dialog.close()


@pytest.fixture
def add_file(state: AppState, tmp_path) -> Callable[[], Item]:
    def add(fidelity: str = "small") -> Item:
        Image.fromarray(np.full((20, 40, 3), (200, 40, 0), np.uint8)).save(tmp_path / "photo.png")
        facts = FitFacts(fidelity=fidelity, size_bytes=4096, pixels=(40, 20), figures={"psnr": 17.0})
        about = {"source": str(tmp_path / "photo.png"), "fit": facts, "extent": (-1.0, -0.5, 1.0, 0.5)}
        recipe = Recipe(domain="image", model=PICTURES.name, model_hash=PICTURES.hash, **about)
        return state.library.add(np.full((1, 2, 2), 10, np.float32), recipe, np.zeros((32, 32, 4), np.uint8))

    return add


def test_what_is_measured_in_a_picture_is_told_in_pixels_of_its_file_or_shares(
    qtbot, stage, show, add_file, add_picture, actions
):
    assert not actions["picture_ruler"].isEnabled() and "no picture" in actions["picture_ruler"].toolTip()
    viewer, said = stage.viewer, stage.measuring.said

    def measure(*places: tuple[float, float]) -> None:
        for place in viewer.on_screen(np.array(places)):
            qtbot.mouseClick(viewer, Qt.MouseButton.LeftButton, pos=place.toPoint())

    show(add_file())
    actions["picture_ruler"].trigger()
    assert said.text() == "Click a point of the picture  ·  in pixels of your file"
    look = viewer.look
    measure((-0.5, 0.0), (0.5, 0.9), (0.5, 0.25))  # the second one is beside the picture, which is wide
    told, along, _ = said.text().split("  ·  ")
    assert float(told.removesuffix(" px")) == pytest.approx(np.hypot(20, 5), abs=0.3)
    x, across, y, down = along.replace(",", "").split()
    assert (x, y) == ("x", "y") and float(across) == pytest.approx(20, abs=0.3)
    assert float(down) == pytest.approx(5, abs=0.3) and viewer.look == look
    with_ruler = stage.screenshot()
    assert with_ruler != viewer.screenshot()
    show(add_picture())
    assert said.text() == "Click a point of the picture  ·  in shares of the width"
    measure((-0.5, 0.0), (0.5, 0.0))
    told, _, _, exported = said.text().split("  ·  ")
    assert float(told.removesuffix(" %")) == pytest.approx(50, abs=0.5)
    assert re.fullmatch(r"1,0\d\d px in an export of 2,048 px", exported)
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert not actions["picture_ruler"].isChecked() and stage.measuring.bar.isHidden()
    assert stage.screenshot() == viewer.screenshot()


@pytest.mark.parametrize("compare", ["nearest", "bicubic"])
def test_the_right_of_the_bar_is_the_file(qtbot, stage, show, add_file, actions, state, compare: str):
    show(add_file())
    actions[f"compare_{compare}"].trigger()
    stage.viewer.move_bar(0.2)
    shown = lambda: stage.screenshot().pixelColor(700, 200).getRgb()[:3]  # noqa: E731
    qtbot.waitUntil(lambda: shown() == (200, 40, 0), timeout=PATIENCE)
    stage.viewer.zoom(3)
    qtbot.waitUntil(lambda: not state.jobs.active(quiet=True) and shown() == (200, 40, 0), timeout=PATIENCE)
    assert {tile.source for tile in stage.viewer.cache} == {"function", compare}
    assert not state.notifications.list()


def test_without_the_file_there_is_the_small_drawing_and_a_word(qtbot, stage, show, add_file, actions, state, tmp_path):
    item = add_file()
    (tmp_path / "photo.png").unlink()
    show(item)
    actions["compare_nearest"].trigger()
    assert not stage.viewer.beside_file
    assert f"photo.png is no longer in {tmp_path}" in state.notifications.list()[-1].text
    actions["compare_off"].trigger()


def test_a_file_is_fitted_again_as_closely_as_one_likes(qtbot, stage, show, add_file, add_picture, actions, tmp_path):
    asked: list[tuple[object, str]] = []
    stage.refit_asked.connect(lambda *given: asked.append(given))
    show(add_picture())
    assert not actions["fidelity"].isEnabled()
    show(add_file())
    stage.show_fidelities()
    [menu] = stage.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly)
    entries = {entry.text(): entry for entry in menu.actions()}
    assert list(entries) == ["Small  ·  4 kB", "Balanced  ·  at most 1 kB", "Faithful  ·  at most 3 kB"]
    assert [entry.isChecked() for entry in entries.values()] == [True, False, False]
    entries["Faithful  ·  at most 3 kB"].trigger()
    assert asked == [(tmp_path / "photo.png", "faithful")]
    menu.close()
    (tmp_path / "photo.png").unlink()
    entries["Balanced  ·  at most 1 kB"].trigger()
    assert len(asked) == 1


def test_a_walk_is_looked_at_and_saved(qtbot, stage, show, add_picture, state, engine, tmp_path):
    first, second = add_picture(10.0), add_picture(90.0)
    show(first)
    stage.show_walk()
    [dialog] = stage.findChildren(WalkDialog)
    assert dialog.goal() == second
    qtbot.waitUntil(dialog.preview.has_image, timeout=PATIENCE)
    dialog.slider.setValue(100)
    dialog.frames.setValue(5)
    dialog.resolution.setValue(64)
    with qtbot.waitSignal(engine.answers(WalkDone), timeout=PATIENCE):
        dialog.write(tmp_path / "walk")
    frames = [imageio.imread(path) for path in sorted((tmp_path / "walk").iterdir())]
    assert len(frames) == 5
    assert np.array_equal(frames[0], FakeField(0.3 * 10 / 97).render(64, 64))
    dialog.write(tmp_path / "walk")
    qtbot.waitUntil(lambda: bool(state.notifications.list()), timeout=PATIENCE)
    assert "is there already" in state.notifications.list()[0].text
    assert [path.name for path in tmp_path.iterdir()] == ["walk"]
    dialog.close()


def test_a_film_of_a_walk_leads_back_to_where_it_began(qtbot, stage, show, add_picture, engine, tmp_path):
    first, _second = add_picture(10.0), add_picture(90.0)
    show(first)
    stage.show_walk()
    [dialog] = stage.findChildren(WalkDialog)
    dialog.frames.setValue(4)
    dialog.resolution.setValue(64)
    dialog.back.setChecked(True)
    with qtbot.waitSignal(engine.answers(WalkDone), timeout=PATIENCE):
        dialog.write(tmp_path / "walk.webp")
    frames = imageio.imread(tmp_path / "walk.webp", index=...).astype(int)
    assert len(frames) == 6
    assert np.abs(frames[1] - frames[5]).mean() < np.abs(frames[1] - frames[3]).mean() / 4
    dialog.close()


def test_a_walk_that_is_cancelled_leaves_nothing(qtbot, stage, show, add_picture, state, engine, tmp_path):
    first, second = add_picture(10.0), add_picture(90.0)
    show(first)
    job = engine.ask(WalkRequest(start=first, end=second, path=tmp_path / "walk", frames=2000, resolution=64, rate=24))
    qtbot.waitUntil(lambda: job.fraction > 0, timeout=PATIENCE)
    engine.cancel(job)
    qtbot.waitUntil(lambda: not job.is_active, timeout=PATIENCE)
    assert job.status == "cancelled" and not list(tmp_path.iterdir())


def test_a_walk_needs_another_picture(qtbot, stage, show, add_picture):
    show(add_picture())
    stage.show_walk()
    [dialog] = stage.findChildren(WalkDialog)
    assert dialog.goal() is None and not dialog.save.isEnabled()
    dialog.close()


def test_a_picture_is_seen_scale_by_scale_and_played(qtbot, stage, show, add_picture):
    show(add_picture())
    stage.show_scales()
    [dialog] = stage.findChildren(ScalesDialog)
    qtbot.waitUntil(dialog.preview.has_image, timeout=PATIENCE)
    assert [part.strip() for part in dialog.weights.text().split("·")] == ["Coarse 100%", "Middle 0%", "Fine 0%"]
    dialog.seconds.setValue(1)
    dialog.play.click()
    qtbot.waitUntil(lambda: not dialog.play.isChecked(), timeout=PATIENCE)
    assert dialog.slider.value() == dialog.slider.maximum()
    qtbot.waitUntil(lambda: dialog.weights.text().endswith("Fine 100%"), timeout=PATIENCE)
    dialog.play.click()  # plays from the beginning again
    assert dialog.play.isChecked() and dialog.play.toolTip() == "Pause"
    dialog.close()


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_the_film_of_scales_is_saved_with_its_recipe(qtbot, stage, show, add_picture, engine, state, tmp_path, suffix):
    item = add_picture(prompt="a cat")
    show(item)
    stage.show_scales()
    [dialog] = stage.findChildren(ScalesDialog)
    dialog.seconds.setValue(1.2)
    dialog.resolution.setValue(64)
    dialog.format.setCurrentIndex(dialog.format.findData(suffix))
    with qtbot.waitSignal(engine.answers(ScaleFilmDone), timeout=PATIENCE) as written:
        dialog.write(tmp_path / f"cat{suffix}")
    assert written.args[0].path == tmp_path / f"cat{suffix}"
    with av.open(str(tmp_path / f"cat{suffix}")) as film:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    assert len(frames) == {".mp4": 36, ".gif": 30}[suffix]
    assert np.abs(frames[0] - frames[-1]).mean() > 20 > np.abs(frames[-1] - frames[-2]).mean()
    assert read_recipe(tmp_path / f"cat{suffix}") == item.recipe
    dialog.write(tmp_path / f"cat{suffix}")
    qtbot.waitUntil(lambda: bool(state.notifications.list()), timeout=PATIENCE)
    assert "is there already" in state.notifications.list()[0].text
    dialog.close()
