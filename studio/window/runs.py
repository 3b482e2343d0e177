"""The training runs: put together, started, watched and discarded."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from ddmi_core.model_folder import ModelInfo
from studio.state.notifications import Action
from studio.state.runs import RunSummary
from studio.window.models import Models
from studio.window.questions import agrees
from studio.window.shell import Shell


class Runs:
    """What is done with the training runs."""

    def __init__(self, shell: Shell, models: Models) -> None:
        self._shell, self._state, self._settings, self._training = shell, shell.state, shell.settings, shell.training
        self._models = models
        self._has_offered = False
        shell.actions_.on("train", self.new)
        shell.runs.new_asked.connect(self.new)
        shell.runs.add_asked.connect(self.choose)
        shell.runs.discard_asked.connect(self.discard)
        shell.runs.folder_asked.connect(shell.open_folder)
        shell.runs.used.connect(self.use)
        self._state.models_changed.connect(self._on_models)
        self._training.failed.connect(self._state.notifications.error)
        self._training.finished.connect(self._on_trained)
        self._training.runs_changed.connect(self._offer_to_watch_or_resume)

    def new(self) -> None:
        """Put a new training run together, and start it."""
        from studio.wizard.wizard import TrainingWizard  # loads torch, which would keep the window from opening

        wizard = TrainingWizard(self._settings, self._state.models, self._shell)
        wizard.started.connect(self.start)
        wizard.exec()
        wizard.deleteLater()

    def start(self, folder: Path) -> None:
        """Start the training of a run folder, or go on with it, and watch."""
        self._training.go_on(folder)
        self._show(folder)

    def choose(self) -> None:
        """Ask for the folder of a run that was started elsewhere, and list it."""
        path = QFileDialog.getExistingDirectory(self._shell, "Watch a run", str(self._settings.folder("runs")))
        if path:
            self._settings.set_folder("runs", Path(path).parent)
            self._training.add(Path(path))

    def discard(self, run: RunSummary) -> None:
        """Ask, then stop a run if it is alive and move its folder to the trash."""
        stops = "The training is stopped. " if run.is_alive else ""
        text = f"{stops}Its checkpoints, pictures and curves go to the trash, and so does its model."
        if agrees(self._shell, "Discard the run?", f"Discard {run.name}?", text, do="Discard", keep="Keep"):
            self._training.discard(run.folder)

    def use(self, model: ModelInfo) -> None:
        """Choose the model of a run, and go to the room where it makes something."""
        self._state.use_model(model)
        self._shell.show_room_of(model.domain)

    def _on_models(self, models: list[ModelInfo]) -> None:
        self._shell.runs.show_models([model for model in models if not self._state.lacks_base(model)])

    def _on_trained(self, run: RunSummary) -> None:
        self._models.look()
        self._state.notifications.info(
            f"{run.name} is trained, its model is ready.", action=Action("Watch", partial(self._show, run.folder))
        )

    def _offer_to_watch_or_resume(self, runs: list[RunSummary]) -> None:
        """Say once what the start has found.

        No single-shot connection: Qt would undo it in the thread that emits, under a lock, and wait for Python's own
        lock there, which this thread may hold while it waits for the first.
        """
        if self._has_offered:
            return
        self._has_offered = True
        alive = [run for run in runs if run.is_alive]
        if alive:
            one = len(alive) == 1
            self._state.notifications.info(
                f"{alive[0].name} is training." if one else f"{len(alive)} training runs are going on.",
                action=Action("Watch", partial(self._show, alive[0].folder)),
            )
        interrupted = [run for run in runs if run.state == "interrupted"]
        if len(interrupted) == 1:
            (run,) = interrupted
            self._state.notifications.warning(
                f"The training of {run.name} was interrupted. It can go on from its newest checkpoint.",
                action=Action("Resume", partial(self.start, run.folder)),
            )
        elif interrupted:
            self._state.notifications.warning(
                f"{len(interrupted)} training runs were interrupted. They can go on from their newest checkpoints.",
                action=Action("Show", self._shell.show_training),
            )

    def _show(self, folder: Path) -> None:
        self._shell.show_training()
        self._shell.runs.choose(folder)
