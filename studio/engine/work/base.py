"""What every kind of work has: a request, what its work may use, and answers; and which kinds there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Progress
from studio.engine.decoded import FieldCache
from studio.state.library import Item, Library

if TYPE_CHECKING:
    from ddmi_core.pipeline import Pipeline

LaneName = Literal["make", "fit", "view", "export", "measure"]

FITS, FILES = "fits", "files"
"""In the place of a model's hash among the decoded items: these need no model."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the window asks of the engine; captures all that its work needs.

    ``job_id`` names the job in the queue; ``generation`` is the state's number when it was asked.
    """

    job_id: str
    generation: int


@dataclass(frozen=True, kw_only=True)
class ModelRequest(Request):
    """Work that needs the model in the folder ``model``; None where it is about a fit, which needs none."""

    model: Path | None


@dataclass(frozen=True, kw_only=True)
class ItemRequest(Request):
    """Work about a library item."""

    item: Item


@dataclass(frozen=True, kw_only=True)
class SignalRequest(ModelRequest, ItemRequest):
    """Work on the signal of a library item."""


@dataclass(frozen=True, kw_only=True)
class WriteRequest(ModelRequest):
    """Work that writes the file ``path``, or a folder of pictures; ``replace``: also where one is already."""

    path: Path
    replace: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What crosses from a worker to the window; arrays are numpy, never torch."""

    request: Request


@dataclass(frozen=True, kw_only=True, eq=False)
class StageAnswer(Answer):
    """What is of no use once the stage shows something else: it is held back when its generation is old."""

    request: ItemRequest


@dataclass(frozen=True)
class Context:
    """What work may use: the loaded models, the library's files, the decoded items, and ways to report.

    ``device`` and ``threads`` are what a person chose to compute with: auto, cpu or cuda, and 0 for torch's own choice.
    ``progress`` raises `Cancelled` to stop the work. ``note`` tells the person something in passing.
    """

    pipeline: Callable[[ModelRequest], Pipeline]
    library: Library
    fields: FieldCache
    device: str
    threads: int
    progress: Progress
    note: Callable[[str], None]


_R = TypeVar("_R", bound=Request)
_Do = Callable[[_R, Context], Iterator[Answer]]


class Kind(NamedTuple):
    """How one kind of request is worked on."""

    do: Callable[..., Iterator[Answer]]
    lane: LaneName
    priority: Callable[..., int]
    words: str

    def described(self, request: Request) -> str:
        """What work on a request is, to go after "Something went wrong while"."""
        return self.words.format(request=request)


_KINDS: dict[type[Request], Kind] = {}


def does(
    request: type[_R], lane: LaneName, words: str, *, priority: int | Callable[[_R], int] = 0
) -> Callable[[_Do[_R]], _Do[_R]]:
    """Let a function do what a kind of request asks, yielding each answer as soon as it exists.

    Args:
        request: the kind.
        lane: where; what a person waits for there goes before what nobody asked for, by ``priority``, low first.
        words: what it is, to go after "Something went wrong while"; may name fields, such as ``{request.path.name}``.
        priority: the same for all, or by request.
    """

    def register(do: _Do[_R]) -> _Do[_R]:
        _KINDS[request] = Kind(do, lane, priority if callable(priority) else lambda _: priority, words)
        return do

    return register


def kind_of(request: Request) -> Kind:
    """How a request is worked on."""
    return _KINDS[type(request)]


def check_free(request: WriteRequest, targets: Iterable[Path]) -> None:
    """What was asked for is written only where the person knows that it may be: something may be there by now."""
    from ddmi_core.export.targets import in_the_way

    if (taken := in_the_way(targets, replace=request.replace)) is not None:
        raise ExportError(f"{taken} is there already, and was kept. Export again under another name.")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on the CPU or on a GPU."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def free_memory() -> None:
    """Give back what torch keeps of a GPU's memory."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
