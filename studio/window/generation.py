"""Generation: what the form says is made, and recipes come back into the form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from ddmi_core.recipe import Recipe
from studio.engine.work.fitting import FitRequest
from studio.panels.inspector import item_title
from studio.panels.queue import duration
from studio.state.form import GenerateForm
from studio.state.jobs import Job
from studio.state.kept_steps import FormChange
from studio.state.library import Item
from studio.state.notifications import Action, Notification
from studio.state.parts import USUAL_SHARE
from studio.state.undo import Step
from studio.window.items import Items
from studio.window.live import Live
from studio.window.models import Models
from studio.window.questions import agrees
from studio.window.shell import Shell, quoted, shortened
from studio.window.undoing import Undoing

_ASK_AFTER_SECONDS = 10.0


class Generation:
    """What is made of the form, and what comes back into it."""

    def __init__(self, shell: Shell, models: Models, items: Items, undoing: Undoing, live: Live) -> None:
        self._shell, self._state, self._engine = shell, shell.state, shell.engine
        self._models, self._items, self._undoing, self._live = models, items, undoing, live
        self._recalled: GenerateForm | None = None
        """The form as the last recipe left it."""
        self._new_seed: Notification | None = None
        """What was said of a recipe that would only make the same again."""
        actions = shell.actions_
        actions.on("generate", self.generate)
        actions.on("cancel", self.cancel)
        actions.on("dice", self._state.roll_seed)
        actions.on("recipe", self.use_recipe)
        actions.on("lock", lambda: self._state.update_form(seed_locked=actions["lock"].isChecked()))
        shell.inspector.generate_clicked.connect(self.generate)
        shell.inspector.cancel_clicked.connect(self.cancel)
        shell.history.recipe_asked.connect(self.use_recipe_of)
        shell.queue.cancelled.connect(self._engine.cancel)
        shell.queue.hurried.connect(self._engine.hurry)
        shell.queue.held.connect(self._engine.hold)
        for stage in shell.stages:
            stage.example_chosen.connect(self.generate_example)
        self._state.form_changed.connect(self._on_form)
        undoing.make_again(FormChange, self._form_step_again)

    def generate(self) -> None:
        """Generate what the form says, but for what is there already.

        A seed that is neither kept nor that of the sketch on the stage is rolled first.
        """
        self._models.once_known(self._generate)

    @property
    def keeps_seed(self) -> bool:
        """Whether what is generated next begins with the form's seed as it stands, and not with a new one."""
        return self._state.form.seed_locked or self._live.shows_form

    def has_model(self) -> bool:
        """Whether there is a model to generate with; says so where there is none."""
        if self._state.selected_model is not None:
            return True
        noun = self._shell.stage.room.words.noun
        self._state.notifications.warning(
            f"No model for {noun}s is installed, so nothing can be generated. Open Models to add one."
        )
        return False

    def _generate(self) -> None:
        if not self.has_model():
            return
        self._shell.show_stage()
        if self.keeps_seed or self._state.form.difference == 0.0:
            self.make(self._state.form.seeds())
        else:
            self._shell.attempt(lambda: self._engine.generate(self._shell.stage.room.preview_resolution))

    def make(self, seeds: Sequence[int]) -> None:
        """Make what the form says with some seeds, but for what is there already; open that where it is all of it."""
        self._shell.attempt(lambda: self._make(seeds))

    def _make(self, seeds: Sequence[int]) -> None:
        """Do so.

        Raises:
            DDMIError: the prompt stands for too many, or the model is gone.
        """
        made, making = self._state.made_already(seeds), self._engine.being_made(seeds)
        if known := made.keys() | making:
            self._say_it_is_there(made, making, len(seeds))
        if missing := [seed for seed in seeds if seed not in known]:
            self._engine.make(missing, self._shell.stage.room.preview_resolution)
        elif made and (self._state.shown is None or self._state.shown.id not in {item.id for item in made.values()}):
            self._items.open(next(iter(made.values())))

    def generate_anew(self) -> None:
        """Let go of a kept seed, and generate."""
        self._state.update_form(seed_locked=False)
        self.generate()

    def _say_it_is_there(self, made: Mapping[int, Item], making: Collection[int], count: int) -> None:
        """Say of how many that were asked for the same would only be made again, and offer another seed."""
        noun, known = self._shell.stage.room.words.noun, len(made.keys() | making)
        if count > 1:
            what = f"{known} of these {count} {noun}s {'is' if known == 1 else 'are'} there already"
        else:
            what = f"This {noun} is {'being made' if making else 'in the history'} already"
        text = f"{what}: the same recipe and seed make the same again."
        self._withdraw_new_seed()
        self._new_seed = self._state.notifications.info(text, action=Action("New seed", self.generate_anew))

    def generate_example(self, prompt: str) -> None:
        """Take an example prompt and generate it."""
        self.change_form("example", lambda: self._state.update_form(prompt=prompt))
        self.generate()

    def cancel(self) -> None:
        """Cancel what was started last in this room, asking first where that would lose more than a moment's work."""
        jobs = self._state.jobs
        job = jobs.newest(self._shell.room_name())
        if job is None:
            return
        if jobs.seconds(job) >= _ASK_AFTER_SECONDS and not self._may_cancel(job):
            return
        if jobs.get(job.id) is not None:  # it may have ended while the question stood
            self._engine.cancel(job)
            self._state.notifications.info(f"Cancelled “{shortened(job.title)}”.")

    def use_recipe(self) -> None:
        """Bring the recipe of the item on the stage back into the form."""
        if self._state.shown is not None:
            self.use_recipe_of(self._state.shown)

    def use_recipe_of(self, item: Item) -> None:
        """Bring the recipe of an item into the form; if that replaces what was typed, offer to undo it."""
        if item.recipe.source is not None:
            self._state.notifications.info(
                f"{item_title(item)} was reconstructed from a file: it has no prompt and no seed to bring back."
            )
            return
        self._models.once_known(lambda: self.bring_back(item.recipe, quoted(item)))

    def bring_back(self, recipe: Recipe, of: str) -> None:
        """Bring a recipe into the form of its room; if that replaces what was typed, offer to undo it.

        `of`: what has the recipe, in words.
        """
        self._shell.show_room_of(recipe.domain)
        before = self._state.form
        step = self.recall(recipe)
        if step is not None and before.prompt.strip() not in ("", recipe.prompt) and before != self._recalled:
            self._undoing.offer(step, f"The form holds the recipe of {of} instead of what was in it.")

    def vary(self, recipe: Recipe) -> Step | None:
        """Bring a recipe into the form of its room so that Generate makes something like it; return the step."""
        self._shell.show_room_of(recipe.domain)
        return self.change_form("variation", lambda: self._state.vary(recipe))

    def change_part(self, recipe: Recipe) -> Step | None:
        """Bring a recipe into the form of its room so that Generate draws a part of it anew; return the step."""
        self._shell.show_room_of(recipe.domain)
        room = self._shell.stage.room
        part = room.sides[0].part(USUAL_SHARE, room.axes)
        step = self.change_form("part", lambda: self._state.change_part(recipe, part))
        self._shell.go_to_prompt()
        return step

    def draw_after(self, item: Item) -> Step | None:
        """Make the form of an item's room draw something after it; return the step."""
        self._shell.show_room_of(item.recipe.domain)
        step = self.change_form("sketch", lambda: self._state.draw_after(item))
        self._shell.go_to_prompt()
        return step

    def recall(self, recipe: Recipe) -> Step | None:
        """Bring a recipe into the form of its room; return the step, None if it was there already."""
        self._shell.show_room_of(recipe.domain)
        step = self.change_form("recipe", lambda: self._state.recall(recipe))
        self._recalled = self._state.form
        self._shell.go_to_prompt()
        return step

    def change_form(self, text: str, change: Callable[[], object]) -> Step | None:
        """Change the form of this room at once, so that it can be undone; return the step, None if it is the same."""
        before, domain = self._state.form, self._state.domain or ""
        change()
        self._shell.inspector.prompt.forget_typing()
        if self._state.form == before:
            return None
        step = self._form_step(text, domain, before)
        self._state.undo.push(step)
        return step

    def _form_step(self, text: str, domain: str, form: GenerateForm) -> Step:
        """The step of a change of a room's form, which was another before."""

        def swap() -> None:
            nonlocal form
            self._shell.show_room_of(domain)
            form = self._state.replace_form(form)  # redo brings back what has been typed since
            self._shell.inspector.prompt.forget_typing()
            self._undoing.withdraw(step)

        step = Step(text, swap, swap, kept=lambda: FormChange(text=text, domain=domain, form=form))
        return step

    def _form_step_again(self, kept: FormChange) -> Step | None:
        """The step of a change in an earlier session, if its room is still there."""
        return self._form_step(kept.text, kept.domain, kept.form) if kept.domain in self._state.forms() else None

    def _withdraw_new_seed(self) -> None:
        """Take the offer of a new seed away: it was for a form that has changed meanwhile."""
        if self._new_seed is not None:
            self._state.notifications.withdraw(self._new_seed)
            self._new_seed = None

    def _on_form(self, _form: object) -> None:
        self._withdraw_new_seed()
        self._shell.actions_["lock"].setChecked(self._state.form.seed_locked)

    def _may_cancel(self, job: Job) -> bool:
        """Ask whether a job that has run for a while is to be given up."""
        is_fit = isinstance(job.request, FitRequest)
        outcome = "What it has come to by now stays." if is_fit else "What is not finished is lost."
        return agrees(
            self._shell,
            "Cancel?",
            f"Cancel “{shortened(job.title)}”?",
            f"It has been worked on for {duration(self._state.jobs.seconds(job))}. {outcome}",
            do="Cancel it",
            keep="Keep working",
        )
