"""A section and a ruler in the Shapes room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from ddmi_core.placement import Placement
from ddmi_core.rendering.sections import Section
from studio.panels.export_dialog import Place
from studio.rooms.shapes.stage import ShapeStage
from studio.window import MainWindow
from tests.studio.window.test_window import PATIENCE, make_shape

pytestmark = pytest.mark.gl


@pytest.fixture
def stage(qtbot, window: MainWindow) -> ShapeStage:
    make_shape(qtbot, window)
    assert isinstance(window.stage, ShapeStage)
    return window.stage


def measure(qtbot, stage: ShapeStage, *places: tuple[float, float, float]) -> None:
    """Click where points of the shape are seen."""
    for place in stage.viewer.on_screen(np.array(places)):
        assert place is not None
        qtbot.mouseClick(stage.viewer, Qt.MouseButton.LeftButton, pos=place.toPoint())


def ends_of_top(stage: ShapeStage) -> tuple[tuple[float, float, float], ...]:
    """Two points of a table's top, far apart along x."""
    _, high = stage.viewer.box
    return tuple((share * float(high[0]), float(high[1]), 0.1) for share in (-0.8, 0.8))


def test_without_a_shape_there_is_nothing_to_cut_or_to_measure(window: MainWindow) -> None:
    for name in ("section", "section_y", "section_flip", "ruler"):
        assert not window.actions_[name].isEnabled()
        assert window.actions_[name].toolTip() == "There is no shape on the stage yet"
    assert not window.stage.section_bar.isVisible() and not window.stage.measuring.bar.isVisible()


def test_a_section_is_moved_and_turned_and_stays_from_shape_to_shape(qtbot, window, stage: ShapeStage) -> None:
    actions, bar = window.actions_, stage.section_bar
    assert stage.viewer.section is None and not bar.isVisible()
    actions["section"].trigger()
    assert stage.viewer.section == Section(0, 0.5) and bar.isVisible()
    low, high = stage.viewer.box
    assert bar.figure.text() == f"{50 * (high[0] - low[0]) / (high - low).max():.1f} %"
    bar.place.setValue(250)
    actions["section_y"].trigger()
    actions["section_flip"].trigger()
    cut = Section(1, 0.25, flipped=True)
    assert stage.viewer.section == cut
    view = stage.viewer.view
    make_shape(qtbot, window, "a square table")
    assert stage.viewer.section == cut and bar.isVisible() and view.azimuth == stage.viewer.view.azimuth
    bar.close_button.click()
    assert stage.viewer.section is None and not bar.isVisible() and not actions["section"].isChecked()
    actions["section_z"].trigger()  # from the menu: it is wanted, then
    assert stage.viewer.section == Section(2, 0.25, flipped=True) and bar.isVisible()


def test_a_section_is_off_at_the_next_start(qtbot, stage: ShapeStage, window, make_window: Callable[[], MainWindow]):
    window.actions_["section"].trigger()
    window.close()
    again = make_window()
    assert not again.actions_["section"].isChecked() and again.stage.viewer.section is None


def test_a_ruler_says_how_far_two_points_are_apart(qtbot, window, stage: ShapeStage) -> None:
    said, bar = stage.measuring.said, stage.measuring.bar
    window.actions_["view_top"].trigger()
    qtbot.waitUntil(lambda: stage.viewer.view.elevation == 90.0, timeout=PATIENCE)
    window.actions_["ruler"].trigger()
    assert bar.isVisible() and said.text() == "Click a point of the shape  ·  in shares of the longest side"
    first, last = ends_of_top(stage)
    measure(qtbot, stage, first)
    assert said.text().startswith("Click the other end")
    measure(qtbot, stage, last)
    found = stage.measuring.ruler.ends
    assert found[0] == pytest.approx(first, abs=0.02) and found[1] == pytest.approx(last, abs=0.02)
    low, high = stage.viewer.box
    share = 100 * (last[0] - first[0]) / float((high - low).max())
    told, parts, told_in = said.text().split("  ·  ")
    assert float(told.removesuffix(" %")) == pytest.approx(share, abs=1.0)
    along = dict(part.split() for part in parts.split(", "))
    assert list(along) == ["x", "y", "z"] and float(along["y"]) == pytest.approx(0.0, abs=0.2)
    assert told_in == "in shares of the longest side"
    stage.longest.setValue(1000)
    assert said.text().endswith("in millimetres")
    assert float(said.text().split(" mm")[0].replace(",", "")) == pytest.approx(10 * share, abs=10)
    measure(qtbot, stage, first)
    assert said.text().startswith("Click the other end"), "a third click starts anew"


def test_escape_ends_the_ruler_and_nothing_else(qtbot, window, stage: ShapeStage) -> None:
    window.actions_["ruler"].trigger()
    measure(qtbot, stage, ends_of_top(stage)[0])
    qtbot.keyClick(stage.viewer, Qt.Key.Key_Escape)
    assert not window.actions_["ruler"].isChecked() and not stage.measuring.bar.isVisible()
    assert not stage.measuring.ruler.ends
    window.actions_["ruler"].trigger()
    qtbot.keyClick(stage.longest, Qt.Key.Key_Escape)
    assert not window.actions_["ruler"].isChecked()


def test_another_shape_has_no_ruler_on_it_yet(qtbot, window, stage: ShapeStage) -> None:
    window.actions_["ruler"].trigger()
    measure(qtbot, stage, ends_of_top(stage)[0])
    assert len(stage.measuring.ruler.ends) == 1
    make_shape(qtbot, window, "a square table")
    assert not stage.measuring.ruler.ends and stage.measuring.said.text().startswith("Click a point")
    stage.show_view(None, None)
    assert not window.actions_["ruler"].isChecked() and not stage.measuring.bar.isVisible()


def test_what_was_measured_with_is_what_is_exported(window, stage: ShapeStage, tmp_path) -> None:
    item = window.state.shown
    dialog = stage.export_dialog(item, Place(tmp_path), window)
    assert dialog.options().longest is None
    stage.longest.setValue(2200)
    dialog = stage.export_dialog(item, Place(tmp_path), window)
    assert dialog.options().longest == 2200


def test_lengths_of_what_was_made_of_a_file_are_those_of_the_file(window, stage: ShapeStage) -> None:
    low, high = stage.viewer.box
    there = Placement(centre=(0.0, 0.0, 0.0), unit=4.0 / float(high[0] - low[0]))
    item = window.state.shown
    placed = replace(item, recipe=item.recipe.model_copy(update={"placement": there}))
    stage.show_view(placed, {"pieces": stage.viewer._frames.scene.surface}, 64)
    window.actions_["section"].trigger()
    assert stage.section_bar.figure.text() == "2.000"
    window.actions_["ruler"].trigger()
    assert stage.measuring.said.text().endswith("in the units of your file")
