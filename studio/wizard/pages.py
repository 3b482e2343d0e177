"""The wizard's pages."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.errors import DDMIError
from studio.state.recipes import FolderReport, TrialReport
from studio.state.runs import duration
from studio.theme.tokens import GRID, THUMBNAIL
from studio.widgets.basics import figure_box, inset, label
from studio.wizard.draft import Draft

_FEW = 8
"""Fewer files than this are learned by heart rather than learned from."""
_SHOWN = 60  # thumbnails
_FOLDER = "folder"
_VALUE_ROLE = Qt.ItemDataRole.UserRole


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
        self.choices = _choices("Kind of signal")
        for domain in draft.domains:
            known = ", ".join(suffix[1:].upper() for suffix in domain.formats)
            _add(self.choices, domain.title, f"From {known}", domain.name)
        self.choices.setCurrentRow(0)
        self.choices.currentItemChanged.connect(self._choose)
        self.column.addWidget(self.choices, 1)

    def _choose(self, item: QListWidgetItem) -> None:
        self.draft.choose_domain(item.data(_VALUE_ROLE))
        self.changed.emit()


class DataPage(Page):
    """A starter set, or a folder that is looked through in the background."""

    title = "Data"

    def __init__(self, draft: Draft) -> None:
        super().__init__(
            draft,
            "What shall it learn from?",
            "A starter set that comes along, or a folder of yours, subfolders included. For prompts, put a file "
            "captions.csv into it, with the columns file and caption.",
        )
        self._domain = ""
        self._scanning = False
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
        """A folder has to be looked through first."""
        return not self._scanning and self.draft.source is not None

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
        path = QFileDialog.getExistingDirectory(self, "Folder to train on")
        if path:
            self.scan(Path(path))

    def _choose(self) -> None:
        source = str(self.choice.currentData())
        own = source not in self.draft.domain.starter_sets
        self._problem, self._scanning = "", own
        self.facts.setText("Looking through the folder…" if own else "Ready to be trained on, with captions.")
        self.thumbnails.clear()
        self.unusable.clear()
        self.progress.setVisible(own)
        self.thumbnails.setVisible(own)
        self.unusable.hide()
        self.draft.choose_source(None if own else source)
        if own:
            self.progress.setValue(0)
            self.draft.recipes.scan(self.draft.domain.name, Path(source))
        self.changed.emit()

    def _on_progress(self, fraction: float, text: str) -> None:
        self.progress.setValue(round(1000 * fraction))
        self.facts.setText(text)

    def _on_scanned(self, report: FolderReport) -> None:
        self._scanning, self._problem = False, ""
        self.progress.hide()
        count = len(report.names)
        few = f" Fewer than {_FEW} are learned by heart rather than learned from." if count < _FEW else ""
        self.facts.setText(
            f"{count:,} usable, {report.held_out:,} of them held out to measure. {report.captioned:,} with captions."
            f"{few}"
        )
        for name in report.names[:_SHOWN]:
            self.thumbnails.addItem(QListWidgetItem(QIcon(str(report.folder / name)), Path(name).name))
        for name, reason in report.unusable:
            self.unusable.addItem(f"Left out: {name}. {reason}")
        self.unusable.setVisible(bool(report.unusable))
        self.draft.choose_source(report.folder)
        self.changed.emit()

    def _on_failed(self, message: str) -> None:
        self._scanning, self._problem = False, message
        self.progress.hide()
        self.facts.setText("")
        self.changed.emit()


class ModelPage(Page):
    """The size of the model, measured on this machine."""

    title = "Model"

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft, "How large shall it be?", "Larger models make finer things and take longer to train.")
        self._domain = ""
        self.choices = _choices("Size")
        self.measure = QPushButton("Measure on this machine")
        self.measure.setToolTip("Trains for 20 seconds and keeps nothing")
        self.found = label("", "", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(self.measure)
        row.addWidget(self.found, 1)
        self.column.addWidget(self.choices, 1)
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
                _add(self.choices, preset.name, preset.about, preset)
            self.choices.setCurrentRow(0)
        self._say_what_it_does()

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.draft.choose_preset(item.data(_VALUE_ROLE))
            self._say_what_it_does()
            self.changed.emit()

    def _say_what_it_does(self) -> None:
        self.found.setText("Tells parameters, memory and time, from a trial of 20 seconds.")

    def _measure(self) -> None:
        self.measure.setEnabled(False)
        self.found.setText(f"Training {self.draft.preset.name} for 20 seconds, once its data is read…")
        self.draft.recipes.try_out(self.draft.text)

    def _on_tried(self, report: TrialReport) -> None:
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


class OptionsPage(Page):
    """The settings that are changed most; all others are on the next page."""

    title = "Options"

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft, "How shall it be trained?", "The next page has all other settings.")
        self.name = QLineEdit()
        self.name.setAccessibleName("Name")
        self.precision = QComboBox()
        self.precision.setAccessibleName("Precision")
        self.precision.addItems(["auto", "float32", "bfloat16"])
        self.minutes = QDoubleSpinBox()
        inset(self.minutes)
        self.minutes.setRange(0.1, 600)
        self.minutes.setDecimals(1)
        self.minutes.setSuffix(" min")
        self.minutes.setAccessibleName("Minutes between checkpoints")
        self.boxes: dict[str, QSpinBox] = {
            "stage1.steps": figure_box("Steps of stage 1", 1, 10_000_000, 1),
            "stage1.batch": figure_box("Batch of stage 1", 1, 4096, 1),
            "stage2.steps": figure_box("Steps of stage 2", 1, 10_000_000, 1),
            "stage2.batch": figure_box("Batch of stage 2", 1, 4096, 1),
            "stage1.sample_every": figure_box("Steps between pictures, stage 1", 1, 1_000_000, 1),
            "stage2.sample_every": figure_box("Steps between pictures, stage 2", 1, 1_000_000, 1),
        }
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnMinimumWidth(1, 200)
        grid.setColumnStretch(2, 1)
        rows: list[tuple[str, QWidget]] = [("Name", self.name)]
        rows += [(box.accessibleName(), box) for box in self.boxes.values()]
        rows += [("Checkpoint every", self.minutes), ("Precision", self.precision)]
        for row, (text, field) in enumerate(rows):
            grid.addWidget(label(text, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        self.column.addLayout(grid)
        self.column.addStretch(1)
        self.name.textChanged.connect(self._change)
        self.precision.currentIndexChanged.connect(self._change)
        self.minutes.valueChanged.connect(self._change)
        for box in self.boxes.values():
            box.valueChanged.connect(self._change)

    def enter(self) -> None:
        """Show the settings as they stand."""
        self._entering = True
        self.name.setText(str(self.draft.value("name")))
        self.precision.setCurrentText(str(self.draft.value("precision")))
        self.minutes.setValue(float(str(self.draft.value("checkpoint_minutes"))))
        for key, box in self.boxes.items():
            box.setValue(int(str(self.draft.value(key))))
        self._entering = False

    def is_complete(self) -> bool:
        """A run needs a name."""
        return bool(self.name.text().strip())

    def _change(self) -> None:
        if self._entering:
            return
        try:
            self.draft.set(
                {
                    "name": self.name.text().strip(),
                    "precision": self.precision.currentText(),
                    "checkpoint_minutes": self.minutes.value(),
                    **{key: box.value() for key, box in self.boxes.items()},
                }
            )
            self._problem = ""
        except DDMIError as error:
            self._problem = str(error)
        self.changed.emit()


class ReviewPage(Page):
    """The whole configuration as it will stand in run.yaml, to be read, changed and kept."""

    title = "Review"

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft, "Everything, as it will be kept", "This is the run's run.yaml. Change what you like.")
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("run.yaml")
        self.text.setProperty("look", "code")
        self.keep = QPushButton("Save as preset…")
        self.kept = label("", "muted")
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(self.keep)
        row.addWidget(self.kept, 1)
        self.column.addWidget(self.text, 1)
        self.column.addLayout(row)
        self.text.textChanged.connect(self._check)
        self.keep.clicked.connect(self._keep)

    def enter(self) -> None:
        """Show the draft's text."""
        self.kept.setText("")
        self.text.setPlainText(self.draft.text)

    def _check(self) -> None:
        text = self.text.toPlainText()
        self._problem = self.draft.recipes.problem_with(text)
        if not self._problem:
            self.draft.text = text
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


def _choices(name: str) -> QListWidget:
    choices = QListWidget()
    choices.setAccessibleName(name)
    choices.setSpacing(GRID // 2)
    choices.setWordWrap(True)
    return choices


def _add(choices: QListWidget, title: str, text: str, value: object) -> None:
    item = QListWidgetItem(f"{title}\n{text}")
    item.setData(_VALUE_ROLE, value)
    item.setSizeHint(QSize(0, 8 * GRID))
    choices.addItem(item)
