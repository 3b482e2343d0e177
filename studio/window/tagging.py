"""Tagging: what is selected in the history gets tags, and a tag another name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from PySide6.QtWidgets import QInputDialog

from ddmi_core.support.errors import DataError
from studio.panels.tags_dialog import TagsDialog
from studio.state.kept_steps import TagChange, Tags
from studio.state.library import Item
from studio.state.tags import retagged, tag_name
from studio.state.undo import Step
from studio.window.items import Items
from studio.window.shell import Shell
from studio.window.undoing import Undoing


class Tagging:
    """The tags of items, each change of which can be undone."""

    def __init__(self, shell: Shell, items: Items, undoing: Undoing) -> None:
        self._shell, self._state, self._items, self._undoing = shell, shell.state, items, undoing
        shell.actions_.on("tags", self.edit)
        shell.history.bar.tag_renamed.connect(self.rename)
        shell.history.bar.tag_removed.connect(self.remove)
        self._state.shown_changed.connect(self._on_shown)
        self._on_shown(self._state.shown)
        undoing.make_again(TagChange, self._step_again)

    def edit(self) -> None:
        """Ask which tags what is selected is to have."""
        items = self._shell.history.selected()
        if not items:
            return
        tags = [item.tags for item in items]
        dialog = TagsDialog(self._items.named(items), tags, self._state.library.tags(), self._shell)
        if dialog.exec() == TagsDialog.DialogCode.Accepted:
            change = partial(retagged, add=dialog.added(), remove=dialog.removed())
            self._change(items, change, room=items[0].recipe.domain)
        dialog.deleteLater()

    def rename(self, tag: str) -> None:
        """Ask for another name of a tag, and give it to all items that have that."""
        typed, agreed = QInputDialog.getText(self._shell, "Rename the tag", "Name", text=tag)
        name = tag_name(typed)
        if agreed and name not in ("", tag):
            items = self._state.library.tagged(tag)
            if (step := self._change(items, partial(retagged, add=[name], remove=[tag]))) is not None:
                self._shell.history.model.set_filter(tag=name)
                self._undoing.offer(step, f"The tag “{tag}” of {_counted(items)} is “{name}” now.")

    def remove(self, tag: str) -> None:
        """Take a tag from all items that have it."""
        items = self._state.library.tagged(tag)
        if (step := self._change(items, partial(retagged, remove=[tag]))) is not None:
            self._shell.history.model.set_filter(tag="")
            self._undoing.offer(step, f"Removed the tag “{tag}” from {_counted(items)}.")

    def _change(self, items: Sequence[Item], change: Callable[[Tags], Tags], room: str = "") -> Step | None:
        """Change the tags of items of a room, or of any; return the step, None if nothing became different."""
        before = {item.id: item.tags for item in items}
        after = {item_id: change(tags) for item_id, tags in before.items()}
        step = self._step(TagChange(room=room, before=before, after=after))
        if before == after or not self._shell.attempt(step.redo):
            return None
        self._state.undo.push(step)
        return step

    def _step(self, kept: TagChange) -> Step:
        """The step of a change that is, or will be, made."""

        def put(tags: dict[str, Tags]) -> None:
            self._shell.show_room_of(kept.room)
            self._undoing.withdraw(step)
            self._shell.tag_files.write(self._state.library.tag(tags))

        step = Step("tags", undo=lambda: put(kept.before), redo=lambda: put(kept.after), kept=lambda: kept)
        return step

    def _step_again(self, kept: TagChange) -> Step | None:
        """The step of a change of an earlier session, if any of its items is there."""
        return self._step(kept) if any(map(self._is_there, kept.before)) else None

    def _is_there(self, item_id: str) -> bool:
        with suppress(DataError):
            return bool(self._state.library.get(item_id))
        return False

    def _on_shown(self, item: Item | None) -> None:
        self._shell.actions_["tags"].setEnabled(item is not None)


def _counted(items: Sequence[Item]) -> str:
    return "one item" if len(items) == 1 else f"{len(items):,} items"
