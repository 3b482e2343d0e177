"""AppState: all that the window shows, in one place, without the window."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psygnal import Signal

from ddmi_core.model_folder import ModelInfo
from ddmi_core.prompt_matrix import prompt_matrix
from ddmi_core.recipe import Inpainting, Recipe, SamplingSettings, Sketch, Span
from studio.state.form import USUAL_DIFFERENCE, GenerateForm, free_seeds, random_seed
from studio.state.jobs import JobQueue
from studio.state.library import Item, Library
from studio.state.notifications import Notifications
from studio.state.paused import PausedQueue
from studio.state.undo import UndoStack


@dataclass
class _RoomState:
    """What each room has of its own."""

    form: GenerateForm
    shown: Item | None = None
    generation: int = 0


class AppState:
    """All that the window shows: the library, the jobs, the notifications, what can be undone, the installed models.

    Each room has a form and an item on its stage. A room is named by its domain. ``form``, ``shown`` and ``generation``
    are those of the room that the person is in; before the first :meth:`enter` there is one of each, for all domains.

    ``generation`` changes whenever something else is asked to be shown in the room; a result that carries an older
    number is stale and must not change the stage.
    """

    domain_changed = Signal(str)
    """The domain whose room was entered; ``form_changed`` and ``shown_changed`` follow with what is there."""
    form_changed = Signal(GenerateForm)
    models_changed = Signal(list)
    shown_changed = Signal(object)
    """The :class:`~studio.state.library.Item` now on the stage, or None."""

    def __init__(
        self, library: Library, form: GenerateForm | None = None, forms: Mapping[str, GenerateForm] | None = None
    ) -> None:
        """``forms`` are those that the rooms begin with; ``form`` is that of every other room."""
        self.library = library
        self.jobs = JobQueue()
        self.paused = PausedQueue()
        self.notifications = Notifications()
        self.undo = UndoStack()
        self._models: list[ModelInfo] = []
        self.models_known = False
        """Whether the models were looked for yet; until then nobody can say that there are none."""
        self._domain: str | None = None
        self._common = _RoomState(form or GenerateForm(seed=random_seed()))
        self._room_states: dict[str, _RoomState] = {}
        self._first_forms = dict(forms or {})
        self._generations = 0
        library.removed.connect(self._on_removed)
        library.changed.connect(self._on_changed)
        library.troubled.connect(self._on_troubled)

    def _on_troubled(self, text: str) -> None:
        self.notifications.warning(text)

    # Rooms

    @property
    def domain(self) -> str | None:
        """The domain whose room the person is in, or None where there are no rooms."""
        return self._domain

    def add_room(self, domain: str) -> None:
        """Give a domain a room: a form and a stage of its own."""
        self._room_states[domain] = _RoomState(self._first_forms.get(domain, self._common.form))

    def enter(self, domain: str) -> None:
        """Go to the room of a domain."""
        if domain != self._domain:
            self._domain = domain
            self._choose_models()
            self.domain_changed.emit(domain)
            self.form_changed.emit(self.form)
            self.shown_changed.emit(self.shown)

    def forms(self) -> dict[str, GenerateForm]:
        """The forms of all rooms."""
        return {domain: room.form for domain, room in self._room_states.items()}

    def _room_state(self, domain: str | None = None) -> _RoomState:
        """That of a domain's room, or of the room that the person is in."""
        return self._room_states.get(domain or self._domain or "", self._common)

    # Form

    @property
    def form(self) -> GenerateForm:
        """The form as it stands."""
        return self._room_state().form

    def update_form(self, **values: object) -> GenerateForm:
        """Change values of the form, and announce it if any differs. Raises pydantic's ValidationError out of range."""
        room = self._room_state()
        form = self._possible(room.form.changed(**values))
        if form != room.form:
            room.form = form
            self.form_changed.emit(form)
        return form

    def roll_seed(self) -> int:
        """Put a fresh seed into the form (the dice)."""
        return self.update_form(seed=random_seed()).seed

    def replace_form(self, form: GenerateForm) -> GenerateForm:
        """Put another form in place of the one that stands, which is returned."""
        before = self.form
        self.update_form(**form.model_dump())
        self._choose_models()  # its own may be gone meanwhile
        return before

    def made_already(self, seeds: Iterable[int] | None = None) -> dict[int, Item]:
        """The items that the form would make again, by seed; of some seeds or its own.

        Of several prompts in one it is the first one's, where all are made.

        Raises:
            DataError: the prompt stands for too many.
        """
        model = self.selected_model
        return self.made_of(model, self.form.settings, seeds or self.form.seeds()) if model is not None else {}

    def new_seeds(
        self, model: ModelInfo, settings: SamplingSettings, seeds: Sequence[int], making: Collection[int] = ()
    ) -> tuple[int, ...]:
        """As many seeds as a model made something with, and with which it made nothing of the same settings yet.

        They count on where the form of the model's room keeps its seed, else from a drawn one. `making`: those that
        are being made. The settings have to make something else with every seed.

        Raises:
            DataError: the prompt stands for too many.
        """
        start = seeds[-1] + 1 if self._room_state(model.domain).form.seed_locked else random_seed()
        return free_seeds(start, len(seeds), lambda seed: seed in making or bool(self.made_of(model, settings, [seed])))

    def made_of(self, model: ModelInfo, settings: SamplingSettings, seeds: Iterable[int]) -> dict[int, Item]:
        """The items that a model made of some settings, by seed; of several prompts in one as for `made_already`.

        Raises:
            DataError: the prompt stands for too many.
        """
        of = {"domain": model.domain, "model": model.name, "model_hash": model.hash, **settings.model_dump()}
        prompts = prompt_matrix(settings.prompt).prompts
        found = {}
        for seed in seeds:
            recipes = [Recipe(**{**of, "seed": seed, "prompt": prompt}) for prompt in prompts]
            items = [item for one in recipes if (item := self.library.result_of(one)) is not None]
            if len(items) == len(prompts):
                found[seed] = items[0]
        return found

    def recall(self, recipe: Recipe) -> GenerateForm:
        """Bring a recipe back into the form, its seed locked so that Generate makes the same thing again."""
        return self._take(recipe, seed=recipe.seed, seed_locked=True)

    def vary(self, recipe: Recipe) -> GenerateForm:
        """Bring a recipe into the form so that Generate makes something like it."""
        like = (*recipe.like, (recipe.seed, USUAL_DIFFERENCE))
        return self._take(recipe, seed=random_seed(), seed_locked=False, like=like)

    def change_part(self, recipe: Recipe, region: tuple[Span, ...]) -> GenerateForm:
        """Bring a recipe into the form so that Generate draws a part of what it makes anew."""
        inpaint = Inpainting(of=recipe.seeded, region=region)
        return self._take(recipe, seed=random_seed(), seed_locked=False, like=(), inpaint=inpaint)

    def draw_after(self, item: Item) -> GenerateForm:
        """Make the form draw something after an item; of one made of a file the form's own prompt stays.

        Raises:
            LibraryError: the item's files cannot be read.
        """
        recipe, latent = item.recipe, self.library.load_latent(item)
        title = Path(recipe.source).name if recipe.source is not None else recipe.prompt
        begun = {"seed": random_seed(), "seed_locked": False, "like": (), "inpaint": None}
        sketch = Sketch.of(latent, title=title)
        if recipe.source is None:
            return self._take(recipe, **begun, sketch=sketch)
        return self.update_form(model=self._name_for(recipe), **begun, sketch=sketch)

    def _take(self, recipe: Recipe, **values: object) -> GenerateForm:
        """Bring what a recipe says into the form, but for some values."""
        settings = recipe.settings.model_dump()
        return self.update_form(**{**settings, "model": self._name_for(recipe), "count": 1, **values})

    def _name_for(self, recipe: Recipe) -> str:
        """What the model that a recipe needs is called here, or the form's where there is none."""
        model = self.model_for(recipe)
        return model.name if model is not None else self.form.model

    # Models

    @property
    def models(self) -> list[ModelInfo]:
        """The installed models."""
        return list(self._models)

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        """Replace the list of models.

        A form whose model has another name now follows it; one whose model is gone gets the first one.
        """
        kept, by_folder = {model.name for model in models}, {model.folder: model.name for model in models}
        gone = [old for old in self._models if old.name not in kept]
        renamed = {old.name: by_folder[old.folder] for old in gone if old.folder in by_folder}
        self._models, self.models_known = list(models), True
        before = self.form
        for room in (self._common, *self._room_states.values()):
            if room.form.model in renamed:
                room.form = room.form.model_copy(update={"model": renamed[room.form.model]})
        self.models_changed.emit(self.models)
        if self.form != before:
            self.form_changed.emit(self.form)
        self._choose_models()

    def usable_models(self) -> list[ModelInfo]:
        """The installed models of the room that the person is in."""
        return [model for model in self._models if self._domain in (None, model.domain)]

    def base_of(self, model: ModelInfo) -> ModelInfo | None:
        """The installed model that a model goes with; None where it is none, and of a model that is whole."""
        return next((one for one in self._models if model.base is not None and one.hash == model.base.hash), None)

    def lacks_base(self, model: ModelInfo) -> bool:
        """Whether a model goes with one that is not installed."""
        return model.base is not None and self.base_of(model) is None

    def use_model(self, model: ModelInfo) -> None:
        """Put a model into the form of its room."""
        room = self._room_state(model.domain)
        room.form = self._possible(room.form.changed(model=model.name))
        self.form_changed.emit(self.form)

    def is_in_use(self, model: ModelInfo) -> bool:
        """Whether the form of its room names the model, or will once somebody enters that."""
        chosen = self._room_state(model.domain).form.model
        first = next((one for one in self._models if one.domain == model.domain), None)
        return model.name == chosen if chosen else model == first

    @property
    def selected_model(self) -> ModelInfo | None:
        """The model named in the form, if it is installed."""
        return next((model for model in self.usable_models() if model.name == self.form.model), None)

    def _choose_models(self) -> None:
        usable = self.usable_models()
        if usable and self.selected_model is None:
            self.update_form(model=usable[0].name)
        else:
            self.update_form()  # the one that it has may be another now

    def _possible(self, form: GenerateForm) -> GenerateForm:
        """The form as its model can do it: fast alone where there is a student."""
        model = next((model for model in self._models if model.name == form.model), None)
        slow = form.quality == "fast" and model is not None and not model.has_student
        return form.changed(quality="best") if slow else form

    def model_for(self, recipe: Recipe) -> ModelInfo | None:
        """The installed model that made something: the same weights if they are here, else the same name, else None."""
        same_domain = [model for model in self._models if model.domain == recipe.domain]
        for matches in (lambda m: m.hash == recipe.model_hash, lambda m: m.name == recipe.model):
            for model in same_domain:
                if matches(model):
                    return model
        return None

    def models_behind(self, items: Iterable[Item]) -> tuple[ModelInfo, ...]:
        """The installed models that made something of some items, and those that they go with; a fit has none."""
        made = [self.model_for(item.recipe) for item in items if not item.recipe.is_fitted]
        known = [one for one in made if one is not None]
        with_bases = [one for model in known for one in (model, self.base_of(model)) if one is not None]
        return tuple(dict.fromkeys(with_bases))

    def lacks_model(self, recipe: Recipe) -> bool:
        """Whether something cannot be decoded because no model here is the one that made it. A fit needs none."""
        return not recipe.is_fitted and self.model_for(recipe) is None

    def akin(self, item: Item) -> list[Item]:
        """The other items that the model of an item can decode, newest first."""
        model, items = self.model_for(item.recipe), self.library.items(domain=item.recipe.domain)
        return [one for one in items if one.id != item.id and self.model_for(one.recipe) == model]

    def made_by(self, recipe: Recipe) -> str:
        """What the model that made something is called: as it is now, if it is installed."""
        model = self.model_for(recipe)
        return model.name if model is not None else recipe.model

    # Stage

    @property
    def shown(self) -> Item | None:
        """The item on the stage."""
        return self._room_state().shown

    def shown_in(self, domain: str) -> Item | None:
        """The item on the stage of a domain's room."""
        return self._room_state(domain).shown

    def show(self, item: Item) -> None:
        """Make an item the one on the stage of its room, meant by what is asked next; its view may follow later."""
        self._put(self._room_state(item.recipe.domain), item)

    def clear(self, domain: str) -> None:
        """Nothing is on the stage of a domain's room any longer."""
        self._put(self._room_state(domain), None)

    @property
    def generation(self) -> int:
        """The newest number given out for the stage."""
        return self._room_state().generation

    def next_generation(self, domain: str | None = None) -> int:
        """A new number for a request whose result may take the stage of a room; makes all earlier ones stale."""
        self._generations += 1
        self._room_state(domain).generation = self._generations
        return self._generations

    def generation_in(self, domain: str) -> int:
        """The newest number given out for the stage of a domain's room."""
        return self._room_state(domain).generation

    def _put(self, room: _RoomState, item: Item | None) -> None:
        if item != room.shown:
            room.shown = item
            if room is self._room_state():
                self.shown_changed.emit(item)

    def _on_removed(self, item: Item) -> None:
        room = self._room_state(item.recipe.domain)
        if room.shown is not None and room.shown.id == item.id:
            self.next_generation(item.recipe.domain)
            self._put(room, None)

    def _on_changed(self, items: list[Item]) -> None:
        for item in items:
            room = self._room_state(item.recipe.domain)
            if room.shown is not None and room.shown.id == item.id:
                self._put(room, item)
