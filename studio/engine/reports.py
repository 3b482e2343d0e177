"""How work goes: what the worker itself tells of each request."""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.work.base import Answer, ModelRequest


@dataclass(frozen=True, kw_only=True)
class JobStarted(Answer):
    """A worker has taken the request up."""


@dataclass(frozen=True, kw_only=True)
class JobProgress(Answer):
    """``fraction`` (0..1) of the request is done, and ``text`` is being done now."""

    fraction: float
    text: str


@dataclass(frozen=True, kw_only=True)
class JobNote(Answer):
    """The work goes on, but not quite as asked, which ``text`` explains in a sentence (memory ran short, say)."""

    text: str


@dataclass(frozen=True, kw_only=True)
class JobDone(Answer):
    """The request is finished; its results were sent before."""


@dataclass(frozen=True, kw_only=True)
class JobFailed(Answer):
    """The request failed. ``message`` is one clear sentence, ``details`` the traceback if it was unforeseen."""

    message: str
    details: str = ""


@dataclass(frozen=True, kw_only=True)
class JobCancelled(Answer):
    """The request was cancelled and no longer runs."""


@dataclass(frozen=True, kw_only=True)
class ModelLoading(Answer):
    """The model that a request needs has to be brought into memory first, which takes seconds."""

    request: ModelRequest


@dataclass(frozen=True, kw_only=True)
class ModelLoaded(Answer):
    """The model that a request needs is in memory, on ``device`` ("cpu", "cuda:0")."""

    request: ModelRequest
    device: str
