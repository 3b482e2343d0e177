"""Engine: the one object through which the window has work done."""

from __future__ import annotations

import dataclasses
import sys
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PySide6.QtCore import QObject, Qt, Signal, SignalInstance

from ddmi_core.export.options import ExportOptions, KeyFrame, VideoExport
from ddmi_core.fidelity import Fidelity
from ddmi_core.model_folder import ModelInfo
from ddmi_core.placement import Up
from ddmi_core.rendering.view_settings import ViewSettings
from ddmi_core.support.errors import ModelError
from studio.engine.pictures import Window
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
from studio.engine.work.base import Answer, ModelRequest, Request, StageAnswer
from studio.engine.work.clips import (
    FramesRequest,
    SequenceRequest,
    SlicesRequest,
)
from studio.engine.work.exporting import ExportRequest
from studio.engine.work.fitting import FitReady, FitRequest, ReconstructRequest
from studio.engine.work.items import ItemReady
from studio.engine.work.latents import BasisRequest, BetweenRequest, WalkRequest
from studio.engine.work.machine import (
    EvaluateRequest,
    GpusRequest,
    ModelsReady,
    ModelsRequest,
    PreloadRequest,
)
from studio.engine.work.radiance import RenderRequest
from studio.engine.work.sampling import GenerateRequest
from studio.engine.work.tiles import EnlargeRequest, OriginalRequest, TilesRequest
from studio.engine.work.viewing import DetailRequest, MeshRequest, ViewRequest
from studio.engine.worker import Worker
from studio.state.app_state import AppState
from studio.state.jobs import Job
from studio.state.library import Item
from studio.state.memory import MemoryBudget
from studio.state.sequence import Arrangement

PREVIEW_RESOLUTION = 64
MODELS_ROOM = "models"
"""What the jobs call the room that lists the models; the others are called by their domains."""
_SWITCH_SECONDS = 0.001  # how long the window's thread waits for the interpreter while a lane runs Python code


class _Channel(QObject):
    """What one kind of answers comes through."""

    answered = Signal(object)


class Engine(QObject):
    """Turns what the person asks into requests, and answers into changes of the state and signals.

    Lives in the window's thread and never blocks it. Everything it starts is a :class:`~studio.state.jobs.Job` in
    ``state.jobs``; a failure also becomes a notification. Methods that need a model raise
    `ModelError` when it is not installed. Call :meth:`shutdown` before the application ends.
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

    # Asking

    def being_made(self) -> set[int]:
        """The seeds that the form asks for with which jobs, waiting or running, make the same already."""
        form, model = self._state.form, self._selected_model()
        return {
            seed
            for job in self._state.jobs.active()
            if isinstance(request := job.request, GenerateRequest) and not job.cancelling
            if (request.model, request.settings) == (model.folder, form.settings)
            for seed in request.seeds
        } & set(form.seeds())

    def generate(self, preview_resolution: int = PREVIEW_RESOLUTION, *, without: Collection[int] = ()) -> Job:
        """Make what the form says, ``without`` some of its seeds.

        An unlocked seed is drawn anew first, and stands in the form afterwards.
        """
        state = self._state
        model = self._selected_model()
        if not state.form.seed_locked:
            state.roll_seed()
        form = state.form
        seeds = tuple(seed for seed in form.seeds() if seed not in without)
        self._cancel_quiet(PreloadRequest, ViewRequest, DetailRequest)
        request = GenerateRequest(
            job_id=state.jobs.new_id(),
            generation=state.next_generation(),
            model=model.folder,
            domain=model.domain,
            settings=form.settings,
            seeds=seeds,
            preview_resolution=preview_resolution,
        )
        count = f" × {len(seeds)}" if len(seeds) > 1 else ""
        return self._submit(request, (_short(form.prompt) or "Without a prompt") + count)

    def open(self, item: Item, resolution: int = PREVIEW_RESOLUTION) -> Job:
        """Bring an item's view: coarse and at once. Whatever was under way for the stage becomes stale."""
        model = self._checked_folder_for(item)
        self._cancel_quiet(
            ViewRequest,
            DetailRequest,
            MeshRequest,
            TilesRequest,
            EnlargeRequest,
            OriginalRequest,
            FramesRequest,
            RenderRequest,
            SlicesRequest,
        )
        request = ViewRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.next_generation(item.recipe.domain),
            model=model,
            item=item,
            resolution=resolution,
        )
        return self._submit(request, "Open", quiet=True)

    def detail(self, item: Item, camera: KeyFrame, aspect: float, *, wish: int, measured: bool = False) -> None:
        """Mesh an item as finely as a camera sees it, instead of what was asked for before.

        ``measured``: with its distances from the mesh that the item was made of.
        """
        model = self._folder_for(item)
        self.stop_detail()
        request = DetailRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation_in(item.recipe.domain),
            model=model,
            item=item,
            camera=camera,
            aspect=aspect,
            wish=wish,
            measured=measured,
        )
        self._submit(request, "Refine the view", quiet=True)

    def mesh_of_file(self, item: Item) -> None:
        """Read the mesh that an item was made of."""
        self._cancel_quiet(MeshRequest)
        request = MeshRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation_in(item.recipe.domain),
            item=item,
        )
        self._submit(request, "Compare with the file", quiet=True)

    def stop_detail(self) -> None:
        """Mesh no more of what was asked for with `detail`."""
        self._cancel_quiet(DetailRequest)

    def tiles(
        self,
        item: Item,
        side: int,
        windows: Sequence[Window],
        coarse_side: int,
        coarse: Window | None,
        *,
        moment: float | None = None,
        arrangement: Arrangement | None = None,
    ) -> None:
        """Draw windows of an item with ``side`` pixels as a whole, instead of those asked for before.

        ``moment``: of an item that moves. ``arrangement``: draw this sequence in the item's place.
        """
        model = self._folder_for(item) if arrangement is None else self._model_of_all(arrangement).folder
        self._cancel_quiet(TilesRequest)
        if not windows:
            return
        request = TilesRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation_in(item.recipe.domain),
            model=model,
            item=item,
            side=side,
            windows=tuple(windows),
            coarse_side=coarse_side,
            coarse=coarse,
            moment=moment,
            arrangement=arrangement,
        )
        self._submit(request, "Sharpen the view", quiet=True)

    def frames(
        self,
        item: Item,
        moments: Sequence[tuple[float, float, float]],
        side: int,
        window: Window,
        *,
        purpose: str,
        wish: int,
        more: bool = False,
        arrangement: Arrangement | None = None,
        bar: int | None = None,
    ) -> None:
        """Draw an item at several moments, instead of (or, with ``more``, after) those asked for the same purpose.

        ``arrangement``: draw this sequence in the item's place. ``bar``: from this column on, the file's own frames.
        """
        model = self._folder_for(item) if arrangement is None else self._model_of_all(arrangement).folder
        if not more:
            self.stop_frames(purpose)
        if not moments:
            return
        request = FramesRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation_in(item.recipe.domain),
            model=model,
            item=item,
            moments=tuple(moments),
            side=side,
            window=window,
            purpose=purpose,
            wish=wish,
            arrangement=arrangement,
            bar=bar,
        )
        self._submit(request, "Draw frames", quiet=True)

    def stop_frames(self, purpose: str) -> None:
        """Draw no more of the frames that were asked for a purpose."""
        for job in self._state.jobs.active(quiet=True):
            if isinstance(job.request, FramesRequest) and job.request.purpose == purpose:
                self.cancel(job)

    def render(
        self,
        item: Item,
        camera: KeyFrame,
        width: int,
        height: int,
        settings: ViewSettings,
        *,
        wish: int,
        moving: bool = False,
    ) -> None:
        """Draw an item in space as a camera sees it, instead of what was asked for before."""
        model = self._folder_for(item)
        self._cancel_quiet(RenderRequest)
        request = RenderRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation_in(item.recipe.domain),
            model=model,
            item=item,
            camera=camera,
            width=width,
            height=height,
            settings=settings,
            wish=wish,
            moving=moving,
        )
        self._submit(request, "Render the view", quiet=True)

    def slices(self, item: Item, x: float, y: float, *, side: int, moments: int) -> None:
        """Draw slices through an item along time, instead of those asked for before."""
        model = self._folder_for(item)
        self._cancel_quiet(SlicesRequest)
        request = SlicesRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation_in(item.recipe.domain),
            model=model,
            item=item,
            x=x,
            y=y,
            side=side,
            moments=moments,
        )
        self._submit(request, "Slice the clip", quiet=True)

    def enlarge(self, item: Item, picture: UInt8[np.ndarray, "h w 4"], side: int, windows: Sequence[Window]) -> None:
        """Enlarge windows of an item's finished picture, instead of those asked for before."""
        self._cancel_quiet(EnlargeRequest)
        if not windows:
            return
        request = EnlargeRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation_in(item.recipe.domain),
            item=item,
            picture=picture,
            side=side,
            windows=tuple(windows),
        )
        self._submit(request, "Enlarge the picture", quiet=True)

    def original(
        self, item: Item, side: int, windows: Sequence[Window], *, smooth: bool, moment: float | None = None
    ) -> None:
        """Draw windows of the file that an item stands for, at a moment if it moves, instead of those asked before."""
        self._cancel_quiet(OriginalRequest)
        if not windows:
            return
        request = OriginalRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation_in(item.recipe.domain),
            item=item,
            side=side,
            windows=tuple(windows),
            smooth=smooth,
            moment=moment,
        )
        self._submit(request, "Compare with the file", quiet=True)

    def basis(self, item: Item) -> Job:
        """Bring the basis fields of an item as pictures."""
        model = self._checked_folder_for(item)
        self._cancel_quiet(BasisRequest)
        request = BasisRequest(
            job_id=self._state.jobs.new_id(), generation=self._state.generation, model=model, item=item
        )
        return self._submit(request, "Basis fields", quiet=True)

    def between(self, start: Item, end: Item, share: float, resolution: int) -> Job:
        """Bring a view of what lies between two items, instead of the one asked for before."""
        model = self._model_of_both(start, end)
        self._cancel_quiet(BetweenRequest)
        request = BetweenRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation,
            model=model.folder,
            start=start,
            end=end,
            share=share,
            resolution=resolution,
        )
        return self._submit(request, "Interpolate", quiet=True)

    def walk(
        self,
        start: Item,
        end: Item,
        path: Path,
        *,
        frames: int,
        resolution: int,
        rate: int,
        back: bool = False,
        replace: bool = False,
    ) -> Job:
        """Write a walk from one item to another, and ``back`` if wanted, as a film, or as pictures into a folder."""
        model = self._model_of_both(start, end)
        request = WalkRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation,
            model=model.folder,
            start=start,
            end=end,
            path=Path(path),
            frames=frames,
            resolution=resolution,
            rate=rate,
            back=back,
            replace=replace,
        )
        return self._submit(request, f"Walk {request.path.name}")

    def evaluate(self, model: ModelInfo, data: str, samples: int, folder: Path) -> Job:
        """Measure a model against a starter set or a folder, and write a report into ``folder``."""
        request = EvaluateRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation,
            model=model.folder,
            data=data,
            samples=samples,
            path=Path(folder),
        )
        return self._submit(request, f"Evaluate {model.name}", room=MODELS_ROOM)

    def sequence(self, arrangement: Arrangement, path: Path, options: VideoExport, *, replace: bool = False) -> Job:
        """Write a sequence of clips to a file."""
        model = self._model_of_all(arrangement)
        request = SequenceRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation,
            model=model.folder,
            arrangement=arrangement,
            path=Path(path),
            options=options,
            replace=replace,
        )
        return self._submit(request, f"Sequence {request.path.name}")

    def export(self, item: Item, path: Path, options: ExportOptions, *, replace: bool = False) -> Job:
        """Write an item to a file, in place of one of that name only if that may be replaced."""
        model = self._checked_folder_for(item)
        request = ExportRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation,
            model=model,
            item=item,
            path=Path(path),
            options=options,
            replace=replace,
        )
        return self._submit(request, f"Export {request.path.name}")

    def reconstruct(
        self,
        path: Path,
        preview_resolution: int = PREVIEW_RESOLUTION,
        *,
        span: tuple[float, float] | None = None,
        up: Up = "y",
        fidelity: Fidelity = "faithful",
    ) -> Job:
        """Encode a file with the form's model, or what it has from .. to in seconds, or fit to it; make an item of it.

        ``up`` is the axis that is up in a mesh or a cloud, ``fidelity`` how closely a picture is represented.
        """
        model = self._selected_model()
        self._cancel_quiet(PreloadRequest, ViewRequest, DetailRequest)
        request = ReconstructRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.next_generation(),
            model=model.folder,
            domain=model.domain,
            path=Path(path),
            span=span,
            up=up,
            fidelity=fidelity,
            preview_resolution=preview_resolution,
        )
        return self._submit(request, f"Reconstruct {request.path.name}")

    def fit(self, item: Item, fidelity: Fidelity, preview_resolution: int = PREVIEW_RESOLUTION) -> Job:
        """Fit basis fields to the file that an item stands for; `fit_ready` follows.

        Another fit of the item that is under way gives way to it.
        """
        self.stop_fit(item)
        request = FitRequest(
            job_id=self._state.jobs.new_id(),
            generation=self._state.generation,
            item=item,
            fidelity=fidelity,
            preview_resolution=preview_resolution,
        )
        return self._submit(request, f"Fit {request.path.name}", room=item.recipe.domain)

    def stop_fit(self, item: Item) -> None:
        """Stop the fit of an item that waits or is under way."""
        for job in self._state.jobs.active():
            if isinstance(job.request, FitRequest) and job.request.item.id == item.id:
                self.cancel(job)

    def preload(self, model: ModelInfo) -> Job:
        """Load a model and run it once, so that the first Generate finds it warm; gives way to what the person asks."""
        request = PreloadRequest(
            job_id=self._state.jobs.new_id(), generation=self._state.generation, model=model.folder
        )
        return self._submit(request, f"Load {model.name}", quiet=True)

    def refresh_models(self) -> Job:
        """Look which models are installed; ``state.models`` follows."""
        request = ModelsRequest(job_id=self._state.jobs.new_id(), generation=self._state.generation)
        return self._submit(request, "Look for models", quiet=True)

    def find_gpus(self) -> Job:
        """Look which CUDA devices there are; `gpus_found` follows."""
        request = GpusRequest(job_id=self._state.jobs.new_id(), generation=self._state.generation)
        return self._submit(request, "Look for devices", quiet=True)

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

    def _submit(self, request: Request, title: str, *, quiet: bool = False, room: str | None = None) -> Job:
        """Queue a job of a room, by default that of the domain that the person is at."""
        room = room if room is not None else self._state.domain or ""
        job = self._state.jobs.add(request.job_id, title, request, quiet=quiet, room=room)
        self._worker.submit(request)
        return job

    def _is_current(self, request: Request, item: Item) -> bool:
        return request.generation == self._state.generation_in(item.recipe.domain)

    def _cancel_quiet(self, *kinds: type[Request]) -> None:
        """Stop work of these kinds that nobody waits for any longer."""
        for job in self._state.jobs.active(quiet=True):
            if job.quiet and isinstance(job.request, kinds):
                self.cancel(job)

    def _selected_model(self) -> ModelInfo:
        model = self._state.selected_model
        if model is None:
            raise ModelError("No model is chosen. Install one in the Models room, or choose one in the inspector.")
        return model

    def _name_of(self, request: ModelRequest) -> str:
        """What the model is called that a request needs."""
        folder = request.model
        assert folder is not None
        return next((model.name for model in self._state.models if model.folder == folder), folder.name)

    def _find_model(self, item: Item) -> ModelInfo:
        """The model that can decode an item."""
        model = self._state.model_for(item.recipe)
        if model is None:
            raise ModelError(f"This item was made with the model {item.recipe.model}, which is not installed.")
        return model

    def _model_of_both(self, start: Item, end: Item) -> ModelInfo:
        """The model that can decode two items and what lies between them."""
        model = self._find_model(start)
        if self._find_model(end) != model:
            raise ModelError("These two were made by different models, so there is no way between them.")
        return model

    def _model_of_all(self, arrangement: Arrangement) -> ModelInfo:
        """The model that can decode all clips of a sequence and what lies between them."""
        first, *others = (self._find_model(piece.item) for piece in arrangement.pieces)
        if any(other != first for other in others):
            raise ModelError("These clips were made by different models, so there is no way between them.")
        return first

    def _folder_for(self, item: Item) -> Path | None:
        """The folder of the model that can decode an item; None of a fit, which needs none."""
        return None if item.recipe.is_fitted else self._find_model(item).folder

    def _checked_folder_for(self, item: Item) -> Path | None:
        """The same; says so if the model is not the very one that made the item."""
        recipe = item.recipe
        if not recipe.is_fitted and self._find_model(item).hash != recipe.model_hash:
            self._state.notifications.warning(
                f"The model {recipe.model} has changed since this item was made, "
                "so it may look different from its thumbnail."
            )
        return self._folder_for(item)


def _short(text: str, limit: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
