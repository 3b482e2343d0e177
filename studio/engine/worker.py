"""Worker: takes requests up in its lanes, and makes sure that each ends in exactly one of done, failed or cancelled."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import Cancelled
from studio.engine.decoded import FieldCache
from studio.engine.lanes import Lane
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
from studio.engine.thread_limit import ThreadLimit
from studio.engine.work.base import Answer, Context, LaneName, ModelRequest, Request, is_out_of_memory, kind_of
from studio.engine.work.machine import EvaluateRequest, PreloadRequest
from studio.state.library import Library
from studio.state.memory import MemoryBudget

if TYPE_CHECKING:
    from ddmi_core.pipeline import Pipeline

log = logging.getLogger(__name__)

_REPORT_SECONDS = 0.04


class Worker:
    """Five lanes, so that neither looking at an item waits for sampling nor either of them for a fit or an export, and
    none for an evaluation, which may take hours.

    ``post`` receives every result, from the lane's thread; it must be quick and thread-safe.
    """

    def __init__(self, library: Library, pipelines: PipelineCache, post: Callable[[Answer], None]) -> None:
        self._library = library
        self._pipelines = pipelines
        self._fields = FieldCache(MemoryBudget().decoded)
        pipelines.on_dropped = lambda pipeline: self._fields.forget(pipeline.hash)
        self._threads = ThreadLimit()
        self._post = post
        self._cancel: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._lanes: dict[LaneName, Lane] = {name: Lane(f"ddmi-{name}") for name in get_args(LaneName)}

    def submit(self, request: Request) -> None:
        """Queue a request."""
        with self._lock:
            self._cancel[request.job_id] = threading.Event()
        kind = kind_of(request)
        task, priority = partial(self._run, request), kind.priority(request)
        self._lanes[kind.lane].submit(task, priority=priority, name=request.job_id, waits=not kind.quiet)

    def hurry(self, job_id: str) -> None:
        """Take a request that waits up before the others of its lane."""
        for lane in self._lanes.values():
            lane.hurry(job_id)

    def hold(self, on: bool) -> None:
        """Take nothing up that a person asked for, but to look at it, until it goes on."""
        for name, lane in self._lanes.items():
            if name != "view":
                lane.hold(on)

    def cancel(self, job_id: str) -> None:
        """Stop a request at its next report of progress; one that still waits will not begin."""
        with self._lock:
            event = self._cancel.get(job_id)
        if event is not None:
            event.set()

    def set_memory(self, budget: MemoryBudget) -> None:
        """Keep no more models and decoded items than fit."""
        self._pipelines.set_budget(budget.models)
        self._fields.set_budget(budget.decoded)

    def set_threads(self, count: int) -> None:
        """Let torch compute with so many threads in each lane, from its next request on; 0: as torch chooses."""
        self._threads.count = count

    def set_device(self, device: str) -> None:
        """Compute elsewhere from the next request on: auto, cpu or cuda."""
        self._pipelines.set_device(device)
        self._fields.forget()

    def shutdown(self, timeout: float = 2.0) -> bool:
        """Cancel everything and wait for the threads, together up to ``timeout`` seconds; whether all have ended."""
        with self._lock:
            for event in self._cancel.values():
                event.set()
        parts: list[Lane | PipelineCache] = [*self._lanes.values(), self._pipelines]
        for part in parts:
            part.stop()
        deadline = time.monotonic() + timeout
        return all([part.join(max(0.0, deadline - time.monotonic())) for part in parts])

    def _run(self, request: Request) -> None:
        cancel = self._cancel[request.job_id]
        end: Answer
        try:
            if cancel.is_set():
                raise Cancelled
            self._post(JobStarted(request=request))
            self._say_what_is_loaded_for(request)
            self._threads.apply()
            for result in kind_of(request).do(request, self._context(request, cancel)):
                self._post(result)
            end = JobDone(request=request)
        except Cancelled:
            end = JobCancelled(request=request)
        except Exception as error:
            end = _failure(request, error)
        finally:
            with self._lock:
                del self._cancel[request.job_id]
        self._post(end)

    def _say_what_is_loaded_for(self, request: Request) -> None:
        """Say that somebody waits here for a model. An evaluation loads its own, in its process."""
        if not isinstance(request, ModelRequest) or isinstance(request, PreloadRequest | EvaluateRequest):
            return
        if request.model is not None and not self._pipelines.has(request.model):
            self._post(ModelLoading(request=request))

    def _context(self, request: Request, cancel: threading.Event) -> Context:
        last_report = 0.0

        def check() -> None:
            if cancel.is_set():
                raise Cancelled

        def progress(fraction: float, text: str) -> None:
            nonlocal last_report
            check()
            now = time.monotonic()
            if now - last_report >= _REPORT_SECONDS:  # a flood of them would keep the window busy
                last_report = now
                self._post(JobProgress(request=request, fraction=fraction, text=text))

        def pipeline(request: ModelRequest) -> Pipeline:
            assert request.model is not None
            found = self._pipelines.get(request.model, check)
            self._post(ModelLoaded(request=request, device=str(found.device)))
            return found

        return Context(
            pipeline=pipeline,
            library=self._library,
            fields=self._fields,
            device=self._pipelines.device,
            threads=self._threads.count,
            progress=progress,
            note=lambda text: self._post(JobNote(request=request, text=text)),
        )


def _failure(request: Request, error: Exception) -> JobFailed:
    """What to tell the person about an exception; what nobody foresaw also goes into the log."""
    doing = kind_of(request).described(request)
    if isinstance(error, DDMIError):
        log.warning("%s", _without_names(f"{doing} failed: {error}", request))
        return JobFailed(request=request, message=str(error))
    details = "".join(traceback.format_exception(error))
    log.error("%s", _without_names(f"{doing} failed\n{details}", request))
    if is_out_of_memory(error):
        message = f"There was not enough memory while {doing}. Try a lower resolution or fewer variations."
    else:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        message = f"Something went wrong while {doing}: {reason}"
    return JobFailed(request=request, message=message, details=details)


def _without_names(text: str, request: Request) -> str:
    """A line of the log as others may read it: without the name of the person's file."""
    path: Path | None = getattr(request, "path", None)
    if path is None:
        return text
    return text.replace(str(path), f"a file{path.suffix}").replace(path.name, f"a file{path.suffix}")
