"""The items: shown on their stages, starred, and deleted."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from PySide6.QtGui import QGuiApplication

from ddmi_core.support.errors import DataError
from studio.engine.work.fitting import FitReady
from studio.engine.work.items import ItemReady, View
from studio.engine.work.viewing import ViewReady, ViewRequest
from studio.state.jobs import Job
from studio.state.kept_steps import Deletion
from studio.state.library import Item, TrashContent
from studio.state.undo import Step
from studio.window.models import Models
from studio.window.questions import agrees
from studio.window.shell import Shell, quoted
from studio.window.undoing import Undoing

_DELETE = "delete"  # a step that can be undone until the trash is emptied


class Items:
    """What is done with items, and what the stages show of them."""

    def __init__(self, shell: Shell, models: Models, undoing: Undoing) -> None:
        self._shell, self._state, self._engine = shell, shell.state, shell.engine
        self._models, self._undoing = models, undoing
        self._seen: dict[str, Item] = {}
        """What the stages really show, by domain: an item that was chosen may still be on its way."""
        self._asks_to_empty = False
        shell.actions_.on("copy_prompt", self.copy_prompt)
        shell.actions_.on("star", self.toggle_star)
        shell.actions_.on("delete", self.delete)
        shell.actions_.on("empty_trash", self.empty_trash)
        shell.actions_.on("newer", lambda: shell.history.step(-1))
        shell.actions_.on("older", lambda: shell.history.step(1))
        shell.history.chosen.connect(self.open)
        shell.trash.measured.connect(self._on_trash_measured)
        shell.trash.brought_back.connect(partial(undoing.forget, _DELETE))
        undoing.make_again(Deletion, self._deletion_again)
        self._engine.answers(ItemReady).connect(self.on_item_ready)
        self._engine.answers(ViewReady).connect(self.on_view_ready)
        self._engine.answers(FitReady).connect(self.on_fit_ready)
        for stage in shell.stages:
            stage.covered.connect(lambda _on: self._enable_what_is_seen())
        self._state.jobs.changed.connect(self._on_view_ended)
        self._state.shown_changed.connect(self._on_shown)
        self._state.models_changed.connect(lambda _models: self._open_what_waits())

    def open(self, item: Item) -> None:
        """Show an item on the stage of its room; the form stays as it is."""
        self._shell.show_room_of(item.recipe.domain)
        self._models.once_known(partial(self._open, item))

    def _open(self, item: Item) -> None:
        """Have an item shown. It counts at once, so that what is asked next, such as to delete it, is meant for it."""
        domain = item.recipe.domain
        request = ViewRequest(item=item, resolution=self._shell.stage_of(domain).room.preview_resolution)
        self._state.show(item)  # first: what is given up for it is then no longer the one on the stage
        if self._state.lacks_model(item.recipe):
            self._seen.pop(domain, None)
            self._shell.stage_of(domain).show_without_model(item)
        elif not self._shell.attempt(lambda: self._engine.ask(request)):
            self._empty_stage(domain)

    def _open_what_waits(self) -> None:
        """Show what had no model until now."""
        for stage in self._shell.stages:
            waiting = stage.missing.item
            if waiting is not None and not self._state.lacks_model(waiting.recipe):
                self._open(waiting)

    def _empty_stage(self, domain: str) -> None:
        """Show nothing on a stage."""
        self._seen.pop(domain, None)
        self._shell.stage_of(domain).show_view(None, None)

    def is_seen(self, item: Item) -> bool:
        """Whether an item is what its stage shows, and not still on its way there."""
        seen = self._seen.get(item.recipe.domain)
        return seen is not None and seen.id == item.id

    def _on_view_ended(self, job: Job) -> None:
        """An item that did not come after all is not the one on the stage: that is still the one before it."""
        request = job.request
        if job.is_active or not isinstance(request, ViewRequest) or self.is_seen(request.item):
            return
        item, domain = request.item, request.item.recipe.domain
        shown = self._state.shown_in(domain)
        views = [one.request for one in self._state.jobs.active(quiet=True) if isinstance(one.request, ViewRequest)]
        if shown is None or shown.id != item.id or any(view.item.id == item.id for view in views):
            return
        if job.status == "failed":
            self._empty_stage(domain)
        elif (before := self._seen.get(domain)) is None or not self._shell.attempt(
            lambda: self._state.show(self._state.library.get(before.id))
        ):
            self._state.clear(domain)

    def copy_prompt(self) -> None:
        """Copy the prompt of the item on the stage."""
        if self._state.shown is not None:
            QGuiApplication.clipboard().setText(self._state.shown.recipe.prompt)

    def toggle_star(self) -> None:
        """Star what is selected, or unstar it if all of it is starred."""
        items = self._shell.history.selected()
        starred = not all(item.starred for item in items)
        for item in items:
            if item.starred != starred and not self._shell.attempt(partial(self._state.library.star, item, starred)):
                break
        self._on_shown(self._state.shown)

    def delete(self) -> None:
        """Delete what is selected; a message offers to undo that, and a neighbour takes the stage."""
        gone: list[Item] = []
        if items := self._shell.history.selected():
            step = self._deletion(items, gone)
            self._shell.attempt(step.redo)
            if gone:
                self._state.undo.push(step)

    def _deletion_again(self, kept: Deletion) -> Step | None:
        """The step of a deletion of an earlier session, if what it took is still in the trash."""
        with suppress(DataError):
            gone = [self._state.library.get(item_id) for item_id in kept.items]
            if all(item.deleted for item in gone):
                return self._deletion(gone, list(gone))
        return None

    def _deletion(self, items: list[Item], gone: list[Item]) -> Step:
        """The step of deleting items, of which `gone` are deleted now."""

        def restore() -> None:
            self._undoing.withdraw(step)
            back = [self._state.library.restore(item) for item in gone]
            self.open(back[0])

        def delete() -> None:
            self._shell.show_room_of(items[0].recipe.domain)
            neighbour = self._neighbour_of(items)
            self._shell.history.let_go()
            gone.clear()
            try:
                for item in items:
                    gone.append(self._state.library.delete(item))
            finally:
                if gone:
                    self._undoing.offer(step, f"Deleted {self.named(gone)}.")
                    if neighbour is not None:
                        self.open(neighbour)

        step = Step(
            _DELETE, restore, delete, kept=lambda: Deletion(items=tuple(item.id for item in gone)) if gone else None
        )
        return step

    def _neighbour_of(self, items: list[Item]) -> Item | None:
        """The item of the history that takes the place of some: the next older one, or else the next newer one."""
        listed, taken = self._shell.history.model.items(), {item.id for item in items}
        row = self._shell.history.model.row_of(items[0])
        following = [*listed[row + 1 :], *reversed(listed[: max(row, 0)])]
        return next((item for item in following if item.id not in taken), None)

    def named(self, items: list[Item]) -> str:
        """What items are called, within a sentence."""
        if len(items) > 1:
            nouns = {self._shell.stage_of(item.recipe.domain).room.words.noun for item in items}
            return f"{len(items):,} {nouns.pop() if len(nouns) == 1 else 'item'}s"
        recipe = items[0].recipe
        return quoted(items[0]) + ("" if recipe.source is not None else f", seed {recipe.seed}")

    def empty_trash(self) -> None:
        """Ask, once it is known how much is in it, and delete what was deleted for good."""
        self._asks_to_empty = True
        self._shell.trash.measure()

    def _on_trash_measured(self, content: TrashContent) -> None:
        if not self._asks_to_empty:
            return
        self._asks_to_empty = False
        if not content.count:
            self._state.notifications.info("The trash is empty.")
            return
        text, more = f"The trash holds {content}.", "What is deleted now cannot be brought back."
        if agrees(self._shell, "Empty the trash?", text, more, do="Delete for good", keep="Keep"):
            self._shell.trash.empty()
            self._undoing.forget(_DELETE)

    def on_item_ready(self, result: ItemReady) -> None:
        """Show the first variation, unless the person went on to something else meanwhile."""
        item = result.item
        if result.index == 0 and result.request.generation == self._state.generation_in(item.recipe.domain):
            self._show(item, result.view, result.resolution)

    def on_view_ready(self, result: ViewReady) -> None:
        """Show an item that was opened."""
        item, domain = result.item, result.item.recipe.domain
        if result.request.generation == self._state.generation_in(domain):
            self._show(item, result.view, result.resolution)

    def on_fit_ready(self, result: FitReady) -> None:
        """Let the item that was fitted be seen as it is now, if it is still on its stage."""
        item, domain = result.item, result.item.recipe.domain
        shown = self._state.shown_in(domain)
        if shown is not None and shown.id == item.id:
            self._show(item, result.view, result.resolution)

    def _show(self, item: Item, view: View, resolution: int) -> None:
        """Put an item on the stage of its room."""
        domain = item.recipe.domain
        self._seen[domain] = item
        self._shell.stage_of(domain).show_view(item, view, resolution)
        self._state.show(item)
        self._enable_what_is_seen()

    def _on_shown(self, item: Item | None) -> None:
        for name in ("copy_files", "copy_prompt", "star", "delete"):
            self._shell.actions_[name].setEnabled(item is not None)
        self._enable_what_is_seen()
        self._shell.actions_["recipe"].setEnabled(item is not None and item.recipe.source is None)
        self._shell.actions_["star"].setChecked(item is not None and item.starred)
        if item is None:
            self._empty_stage(self._shell.stage.room.words.domain)

    def _enable_what_is_seen(self) -> None:
        """What is on its way to the stage, or covered, cannot be exported from there."""
        shown, covered = self._state.shown, self._shell.stage.shows_variations
        for name in ("export", "screenshot", "copy_view"):
            self._shell.actions_[name].setEnabled(shown is not None and self.is_seen(shown) and not covered)
        self._shell.inspector.export.setEnabled(not covered)
