"""Engine: the one object through which the window has work done."""

from __future__ import annotations

import dataclasses
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance

from ddmi_core.model_folder import ModelInfo
from ddmi_core.recipe import SamplingSettings
from ddmi_core.support.errors import ModelError
from studio.engine.pipelines import PipelineCache
from studio.engine.reports import (
    JobCancelled,
    JobDone,
    JobFailed,
    JobNote,
    JobProgress,
    JobStarted,
    ModelLoaded,
    ModelLoading,
)
from studio.engine.work.base import Answer, ItemRequest, ModelRequest, Request, StageAnswer, StageRequest, kind_of
from studio.engine.work.fitting import FitReady, FitRequest
from studio.engine.work.items import PREVIEW_RESOLUTION, ItemReady, MakeRequest
from studio.engine.work.machine import ModelsReady, PreloadRequest
from studio.engine.work.sampling import GenerateRequest
from studio.engine.worker import Worker
from studio.state.app_state import AppState
from studio.state.jobs import Job
from studio.state.library import Item
from studio.state.memory import MemoryBudget

_SWITCH_SECONDS = 0.001  # how long the window's thread waits for the interpreter while a lane runs Python code
_R = TypeVar("_R", bound=Request)


class _Channel(QObject):
    """What one kind of answers comes through."""

    answered = Signal(object)


class Engine(QObject):
    """Turns what the person asks into requests, and answers into changes of the state and signals.

    Lives in the window's thread and never blocks it. Everything it starts is a :class:`~studio.state.jobs.Job` in
    ``state.jobs``; a failure also becomes a notification. Call :meth:`shutdown` before the application ends.
    """

    _posted = Signal(object)

    def __init__(self, state: AppState, pipelines: PipelineCache | None = None) -> None:
        super().__init__()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._state = state
        self._stopped = False
        self._channels: defaultdict[type[Answer], _Channel] = defaultdict(_Channel)
        self._posted.connect(self._on_result, Qt.ConnectionType.QueuedConnection)
        state.library.removed.connect(self.stop_fit)
        self._worker = Worker(state.library, pipelines or PipelineCache(), self._posted.emit)
        state.jobs.held_changed.connect(self._worker.hold)

    # Asking

    def being_made(self, seeds: Collection[int]) -> set[int]:
        """Those of some seeds with which jobs, waiting or running, make what the form says already."""
        return self.seeds_being_made(self._selected_model(), self._state.form.settings) & set(seeds)

    def seeds_being_made(self, model: ModelInfo, settings: SamplingSettings) -> set[int]:
        """The seeds with which jobs, waiting or running, have a model make what some settings say."""
        return {
            seed
            for job in self._state.jobs.active()
            if isinstance(request := job.request, GenerateRequest) and not job.cancelling
            if (request.model, request.settings) == (model.folder, settings)
            for seed in request.seeds
        }

    def ask(self, request: Request) -> Job:
        """Have something done; what a request replaces is given up.

        Raises:
            ModelError: it needs a model that is not installed.
        """
        kind, state = kind_of(request), self._state
        if isinstance(request, ModelRequest) and request.model is None:
            request = self._with_model(request)
        room = request.room if request.room is not None else state.domain or ""
        for job in state.jobs.active(quiet=True):
            if request.replaces(job.request):
                self.cancel(job)
        generation = self._generation_of(request, room)
        request = dataclasses.replace(request, job_id=state.jobs.new_id(), generation=generation)
        title = kind.titled(request, self._name_of(request))
        job = state.jobs.add(request.job_id, title, request, quiet=kind.quiet, room=room)
        self._worker.submit(request)
        return job

    def generate(self, preview_resolution: int = PREVIEW_RESOLUTION) -> Job:
        """Make what the form says. An unlocked seed is drawn anew first, and stands in the form afterwards.

        Raises:
            ModelError: no model is chosen.
        """
        self._selected_model()  # before a seed is drawn
        if not self._state.form.seed_locked:
            self._state.roll_seed()
        return self.make(self._state.form.seeds(), preview_resolution)

    def make(self, seeds: Sequence[int], preview_resolution: int = PREVIEW_RESOLUTION) -> Job:
        """Make what the form says, with some seeds.

        Raises:
            ModelError: no model is chosen.
        """
        settings = self._state.form.settings
        return self.ask(GenerateRequest(settings=settings, seeds=tuple(seeds), preview_resolution=preview_resolution))

    def make_by(self, model: ModelInfo, settings: SamplingSettings, seeds: Sequence[int], resolution: int) -> Job:
        """Have a model make what some settings say, whatever the form says; `resolution`: of the first view."""
        return self.ask(
            GenerateRequest(
                model=model.folder,
                domain=model.domain,
                settings=settings,
                seeds=tuple(seeds),
                preview_resolution=resolution,
            )
        )

    # The order of work

    def hurry(self, job_id: str) -> None:
        """Do a job that waits before the others."""
        self._state.jobs.put_first(job_id)
        self._worker.hurry(job_id)

    def hold(self, on: bool) -> None:
        """Begin no job until it goes on; an empty queue is not held."""
        self._state.jobs.hold(on)

    # How it works

    def set_device(self, device: str) -> None:
        """Compute there from the next request on: auto, cpu or cuda. Models are loaded anew."""
        self._worker.set_device(device)

    def set_threads(self, count: int) -> None:
        """Compute with so many threads from the next request on; 0: as many as torch chooses."""
        self._worker.set_threads(count)

    def set_memory(self, budget: MemoryBudget) -> None:
        """Keep no more models and decoded items in memory than fit."""
        self._worker.set_memory(budget)

    # Stopping

    def cancel(self, job: Job | str) -> None:
        """Stop a job, given itself or its id, at its next report of progress; at once if it still waits."""
        job_id = job if isinstance(job, str) else job.id
        found = self._state.jobs.get(job_id)
        if found is None:
            return
        self._worker.cancel(job_id)
        if found.status == "queued":
            self._state.jobs.cancelled(job_id)
        else:
            self._state.jobs.mark_cancelling(job_id)

    def stop(self, kind: type[_R], which: Callable[[_R], bool] = lambda _: True) -> None:
        """Stop the work of a kind that waits or is under way, all or some of it."""
        for job in self._state.jobs.active(quiet=True):
            if isinstance(job.request, kind) and which(job.request):
                self.cancel(job)

    def stop_fit(self, item: Item) -> None:
        """Stop the fit of an item that waits or is under way."""
        self.stop(FitRequest, lambda request: request.item.id == item.id)

    def cancel_all(self) -> None:
        """Stop every job."""
        for job in self._state.jobs.active(quiet=True):
            self.cancel(job)

    def shutdown(self, timeout: float = 2.0) -> bool:
        """Cancel everything and join the threads within ``timeout`` seconds.

        Whether they have all ended; one that has not is in a call that cannot be interrupted, and dies with the
        process. Items made but not announced yet are in the library's folder and are listed at the next start.
        """
        self._stopped = True
        return self._worker.shutdown(timeout)

    # Answers

    def answers(self, kind: type[Answer]) -> SignalInstance:
        """The signal of a kind of answers, each of which it carries.

        What is for the stage alone comes only as long as its generation is the state's.
        """
        return self._channels[kind].answered

    def _on_result(self, result: Answer) -> None:
        if self._stopped:
            return
        if isinstance(result, StageAnswer) and not self._is_current(result.request, result.request.item):
            return
        jobs, job_id = self._state.jobs, result.request.job_id
        match result:
            case JobStarted():
                jobs.start(job_id)
            case JobProgress():
                jobs.progress(job_id, result.fraction, result.text)
            case JobNote():
                self._state.notifications.warning(result.text)
            case ModelLoading():
                jobs.loads(job_id, self._name_of(result.request))
            case ModelLoaded():
                jobs.loads(job_id, "")
            case ItemReady():
                self._state.library.adopt(result.item)
            case FitReady():
                result = dataclasses.replace(result, item=self._state.library.adopt_fit(result.item))
            case ModelsReady():
                self._state.set_models(result.models)
            case JobDone():
                jobs.finish(job_id)
            case JobCancelled():
                jobs.cancelled(job_id)
            case JobFailed():
                jobs.fail(job_id, result.message)
                if not isinstance(result.request, PreloadRequest):  # Generate will say the same when it matters
                    self._state.notifications.error(result.message, details=result.details)
        self.answers(type(result)).emit(result)

    # Helpers

    def _with_model(self, request: ModelRequest) -> ModelRequest:
        """A request with the model that it needs; says so if it is not the very one that made an item."""
        if isinstance(request, MakeRequest):
            model = self._selected_model()
            return dataclasses.replace(request, model=model.folder, domain=model.domain)
        if not request.latents:
            return request
        model, *others = map(self._find_model, request.latents)
        if any(other != model for other in others):
            raise ModelError("These were made by different models, so there is no way between them.")
        once = not isinstance(request, StageRequest) or kind_of(request).takes_stage  # not again with every detail
        if once and any(item.recipe.model_hash != model.hash for item in request.latents):
            self._state.notifications.warning(
                f"The model {model.name} has changed since this item was made, "
                "so it may look different from its thumbnail."
            )
        return dataclasses.replace(request, model=model.folder)

    def _generation_of(self, request: Request, room: str) -> int:
        """The number that tells whether the answers are still of use; a new one for what may take the stage."""
        if kind_of(request).takes_stage:
            return self._state.next_generation(room)
        return self._state.generation_in(room) if isinstance(request, ItemRequest) else self._state.generation

    def _is_current(self, request: Request, item: Item) -> bool:
        return request.generation == self._state.generation_in(item.recipe.domain)

    def _selected_model(self) -> ModelInfo:
        model = self._state.selected_model
        if model is None:
            raise ModelError("No model is chosen. Install one in the Models room, or choose one in the inspector.")
        return model

    def _name_of(self, request: Request) -> str:
        """What the model is called that a request needs; nothing if it needs none."""
        folder = request.model if isinstance(request, ModelRequest) else None
        if folder is None:
            return ""
        return next((model.name for model in self._state.models if model.folder == folder), folder.name)

    def _find_model(self, item: Item) -> ModelInfo:
        """The model that can decode an item."""
        model = self._state.model_for(item.recipe)
        if model is None:
            raise ModelError(f"This item was made with the model {item.recipe.model}, which is not installed.")
        return model
