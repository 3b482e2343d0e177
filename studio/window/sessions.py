"""The session: what was left is brought back at the start, and how things stand is kept while they change."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from PySide6.QtCore import QTimer

from ddmi_core.model_folder import ModelInfo
from ddmi_core.prompt_matrix import as_one, prompt_matrix
from ddmi_core.recipe import Recipe, SamplingSettings
from ddmi_core.support.errors import DataError
from studio.engine.work.sampling import GenerateRequest
from studio.state.kept_steps import read_steps, steps_file, write_steps
from studio.state.paused import PausedWork
from studio.state.session import Session, read_session, session_file, write_session
from studio.window.items import Items
from studio.window.models import Models
from studio.window.shell import Shell
from studio.window.undoing import Undoing

_KEEP_AFTER_MS = 1000


class Sessions:
    """Room, forms, stages, queue, undo, size and panels, from one start to the next."""

    def __init__(self, shell: Shell, models: Models, items: Items, undoing: Undoing) -> None:
        self._shell, self._state, self._engine = shell, shell.state, shell.engine
        self._models, self._items, self._undoing = models, items, undoing
        self._left = read_session(session_file())
        self._kept_steps = read_steps(steps_file())
        """What the file says that can be undone."""
        self._unopened = dict(self._left.shown)
        """The ids of the items on the stages of rooms that were not entered yet."""
        self._keeping = QTimer(shell, interval=_KEEP_AFTER_MS, singleShot=True)
        self._keeping.timeout.connect(self.keep)
        self._remembering = QTimer(shell, interval=_KEEP_AFTER_MS, singleShot=True)
        self._remembering.timeout.connect(shell.remember)
        shell.queue.resumed.connect(self.resume)
        shell.queue.dropped.connect(self._state.paused.remove)

    def bring_back(self) -> None:
        """Go back to where the person was, and list what was not generated any more."""
        state = self._state
        state.domain_changed.connect(self._on_domain)
        self._shell.show_room_of(self._left.room)
        self._on_domain(state.domain or "")
        state.paused.add(self._left.waiting)
        self._undoing.bring_back(self._kept_steps)
        for signal in (state.form_changed, state.shown_changed, state.domain_changed, state.jobs.added):
            signal.connect(self._keep_soon)
        for signal in (state.jobs.changed, state.paused.changed, state.undo.changed):
            signal.connect(self._keep_soon)
        self._shell.rearranged.connect(self._remember_soon)

    def keep_all(self) -> None:
        """Write down how things stand, with size and panels, at once."""
        self._remembering.stop()
        self._shell.remember()
        self.keep()

    def keep(self) -> None:
        """Write down how things stand, without size and panels."""
        self._keeping.stop()
        state = self._state
        forms = state.forms()
        shown = {domain: item.id for domain in forms if (item := state.shown_in(domain)) is not None}
        waiting = (*state.paused.list(), *self._waiting())
        session = Session(
            room=state.domain or "",
            forms=forms,
            shown=self._unopened | shown,
            waiting=waiting,
        )
        write_session(session, session_file())
        steps = state.undo.kept()
        if steps != self._kept_steps and write_steps(steps, steps_file()):  # they may be large, and seldom change
            self._kept_steps = steps

    def resume(self, work: PausedWork) -> None:
        """Generate what was paused, but for what is there by now."""
        self._models.once_known(partial(self._resume, work))

    def _resume(self, work: PausedWork) -> None:
        if work not in self._state.paused.list():  # it was asked for twice while nobody knew the models
            return
        model = self._model_of(work)
        if model is None:
            self._state.notifications.warning(f"“{work.title}” needs the model {work.model}, which is not installed.")
            return
        resolution = self._shell.stage_of(model.domain).room.preview_resolution

        def make() -> None:
            settings, seeds = self._left_of(work, model)
            if seeds:
                self._engine.make_by(model, settings, seeds, resolution)

        if self._shell.attempt(make):
            self._state.paused.remove(work)

    def _model_of(self, work: PausedWork) -> ModelInfo | None:
        recipe = Recipe(domain=work.domain, model=work.model, model_hash=work.model_hash)
        return self._state.model_for(recipe)

    def _left_of(self, work: PausedWork, model: ModelInfo) -> tuple[SamplingSettings, tuple[int, ...]]:
        """What of paused work was not generated before the studio ended; of several prompts in one, those that lack.

        Raises:
            DataError: the prompt stands for too many.
        """
        prompts = prompt_matrix(work.settings.prompt).prompts
        lacking = [(one, seed) for one in prompts for seed in work.seeds if not self._is_there(work, model, one, seed)]
        seeds = tuple(seed for seed in work.seeds if seed in {seed for _, seed in lacking})
        settings, left = work.settings, list(dict.fromkeys(prompt for prompt, _ in lacking))
        if 0 < len(left) < len(prompts):
            with suppress(DataError):  # then those that are there are made once more
                settings = settings.model_copy(update={"prompt": as_one(left)})
        return settings, seeds

    def _is_there(self, work: PausedWork, model: ModelInfo, prompt: str, seed: int) -> bool:
        settings = work.settings.model_dump() | {"prompt": prompt}
        recipe = Recipe(domain=model.domain, model=model.name, model_hash=model.hash, seed=seed, **settings)
        return self._state.library.result_of(recipe) is not None

    def _waiting(self) -> list[PausedWork]:
        """What is still to be generated."""
        models = {model.folder: model for model in self._state.models}
        return [
            PausedWork(
                title=job.title,
                domain=request.domain,
                model=models[request.model].name,
                model_hash=models[request.model].hash,
                settings=request.settings,
                seeds=request.seeds,
            )
            for job in self._state.jobs.active()
            if isinstance(request := job.request, GenerateRequest) and not job.cancelling and request.model in models
        ]

    def _on_domain(self, domain: str) -> None:
        """Open what was on the stage of a room when it is entered first, once the room is there."""
        if (item_id := self._unopened.pop(domain, None)) is not None:
            QTimer.singleShot(0, self._shell, partial(self._open, domain, item_id))

    def _open(self, domain: str, item_id: str) -> None:
        busy = any(job.room == domain for job in self._state.jobs.active())
        if self._state.domain != domain or self._state.shown is not None or busy:
            return
        with suppress(DataError):  # it is gone
            item = self._state.library.get(item_id)
            if not item.deleted:
                self._items.open(item)

    def _keep_soon(self, *_what: object) -> None:
        if not self._keeping.isActive():  # whatever reports progress all the time must not put it off
            self._keeping.start()

    def _remember_soon(self) -> None:
        """Have size and panels remembered, also by a studio that does not come to its end."""
        if not self._remembering.isActive():
            self._remembering.start()
