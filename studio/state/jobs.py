"""The job queue: what the person asked for, how far it is, and how it ended. The engine does the work."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from psygnal import Signal

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
FINISHED: tuple[JobStatus, ...] = ("done", "failed", "cancelled")

_ETA_AFTER_SECONDS = 0.3
_ETA_AFTER_FRACTION = 0.02


@dataclass(eq=False)
class Job:
    """One piece of work. Owned by :class:`JobQueue`, which alone changes it; everybody else reads.

    ``fraction`` is in 0..1, ``eta`` the seconds still to go (None while unknown), ``error`` one clear sentence after a
    failure. ``quiet`` marks work nobody asked for by hand (warming a model up, refining the view), which is not listed.
    ``started`` and ``finished`` are readings of the queue's clock, in seconds. ``room`` is where it was asked for.
    ``loading`` names the model that it waits for, while that is being brought into memory.
    """

    id: str
    title: str
    quiet: bool = False
    request: Any = None
    room: str = ""
    status: JobStatus = "queued"
    fraction: float = 0.0
    text: str = "waiting"
    eta: float | None = None
    error: str = ""
    loading: str = ""
    cancelling: bool = False
    started: float | None = None
    finished: float | None = None
    _first_report: tuple[float, float] | None = field(default=None, repr=False)

    @property
    def is_active(self) -> bool:
        """Whether it is queued or running."""
        return self.status not in FINISHED


class JobQueue:
    """The jobs that wait or are worked on, oldest first.

    A job that has ended is forgotten, after `changed` told how it did. Later reports about it are ignored, so messages
    from a worker thread that come too late do no harm.
    """

    added = Signal(Job)
    changed = Signal(Job)
    held_changed = Signal(bool)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._numbers = itertools.count(1)
        self._held = False

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, job_id: str) -> Job | None:
        """The job of that id, or None if it has ended."""
        return self._jobs.get(job_id)

    def active(self, *, quiet: bool = False) -> list[Job]:
        """The jobs, oldest first; the quiet ones only on request."""
        return [job for job in self._jobs.values() if quiet or not job.quiet]

    @property
    def is_held(self) -> bool:
        """Whether no job begins for now."""
        return self._held

    def hold(self, on: bool) -> None:
        """Let no job begin until it is let go on; not while there is none."""
        on = on and bool(self.active())
        if on != self._held:
            self._held = on
            self.held_changed.emit(on)

    def put_first(self, job_id: str) -> None:
        """Put a job that waits before all others that do."""
        job = self._jobs.get(job_id)
        if job is None or job.status != "queued":
            return
        begun = {name: one for name, one in self._jobs.items() if one.status != "queued"}
        self._jobs = {**begun, job_id: job, **{name: one for name, one in self._jobs.items() if one.status == "queued"}}
        self.changed.emit(job)

    def new_id(self) -> str:
        """An id for a job about to be added."""
        return f"job-{next(self._numbers)}"

    def newest(self, room: str) -> Job | None:
        """The job that was asked for last in a room, those left out that are quiet or being cancelled."""
        here = [job for job in self.active() if job.room == room and not job.cancelling]
        return here[-1] if here else None

    def seconds(self, job: Job) -> float:
        """How long a job has been worked on."""
        return 0.0 if job.started is None else self._clock() - job.started

    def add(self, job_id: str, title: str, request: Any, *, quiet: bool = False, room: str = "") -> Job:
        """Queue a job."""
        job = Job(job_id, title, quiet=quiet, request=request, room=room)
        self._jobs[job.id] = job
        self.added.emit(job)
        return job

    # Reports from the engine

    def start(self, job_id: str) -> None:
        """The job is being worked on."""
        if (job := self._jobs.get(job_id)) is not None and job.status == "queued":
            job.status, job.started = "running", self._clock()
            job.text = "starting"
            self.changed.emit(job)

    def progress(self, job_id: str, fraction: float, text: str) -> None:
        """The job has come to ``fraction`` (0..1; it never goes back) and is doing ``text``."""
        if (job := self._jobs.get(job_id)) is None or job.status != "running":
            return
        job.fraction = max(job.fraction, min(max(fraction, 0.0), 1.0))
        job.text = "cancelling" if job.cancelling else text
        job.eta = self._eta(job)
        self.changed.emit(job)

    def loads(self, job_id: str, model: str) -> None:
        """The job waits for a model to come into memory; an empty name: it does not, or not any longer."""
        if (job := self._jobs.get(job_id)) is not None and job.loading != model:
            job.loading = model
            self.changed.emit(job)

    def mark_cancelling(self, job_id: str) -> None:
        """The person wants it to stop; it ends when the worker says so."""
        if (job := self._jobs.get(job_id)) is not None and not job.cancelling:
            job.cancelling, job.text, job.eta = True, "cancelling", None
            self.changed.emit(job)

    def finish(self, job_id: str, text: str = "done") -> None:
        """The job is done."""
        self._end(job_id, "done", text)

    def fail(self, job_id: str, message: str) -> None:
        """The job failed; ``message`` says why, in a sentence for the person."""
        self._end(job_id, "failed", "failed", error=message)

    def cancelled(self, job_id: str) -> None:
        """The job was cancelled and no longer runs."""
        self._end(job_id, "cancelled", "cancelled")

    def _end(self, job_id: str, status: JobStatus, text: str, error: str = "") -> None:
        job = self._jobs.pop(job_id, None)
        if job is None:
            return
        job.status, job.text, job.error, job.eta, job.loading = status, text, error, None, ""
        job.finished = self._clock()
        if status == "done":
            job.fraction = 1.0
        self.changed.emit(job)
        if not self.active():
            self.hold(False)

    def _eta(self, job: Job) -> float | None:
        """Seconds to go at the mean speed since the first report: the time before it is set-up (loading), not work."""
        now = self._clock()
        if job._first_report is None:
            job._first_report = (now, job.fraction)
            return None
        since, fraction = job._first_report
        if now - since < _ETA_AFTER_SECONDS or job.fraction - fraction < _ETA_AFTER_FRACTION or job.cancelling:
            return None
        return (now - since) * (1.0 - job.fraction) / (job.fraction - fraction)
