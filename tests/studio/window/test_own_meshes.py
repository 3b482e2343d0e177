"""A mesh that is dropped is encoded, then fitted while the person goes on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PySide6.QtWidgets import QMenu

from ddmi_core.data.shape_folders import read_mesh
from ddmi_core.fitting import shapes
from ddmi_core.rendering.mesh_pieces import MeshPiece
from studio.engine.work.fitting import FitRequest
from studio.engine.work.viewing import ViewRequest
from studio.window import MainWindow
from tests.studio.gl.test_viewport import pixels
from tests.studio.window.fakes import FakeDomain
from tests.studio.window.test_window import PATIENCE, calm, drop

pytestmark = pytest.mark.gl


@pytest.fixture(autouse=True)
def little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    for fidelity in ("balanced", "faithful"):
        monkeypatch.setitem(shapes._EFFORTS, fidelity, shapes._Effort(16, 4, 16, 20))
    monkeypatch.setattr(shapes, "_PLACES", 4_000)
    monkeypatch.setattr(shapes, "_HELD_OUT", 1_000)
    monkeypatch.setattr(shapes, "_BATCH", 512)
    monkeypatch.setattr(shapes, "_STAGES", ())


@pytest.fixture
def stand(tmp_path: Path) -> Path:
    path = tmp_path / "stand.glb"
    trimesh.creation.box((2.0, 1.0, 1.0)).export(path)
    return path


def fits(window: MainWindow) -> list[FitRequest]:
    return [job.request for job in window.state.jobs.active() if isinstance(job.request, FitRequest)]


def test_the_same_item_is_fitted_and_stays_seen_from_where_one_looks(qtbot, window, stand: Path) -> None:
    drop(window, stand)
    qtbot.waitUntil(lambda: window.state.shown is not None, timeout=PATIENCE)
    item = window.state.shown
    assert not item.recipe.is_fitted and "IoU 0.40" in window.inspector.shown_facts.text()
    assert "unlike what furniture was taught" in window.inspector.shown_facts.text()
    qtbot.waitUntil(lambda: bool(fits(window)), timeout=PATIENCE)
    window.stage.viewer.orbit(30, 10)
    view = window.stage.viewer.view
    qtbot.waitUntil(lambda: window.state.shown.recipe.is_fitted and calm(window), timeout=PATIENCE)
    fitted = window.state.shown
    assert fitted.id == item.id and window.history.model.items() == [fitted]
    assert window.inspector.shown_facts.text().startswith("Faithful fit of the file\nIoU")
    assert "unlike what furniture was taught, so blends" in window.inspector.shown_facts.text()
    assert not window.state.notifications.list()
    assert window.stage.viewer.view == view
    window.state.set_models([])  # a fit needs no model
    window.engine.ask(ViewRequest(item=fitted))
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert not [one.text for one in window.state.notifications.list() if one.level == "error"]


def test_another_item_stays_on_the_stage_while_one_is_fitted(qtbot, window, stand: Path) -> None:
    drop(window, stand)
    qtbot.waitUntil(lambda: bool(fits(window)), timeout=PATIENCE)
    window.state.update_form(prompt="a round table")
    window.generation.generate()  # does not wait for the fit
    qtbot.waitUntil(lambda: len(window.state.library.items()) == 2 and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.prompt == "a round table"
    assert [one.recipe.is_fitted for one in window.state.library.items()] == [False, True]


def test_what_is_deleted_or_wanted_small_is_not_fitted(qtbot, window, stand: Path, monkeypatch) -> None:
    monkeypatch.setitem(shapes._EFFORTS, "faithful", shapes._Effort(16, 4, 16, 100_000))
    drop(window, stand)
    qtbot.waitUntil(lambda: bool(fits(window)), timeout=PATIENCE)
    window.state.library.delete(window.state.shown)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    assert not window.state.library.items() and not window.state.notifications.list()

    window.settings.fidelity = "small"
    drop(window, stand)
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    [said] = window.state.notifications.list()
    assert "furniture makes little of stand.glb (IoU 0.40)" in said.text
    monkeypatch.setitem(shapes._EFFORTS, "faithful", shapes._Effort(16, 4, 16, 20))
    said.action.run()
    qtbot.waitUntil(lambda: window.state.shown.recipe.is_fitted and calm(window), timeout=PATIENCE)
    assert len(window.state.library.items()) == 1


def test_a_cloud_of_points_stays_what_the_model_makes_of_it(qtbot, window, tmp_path: Path) -> None:
    trimesh.PointCloud(np.random.default_rng(0).normal(size=(300, 3))).export(tmp_path / "cloud.ply")
    drop(window, tmp_path / "cloud.ply")
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert not window.state.shown.recipe.is_fitted and window.state.shown.recipe.fit is None


def test_a_fit_can_be_asked_for_again(qtbot, window, stand: Path) -> None:
    window.settings.fidelity = "small"
    drop(window, stand)
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    window.actions_["shape_fidelity"].trigger()
    menu = window.stage.findChild(QMenu)
    entries = {entry.text(): entry for entry in menu.actions()}
    assert list(entries) == ["Small  ·  1 kB", "Balanced  ·  about 0.3 MB", "Faithful  ·  about 2.1 MB"]
    assert entries["Small  ·  1 kB"].isChecked()
    menu.actions()[1].trigger()
    menu.close()
    qtbot.waitUntil(lambda: window.state.shown.recipe.is_fitted and calm(window), timeout=PATIENCE)
    assert window.state.shown.recipe.fit.fidelity == "balanced" and len(window.state.library.items()) == 2


@pytest.mark.slow
@pytest.mark.slow
def test_a_fit_can_be_refined_further(qtbot, window, stand: Path, monkeypatch) -> None:
    drop(window, stand)
    qtbot.waitUntil(
        lambda: window.state.shown is not None and window.state.shown.recipe.is_fitted and not fits(window),
        timeout=PATIENCE,
    )
    item, before = window.state.shown, window.state.library.load_fit(window.state.shown)
    sharp: list[bytes] = []
    show_detail = window.stage.viewer.show_detail

    def shown(pieces: tuple[MeshPiece, ...], light: bool) -> None:
        show_detail(pieces, light=light)
        sharp.append(b"".join(piece.points.tobytes() for piece in pieces))

    monkeypatch.setattr(window.stage.viewer, "show_detail", shown)
    window.stage.viewer.orbit(5, 0)
    qtbot.waitUntil(lambda: len(sharp) == 2 and calm(window), timeout=PATIENCE)
    window.actions_["shape_fidelity"].trigger()
    menu = window.stage.findChild(QMenu)
    [further] = [entry for entry in menu.actions() if entry.text() == "Refine further"]
    further.trigger()
    menu.close()
    qtbot.waitUntil(lambda: bool(fits(window)), timeout=PATIENCE)
    assert fits(window)[0].goes_on
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    [fitted] = window.state.library.items()
    assert fitted.id == item.id and fitted.recipe.fit.done == 1
    assert window.state.library.load_fit(fitted) != before
    window.stage.viewer.orbit(-5, 0)
    qtbot.waitUntil(lambda: len(sharp) >= 4 and calm(window), timeout=PATIENCE)
    assert not set(sharp[:2]) & set(sharp[2:])  # what is sharp is of the fit as it is now


@pytest.mark.slow
def test_a_fit_is_seen_beside_its_file(qtbot, window, stand: Path, monkeypatch) -> None:
    there = read_mesh(stand)[1]
    monkeypatch.setattr(FakeDomain, "placement", lambda *_: there)
    drop(window, stand)
    qtbot.waitUntil(
        lambda: window.state.shown is not None and window.state.shown.recipe.is_fitted and calm(window),
        timeout=PATIENCE,
    )
    stage, actions = window.stage, window.actions_

    def is_coloured() -> bool:
        return bool((np.ptp(pixels(stage.screenshot()), axis=2) > 60).any())

    assert not is_coloured()
    actions["beside_distances"].trigger()
    qtbot.waitUntil(lambda: stage.scale.isVisible() and calm(window), timeout=PATIENCE)
    assert re.fullmatch(r"Distance from the file: mean 0\.\d+, at most 0\.\d+", stage.scale.title)
    qtbot.waitUntil(is_coloured, timeout=PATIENCE)
    actions["beside_glass"].trigger()
    assert not stage.scale.isVisible()
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    qtbot.waitUntil(is_coloured, timeout=PATIENCE)
    actions["beside_nothing"].trigger()
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not is_coloured(), timeout=PATIENCE)
    trimesh.creation.box((1.0, 1.0, 1.0)).export(stand)
    actions["beside_distances"].trigger()
    qtbot.waitUntil(lambda: bool(window.state.notifications.list()) and calm(window), timeout=PATIENCE)
    stage.viewer.orbit(30, 10)
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    [said] = window.state.notifications.list()
    assert "stand.glb is another mesh than it was" in said.text and not stage.scale.isVisible()
    window.state.notifications.dismiss(said)
    stand.unlink()
    actions["beside_glass"].trigger()
    [said] = window.state.notifications.list()
    assert "stand.glb is no longer in" in said.text


def test_what_was_made_of_no_file_is_compared_with_none(qtbot, window) -> None:
    window.state.update_form(prompt="a round table")
    window.generation.generate()
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    assert not window.actions_["beside_glass"].isEnabled() and not window.actions_["beside_distances"].isEnabled()


def test_how_thick_a_shape_is_can_be_seen(qtbot, window) -> None:
    window.state.update_form(prompt="a round table")
    window.generation.generate()
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    stage, actions = window.stage, window.actions_
    actions["beside_thickness"].trigger()
    qtbot.waitUntil(lambda: stage.scale.isVisible() and calm(window), timeout=PATIENCE)
    assert re.fullmatch(r"Thickness: a hundredth of the surface below \d+\.\d % of the longest side", stage.scale.title)
    qtbot.waitUntil(lambda: bool((np.ptp(pixels(stage.screenshot()), axis=2) > 60).any()), timeout=PATIENCE)
    actions["beside_nothing"].trigger()
    assert not stage.scale.isVisible()
