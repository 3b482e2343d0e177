from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from ddmi_core.model_folder import list_models
from ddmi_core.training.config import RunConfig, preset_names
from studio.engine import recipes
from studio.engine.recipes import USUAL_RANK
from studio.settings import Settings
from studio.state.recipes import BatchReport, LargestBatch, TrialReport
from studio.state.runs import duration
from studio.wizard.pages import DataPage, ModelPage, OptionsPage, ReviewPage, WhatPage
from studio.wizard.wizard import TrainingWizard

PATIENCE = 60_000


@pytest.fixture
def wizard(qtbot, qapp: QApplication) -> Iterator[TrainingWizard]:
    wizard = TrainingWizard(Settings(), list_models())
    qtbot.addWidget(wizard)
    yield wizard
    wizard.reject()


def test_a_folder_of_pictures_becomes_a_run(qtbot, wizard: TrainingWizard, tmp_path: Path) -> None:
    for number in range(9):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "chair.obj").write_text("v 0 0 0")
    (tmp_path / "captions.csv").write_text("file,caption\n0.png,black\n")
    what, data, _, options, review = wizard.pages
    assert isinstance(what, WhatPage) and isinstance(data, DataPage)
    assert isinstance(options, OptionsPage) and isinstance(review, ReviewPage)

    what.choices.setCurrentRow(1)
    wizard.go_on()
    data.scan(tmp_path)
    assert not wizard.next.isEnabled()
    qtbot.waitUntil(wizard.next.isEnabled, timeout=PATIENCE)
    assert "9 usable" in data.facts.text() and "1 with captions" in data.facts.text()
    assert data.thumbnails.count() > 0 and not data.thumbnails.item(0).icon().isNull()
    unusable = [data.unusable.item(row).text() for row in range(data.unusable.count())]
    assert "broken.png" in unusable[0] and any("1 × .obj" in text and "Shapes" in text for text in unusable)

    wizard.go_on()
    wizard.go_on()
    options.name.setText("mine")
    options.boxes["stage1.steps"].setValue(7)
    options.processes.setValue(2)
    options.device.setCurrentText("cpu")
    options.text_encoder.setCurrentIndex(1)
    assert [box.text() for box in options.patience.values()] == ["Never", "Never"]
    options.patience["stage2.patience"].setValue(5)
    wizard.go_on()
    wizard.go_to(3)
    assert [box.text() for box in options.patience.values()] == ["Never", "5 times no better"]
    wizard.go_on()
    assert wizard.next.text() == "Start training"
    with qtbot.waitSignal(wizard.started) as started:
        wizard.go_on()
    config = RunConfig.from_file(started.args[0] / "run.yaml")
    assert (config.name, config.domain, config.stage1.steps) == ("mine", "image", 7)
    assert (config.processes, config.device) == (2, "cpu")
    assert (config.stage1.patience, config.stage2.patience) == (None, 5)
    encoder = config.text_encoder
    assert (encoder.name, encoder.pretrained, encoder.max_tokens) == ("ViT-B-32-quickgelu", "openai", 77)
    assert config.denoiser.text_channels == 512
    assert [part.source for part in config.data] == [str(tmp_path)]


def test_a_run_goes_on_from_a_model_that_is_there(wizard: TrainingWizard) -> None:
    _, _, model, options, _ = wizard.pages
    assert isinstance(model, ModelPage) and isinstance(options, OptionsPage)
    wizard.go_to(2)
    choices = [model.choices.value(model.choices.item(row)) for row in range(model.choices.count())]
    place = next(row for row, choice in enumerate(choices) if choice.name == "furniture-further")
    model.choices.setCurrentRow(place)
    wizard.go_on()
    assert options.rates["stage1.learning_rate"].value() == pytest.approx(0.000375)
    before = wizard.draft.value("stage2.learning_rate")
    options.rates["stage1.learning_rate"].setValue(0.0002)
    config = RunConfig.from_file(wizard.recipes.create_run(wizard.draft.text) / "run.yaml")
    assert config.start_from == "furniture" and config.autoencoder.trunk == "separate"
    assert config.stage1.learning_rate == 0.0002 and config.stage2.learning_rate == before


def test_a_run_that_goes_on_from_a_model_may_keep_only_the_changes(qtbot, wizard: TrainingWizard) -> None:
    _, _, model, options, _ = wizard.pages
    assert isinstance(model, ModelPage) and isinstance(options, OptionsPage)
    wizard.go_to(3)
    assert options.only_changes.isHidden()  # there is nothing that could be changed
    wizard.go_to(2)
    choices = [model.choices.value(model.choices.item(row)) for row in range(model.choices.count())]
    model.choices.setCurrentRow(next(row for row, one in enumerate(choices) if one.name == "furniture-further"))
    wizard.go_on()
    assert not options.only_changes.isHidden() and not options.only_changes.isChecked()
    options.only_changes.click()
    qtbot.waitUntil(lambda: "1.3 MB" in options.about_changes.text(), timeout=PATIENCE)
    assert not options.boxes["stage1.steps"].isEnabled() and options.boxes["stage2.steps"].isEnabled()
    assert not options.text_encoder.isEnabled() and not options.rates["stage1.learning_rate"].isEnabled()
    report = BatchReport(LargestBatch(24, "data"), LargestBatch(96, "memory"))
    wizard.recipes.batches_found.emit(report)
    config = RunConfig.from_text(wizard.draft.text, "draft")
    assert (config.adapter_rank, config.stage2.batch) == (USUAL_RANK, 96)
    assert config.stage1.batch != 24 and "Stage 1" not in options.found.text()
    options.only_changes.click()
    assert wizard.draft.value("adapter_rank") is None and options.boxes["stage1.steps"].isEnabled()
    wizard.draft.set({"adapter_rank": 3})  # on the page of all settings
    options.enter()
    options.boxes["stage2.steps"].setValue(7)
    assert options.only_changes.isChecked() and wizard.draft.value("adapter_rank") == 3


def test_no_more_is_encoded_than_the_steps_can_draw(wizard: TrainingWizard) -> None:
    options, review = wizard.pages[3:]
    assert isinstance(options, OptionsPage) and isinstance(review, ReviewPage)
    whole = int(str(wizard.draft.value("stage2.cached_latents")))
    wizard.go_to(3)
    steps, batch = options.boxes["stage2.steps"], options.boxes["stage2.batch"]

    def encoded(steps_: int, batch_: int) -> object:
        steps.setValue(steps_)
        batch.setValue(batch_)
        return wizard.draft.value("stage2.cached_latents")

    assert whole > 400 and encoded(100, 4) == 400
    assert 0 < int(str(encoded(1, 1))) < 400  # there are some, however few steps
    assert encoded(100_000, 4) == whole
    wizard.go_on()
    review.text.setPlainText(review.text.toPlainText().replace(f"cached_latents: {whole}", "cached_latents: 320"))
    wizard.go_to(3)
    assert encoded(99_999, 4) == 320  # what a person wrote is the most
    options.processes.setValue(2)
    assert encoded(150, 1) == 300


def test_options_and_review_tell_how_long_the_run_takes(
    wizard: TrainingWizard, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, model, options, review = wizard.pages
    assert isinstance(model, ModelPage) and isinstance(options, OptionsPage) and isinstance(review, ReviewPage)
    monkeypatch.setattr(wizard.recipes, "try_out", lambda _text: None)
    wizard.go_to(3)
    assert "measured" in options.lasts.text()
    wizard.draft.choose_options({"stage1.steps": 100, "stage1.batch": 8, "stage2.steps": 100, "stage2.batch": 8})
    wizard.go_to(2)
    model.measure.click()
    wizard.recipes.tried.emit(TrialReport(1_000_000, 1_000_000, 2.0, 1.0, 2**30, 1.0))
    wizard.go_on()
    encoding = int(str(wizard.draft.value("stage2.cached_latents"))) / 8 * 2.0
    assert duration(200 + 100 + encoding) in options.lasts.text()
    options.boxes["stage1.steps"].setValue(3600)
    assert duration(7200 + 100 + encoding) in options.lasts.text()
    options.boxes["stage1.batch"].setValue(16)  # takes twice as long a step, for half the steps of encoding
    assert duration(14_400 + 100 + encoding) in options.lasts.text()
    wizard.go_on()
    assert duration(14_400 + 100 + encoding) in review.lasts.text()
    review.text.setPlainText(review.text.toPlainText().replace("steps: 3600", "steps: 100"))
    assert duration(400 + 100 + encoding) in review.lasts.text()
    wizard.draft.choose_options({"precision": "bfloat16"})
    wizard.go_to(3)
    assert "measured" in options.lasts.text()  # that trial was of something else


def test_a_gpu_that_only_the_configuration_names_stays(wizard: TrainingWizard) -> None:
    options = wizard.pages[3]
    assert isinstance(options, OptionsPage)
    options.draft.set({"device": "cuda:1"})
    options.enter()
    assert options.device.currentText() == "cuda:1"
    options.boxes["stage1.steps"].setValue(7)
    assert options.draft.value("device") == "cuda:1"


def test_a_folder_without_anything_usable_is_refused(qtbot, wizard: TrainingWizard, tmp_path: Path) -> None:
    data = wizard.pages[1]
    assert isinstance(data, DataPage)
    wizard.go_on()
    data.scan(tmp_path)
    qtbot.waitUntil(lambda: "no usable mesh" in wizard.problem.text(), timeout=PATIENCE)
    assert not wizard.next.isEnabled()


def test_the_text_is_checked_and_can_be_kept_as_a_preset(wizard: TrainingWizard) -> None:
    review = wizard.pages[4]
    assert isinstance(review, ReviewPage)
    wizard.go_to(4)
    good = review.text.toPlainText()
    review.text.setPlainText(good.replace("steps:", "stepz:"))
    assert "stepz" in wizard.problem.text() and not wizard.next.isEnabled() and not review.keep.isEnabled()
    review.text.setPlainText(good)
    assert not wizard.problem.text() and wizard.next.isEnabled()
    wizard.recipes.save_preset("my own", good)
    assert "my own" in preset_names()


def test_the_largest_batch_is_looked_for_and_put_in(
    qtbot, wizard: TrainingWizard, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = wizard.pages[3]
    assert isinstance(options, OptionsPage)
    wizard.go_to(3)
    monkeypatch.setattr(wizard.recipes, "find_batches", lambda text: wizard.recipes.search_failed.emit("No memory."))
    qtbot.mouseClick(options.find_button, Qt.MouseButton.LeftButton)
    assert "No memory." in options.found.text()
    report = BatchReport(LargestBatch(24, "data"), LargestBatch(96, "memory"))
    monkeypatch.setattr(wizard.recipes, "find_batches", lambda text: wizard.recipes.batches_found.emit(report))
    qtbot.mouseClick(options.find_button, Qt.MouseButton.LeftButton)
    config = RunConfig.from_text(wizard.draft.text, "draft")
    assert (config.stage1.batch, config.stage2.batch) == (24, 96)
    assert "24 at once: there are no more examples" in options.found.text()
    assert "96 at once: more do not fit into memory" in options.found.text()
    wizard.show()
    qtbot.waitUntil(lambda: options.found.height() >= options.found.heightForWidth(options.found.width()))
    assert options.found.height() > 4 * options.found.fontMetrics().height()


@pytest.mark.skipif(sys.platform == "win32", reason="the trial is a script of the shell")
def test_the_search_for_the_largest_batch_can_be_ended(
    qtbot, wizard: TrainingWizard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = tmp_path / "python"
    endless.write_text("#!/bin/sh\nexec sleep 600\n")
    endless.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(endless))
    started: list[subprocess.Popen[str]] = []

    class Noted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(
        recipes, "subprocess", SimpleNamespace(Popen=Noted, DEVNULL=subprocess.DEVNULL, PIPE=subprocess.PIPE)
    )
    options = wizard.pages[3]
    assert isinstance(options, OptionsPage)
    wizard.go_to(3)
    qtbot.mouseClick(options.find_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(started), timeout=PATIENCE)
    qtbot.mouseClick(options.find_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: started[0].poll() is not None, timeout=PATIENCE)
    assert "stay as they were" in options.found.text()


def test_a_preset_of_a_newer_version_is_left_out_and_named(qtbot, home: Path) -> None:
    (home / "presets").mkdir()
    text = RunConfig.from_preset("shape-tiny").to_yaml()
    (home / "presets" / "future.yaml").write_text(text.replace("version: 2", "version: 99"))
    wizard = TrainingWizard(Settings())
    qtbot.addWidget(wizard)
    said = " ".join(child.text() for child in wizard.pages[2].findChildren(QLabel))
    wizard.reject()
    assert "future.yaml" in said and "newer DDMI Studio" in said
