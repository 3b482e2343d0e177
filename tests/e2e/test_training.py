"""A training from the wizard to a model that is ready to be used, by processes as a person starts them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ddmi_core.model_folder import list_models
from ddmi_core.support.known_runs import known_runs
from studio.engine.gallery import exhibition
from studio.engine.training import Training
from studio.panels.training import TrainingRoom
from studio.settings import Settings
from studio.theme.theme import Theme
from studio.wizard.pages import OptionsPage, ReviewPage
from studio.wizard.wizard import TrainingWizard

PATIENCE = 400_000  # ms; a slow machine is no failure

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def room(theme: Theme, qtbot: QtBot) -> Iterator[TrainingRoom]:
    training = Training()
    room = TrainingRoom(training, theme)
    qtbot.addWidget(room)
    room.show()
    training.start()
    yield room
    assert training.shutdown()


def test_a_tiny_run_from_the_wizard_ends_in_the_list_of_models(qtbot: QtBot, room: TrainingRoom, home: Path) -> None:
    wizard = TrainingWizard(Settings(), parent=room)
    for _ in range(3):
        wizard.go_on()
    options, review = wizard.pages[3], wizard.pages[4]
    assert isinstance(options, OptionsPage) and isinstance(review, ReviewPage)
    options.name.setText("from the wizard")
    for key in options.boxes:
        options.boxes[key].setValue(4)
    wizard.go_on()
    review.text.setPlainText(
        review.text.toPlainText()
        .replace("cached_latents: 512", "cached_latents: 8")
        .replace("queries: 1024", "queries: 64")
    )
    with qtbot.waitSignal(wizard.started) as started:
        wizard.go_on()
    (folder,) = started.args
    room._training.go_on(folder)
    with qtbot.waitSignal(room._training.finished, timeout=PATIENCE) as finished:
        pass
    assert finished.args[0].folder == folder and known_runs() == [folder]
    assert room.monitor.title.text() == "from the wizard"
    qtbot.waitUntil(lambda: room.monitor.pictures.slider.maximum() > 0, timeout=PATIENCE)
    trained = next(model for model in list_models("shape") if model.name == "from the wizard")
    assert trained.origin == f"Trained in the run {folder.name}"
    assert "4 steps, 4 examples each" in (trained.folder / "README.md").read_text()
    assert (trained.folder / "preview.png").exists()
    seen = exhibition(trained).exhibits
    assert seen and all(one.recipe is not None and one.recipe.model == trained.name for one in seen)
