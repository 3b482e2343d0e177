"""A fifth domain is a file in `domains/`, one in `fields/`, a room and a preset; nothing else has to know of it."""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from ddmi_core import cli, domains
from ddmi_core.model_folder import describe, list_models
from ddmi_core.support.errors import DataError
from ddmi_core.support.paths import user_data
from ddmi_core.training import run as training_run
from ddmi_core.training.config import RunConfig, preset_names
from studio.engine.engine import Engine
from studio.engine.training import Training
from studio.panels.palette import Palette
from studio.panels.shortcut_sheet import sections
from studio.rooms import ROOMS
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Library
from studio.theme.theme import Theme
from studio.window import MainWindow
from tests.studio.sound.domain import SoundDomain
from tests.studio.sound.room import SoundChoice, SoundExportDialog, SoundStage

PRESET = Path(__file__).with_name("sound-tiny.yaml")


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the domain, and its preset as one of the person's own, until the test is over."""
    monkeypatch.setitem(domains._DOMAINS, SoundDomain.name, SoundDomain())
    presets = user_data() / "presets"
    presets.mkdir(parents=True)
    shutil.copy(PRESET, presets)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model for sounds, trained from the preset by the command line."""
    run = tmp_path_factory.mktemp("sound") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(domains._DOMAINS, SoundDomain.name, SoundDomain())
        patch.setattr(training_run, "_TRIAL_SECONDS", 0.0)
        assert cli.main(["train", "--config", str(PRESET), "--out", str(run)]) == 0
    return run / "model"


@pytest.fixture
def model(sound: None, trained: Path) -> Path:
    """The model among the person's own."""
    return shutil.copytree(trained, user_data() / "models" / "sound-tiny")


def samples_of(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.fixture
def window(qtbot, theme: Theme, model: Path) -> Iterator[MainWindow]:
    """The studio with a fifth room, and the engine that it really has."""
    state = AppState(Library(user_data() / "library"))
    window = MainWindow(state, Engine(state), Training(), theme, Settings(), (*ROOMS, SoundStage))
    window.show()
    qtbot.waitExposed(window)
    state.set_models([describe(model)])
    yield window
    window.engine.cancel_all()
    qtbot.waitUntil(lambda: not state.jobs.active(quiet=True), timeout=60_000)
    assert window.engine.shutdown(60) and window.training.shutdown()
    window.close()
    window.deleteLater()
    state.library.close()


def test_the_command_line_trains_generates_and_reconstructs(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "sound-tiny" in preset_names() and RunConfig.from_preset("sound-tiny").domain == "sound"
    assert [info.folder for info in list_models("sound")] == [model]
    made, again = tmp_path / "a.wav", tmp_path / "b.wav"
    arguments = ["--steps", "1", "--seed", "3", "--resolution", "500", "--json"]
    assert cli.main(["generate", "sound", "--out", str(made), *arguments]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["samples"] == 500 == len(samples_of(made)) and facts["recipe"]["domain"] == "sound"
    assert cli.main(["reconstruct", str(made), "--out", str(again), "--resolution", "100", "--refine", "2"]) == 0
    assert len(samples_of(again)) == 100


def test_its_room_generates_shows_and_exports(qtbot, window: MainWindow, tmp_path: Path) -> None:
    window.show_room_of("sound")
    stage = window.stage
    assert isinstance(stage, SoundStage) and window.actions_["middle_line"].isVisible()
    assert not window.actions_["wireframe"].isVisible() and window.actions_["middle_line"].isChecked()
    window.state.update_form(prompt="a tone of 2 hertz", steps=1)
    window.generation.generate()
    qtbot.waitUntil(lambda: stage.viewer.wave is not None, timeout=60_000)
    assert stage.figures.text() == f"{len(stage.viewer.wave)} samples" and not stage.screenshot().isNull()

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, SoundExportDialog)
        dialog.resolution.setValue(123)
        dialog.file.setText(str(tmp_path / "tone.wav"))
        dialog.export.click()

    QTimer.singleShot(0, answer)
    window.exports.choose()
    qtbot.waitUntil((tmp_path / "tone.wav").exists, timeout=60_000)
    assert len(samples_of(tmp_path / "tone.wav")) == 123
    assert Settings().export_choice(SoundChoice) == SoundChoice(".wav", 123)


def test_sheet_palette_and_drops_know_its_room(window: MainWindow) -> None:
    window.show_room_of("sound")
    listed = dict(sections(window.stage.room, window.actions_.keymap))
    assert ("Louder", ["Wheel"]) in listed["Mouse"] and any(text == "Middle line" for text, _ in listed["Display"])
    palette = Palette(window.actions_, window.stage.room.words, window.ways(), window)
    assert {"Sounds", "Middle line"} <= {entry.text for entry in palette._entries}
    palette.close()
    window.show_room_of("shape")
    assert window.own_files.prospect_of(Path("bell.wav")).title == "Drop to reconstruct a sound"


def test_what_it_cannot_do_it_says() -> None:
    with pytest.raises(DataError, match="Sounds cannot be fitted"):
        SoundDomain().fit(Path("bell.wav"))
