"""Repeating: what was made, or is being made, is made again with new seeds, whatever the form says by now."""

from __future__ import annotations

from ddmi_core.model_folder import ModelInfo
from ddmi_core.recipe import SamplingSettings
from studio.engine.work.sampling import GenerateRequest
from studio.state.library import Item
from studio.window.models import Models
from studio.window.shell import Shell, quoted


class Repeating:
    """The action on what is selected in the history, and the button in the rows of the queue.

    The new seeds are drawn, or, while the seed of the room's form is kept, count on to the next that were not used.
    """

    def __init__(self, shell: Shell, models: Models) -> None:
        self._shell, self._state, self._engine, self._models = shell, shell.state, shell.engine, models
        shell.actions_.on("repeat", lambda: models.once_known(self.repeat_selected))
        shell.queue.repeated.connect(self.repeat_job)
        shell.history.selection_changed.connect(self._on_selection)
        self._on_selection()

    def repeat_selected(self) -> None:
        """Make what is selected again; what differs in nothing but its seed as one job."""
        alike: dict[tuple[str, str, SamplingSettings], list[Item]] = {}
        for item in self._selected():
            recipe = item.recipe
            alike.setdefault((recipe.domain, recipe.model_hash, recipe.settings), []).append(item)
        for (_, _, settings), items in alike.items():
            model = self._state.model_for(items[0].recipe)
            if model is None:
                text = f"{quoted(items[0])} needs the model {items[0].recipe.model}, which is not installed."
                self._state.notifications.warning(text)
            elif not self._repeat(model, settings, tuple(item.recipe.seed for item in reversed(items))):
                break

    def repeat_job(self, job_id: str) -> None:
        """Make what a job of the queue makes again, after it."""
        job = self._state.jobs.get(job_id)
        if job is not None and isinstance(request := job.request, GenerateRequest):
            model = next((model for model in self._state.models if model.folder == request.model), None)
            if model is not None:
                self._repeat(model, request.settings, request.seeds)

    def _repeat(self, model: ModelInfo, settings: SamplingSettings, seeds: tuple[int, ...]) -> bool:
        making = self._engine.seeds_being_made(model, settings)
        resolution = self._shell.stage_of(model.domain).room.preview_resolution

        def ask() -> None:
            new = self._state.new_seeds(model, settings, seeds, making)
            self._engine.make_by(model, settings, new, resolution)

        return self._shell.attempt(ask)

    def _selected(self) -> list[Item]:
        return [item for item in self._shell.history.selected() if item.recipe.source is None]

    def _on_selection(self) -> None:
        self._shell.actions_["repeat"].setEnabled(bool(self._selected()))
