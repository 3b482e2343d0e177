"""The main job in the real window: a prompt is typed, a shape appears, it is exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from ddmi_core.export.options import ShapeExport
from ddmi_core.model_folder import describe
from studio.engine.engine import Engine
from studio.engine.training import Training
from studio.panels.export_dialog import Order
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Library
from studio.state.session import read_session, session_file
from studio.theme.theme import Theme
from studio.window import MainWindow

pytestmark = pytest.mark.gl

PATIENCE = 120_000  # ms; a slow machine is no failure


@pytest.fixture
def window(theme: Theme, qtbot: QtBot, model: Path, home: Path) -> Iterator[MainWindow]:
    """The window as the app builds it, with the real engine and a library of its own."""
    if not (home / "models").exists():
        (home / "models").mkdir()
        (home / "models" / model.name).symlink_to(model)
    library = Library(home / "library")
    settings = Settings()
    state = AppState(library, forms=read_session(session_file()).forms)
    engine = Engine(state)
    training = Training()
    window = MainWindow(state, engine, training, theme, settings)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.installed.look()
    qtbot.waitUntil(lambda: bool(state.models), timeout=PATIENCE)
    yield window
    training.shutdown()
    engine.shutdown()
    library.close()


def test_a_typed_prompt_becomes_a_shape_and_a_file(
    qtbot: QtBot, window: MainWindow, model: Path, tmp_path: Path
) -> None:
    state = window.state
    before = _pixels(window)
    qtbot.keyClicks(window.inspector.prompt, "a round table with one leg")
    qtbot.keyClick(window.inspector.prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    if not state.jobs.active():  # without a window manager the shortcut may not reach an inactive window
        window.generation.generate()
    qtbot.waitUntil(lambda: state.shown is not None and not state.jobs.active(quiet=True), timeout=PATIENCE)

    item = state.shown
    assert item.recipe.prompt == "a round table with one leg"
    assert item.recipe.model_hash == describe(model).hash
    # the shape is seen in the viewport, which is drawn in turns
    qtbot.waitUntil(lambda: (np.abs(_pixels(window) - before).max(axis=-1) > 24).mean() > 0.02, timeout=PATIENCE)

    target = tmp_path / "table.obj"
    window.exports.export(item, Order(target, ShapeExport(resolution=64)))
    qtbot.waitUntil(target.exists, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not state.jobs.active(), timeout=PATIENCE)
    mesh = trimesh.load(target, force="mesh")
    assert len(mesh.faces) > 100 and mesh.is_watertight and mesh.volume > 0


def test_what_was_made_is_there_after_a_restart(qtbot: QtBot, window: MainWindow, home: Path) -> None:
    window.state.update_form(prompt="a chair", steps=4)
    window.generation.generate()
    qtbot.waitUntil(
        lambda: bool(window.state.library.items()) and not window.state.jobs.active(quiet=True), timeout=PATIENCE
    )
    made = window.state.library.items()
    window.close()
    again = Library(home / "library")
    assert [(item.id, item.recipe) for item in again.items()] == [(item.id, item.recipe) for item in made]
    again.close()


def _pixels(window: MainWindow) -> np.ndarray:
    """What the stage shows, as int16 (h, w, 3)."""
    picture = window.stage.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return rows[:, : 3 * picture.width()].reshape(picture.height(), picture.width(), 3).astype(np.int16)
