"""Posed photographs that are dropped are encoded, then fitted, and seen beside some that the fit does not know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMenu

from ddmi_core.data import visual_hull
from ddmi_core.fidelity import FitFacts
from ddmi_core.fitting import scenes
from studio.engine.work.fitting import FitRequest
from studio.state.jobs import Job
from studio.window import MainWindow
from tests.core.data.posed_scene import write_transforms
from tests.studio.window.fakes import RADIANCE, FakeRadianceDomain, FakeRadiancePipeline
from tests.studio.window.test_window import PATIENCE, drop

pytestmark = [pytest.mark.gl, pytest.mark.slow]


@pytest.fixture(autouse=True)
def little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scenes._EFFORTS, "faithful", scenes._Effort(16, 4, 16, 8))
    little = {"_RAYS": 64, "_MET": 64, "_BEGINNING": 10, "_GRID": 16, "_STRATA": 24, "_EMPTY_PLACES": 64}
    for name, value in {**little, "_MEASURED_RAYS": 100, "_STAGES": (0.5,)}.items():
        monkeypatch.setattr(scenes, name, value)
    monkeypatch.setattr(visual_hull, "_CELLS", 16)


@pytest.fixture
def pipeline() -> FakeRadiancePipeline:
    return FakeRadiancePipeline()


@pytest.fixture
def window(make_window: Callable[[], MainWindow]) -> MainWindow:
    window = make_window()
    window.state.set_models([RADIANCE])
    return window


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    write_transforms(tmp_path / "box", 8)
    return tmp_path / "box" / "transforms.json"


def fits(window: MainWindow) -> list[Job]:
    return [one for one in window.state.jobs.active() if isinstance(one.request, FitRequest)]


def test_the_same_item_is_fitted_and_seen_beside_its_photographs(qtbot, window, scene: Path) -> None:
    drop(window, scene.parent)  # a folder goes by what is in it
    qtbot.waitUntil(
        lambda: window.state.shown is not None and window.state.shown.recipe.is_fitted and not fits(window),
        timeout=3 * PATIENCE,
    )
    assert len(window.state.library.items()) == 1
    assert "dB at 2 held-out views" in window.inspector.shown_facts.text()
    stage, actions = window.stage, window.actions_
    actions["held_out_view"].trigger()
    qtbot.waitUntil(lambda: stage.viewer.is_parted, timeout=3 * PATIENCE)
    assert stage.figures.text().startswith("View 1 of 2")
    actions["held_out_next"].trigger()
    qtbot.waitUntil(lambda: stage.figures.text().startswith("View 2 of 2"), timeout=3 * PATIENCE)
    assert stage.viewer.is_parted and actions["held_out_view"].isChecked()
    stage.viewer.orbit(20, 0)
    qtbot.waitUntil(lambda: not stage.viewer.is_parted, timeout=3 * PATIENCE)
    assert not actions["held_out_view"].isChecked()
    scene.unlink()
    actions["held_out_view"].trigger()
    [said] = window.state.notifications.list()
    assert "transforms.json is no longer in" in said.text and not actions["held_out_view"].isChecked()


def test_what_there_is_of_a_fit_that_is_stopped_stays(qtbot, window, scene: Path, monkeypatch) -> None:
    monkeypatch.setitem(scenes._EFFORTS, "faithful", scenes._Effort(16, 4, 16, 100_000))
    monkeypatch.setattr(scenes, "_STAGES", (0.00005,))
    drop(window, scene)
    qtbot.waitUntil(
        lambda: window.state.shown is not None and window.state.shown.recipe.is_fitted, timeout=3 * PATIENCE
    )
    [job] = fits(window)
    window.engine.cancel(job)
    qtbot.waitUntil(lambda: not fits(window), timeout=3 * PATIENCE)
    item = window.state.shown
    assert item.recipe.fit.fidelity == "faithful" and item.recipe.fit.done < 1
    assert "fit of the file, 0 % done" in window.inspector.shown_facts.text()
    monkeypatch.setitem(scenes._EFFORTS, "faithful", scenes._Effort(16, 4, 16, 8))
    window.actions_["scene_fidelity"].trigger()
    menu = window.stage.findChild(QMenu)
    [go_on] = [entry for entry in menu.actions() if entry.text() == "Go on where it stopped"]
    go_on.trigger()
    menu.close()
    qtbot.waitUntil(lambda: window.state.library.get(item.id).recipe.fit.done == 1, timeout=3 * PATIENCE)
    assert not [one.text for one in window.state.notifications.list() if one.level == "error"]


def test_pictures_that_are_left_out_are_told_before_the_fit(qtbot, window, scene: Path, monkeypatch) -> None:
    remark = "2 of 8 pictures are left out."
    facts = FitFacts(fidelity="small", size_bytes=4096, figures={"psnr": 32.0}, remark=remark)
    monkeypatch.setattr(FakeRadianceDomain, "latent_facts", lambda *_: facts)
    window.settings.fidelity = "small"  # what a fit makes of such pictures is tested without a window
    drop(window, scene)
    qtbot.waitUntil(lambda: bool(window.state.notifications.list()), timeout=PATIENCE)
    assert [one.text for one in window.state.notifications.list()] == [f"transforms.json: {remark}"]
    assert window.inspector.shown_facts.text().endswith(remark)
