"""Variations: many sketches at a glance to choose from, and more like one of them or like an item."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import Qt, QTimer

from ddmi_core.recipe import Recipe
from studio.engine.work.varying import VariationReady, VariationsRequest
from studio.state.form import GenerateForm
from studio.state.jobs import Job
from studio.state.library import Item
from studio.widgets.deep_zoom.images import to_image
from studio.window.generation import Generation
from studio.window.live import PAUSE_MS
from studio.window.models import Models
from studio.window.shell import Shell, shortened


class _Shown(NamedTuple):
    """What the grid of a room shows: the form that its sketches are of, the job that draws them, what it covers."""

    form: GenerateForm
    job: str
    covered: str | None
    """The id of the item on the stage."""


class Variations:
    """What is shown at a glance in each room, and what becomes of it.

    A grid is on the stage and nowhere else; what it covers is there again when it is left.
    """

    def __init__(self, shell: Shell, models: Models, generation: Generation) -> None:
        self._shell, self._state, self._engine = shell, shell.state, shell.engine
        self._models, self._generation = models, generation
        self._shown: dict[str, _Shown] = {}
        """By domain, where a grid is open."""
        self._pause = QTimer(shell, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._follow)
        shell.actions_.on("variations", self.show)
        shell.actions_.on("more_like_this", self.more_like_this)
        shell.actions_.on("change_part", self.change_part)
        shell.actions_.on("draw_after", self.draw_after)
        for stage in shell.stages:
            domain, grid = stage.room.words.domain, stage.variations
            grid.kept.connect(partial(self.keep, domain))
            grid.renewed.connect(self.show)
            grid.counted.connect(self._on_counted)
            grid.left.connect(partial(self.leave, domain))
        shell.history.view.clicked.connect(lambda _index: self.leave(self._domain))  # on the covered one, too
        self._state.form_changed.connect(lambda _form: self._on_form())
        self._state.shown_changed.connect(self._on_shown)
        self._state.models_changed.connect(lambda _models: self._say_what_can_be_varied())
        self._state.jobs.changed.connect(self._on_job)
        self._engine.answers(VariationReady).connect(self._on_ready)

    @property
    def _domain(self) -> str:
        return self._state.domain or ""

    # Showing

    def show(self) -> None:
        """Show what the form says with many seeds; once more, and it is with others."""
        keeps_seed = self._generation.keeps_seed and self._domain not in self._shown
        self._models.once_known(partial(self._show, new_seed=not keeps_seed))

    def more_like_this(self) -> None:
        """Show what is like the chosen one of the grid, or like the item on the stage."""
        if (recipe := self._to_vary()) is not None:
            self._generation.vary(recipe)
            self._models.once_known(self._show)

    def change_part(self) -> None:
        """Make the form change a part of the chosen one of the grid, or of the item on the stage."""
        if (recipe := self._to_vary()) is not None:
            self.leave(self._domain)
            self._generation.change_part(recipe)

    def draw_after(self) -> None:
        """Make the form draw something after the item on the stage."""
        if (item := self._state.shown) is not None:
            self.leave(self._domain)
            self._shell.attempt(lambda: self._generation.draw_after(item))

    def leave(self, domain: str) -> None:
        """Bring back what a grid covers."""
        if self._shown.pop(domain, None) is None:
            return
        self._engine.stop(VariationsRequest, lambda request: request.domain == domain)
        stage = self._shell.stage_of(domain)
        has_focus = stage.variations.isAncestorOf(self._shell.focusWidget())
        stage.show_variations(False)
        if has_focus:
            stage.viewer.setFocus(Qt.FocusReason.OtherFocusReason)
        self._say_what_can_be_varied()

    def keep(self, domain: str, seeds: Sequence[int]) -> None:
        """Make some of a grid in full, as Generate does, and leave it."""
        shown, form = self._shown[domain], self._state.form
        self.leave(domain)
        self._state.replace_form(shown.form.changed(seed=seeds[0], count=form.count, seed_locked=form.seed_locked))
        if self._generation.has_model():
            self._generation.make(seeds)

    def _show(self, *, new_seed: bool = False) -> None:
        if not self._generation.has_model():
            return
        self._shell.show_stage()
        if new_seed:
            self._state.roll_seed()
        self._ask()
        self._shell.stage.variations.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask(self) -> None:
        """Have sketches of the form drawn, in a grid over the stage."""
        stage, form, covered = self._shell.stage, self._state.form, self._state.shown
        count = self._shell.settings.variations
        seeds = form.changed(count=count).seeds()
        stage.show_variations(True)
        stage.variations.begin(_title(form), seeds, count)
        request = VariationsRequest(
            settings=form.settings,
            seeds=seeds,
            size=stage.variations.picture_size(),
            preview_resolution=stage.room.preview_resolution,
        )
        job = self._engine.ask(request)
        if (before := self._shown.get(self._domain)) is not None:
            covered_id = before.covered
        else:
            covered_id = covered.id if covered is not None else None
        self._shown[self._domain] = _Shown(form, job.id, covered_id)
        stage.variations.show_job(job)
        self._say_what_can_be_varied()

    # More like what

    def _to_vary(self) -> Recipe | None:
        """The recipe of the chosen one of the grid, or of the item on the stage."""
        if (shown := self._shown.get(self._domain)) is None:
            return self._state.shown.recipe if self._state.shown is not None else None
        seed = self._shell.stage.variations.chosen
        return Recipe(
            domain=self._domain, model=shown.form.model, model_hash="", seed=seed, **shown.form.settings.model_dump()
        )

    def _say_what_can_be_varied(self) -> None:
        """Offer more like what is seen, and to change it, or say why not."""
        reason = "" if self._domain in self._shown else self._why_not_varied()
        self._shell.actions_.allow("more_like_this", reason)
        room = self._shell.stage.room
        self._shell.actions_.allow("draw_after", self._why_not_drawn_after())
        self._shell.actions_.allow("change_part", reason if room.sides else f"A {room.words.noun} has no parts")

    def _why_not_drawn_after(self) -> str:
        """Why nothing can be drawn after the item on the stage; empty if it can."""
        if self._state.shown is not None and self._domain in self._shown:
            return "Keep one of the grid first"
        return self._why_not_used()

    def _why_not_varied(self) -> str:
        """Why nothing like the item on the stage can be made; empty if it can."""
        item = self._state.shown
        if item is not None and item.recipe.source is not None:
            return "It was made of a file: it has no seed to begin with"
        return self._why_not_used()

    def _why_not_used(self) -> str:
        """Why nothing can be made of the item on the stage, whatever it is; empty if it can."""
        item = self._state.shown
        if item is None:
            return "Nothing is on the stage"
        if self._state.models_known and self._state.lacks_model(item.recipe):
            return f"Its model {item.recipe.model} is not installed"
        return ""

    # What happens meanwhile

    def _on_counted(self, count: int) -> None:
        self._shell.settings.variations = count
        self._show()

    def _on_form(self) -> None:
        """Follow the form like a sketch does, where live is on."""
        if self._domain in self._shown and self._shell.actions_["live"].isChecked():
            self._pause.start()

    def _follow(self) -> None:
        shown, form = self._shown.get(self._domain), self._state.form
        if shown is None or self._state.selected_model is None:
            return
        if (form.settings, form.seed, form.model) != (shown.form.settings, shown.form.seed, shown.form.model):
            self._ask()

    def _on_shown(self, item: Item | None) -> None:
        """Give way to an item that comes onto the stage."""
        if item is not None and (shown := self._shown.get(self._domain)) is not None and item.id != shown.covered:
            self.leave(self._domain)
        self._say_what_can_be_varied()

    def _on_job(self, job: Job) -> None:
        shown = self._shown.get(job.room)
        if shown is not None and shown.job == job.id:
            self._shell.stage_of(job.room).variations.show_job(job)

    def _on_ready(self, result: VariationReady) -> None:
        """Show a sketch, unless others are wanted by now."""
        domain = result.request.domain
        shown = self._shown.get(domain)
        if shown is not None and shown.job == result.request.job_id:
            self._shell.stage_of(domain).variations.put(result.index, to_image(result.picture))


def _title(form: GenerateForm) -> str:
    """What a grid is of."""
    prompt = shortened(" ".join(form.prompt.split())) or "Without a prompt"
    return prompt + (f"  ·  {100 * form.difference:.3g} % different" if form.difference is not None else "")
