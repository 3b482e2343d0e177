"""Live: while the form changes, the stage follows with a sketch; Generate makes and keeps it."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QTimer

from ddmi_core.recipe import SamplingSettings
from studio.engine.work.items import MakeRequest
from studio.engine.work.sampling import GenerateRequest
from studio.engine.work.sketching import SKETCH_STEPS, SketchReady, SketchRequest
from studio.state.jobs import Job
from studio.state.notifications import Action
from studio.window.shell import Shell

PAUSE_MS = 80
"""How long nothing is typed before what is there is sketched."""
FAST_SECONDS = 0.3
"""How long a sketch may take, as far as a first result tells, for live to begin switched on."""

DECIDED = "live_decided"
"""The flag of the settings that says that a person, or a first result, has chosen."""


class _Subject(NamedTuple):
    """What decides what a sketch shows."""

    domain: str
    model: str
    settings: SamplingSettings
    seed: int


class Live:
    """Sketches what the form says as soon as it rests.

    A sketch is on the stage and nowhere else: it takes the place of the item there until one is made or opened.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell, self._state, self._engine = shell, shell.state, shell.engine
        self._settings, self._action = shell.settings, shell.actions_["live"]
        self._known: _Subject | None = None
        self._shown: _Subject | None = None
        self._pause = QTimer(shell, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        shell.actions_.on("live", self._on_chosen)
        shell.actions_.on_toggled("live", self._on_toggled)
        self._state.domain_changed.connect(self._on_domain)
        self._state.form_changed.connect(self._on_form)
        self._state.shown_changed.connect(self._on_shown)
        self._state.jobs.changed.connect(self._on_job)
        self._engine.answers(SketchReady).connect(self._on_sketch)

    @property
    def shows_form(self) -> bool:
        """Whether what is on the stage is a sketch of the form as it stands."""
        return self._shown is not None and self._shown == self._subject()

    def _subject(self) -> _Subject:
        form = self._state.form
        return _Subject(self._state.domain or "", form.model, form.settings, form.seed)

    # Asking

    def _on_domain(self, _domain: str) -> None:
        self._pause.stop()
        self._known, self._shown = self._subject(), None  # nothing was changed by coming here
        if self._action.isChecked() and self._state.shown is None:
            self._pause.start()

    def _on_form(self, _form: object) -> None:
        if (subject := self._subject()) != self._known:
            self._known = subject
            if self._action.isChecked():
                self._pause.start()

    def _ask(self) -> None:
        """Have the form sketched, unless it says nothing, or is made already or right now, or sketched with others."""
        subject, shown = self._subject(), self._state.shown
        settings = subject.settings
        says_something = settings.prompt.strip() or settings.like or settings.inpaint or settings.sketch
        if not says_something or self._state.selected_model is None or self._is_busy():
            return
        if shown is not None and (shown.recipe.settings, shown.recipe.seed) == (subject.settings, subject.seed):
            return
        resolution = self._shell.stage.room.preview_resolution
        request = SketchRequest(settings=subject.settings, seed=subject.seed, preview_resolution=resolution)
        self._shell.attempt(lambda: self._engine.ask(request))

    def _is_busy(self) -> bool:
        """Whether a sketch would be in the way: something is being made for the stage, or variations lie over it."""
        jobs = self._state.jobs.active()
        making = any(isinstance(job.request, MakeRequest) and job.room == self._state.domain for job in jobs)
        return making or self._shell.stage.shows_variations

    # Showing

    def _on_sketch(self, result: SketchReady) -> None:
        request, domain = result.request, result.request.domain
        if not self._action.isChecked() or domain != self._state.domain or self._is_busy():
            return
        self._state.next_generation(domain)  # whatever was on its way to the stage
        self._state.clear(domain)
        self._shell.stage.show_sketch(result.view, result.resolution)
        self._shown = _Subject(domain, self._state.form.model, request.settings, request.seed)

    def _on_shown(self, item: object) -> None:
        if item is not None:
            self._shown = None
            self._pause.stop()  # it was opened since the form changed, or the room was entered

    # Switching

    def _on_chosen(self) -> None:
        """A person has switched it."""
        self._settings.set_flag(DECIDED, True)

    def _on_toggled(self, on: bool) -> None:
        self._shell.inspector.say_live(on)
        if on:
            self._ask()
        else:
            self._pause.stop()
            self._engine.stop(SketchRequest)

    def _on_job(self, job: Job) -> None:
        """Begin switched on where a first result came fast enough; switch off what fails, which would fail again."""
        request = job.request
        if isinstance(request, SketchRequest) and job.status == "failed":
            self._action.setChecked(False)
        if not isinstance(request, GenerateRequest) or job.status != "done" or self._settings.flag(DECIDED, False):
            return
        if job.started is None or job.finished is None or job.room != self._state.domain:
            return
        self._settings.set_flag(DECIDED, True)
        settings = request.settings
        share = 1.0 if settings.quality == "fast" else SKETCH_STEPS / settings.steps
        if (job.finished - job.started) / len(request.seeds) * share <= FAST_SECONDS:
            self._action.setChecked(True)
            noun = self._shell.stage.room.words.noun
            text = f"Live is on: while you type, the {noun} follows as a sketch. Generate makes and keeps it."
            self._state.notifications.info(text, action=Action("Turn off", lambda: self._action.setChecked(False)))
