"""The installed models: looked for, warmed up, imported, measured, renamed and deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QInputDialog

from ddmi_core.model_file import SUFFIX, proposed_name
from ddmi_core.model_folder import INDEX, ModelInfo
from studio.engine.work.machine import EvaluateRequest, EvaluationDone, ModelsRequest, PreloadRequest
from studio.launcher import open_outside
from studio.panels.evaluate_dialog import EvaluateDialog
from studio.panels.model_card import ModelCard
from studio.state.notifications import Action
from studio.widgets.saving import ask_where
from studio.window.questions import agrees
from studio.window.shell import Shell


class Models:
    """What is done with the installed models."""

    def __init__(self, shell: Shell) -> None:
        self._shell, self._state, self._engine, self._settings = shell, shell.state, shell.engine, shell.settings
        self._folders, room, notifications = shell.model_folders, shell.models, shell.state.notifications
        self._warmed: set[str] = set()
        self._postponed: list[Callable[[], object]] = []
        room.used.connect(self._state.use_model)
        room.opened.connect(shell.open_folder)
        room.refreshed.connect(self.look)
        room.import_asked.connect(self.choose)
        room.save_asked.connect(self.save)
        for where in (room, shell.runs):
            where.evaluate_asked.connect(self.evaluate)
        room.report_asked.connect(lambda page: open_outside(page, notifications))
        room.rename_asked.connect(self.rename)
        room.delete_asked.connect(self.delete)
        for stage in shell.stages:
            stage.model_asked.connect(self.choose)
        self._folders.changed.connect(self.look)
        self._folders.imported.connect(self._on_imported)
        self._folders.card_ready.connect(
            lambda model, text: ModelCard(model, text, shell.theme, notifications, shell).open()
        )
        self._folders.saved.connect(self._on_saved)
        self._folders.failed.connect(notifications.error)
        self._engine.answers(EvaluationDone).connect(self.on_evaluation_done)
        self._state.form_changed.connect(lambda _form: self._warm_up())
        self._state.models_changed.connect(self._on_models)
        self._state.domain_changed.connect(self._on_domain)

    def once_known(self, work: Callable[[], object]) -> None:
        """Do what needs a model; while they are still being listed, do it after that, unless the room is left."""
        if self._state.models_known:
            work()
        else:
            self._postponed.append(work)
            self._shell.status.say("The installed models are still being read. What you asked for follows.")

    def _do_postponed(self) -> None:
        """Do what waited for the list of models."""
        postponed, self._postponed = self._postponed, []
        if postponed:
            self._shell.status.clearMessage()
        for work in postponed:
            work()

    def look(self) -> None:
        """Look which models are installed."""
        self._engine.ask(ModelsRequest())

    def choose(self) -> None:
        """Ask for a model, one file or the index of a folder, and copy it among the person's own models."""
        path, _ = QFileDialog.getOpenFileName(
            self._shell, "Import a model", str(self._settings.folder("models")), f"Models (*{SUFFIX} {INDEX})"
        )
        if path:
            self._settings.set_folder("models", Path(path).parent)
            self.add(Path(path))

    def add(self, path: Path) -> None:
        """Copy a model, in a folder or in one file, among the person's own models."""
        self._folders.add(path)

    def _on_imported(self, model: ModelInfo) -> None:
        if self._shell.models.domain != model.domain:
            self._shell.models.domain = ""  # it shall be among those that are listed
        said = f"{model.name} is imported and can be used."
        if model.base is not None and self._state.lacks_base(model):
            said = (
                f"{model.name} is imported. It goes with the model {model.base.name}, which is not here: import that "
                "one, too."
            )
        self._state.notifications.info(said)

    def save(self, model: ModelInfo) -> None:
        """Ask where to, and write a model as one file."""
        proposal = self._settings.folder("models") / proposed_name(model)
        if (file := ask_where(self._shell, "Save the model", proposal, "Models")) is not None:
            self._settings.set_folder("models", file.parent)
            self._folders.save(model, file)

    def _on_saved(self, model: ModelInfo, file: Path) -> None:
        show = Action("Open folder", lambda: self._shell.open_folder(file.parent))
        needs = f" It needs {model.base.name} there, too." if model.base is not None else ""
        self._state.notifications.info(
            f"{model.name} is in {file}. Dropped onto the window, it is added.{needs}", action=show
        )

    def evaluate(self, model: ModelInfo) -> None:
        """Ask what a model is to be measured against, and measure it in the background."""
        dialog = EvaluateDialog(model, self._folders.starter_sets(model.domain), self._settings, self._shell)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(
            lambda: self._engine.ask(
                EvaluateRequest(
                    model=model.folder, data=dialog.data(), samples=dialog.samples.value(), path=dialog.folder()
                )
            )
        )
        dialog.open()

    def rename(self, model: ModelInfo) -> None:
        """Ask for another name of a model."""
        name, agreed = QInputDialog.getText(self._shell, "Rename the model", "Name", text=model.name)
        if agreed and name.strip() != model.name:
            self._folders.rename(model, name)

    def delete(self, model: ModelInfo) -> None:
        """Ask, then move a model's folder to the trash."""
        text = (
            "Its folder goes to the trash. What was made with it stays in the history, but only as thumbnails: it "
            "cannot be drawn or exported without the model."
        )
        lost = [one.name for one in self._state.models if one.base is not None and one.base.hash == model.hash]
        if lost:
            text += f" What is changes to it cannot be used without it: {', '.join(lost)}."
        if agrees(self._shell, "Delete the model?", f"Delete {model.name}?", text, do="Delete", keep="Keep"):
            self._folders.delete(model)

    def warm_up_again(self) -> None:
        """Load the chosen model anew: it is to compute elsewhere."""
        self._warmed.clear()
        self._warm_up()

    def _warm_up(self) -> None:
        """Load the chosen model while nobody waits for it."""
        model = self._state.selected_model
        if model is not None and model.hash not in self._warmed:
            self._warmed.add(model.hash)
            self._engine.ask(PreloadRequest(model=model.folder))

    def on_evaluation_done(self, result: EvaluationDone) -> None:
        """Open the report, say where it is, and put its figures beside the model."""
        self._folders.reports()
        show = partial(open_outside, result.page, self._state.notifications)
        self._state.notifications.info(f"The report is {result.page}.", action=Action("Open report", show))
        show()

    def _on_domain(self, _domain: str) -> None:
        self._postponed.clear()
        self._on_models(self._state.models)

    def _on_models(self, models: list[ModelInfo]) -> None:
        self._warm_up()
        for stage in self._shell.stages:
            fitting = any(model.domain == stage.room.words.domain for model in models)
            stage.set_can_generate(fitting or not self._state.models_known)
        for name in ("generate", "variations"):
            self._shell.actions_[name].setEnabled(bool(self._state.usable_models()) or not self._state.models_known)
        if self._state.models_known and self._postponed:
            QTimer.singleShot(0, self._shell, self._do_postponed)  # once all know of the models, and the form has one
