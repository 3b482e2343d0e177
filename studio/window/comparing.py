"""Comparing: two items of the history beside each other."""

from __future__ import annotations

from studio.panels.compare_dialog import CompareDialog
from studio.state.library import Item
from studio.window.items import Items
from studio.window.shell import Shell


class Comparing:
    """The action that compares what is selected, if that is two items of a room."""

    def __init__(self, shell: Shell, items: Items) -> None:
        self._shell, self._items = shell, items
        shell.actions_.on("compare_items", self.compare)
        shell.history.selection_changed.connect(self._on_selection)
        self._on_selection()

    def compare(self) -> None:
        """Open the two that are selected beside each other."""
        if (pair := self._pair()) is None:
            return
        shell = self._shell
        resolution = shell.stage_of(pair[0].recipe.domain).room.preview_resolution
        dialog = CompareDialog(pair, shell.state, shell.engine, shell.theme, resolution, shell)
        dialog.chosen.connect(self._items.open)
        dialog.show()

    def _pair(self) -> tuple[Item, Item] | None:
        selected = self._shell.history.selected()
        if len(selected) != 2 or selected[0].recipe.domain != selected[1].recipe.domain:
            return None
        return selected[1], selected[0]  # the older one first

    def _on_selection(self) -> None:
        self._shell.actions_["compare_items"].setEnabled(self._pair() is not None)
