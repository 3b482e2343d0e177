"""Exports: items, views and diagnostics become files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.paths import user_data
from studio.engine.diagnostics import save_diagnostics
from studio.engine.work.clips import SequenceDone, SequenceRequest
from studio.engine.work.exporting import ExportDone, ExportRequest
from studio.engine.work.latents import WalkDone
from studio.engine.work.scales import ScaleFilmDone
from studio.engine.work.sheets import SheetDone, SheetRequest
from studio.panels.export_dialog import Order, Place, file_stem
from studio.panels.inspector import item_title
from studio.settings import FolderKind
from studio.state.jobs import Job
from studio.state.library import Item
from studio.state.notifications import Action
from studio.state.sheet_layout import laid_out
from studio.widgets.saving import ask_where, free_path
from studio.window.items import Items
from studio.window.shell import Shell, quoted


@dataclass
class _Batch:
    """Exports that were asked for at once: what has not ended yet, and how many files were written."""

    folder: Path
    jobs: set[str] = field(default_factory=set)
    written: int = 0


class Exports:
    """What is written to files."""

    def __init__(self, shell: Shell, items: Items) -> None:
        self._shell, self._state, self._engine, self._settings = shell, shell.state, shell.engine, shell.settings
        self._items = items
        self._batches: list[_Batch] = []
        shell.actions_.on("export", self.choose)
        shell.actions_.on("sheet", self.choose_sheet)
        shell.actions_.on("screenshot", self.choose_screenshot)
        shell.actions_.on("copy_view", self.copy_view)
        shell.actions_.on("diagnostics", self.choose_diagnostics)
        shell.inspector.export_clicked.connect(self.choose)
        shell.history.selection_changed.connect(self._on_selection)
        self._on_selection()
        self._state.jobs.changed.connect(self._on_job)
        self._engine.answers(ExportDone).connect(self.on_export_done)
        for done in (WalkDone, ScaleFilmDone, SequenceDone):
            self._engine.answers(done).connect(lambda result: self._say_written(result.path))
        self._engine.answers(SheetDone).connect(lambda result: self._say_written(result.request.path))

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
        others = self._others(item)
        models = self._state.models_behind([*self._shell.stage.exported(item), *others])
        place = Place(self._settings.folder("exports"), self._is_being_written, len(others), models)
        order = self._shell.stage.ask_export(item, place, self._shell)
        if order is not None and others:
            self._export_all([item, *others], order)
        elif order is not None:
            self.export(item, order)

    def _others(self, item: Item) -> list[Item]:
        """What is selected beside an item and can be exported as it is."""
        return [
            one
            for one in self._shell.history.selected()
            if one.id != item.id and one.recipe.domain == item.recipe.domain and not self._state.lacks_model(one.recipe)
        ]

    def _export_all(self, items: Sequence[Item], order: Order) -> None:
        """Export the first of some items as ordered, and the others beside it."""
        batch = _Batch(order.path.parent)

        def ask() -> None:
            for item in items:
                path, replace = (order.path, order.replace) if item is items[0] else (self._beside(order, item), False)
                request = ExportRequest(item=item, path=path, options=order.options, replace=replace)
                batch.jobs.add(self._engine.ask(request).id)

        self._shell.attempt(ask)
        if batch.jobs:
            self._batches.append(batch)

    def _beside(self, order: Order, item: Item) -> Path:
        """A free path for an item, beside what was ordered."""
        path = order.path.with_name(f"{file_stem(item_title(item))}-{item.recipe.seed}{order.path.suffix}")
        return free_path(
            path,
            lambda path: self._is_being_written(path) or any(one.exists() for one in order.options.targets(path)),
        )

    def _on_job(self, job: Job) -> None:
        """Say once, when all of a batch has ended, how much of it was written."""
        for batch in self._batches:
            if job.is_active or job.id not in batch.jobs:
                continue
            batch.jobs.remove(job.id)
            batch.written += job.status == "done"
            if not batch.jobs:
                self._batches.remove(batch)
                if batch.written:
                    self._say(f"Saved {batch.written:,} files in {batch.folder}.", batch.folder)
            return

    def _is_being_written(self, path: Path) -> bool:
        """Whether an export that waits or runs writes a file."""
        requests = (job.request for job in self._state.jobs.active())
        return any(isinstance(one, ExportRequest | SequenceRequest) and one.path == path for one in requests)

    def export(self, item: Item, order: Order) -> None:
        """Export an item in the background."""
        self._shell.attempt(lambda: self._shell.stage_of(item.recipe.domain).export(item, order))

    def choose_sheet(self) -> None:
        """Save what is selected as one picture under a name to choose."""
        items = self._shell.history.selected()
        if len(items) < 2:
            return
        proposal = self._settings.folder("exports") / f"{file_stem(self._shell.stage.room.words.noun)}-sheet.png"
        target = ask_where(self._shell, "Save as a sheet", proposal, "PNG picture")
        if target is not None:
            layout = laid_out(items, self._state.form.prompt)
            self._shell.attempt(lambda: self._engine.ask(SheetRequest(layout=layout, path=target)))

    def _on_selection(self) -> None:
        self._shell.actions_["sheet"].setEnabled(len(self._shell.history.selected()) > 1)

    def choose_screenshot(self) -> None:
        """Save the view as it stands now under a name to choose."""
        if (image := self._seen(lambda: self._shell.stage.ask_screenshot(self._shell))) is None:
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

    def copy_view(self) -> None:
        """Put the view as it stands now into the clipboard."""
        if (image := self._seen(self._shell.stage.screenshot)) is not None:
            QGuiApplication.clipboard().setImage(image)
            self._shell.status.say(f"The view is in the clipboard, {image.width():,} × {image.height():,} px.")

    def _seen(self, look: Callable[[], QImage | None]) -> QImage | None:
        """What a look at the view gives; a message if it cannot be had."""
        try:
            return look()
        except DDMIError as error:
            self._state.notifications.error(str(error))
            return None

    def choose_diagnostics(self) -> None:
        """Save what helps to find a fault under a name to choose."""
        proposal = self._settings.folder("reports") / "ddmi-studio-diagnostics.zip"
        target = ask_where(self._shell, "Save diagnostics", proposal, "Zip")
        if target is not None and self._shell.attempt(
            lambda: save_diagnostics(target, user_data() / "logs", self._state.models)
        ):
            self._say_written(target, kind="reports")

    def on_export_done(self, result: ExportDone) -> None:
        """Say where the file is; one of many is not worth a message of its own."""
        if any(result.request.job_id in batch.jobs for batch in self._batches):
            return
        facts = result.facts
        figures = f" ({facts['vertices']:,} vertices, {facts['faces']:,} faces)" if "vertices" in facts else ""
        self._say_written(Path(facts.get("path", result.request.path)), figures)

    def _say_written(self, path: Path, figures: str = "", *, kind: FolderKind = "exports") -> None:
        """Say where a file is."""
        self._say(f"Saved {path.name}{figures}.", path.parent, kind)

    def _say(self, text: str, folder: Path, kind: FolderKind = "exports") -> None:
        """Say what was written, and begin in its folder the next time; where writing fails, it is not remembered."""
        self._settings.set_folder(kind, folder)
        self._state.notifications.info(text, action=Action("Show in folder", lambda: self._shell.open_folder(folder)))
