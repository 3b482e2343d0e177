"""AppState: all that the window shows, in one place, without the window."""

from __future__ import annotations

from collections.abc import Sequence

from psygnal import Signal

from ddmi_core.model_folder import ModelInfo
from ddmi_core.recipe import Recipe
from studio.state.form import GenerateForm, random_seed
from studio.state.jobs import JobQueue
from studio.state.library import Item, Library
from studio.state.notifications import Notifications


class AppState:
    """The library, the jobs, the notifications, the form, the installed models, and which item is on the stage.

    ``generation`` counts up whenever something else is asked to be shown; a result that carries an older number is
    stale and must not change the stage.
    """

    form_changed = Signal(GenerateForm)
    models_changed = Signal(list)
    shown_changed = Signal(object)
    """The :class:`~studio.state.library.Item` now on the stage, or None."""

    def __init__(self, library: Library, form: GenerateForm | None = None) -> None:
        self.library = library
        self.jobs = JobQueue()
        self.notifications = Notifications()
        self.generation = 0
        self._form = form or GenerateForm(seed=random_seed())
        self._models: list[ModelInfo] = []
        self._shown: Item | None = None
        library.removed.connect(self._on_removed)
        library.changed.connect(self._on_changed)

    # Form

    @property
    def form(self) -> GenerateForm:
        """The form as it stands."""
        return self._form

    def update_form(self, **values: object) -> GenerateForm:
        """Change values of the form, and announce it if any differs. Raises pydantic's ValidationError out of range."""
        form = self._form.changed(**values)
        if form != self._form:
            self._form = form
            self.form_changed.emit(form)
        return form

    def roll_seed(self) -> int:
        """Put a fresh seed into the form (the dice)."""
        return self.update_form(seed=random_seed()).seed

    def recall(self, item: Item) -> GenerateForm:
        """Bring an item's recipe back into the form, its seed locked so that Generate makes the same thing again."""
        recipe = item.recipe
        model = self.model_for(recipe)
        return self.update_form(
            model=model.name if model is not None else self._form.model,
            prompt=recipe.prompt,
            count=1,
            seed=recipe.seed,
            seed_locked=True,
            steps=recipe.steps,
            sampler=recipe.sampler,
            guidance=recipe.guidance,
        )

    # Models

    @property
    def models(self) -> list[ModelInfo]:
        """The installed models."""
        return list(self._models)

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        """Replace the list of models. A form whose model is not among them gets the first one."""
        self._models = list(models)
        self.models_changed.emit(self.models)
        if self._models and self.selected_model is None:
            self.update_form(model=self._models[0].name)

    @property
    def selected_model(self) -> ModelInfo | None:
        """The model named in the form, if it is installed."""
        return next((model for model in self._models if model.name == self._form.model), None)

    def model_for(self, recipe: Recipe) -> ModelInfo | None:
        """The installed model that made something: the same weights if they are here, else the same name, else None."""
        same_domain = [model for model in self._models if model.domain == recipe.domain]
        for matches in (lambda m: m.hash == recipe.model_hash, lambda m: m.name == recipe.model):
            for model in same_domain:
                if matches(model):
                    return model
        return None

    # Stage

    @property
    def shown(self) -> Item | None:
        """The item on the stage."""
        return self._shown

    def show(self, item: Item | None) -> None:
        """Put an item on the stage (its geometry follows from the engine), or clear it."""
        if item != self._shown:
            self._shown = item
            self.shown_changed.emit(item)

    def next_generation(self) -> int:
        """A new number for a request whose result may take the stage; makes all earlier ones stale."""
        self.generation += 1
        return self.generation

    def _on_removed(self, item: Item) -> None:
        if self._shown is not None and self._shown.id == item.id:
            self.next_generation()
            self.show(None)

    def _on_changed(self, item: Item) -> None:
        if self._shown is not None and self._shown.id == item.id:
            self.show(item)
