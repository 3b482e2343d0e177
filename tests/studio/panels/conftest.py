from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QMainWindow

from ddmi_core.recipe import Recipe
from ddmi_core.support.paths import user_data
from studio.actions import Actions
from studio.engine.models import ModelFolders
from studio.engine.training import Training
from studio.keymap import Keymap
from studio.rooms import actions_of
from studio.state.app_state import AppState
from studio.state.library import Item, Library
from studio.theme.theme import Theme
from tests.studio.window.fakes import MODEL


@pytest.fixture
def state() -> Iterator[AppState]:
    library = Library(user_data() / "library")
    state = AppState(library)
    state.set_models([MODEL])
    yield state
    library.close()


@pytest.fixture
def model_folders(qapp: QApplication) -> Iterator[ModelFolders]:
    folders = ModelFolders()
    yield folders
    assert folders.shutdown()


@pytest.fixture
def actions(qtbot, theme: Theme) -> Actions:
    window = QMainWindow()
    qtbot.addWidget(window)
    return Actions(window, theme, Keymap(actions_of()))


@pytest.fixture
def add_item(state: AppState) -> Callable[..., Item]:
    def add(prompt: str = "a chair", seed: int = 1, **recipe: object) -> Item:
        return state.library.add(
            np.zeros((1, 2, 2), np.float32),
            Recipe(
                **{"domain": "shape", "model": MODEL.name, "model_hash": MODEL.hash, "prompt": prompt, "seed": seed}
                | recipe
            ),
            np.zeros((32, 32, 4), np.uint8),
        )

    return add


@pytest.fixture
def training(qapp: QApplication) -> Iterator[Training]:
    training = Training()
    yield training
    assert training.shutdown()
