"""Exports: items, views and diagnostics become files."""

from __future__ import annotations

from pathlib import Path

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.paths import user_data
from studio.engine.diagnostics import save_diagnostics
from studio.engine.work.clips import SequenceDone, SequenceRequest
from studio.engine.work.exporting import ExportDone, ExportRequest
from studio.engine.work.latents import WalkDone
from studio.panels.export_dialog import Order, Place, file_stem
from studio.settings import FolderKind
from studio.state.library import Item
from studio.state.notifications import Action
from studio.widgets.saving import ask_where
from studio.window.items import Items
from studio.window.shell import Shell, quoted


class Exports:
    """What is written to files."""

    def __init__(self, shell: Shell, items: Items) -> None:
        self._shell, self._state, self._engine, self._settings = shell, shell.state, shell.engine, shell.settings
        self._items = items
        shell.actions_.on("export", self.choose)
        shell.actions_.on("screenshot", self.choose_screenshot)
        shell.actions_.on("diagnostics", self.choose_diagnostics)
        shell.inspector.export_clicked.connect(self.choose)
        self._engine.answers(ExportDone).connect(self.on_export_done)
        for written in (self._engine.answers(WalkDone), self._engine.answers(SequenceDone)):
            written.connect(lambda result: self._say_written(result.path))

    def choose(self) -> None:
        """Ask how to export the item on the stage, and do so."""
        item = self._state.shown
        if item is None:
            return
        if self._state.lacks_model(item.recipe):
            self._shell.status.say(f"{quoted(item)} cannot be exported without its model, {item.recipe.model}.")
            return
        if not self._items.is_seen(item):
            self._shell.status.say(f"{quoted(item)} is still being opened. Export it once it is on the stage.")
            return
        place = Place(self._settings.folder("exports"), self._is_being_written)
        order = self._shell.stage.ask_export(item, place, self._shell)
        if order is not None:
            self.export(item, order)

    def _is_being_written(self, path: Path) -> bool:
        """Whether an export that waits or runs writes a file."""
        requests = (job.request for job in self._state.jobs.active())
        return any(isinstance(one, ExportRequest | SequenceRequest) and one.path == path for one in requests)

    def export(self, item: Item, order: Order) -> None:
        """Export an item in the background."""
        self._shell.attempt(lambda: self._shell.stage_of(item.recipe.domain).export(item, order))

    def choose_screenshot(self) -> None:
        """Save the view as it stands now under a name to choose."""
        try:
            image = self._shell.stage.screenshot()
        except DDMIError as error:
            self._state.notifications.error(str(error))
            return
        proposal = self._settings.folder("exports") / f"{file_stem(self._shell.stage.room.words.noun)}.png"
        target = ask_where(self._shell, "Save the view", proposal, "PNG picture")
        if target is None:
            return
        if image.save(str(target)):
            self._say_written(target)
        else:
            self._state.notifications.error(
                f"The picture could not be written to {target}. Check the folder and the space left."
            )

    def choose_diagnostics(self) -> None:
        """Save what helps to find a fault under a name to choose."""
        proposal = self._settings.folder("reports") / "ddmi-studio-diagnostics.zip"
        target = ask_where(self._shell, "Save diagnostics", proposal, "Zip")
        if target is not None and self._shell.attempt(
            lambda: save_diagnostics(target, user_data() / "logs", self._state.models)
        ):
            self._say_written(target, kind="reports")

    def on_export_done(self, result: ExportDone) -> None:
        """Say where the file is."""
        facts = result.facts
        figures = f" ({facts['vertices']:,} vertices, {facts['faces']:,} faces)" if "vertices" in facts else ""
        self._say_written(Path(facts.get("path", result.request.path)), figures)

    def _say_written(self, path: Path, figures: str = "", *, kind: FolderKind = "exports") -> None:
        """Say where a file is, and begin there the next time; where writing fails, the folder is not remembered."""
        self._settings.set_folder(kind, path.parent)
        self._state.notifications.info(
            f"Saved {path.name}{figures}.",
            action=Action("Show in folder", lambda: self._shell.open_folder(path.parent)),
        )
