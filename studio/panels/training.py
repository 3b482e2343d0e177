"""The Training room: the runs there are, how each fares, and what can be asked of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.model_folder import ModelInfo
from studio.engine.training import Training
from studio.panels.run_notes import RunNotes
from studio.panels.run_pictures import RunPictures
from studio.state.runs import Curve, CurveName, RunSummary, RunView, duration
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import ElidedLabel, icon_button, label, line, plain_tip, styled
from studio.widgets.curve_plot import CurvePlots, Figure, Line

NEW_RUN = "new_run"
"""The name of the buttons that ask for a new run: one where there are none yet, one beside those that there are."""

_LIST_WIDTH = 248
_LOWER_HEIGHT = 216
_TEXT_WIDTH = 400
_STAGE_WIDTH = 200
_TIP_LETTERS, _TIP_LINES = 64, 8  # of notes, at most
_STATES = {
    "starting": "Starting",
    "running": "Running",
    "paused": "Paused",
    "interrupted": "Interrupted",
    "stopped": "Stopped",
    "failed": "Failed",
    "done": "Done",
}
_STAGES = {
    "autoencoder": "Stage 1: autoencoder",
    "diffusion": "Stage 2: diffusion",
    "distillation": "A student that is fast",
}
_KINDS = {
    "Losses": ("losses",),
    "Held-out figures": ("held_out",),
    "Learning rate": ("figures", "learning_rate"),
    "Samples per second": ("figures", "samples_per_second"),
    "Memory": ("figures", "memory_bytes"),
}
_TITLES = {"memory_bytes": "memory, GB", "psnr": "PSNR, dB", "query_iou": "IoU"}
_FOLDER_ROLE = Qt.ItemDataRole.UserRole


class TrainingRoom(QWidget):
    """Runs on the left, the chosen one on the right. `new_asked`: a run is wanted; `discard_asked` carries a run.

    `used` and `evaluate_asked` carry the model of a run that is done.
    """

    guide: ClassVar[str] = "10-training.md"
    """The file of the guide's page about it."""

    new_asked = Signal()
    add_asked = Signal()
    discard_asked = Signal(object)
    folder_asked = Signal(object)
    used = Signal(object)
    evaluate_asked = Signal(object)

    def __init__(self, training: Training, theme: Theme) -> None:
        super().__init__()
        styled(self, "stage")
        self._training = training
        self._runs: list[RunSummary] = []
        self._wanted: Path | None = None  # chosen as soon as it is listed
        self.list = RunList(theme)
        self.monitor = Monitor(training, theme)
        self._empty = _empty(self.new_asked, self.add_asked)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._empty)
        self.page = QScrollArea()
        self.page.setWidgetResizable(True)
        self.page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.page.setWidget(self.monitor)
        self._pages.addWidget(self.page)
        self._left = QWidget()
        self._left_line = line(vertical=True)
        left = QHBoxLayout(self._left)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(0)
        left.addWidget(self.list)
        left.addWidget(self._left_line)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._left)
        layout.addWidget(self._pages, 1)
        self.list.changed.connect(self._on_choice)
        self.list.new_button.clicked.connect(self.new_asked)
        self.list.add_button.clicked.connect(self.add_asked)
        self.monitor.discard_button.clicked.connect(lambda: self.discard_asked.emit(self.monitor.run))
        self.monitor.folder_button.clicked.connect(lambda: self.folder_asked.emit(self.monitor.run.folder))
        self.monitor.use_button.clicked.connect(lambda: self.used.emit(self.monitor.model))
        self.monitor.measure_button.clicked.connect(lambda: self.evaluate_asked.emit(self.monitor.model))
        self.monitor.curves.alone_asked.connect(self.list.untick)
        training.runs_changed.connect(self.show_runs)
        training.view_changed.connect(self.monitor.show_view)
        training.picture_ready.connect(self.monitor.pictures.show_picture)
        self.show_runs([])

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Show another list of runs; the chosen one stays chosen."""
        self._runs = runs
        self.list.show_runs(runs)
        self.monitor.notes.forget_all_but({run.folder for run in runs})
        if self._wanted in [run.folder for run in runs]:
            self.list.choose(self._wanted)
            self._wanted = None
        self._left.setVisible(bool(runs))
        self._pages.setCurrentIndex(1 if runs else 0)
        self._on_choice()

    def show_models(self, models: Sequence[ModelInfo]) -> None:
        """Take the models that can be used, some of which are those of runs."""
        self.monitor.show_models(models)

    def choose(self, folder: Path) -> None:
        """Choose a run, now or when it is listed."""
        self._wanted = folder
        self.show_runs(self._runs)

    def alive(self) -> list[RunSummary]:
        """The runs that go on."""
        return [run for run in self._runs if run.is_alive]

    def _on_choice(self) -> None:
        by_folder = {run.folder: run for run in self._runs}
        chosen = by_folder.get(self.list.chosen() or Path())
        if chosen is None:
            self._training.watch(())
            return
        ticked = [folder for folder in self.list.ticked() if folder != chosen.folder]
        compared = [by_folder[folder] for folder in ticked if folder in by_folder]
        self.monitor.show_run(chosen, compared, [folder.name for folder in ticked if folder not in by_folder])
        self._training.watch([chosen.folder, *(run.folder for run in compared)])


class RunList(QWidget):
    """The runs, the one written to last first. Ticked ones are drawn over the chosen one."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        styled(self, "panel")
        self.setFixedWidth(_LIST_WIDTH)
        self.new_button = QPushButton("New training run…")
        self.new_button.setObjectName(NEW_RUN)
        self.add_button = icon_button(theme, "import", "Watch a run that was started elsewhere")
        self.list = QListWidget()
        self.list.setAccessibleName("Training runs")
        self.list.setToolTip("Tick runs to draw their curves over the chosen one")
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.currentItemChanged.connect(lambda *_: self.changed.emit())
        self.list.itemChanged.connect(self._on_tick)
        self._ticked: dict[Path, None] = {}  # in the order in which they were; some may be gone
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self.new_button, 1)
        top.addWidget(self.add_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addWidget(label("Tick runs to compare their curves.", "small", wrap=True))

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Show other runs, keeping what is chosen where it is still there, and what is ticked for when it is again."""
        chosen = self.chosen()
        with QSignalBlocker(self.list):
            self.list.clear()
            for run in runs:
                item = QListWidgetItem(f"{run.name}\n{_STATES[run.state]}  ·  {run.folder.name}")
                item.setData(_FOLDER_ROLE, run.folder)
                item.setToolTip(plain_tip(_tip(run)))
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if run.folder in self._ticked else Qt.CheckState.Unchecked)
                item.setSizeHint(QSize(0, 6 * GRID))
                self.list.addItem(item)
            if runs:
                self.list.setCurrentRow(0)
            if chosen is not None:
                self.choose(chosen)

    def choose(self, folder: Path | None) -> None:
        """Choose a run, if it is listed."""
        for row in range(self.list.count()):
            if self.list.item(row).data(_FOLDER_ROLE) == folder:
                self.list.setCurrentRow(row)

    def chosen(self) -> Path | None:
        """The folder of the chosen run."""
        item = self.list.currentItem()
        return item.data(_FOLDER_ROLE) if item is not None else None

    def ticked(self) -> list[Path]:
        """The folders of the runs to compare, in the order in which they were ticked; some may be gone."""
        return list(self._ticked)

    def untick(self) -> None:
        """Compare no runs."""
        self._ticked.clear()
        with QSignalBlocker(self.list):
            for row in range(self.list.count()):
                self.list.item(row).setCheckState(Qt.CheckState.Unchecked)
        self.changed.emit()

    def _on_tick(self, item: QListWidgetItem) -> None:
        folder = item.data(_FOLDER_ROLE)
        self._ticked.pop(folder, None)
        if item.checkState() == Qt.CheckState.Checked:
            self._ticked[folder] = None
        self.changed.emit()


class Monitor(QWidget):
    """One run: buttons, figures, curves, pictures, notes and log."""

    def __init__(self, training: Training, theme: Theme) -> None:
        super().__init__()
        self._training, self._theme = training, theme
        self.run = RunSummary(Path(), "", "", "done")  # until one is shown
        self._compared: list[RunSummary] = []
        self._gone: list[str] = []
        self._views: dict[Path, RunView] = {}
        self._models: dict[Path, ModelInfo] = {}
        self.title = ElidedLabel(look="title")
        self.state = ElidedLabel(look="muted")
        self.pause_button = self._button("Pause", "Pause between two steps", self._pause_or_go_on)
        self.sample_button = self._button("Sample now", "Draw pictures of what the model makes now", "sample")
        self.checkpoint_button = self._button("Checkpoint now", "Save all that a resume needs", "checkpoint")
        self.stop_button = self._button("Stop", "Save a checkpoint and end; it can be resumed later", "stop")
        self.resume_button = self._button("Resume training", "Go on from the newest checkpoint", self._go_on)
        self.use_button = QPushButton("Use it")
        self.use_button.setToolTip("Choose its model, and go to the room where it makes something")
        self.measure_button = QPushButton("Measure it…")
        self.measure_button.setToolTip("Measure its model against a data set, and write a report")
        self.folder_button = QPushButton("Open folder")
        self.discard_button = QPushButton("Discard…")
        self.discard_button.setToolTip("Stop if it is running, and move the run to the trash")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.figures = Figures()
        self.curves = CurvePlots(theme)
        self.stage = QComboBox()
        self.stage.setAccessibleName("Stage")
        self.stage.setMinimumWidth(_STAGE_WIDTH)
        self.kind = QComboBox()
        self.kind.setAccessibleName("Figure")
        self.kind.addItems(list(_KINDS))
        self.log_axis = QCheckBox("Log axis")
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setRange(0, 99)
        self.smoothing.setFixedWidth(120)
        self.smoothing.setAccessibleName("Smoothing")
        self.show_all = icon_button(theme, "fit", "Show the whole of the curves (Ctrl + wheel zooms, a drag pans)")
        self.pictures = RunPictures(training, theme)
        self.notes = RunNotes(training)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setAccessibleName("Log")
        self.log.setProperty("look", "log")
        self.stage.currentIndexChanged.connect(lambda _index: self._draw(fresh=True))
        self.kind.currentIndexChanged.connect(lambda _index: self._draw(fresh=True))
        self.log_axis.toggled.connect(self.curves.set_log)
        self.smoothing.valueChanged.connect(lambda value: self.curves.set_smoothing(value / 100))
        self.show_all.clicked.connect(self.curves.show_all)
        self._lay_out()

    def show_run(self, run: RunSummary, compared: list[RunSummary], gone: list[str]) -> None:
        """Show another run, or how the same one fares now; `compared` are drawn over it, and `gone` cannot be."""
        if self.run.folder != run.folder:
            self.figures.show_event({}, going=False)
            self.pictures.show_samples(())
            self.log.setPlainText("")
        self.run, self._compared, self._gone = run, compared, gone
        self._views = {folder: view for folder, view in self._views.items() if folder in self._folders()}
        self.title.setText(run.name)
        self.notes.show_run(run)
        self._show_state()
        for button in (self.pause_button, self.sample_button, self.checkpoint_button, self.stop_button):
            button.setVisible(run.is_alive)
            button.setEnabled(run.state != "starting")
        self.pause_button.setText("Go on" if run.state == "paused" else "Pause")
        self.resume_button.setVisible(run.can_resume)
        self._offer_model()
        self._draw()
        if run.folder in self._views:
            self._fill(self._views[run.folder])

    @property
    def model(self) -> ModelInfo | None:
        """The model that the run has made, if it is done and the model can be used."""
        return self._models.get(self.run.model_folder) if self.run.state == "done" else None

    def show_models(self, models: Sequence[ModelInfo]) -> None:
        """Take the models that can be used."""
        self._models = {model.folder: model for model in models}
        self._offer_model()

    def _offer_model(self) -> None:
        for button in (self.use_button, self.measure_button):
            button.setVisible(self.model is not None)

    def show_view(self, view: RunView) -> None:
        """Take what is to be seen of the run, or of one compared with it."""
        if view.folder not in self._folders():
            return
        self._views[view.folder] = view
        if view.folder == self.run.folder:
            self._fill(view)
        self._draw()

    def _folders(self) -> list[Path]:
        return [run.folder for run in (self.run, *self._compared)]

    def _fill(self, view: RunView) -> None:
        """Bring figures, stages, pictures and log up to date."""
        self.figures.show_event(view.latest, going=self.run.state == "running" and not view.message)
        stages = list(dict.fromkeys(name.stage for name in view.curves))
        if [self.stage.itemData(i) for i in range(self.stage.count())] != stages:
            # Follow the training to its next stage, unless the person is looking at another one
            follows = self.stage.currentIndex() == self.stage.count() - 1
            row = len(stages) - 1 if follows else self.stage.currentIndex()
            with QSignalBlocker(self.stage):
                self.stage.clear()
                for stage in stages:
                    self.stage.addItem(_STAGES.get(stage, stage), stage)
                self.stage.setCurrentIndex(row)
        self.pictures.show_samples(view.samples)
        if self.log.toPlainText() != view.log:
            self.log.setPlainText(view.log)
            self.log.verticalScrollBar().setValue(self.log.verticalScrollBar().maximum())
        self._show_state()

    def _show_state(self) -> None:
        run, view = self.run, self._views.get(self.run.folder)
        step, steps = (int(view.latest.get(key, 0)) for key in ("step", "steps")) if view is not None else (0, 0)
        where = f"  ·  {_STAGES.get(view.latest['stage'])}, step {step:,} of {steps:,}" if view and steps else ""
        if prepares := run.state == "running" and view is not None and view.message:
            where = f"  ·  {view.message[0].upper()}{view.message[1:]}"
        message = f"  ·  {run.message}" if run.message else ""
        self.state.setText(f"{_STATES[run.state]}{where}{message}")
        styled(self.state, "error" if run.state == "failed" else "muted")
        self.progress.setRange(0, 0 if prepares else max(1, steps))
        self.progress.setValue(step)

    def _draw(self, *, fresh: bool = False) -> None:
        wanted = _KINDS[self.kind.currentText()]
        lines: dict[str, list[Line]] = {}
        absent = [f"{name} is not there any more" for name in self._gone]
        for hue, run in enumerate((self.run, *self._compared)):
            if (view := self._views.get(run.folder)) is None:  # it is still being read
                continue
            found = [
                (name, curve)
                for name, curve in view.curves.items()
                if name.stage == self.stage.currentData() and wanted in ((name.kind,), (name.kind, name.term))
            ]
            for name, curve in found:
                lines.setdefault(name.term, []).append(Line(run.folder.name, _in_units(name, curve), hue))
            if not found and hue:
                absent.append(f"{run.folder.name} has none of these")
        figures = [Figure(_TITLES.get(term, term.replace("_", " ")), of_term) for term, of_term in lines.items()]
        self.curves.show_figures(figures, absent)
        if fresh:
            self.curves.show_all()

    def _pause_or_go_on(self) -> None:
        self._training.command(self.run.folder, "resume" if self.run.state == "paused" else "pause")

    def _go_on(self) -> None:
        self._training.go_on(self.run.folder)

    def _button(self, text: str, tip: str, what: Callable[[], None] | str) -> QPushButton:
        """A button that does something, or sends the run a command."""
        button = QPushButton(text)
        button.setToolTip(tip)
        if callable(what):
            button.clicked.connect(what)
        else:
            button.clicked.connect(lambda: self._training.command(self.run.folder, what))  # type: ignore[arg-type]
        return button

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self.title, 1)
        for button in (
            self.pause_button,
            self.sample_button,
            self.checkpoint_button,
            self.stop_button,
            self.resume_button,
            self.use_button,
            self.measure_button,
            self.folder_button,
            self.discard_button,
        ):
            top.addWidget(button)
        controls = QHBoxLayout()
        controls.setSpacing(GRID)
        controls.addWidget(self.stage)
        controls.addWidget(self.kind)
        controls.addStretch(1)
        controls.addWidget(self.log_axis)
        controls.addSpacing(GRID)
        controls.addWidget(label("Smoothing", "muted"))
        controls.addWidget(self.smoothing)
        controls.addWidget(self.show_all)
        lower = QHBoxLayout()
        lower.setSpacing(2 * GRID)
        lower.addWidget(self.pictures, 3)
        words = QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.notes, 2)
        column.addWidget(self.log, 3)
        lower.addWidget(words, 2)
        for part in (self.pictures, words):
            part.setFixedHeight(_LOWER_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        layout.addLayout(top)
        layout.addWidget(self.state)
        layout.addWidget(self.progress)
        layout.addWidget(self.figures)
        layout.addLayout(controls)
        layout.addWidget(self.curves, 1)
        layout.addLayout(lower)


class Figures(QWidget):
    """The newest figures of a run in a row."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, GRID // 2, 0, GRID // 2)
        row.setSpacing(4 * GRID)
        self.values: dict[str, QLabel] = {}
        for name in ("Time left", "Samples per second", "Loss", "Learning rate", "Memory"):
            column = QVBoxLayout()
            column.setSpacing(0)
            self.values[name] = label("–", "heading")
            column.addWidget(label(name, "small"))
            column.addWidget(self.values[name])
            row.addLayout(column)
        self.values["Time left"].setToolTip("Of both stages; told after 30 steps")
        row.addStretch(1)

    def show_event(self, event: Mapping[str, Any], *, going: bool) -> None:
        """Show an event's figures; the time left only of a run that goes on."""
        eta = event.get("eta_seconds")
        texts = {
            "Time left": (duration(eta) if eta is not None else "measuring…") if going and event else "–",
            "Samples per second": _figure(event.get("samples_per_second"), "{:,.1f}"),
            "Loss": _figure(event.get("losses", {}).get("loss"), "{:.4g}"),
            "Learning rate": _figure(event.get("learning_rate"), "{:.2e}"),
            "Memory": _figure(event.get("memory_bytes"), "{:.2f} GB", 2**30),
        }
        for name, text in texts.items():
            self.values[name].setText(text)


def _tip(run: RunSummary) -> str:
    """What is told of a run under the pointer: where it is, and how its notes begin."""
    lines = [part for one in run.notes.strip().splitlines() for part in textwrap.wrap(one, _TIP_LETTERS) or [""]]
    more = ["…"] if len(lines) > _TIP_LINES else []
    return "\n".join([str(run.folder), *([""] if lines else []), *lines[:_TIP_LINES], *more])


def _in_units(name: CurveName, curve: Curve) -> Curve:
    """A curve in the units in which its figure is told."""
    return Curve(curve.steps, curve.values / 2**30) if name.term == "memory_bytes" else curve


def _figure(value: float | None, form: str, unit: float = 1.0) -> str:
    return form.format(value / unit) if value is not None else "–"


def _empty(new_asked: object, add_asked: object) -> QWidget:
    """What is said while there is no run."""
    page = QWidget()
    new = QPushButton("New training run…")
    new.setObjectName(NEW_RUN)
    new.setProperty("look", "primary")
    new.clicked.connect(new_asked)
    add = QPushButton("Watch a run that was started elsewhere…")
    add.setProperty("look", "link")
    add.clicked.connect(add_asked)
    text = label(
        "Train a model on a starter set or on your own files. It goes on in the background, and here you see how it "
        "fares.",
        "muted",
        wrap=True,
    )
    text.setFixedSize(_TEXT_WIDTH, 5 * GRID)
    text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    layout = QVBoxLayout(page)
    layout.setSpacing(2 * GRID)
    layout.addStretch(2)
    for part in (label("No training runs yet", "title"), text, new, add):
        layout.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
    layout.addStretch(3)
    return page
