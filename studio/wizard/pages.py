"""The wizard's pages."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.support.errors import DDMIError
from studio.engine.recipes import FEW, USUAL_RANK
from studio.settings import Settings
from studio.state.recipes import BatchReport, DataReport, PresetChoice, TrialReport
from studio.state.runs import duration
from studio.theme.tokens import GRID, THUMBNAIL
from studio.widgets.basics import decimal_box, figure_box, label, plain_tip
from studio.widgets.card_list import CardList
from studio.widgets.number_boxes import WholeBox
from studio.wizard.draft import Draft

_FOLDER = "folder"
_CHANGES = "A model{size} that goes with the one it starts from. There is no stage 1."
_WHOLE = "Otherwise a model of its own, as large as the one it starts from."
_LASTS = "About {} on this machine; pictures on the way come on top."
_NOT_MEASURED = "How long it takes is told here once it was measured on the page of models."
_FIND, _STOP_FINDING = "Find the largest batch that fits", "Stop looking"
_LEAST_RATE = 1e-6
_MOST_PATIENCE = 1000
_LIMITS = {
    "memory": "more do not fit into memory",
    "data": "there are no more examples",
    "time": "larger steps take too long to try",
    "most": "more are not looked for",
}


class Page(QWidget):
    """A page. `changed` says that what it holds, or what is wrong with it, is different now."""

    title: str
    changed = Signal()

    def __init__(self, draft: Draft, heading: str, text: str) -> None:
        super().__init__()
        self.draft = draft
        self._problem = ""
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(GRID + GRID // 2)
        self.column.addWidget(label(heading, "title"))
        self.column.addWidget(label(text, "muted", wrap=True))

    def enter(self) -> None:
        """Show the draft as it stands."""

    def is_complete(self) -> bool:
        """Whether one may go on."""
        return True

    def problem(self) -> str:
        """What has to be put right first; empty if nothing."""
        return self._problem


class WhatPage(Page):
    """The kind of signal."""

    title = "What"

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft, "What shall the model make?", "It learns from files of this kind.")
        self.choices = CardList("Kind of signal")
        for domain in draft.domains:
            known = ", ".join(suffix[1:].upper() for suffix in domain.formats)
            picture = _first_two(QPixmap(str(domain.picture))) if domain.picture is not None else None
            self.choices.add(domain.title, f"{domain.about}\nFrom {known}", domain.name, picture)
        self.choices.setCurrentRow(0)
        self.choices.currentItemChanged.connect(self._choose)
        self.column.addWidget(self.choices, 1)

    def _choose(self, item: QListWidgetItem) -> None:
        self.draft.choose_domain(str(self.choices.value(item)))
        self.changed.emit()


class DataPage(Page):
    """A starter set, or a folder; either is looked through in the background."""

    title = "Data"

    def __init__(self, draft: Draft, settings: Settings) -> None:
        super().__init__(
            draft,
            "What shall it learn from?",
            "A starter set that comes along, or a folder of yours, subfolders included. For prompts, put a file "
            "captions.csv into it, with the columns file and caption.",
        )
        self._settings, self._domain = settings, ""
        self.choice = QComboBox()
        self.choice.setAccessibleName("Data")
        self.browse = QPushButton("Choose a folder…")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.facts = label("", "", wrap=True)
        self.thumbnails = QListWidget()
        self.thumbnails.setAccessibleName("Usable files")
        self.thumbnails.setViewMode(QListView.ViewMode.IconMode)
        self.thumbnails.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.thumbnails.setGridSize(QSize(THUMBNAIL + 2 * GRID, THUMBNAIL + 4 * GRID))
        self.thumbnails.setResizeMode(QListView.ResizeMode.Adjust)
        self.thumbnails.setMovement(QListView.Movement.Static)
        self.unusable = QListWidget()
        self.unusable.setAccessibleName("Files that cannot be used")
        self.unusable.setMaximumHeight(14 * GRID)
        self.unusable.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.choice, 1)
        row.addWidget(self.browse)
        self.column.addLayout(row)
        for part in (self.progress, self.facts):
            self.column.addWidget(part)
        self.column.addWidget(self.thumbnails, 1)
        self.column.addWidget(self.unusable)
        self.column.addStretch(0)
        self.choice.currentIndexChanged.connect(self._choose)
        self.browse.clicked.connect(self._browse)
        recipes = draft.recipes
        recipes.scan_progressed.connect(self._on_progress)
        recipes.scanned.connect(self._on_scanned)
        recipes.scan_failed.connect(self._on_failed)

    def enter(self) -> None:
        """Offer the starter sets of the chosen kind."""
        if self._domain == self.draft.domain.name:
            return
        self._domain = self.draft.domain.name
        with QSignalBlocker(self.choice):
            self.choice.clear()
            for name in self.draft.domain.starter_sets:
                self.choice.addItem(f"Starter set: {name}", name)
        self._choose()

    def is_complete(self) -> bool:
        """A folder has to be looked through first; a starter set is known to be good."""
        return self.draft.source is not None

    def scan(self, folder: Path) -> None:
        """Look through a folder."""
        place = self.choice.findText(_FOLDER, Qt.MatchFlag.MatchStartsWith)
        with QSignalBlocker(self.choice):
            if place >= 0:
                self.choice.removeItem(place)
            self.choice.addItem(f"{_FOLDER} {folder}", str(folder))
            self.choice.setCurrentIndex(self.choice.count() - 1)
        self._choose()

    def _browse(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder to train on", str(self._settings.folder("data")))
        if path:
            self._settings.set_folder("data", Path(path))
            self.scan(Path(path))

    def _choose(self) -> None:
        source = str(self.choice.currentData())
        own = source not in self.draft.domain.starter_sets
        self._problem = ""
        self.facts.setText(f"Looking through the {'folder' if own else 'set'}…")
        self.thumbnails.clear()
        self.unusable.clear()
        self.progress.show()
        self.thumbnails.show()
        self.unusable.hide()
        self.draft.choose_source(None if own else source)
        self.progress.setValue(0)
        self.draft.recipes.scan(self.draft.domain.name, source)
        self.changed.emit()

    def _on_progress(self, fraction: float, text: str) -> None:
        self.progress.setValue(round(1000 * fraction))
        self.facts.setText(text)

    def _on_scanned(self, report: DataReport) -> None:
        self._problem = ""
        self.progress.hide()
        count = report.count
        few = (
            f" Fewer than {FEW} are learned by heart rather than learned from: add more, or go on to try things."
            if count < FEW
            else ""
        )
        size = f", {_size(report.size_bytes)}" if report.size_bytes else ""
        self.facts.setText(
            f"{count:,} usable{size}: {count - report.held_out:,} to learn from, {report.held_out:,} held out to "
            f"measure. {'All' if report.captioned == count else f'{report.captioned:,}'} with captions.{few}"
        )
        for name, pixels in report.thumbnails.items():
            side = len(pixels)
            image = QImage(pixels.tobytes(), side, side, 4 * side, QImage.Format.Format_RGBA8888_Premultiplied)
            item = QListWidgetItem(QIcon(QPixmap.fromImage(image)), Path(name).name)
            item.setToolTip(plain_tip(name))
            self.thumbnails.addItem(item)
        self.thumbnails.setVisible(bool(report.thumbnails))
        for name, reason in report.unusable:
            self.unusable.addItem(f"Left out: {name}. {reason}")
        self.unusable.setVisible(bool(report.unusable))
        self.draft.choose_source(report.source)
        self.changed.emit()

    def _on_failed(self, message: str) -> None:
        self._problem = message
        self.progress.hide()
        self.facts.setText("")
        self.changed.emit()


class ModelPage(Page):
    """The size of the model, measured on this machine."""

    title = "Model"

    def __init__(self, draft: Draft) -> None:
        super().__init__(
            draft,
            "Which model shall it be?",
            "Larger ones make finer things and take longer to train. One that goes on from a model knows much already.",
        )
        self._domain = ""
        self.choices = CardList("Model")
        self.measure = QPushButton("Measure on this machine")
        self.measure.setToolTip("Trains for 20 seconds and keeps nothing")
        self.found = label("", "", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(self.measure)
        row.addWidget(self.found, 1)
        self.column.addWidget(self.choices, 1)
        unusable = draft.recipes.unusable_presets()
        if unusable:
            self.column.addWidget(label("Left out: " + "\n".join(unusable), "small", wrap=True))
        self.column.addLayout(row)
        self.choices.currentItemChanged.connect(self._choose)
        self.measure.clicked.connect(self._measure)
        draft.recipes.tried.connect(self._on_tried)
        draft.recipes.trial_failed.connect(self._on_failed)

    def enter(self) -> None:
        """Offer the presets of the chosen kind."""
        if self._domain == self.draft.domain.name:
            return
        self._domain = self.draft.domain.name
        with QSignalBlocker(self.choices):
            self.choices.clear()
            for preset in self.draft.presets():
                self.choices.add(preset.name, preset.about, preset)
            self.choices.setCurrentRow(0)
        self._say_what_it_does()

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.draft.choose_preset(cast(PresetChoice, self.choices.value(item)))
            self._say_what_it_does()
            self.changed.emit()

    def _say_what_it_does(self) -> None:
        self.found.setText("Tells parameters, memory and time, from a trial of 20 seconds.")

    def _measure(self) -> None:
        self.measure.setEnabled(False)
        self.found.setText(f"Training {self.draft.preset.name} for 20 seconds, once its data is read…")
        self.draft.try_out()

    def _on_tried(self, report: TrialReport) -> None:
        self.draft.take_trial(report)
        self.measure.setEnabled(True)
        self.found.setText(
            f"{report.autoencoder_parameters / 1e6:.2f} M + {report.denoiser_parameters / 1e6:.2f} M parameters, "
            f"{report.memory_bytes / 2**30:.1f} GB of memory. A step takes "
            f"{report.autoencoder_step_seconds:.2g} s in stage 1 and {report.denoiser_step_seconds:.2g} s in stage 2: "
            f"about {duration(report.run_seconds)} for the whole run."
        )

    def _on_failed(self, message: str) -> None:
        self.measure.setEnabled(True)
        self.found.setText(f"The trial failed: {message}")


class _Lasts(QLabel):
    """How long the run should take, as it stands."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self.setProperty("look", "muted")
        self.setWordWrap(True)
        draft.recipes.tried.connect(lambda _report: self.tell())

    def tell(self) -> None:
        """Say it anew."""
        seconds = self._draft.run_seconds()
        self.setText(_NOT_MEASURED if seconds is None else _LASTS.format(duration(seconds)))


class OptionsPage(Page):
    """The settings that are changed most; all others are on the next page."""

    title = "Options"

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft, "How shall it be trained?", "The next page has all other settings.")
        self._entering = False
        self._goes_on = False
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.only_changes = QCheckBox("Keep only the changes")
        self.only_changes.setToolTip(
            "Learns small changes to the model that it starts from (LoRA), whose autoencoder stays as it is.\nA step "
            "is quicker and takes less memory. What comes out needs that model on the same machine."
        )
        self.about_changes = label("", "small", wrap=True)
        self.precision = _combo("Precision", ["auto", "float32", "bfloat16", "float16"])
        self.device = _combo("Device", ["auto", "cpu", "cuda"])
        self.processes = figure_box("Processes", 1, 64, 1)
        self.processes.setToolTip("Each trains on a batch of its own, on a GPU of its own; usually as many as GPUs")
        self.text_encoder = _combo("Text encoder", [])
        for choice in draft.recipes.text_encoders():
            self.text_encoder.addItem(choice.title, choice)
        self.minutes = decimal_box("Minutes between checkpoints", 0.1, 600, 1, " min", decimals=1)
        self.minutes.setSingleStep(1)
        self.boxes: dict[str, WholeBox] = {
            f"stage{stage}.{key}": figure_box(f"{name} of stage {stage}", 1, most, 1)
            for key, name, most in (
                ("steps", "Steps", 10_000_000),
                ("batch", "Batch", 4096),
                ("sample_every", "Steps between pictures", 1_000_000),
            )
            for stage in (1, 2)
        }
        self.rates = {
            f"stage{stage}.learning_rate": decimal_box(
                f"Learning rate of stage {stage}", _LEAST_RATE, 1.0, 0.001, "", decimals=6
            )
            for stage in (1, 2)
        }
        for rate in self.rates.values():
            rate.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.patience = {
            f"stage{stage}.patience": figure_box(f"Patience of stage {stage}", 0, _MOST_PATIENCE, 0, " times no better")
            for stage in (1, 2)
        }
        for box in self.patience.values():
            box.setSpecialValueText("Never")
            box.setToolTip(
                "Stop early when held-out figures stop improving: once they were so many times in a row no better than "
                "the best.\nThey are measured with the pictures. The learning rate then still falls to its end, in a "
                "fifth of the steps so far."
            )
        self.find_button = QPushButton(_FIND)
        self.find_button.setToolTip("Trains a few steps with ever larger batches, for 20 seconds, and measures them")
        self.found = label("", "small", wrap=True)
        self.lasts = _Lasts(draft)
        self._lay_out()
        self.name.textChanged.connect(self._change)
        self.only_changes.toggled.connect(self._change)
        for combo in (self.precision, self.device, self.text_encoder):
            combo.currentIndexChanged.connect(self._change)
        self.minutes.valueChanged.connect(self._change)
        for rate in self.rates.values():
            rate.valueChanged.connect(self._change)
        for box in (self.processes, *self.boxes.values(), *self.patience.values()):
            box.valueChanged.connect(self._change)
        self.find_button.clicked.connect(self._find)
        draft.recipes.batches_found.connect(self._on_found)
        draft.recipes.search_failed.connect(self._on_search_failed)
        draft.recipes.changes_sized.connect(self._on_changes_sized)

    def enter(self) -> None:
        """Show the settings as they stand."""
        self._entering = True
        self.name.setText(str(self.draft.value("name")))
        self.precision.setCurrentText(str(self.draft.value("precision")))
        device = str(self.draft.value("device"))
        if self.device.findText(device) < 0:  # one of several GPUs, which only the configuration names
            self.device.addItem(device)
        self.device.setCurrentText(device)
        self.processes.setValue(int(str(self.draft.value("processes"))))
        self.minutes.setValue(float(str(self.draft.value("checkpoint_minutes"))))
        for key, box in self.boxes.items():
            box.setValue(int(str(self.draft.value(key))))
        for key, rate in self.rates.items():
            rate.setValue(float(str(self.draft.value(key))))
        for key, box in self.patience.items():
            box.setValue(cast(int | None, self.draft.value(key)) or 0)
        names = [choice.name for choice in self.draft.recipes.text_encoders()]
        encoder = str(self.draft.value("text_encoder.name"))
        # -1, nothing chosen: one that only the configuration names
        self.text_encoder.setCurrentIndex(names.index(encoder) if encoder in names else -1)
        self.text_encoder.setPlaceholderText(encoder)
        self._goes_on = self.draft.value("start_from") is not None and not self.draft.value("distils")
        self.only_changes.setChecked(self.draft.value("adapter_rank") is not None)
        self._show_what_is_kept()
        self.lasts.tell()
        self._entering = False

    def is_complete(self) -> bool:
        """A run needs a name."""
        return bool(self.name.text().strip())

    def _change(self) -> None:
        if self._entering:
            return
        choice = self.text_encoder.currentData()
        only_changes = self.only_changes.isChecked()
        was_so = self.draft.value("adapter_rank") is not None
        other = choice is not None and choice.name != self.draft.value("text_encoder.name")
        try:
            self.draft.choose_options(
                {
                    "name": self.name.text().strip(),
                    "adapter_rank": (self.draft.value("adapter_rank") or USUAL_RANK) if only_changes else None,
                    "precision": self.precision.currentText(),
                    "device": self.device.currentText(),
                    "processes": self.processes.value(),
                    "checkpoint_minutes": self.minutes.value(),
                    **{key: box.value() for key, box in self.boxes.items()},
                    **{key: box.value() or None for key, box in self.patience.items()},
                    **{key: rate.value() for key, rate in self.rates.items() if self._is_changed(key, rate.value())},
                    **(choice.settings if other else {}),
                }
            )
            self._problem = ""
        except DDMIError as error:
            self._problem = str(error)
        if only_changes != was_so:
            self._show_what_is_kept()
        self.lasts.tell()
        self.changed.emit()

    def _show_what_is_kept(self) -> None:
        """Offer the choice where there is one, and what is still of use with it."""
        only_changes = self.only_changes.isChecked()
        for part in (self.only_changes, self.about_changes):
            part.setVisible(self._goes_on)
        self.about_changes.setText(_CHANGES.format(size="") if only_changes else _WHOLE)
        if only_changes and not self._problem:
            self.draft.recipes.size_changes(self.draft.text)
        for key, field in (*self.boxes.items(), *self.rates.items(), *self.patience.items()):
            field.setEnabled(not (only_changes and key.startswith("stage1.")))
        self.text_encoder.setEnabled(not only_changes)

    def _on_changes_sized(self, size: int) -> None:
        if self.only_changes.isChecked():
            self.about_changes.setText(_CHANGES.format(size=f" of {_size(size)}"))

    def _is_changed(self, key: str, rate: float) -> bool:
        """Whether a rate is another one; the configuration may have more decimals than are shown."""
        return abs(rate - float(str(self.draft.value(key)))) > _LEAST_RATE / 2

    def _find(self) -> None:
        if self.find_button.text() == _STOP_FINDING:
            self.draft.recipes.cancel_trial()
            self._end_search("Not looked for any further: the batches stay as they were.")
            return
        self.find_button.setText(_STOP_FINDING)
        self.found.setText("Trying ever larger batches for 20 seconds, once the data is read…")
        self.draft.recipes.find_batches(self.draft.text)

    def _on_found(self, report: BatchReport) -> None:
        first, second = report.autoencoder, report.denoiser
        of_second = f"Stage 2 takes {second.examples:,} at once: {_LIMITS[second.limit]}."
        self.boxes["stage2.batch"].setValue(second.examples)
        if self.only_changes.isChecked():
            self._end_search(f"{of_second} That is put in above.")
            return
        self.boxes["stage1.batch"].setValue(first.examples)
        self._end_search(
            f"Stage 1 takes {first.examples:,} at once: {_LIMITS[first.limit]}. {of_second} Both are put in above."
        )

    def _on_search_failed(self, message: str) -> None:
        self._end_search(f"That could not be found out: {message}")

    def _end_search(self, said: str) -> None:
        self.find_button.setText(_FIND)
        self.found.setText(said)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        grid.addWidget(label("Name", "muted"), 0, 0)
        grid.addWidget(self.name, 0, 1, 1, 2)
        grid.addWidget(self.only_changes, 1, 1)
        grid.addWidget(self.about_changes, 1, 2)
        grid.addWidget(label("Stage 1: autoencoder", "small"), 2, 1)
        grid.addWidget(label("Stage 2: diffusion", "small"), 2, 2)
        for row, (key, text) in enumerate(
            (("steps", "Steps"), ("sample_every", "Steps between pictures"), ("batch", "Batch")), start=3
        ):
            grid.addWidget(label(text, "muted"), row, 0)
            grid.addWidget(self.boxes[f"stage1.{key}"], row, 1)
            grid.addWidget(self.boxes[f"stage2.{key}"], row, 2)
        grid.addWidget(label("Learning rate", "muted"), 6, 0)
        for stage, rate in enumerate(self.rates.values(), start=1):
            grid.addWidget(rate, 6, stage)
        grid.addWidget(label("Stop early", "muted"), 7, 0)
        for stage, box in enumerate(self.patience.values(), start=1):
            grid.addWidget(box, 7, stage)
        grid.addWidget(self.find_button, 8, 2)
        self.found.setAlignment(Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.found, 9, 2, 4, 1)  # beside several rows: it may be long
        rows: list[tuple[str, QWidget]] = [
            ("Checkpoint every", self.minutes),
            ("Precision", self.precision),
            ("Device", self.device),
            ("Processes", self.processes),
            ("Text encoder", self.text_encoder),
        ]
        for row, (text, field) in enumerate(rows, start=8):
            grid.addWidget(label(text, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        self.column.addLayout(grid)
        self.column.addStretch(1)
        self.column.addWidget(self.lasts)


class ReviewPage(Page):
    """The whole configuration as it will stand in run.yaml, to be read, changed and kept."""

    title = "Review"

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft, "Everything, as it will be kept", "This is the run's run.yaml. Change what you like.")
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("run.yaml")
        self.text.setTabChangesFocus(True)
        self.text.setProperty("look", "code")
        self.keep = QPushButton("Save as preset…")
        self.kept = label("", "muted")
        self.lasts = _Lasts(draft)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(self.keep)
        row.addWidget(self.kept, 1)
        self.column.addWidget(self.text, 1)
        self.column.addWidget(self.lasts)
        self.column.addLayout(row)
        self.text.textChanged.connect(self._check)
        self.keep.clicked.connect(self._keep)

    def enter(self) -> None:
        """Show the draft's text."""
        self.kept.setText("")
        self.lasts.tell()
        self.text.setPlainText(self.draft.text)

    def _check(self) -> None:
        text = self.text.toPlainText()
        self._problem = self.draft.recipes.problem_with(text)
        if not self._problem:
            self.draft.text = text
            self.lasts.tell()
        self.keep.setEnabled(not self._problem)
        self.changed.emit()

    def _keep(self) -> None:
        name, agreed = QInputDialog.getText(self, "Save as preset", "Name of the preset")
        if agreed:
            try:
                self.draft.recipes.save_preset(name.strip(), self.text.toPlainText())
                self.kept.setText(f"Kept as {name.strip()}.")
            except DDMIError as error:
                self.kept.setText(str(error))


def _first_two(sheet: QPixmap) -> QPixmap:
    """The first two pictures of a model's preview, which has eight square ones in a row."""
    side = sheet.width() // 8
    return sheet.copy(0, 0, 2 * side, side)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


def _combo(name: str, texts: list[str]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.addItems(texts)
    return combo
