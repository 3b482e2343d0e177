"""What every kind of work has: a request, what its work may use, and answers; and which kinds there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Progress
from studio.engine.decoded import FieldCache
from studio.state.library import Item, Library

if TYPE_CHECKING:
    from ddmi_core.fields.field import Field
    from ddmi_core.pipeline import Pipeline

LaneName = Literal["make", "fit", "view", "export", "measure"]

FITS, FILES = "fits", "files"
"""In the place of a model's hash among the decoded items: these need no model."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the window asks of the engine; captures all that its work needs.

    The engine numbers it when it is asked: ``job_id`` names the job in the queue, ``generation`` is the state's number.
    """

    job_id: str = ""
    generation: int = 0

    @property
    def room(self) -> str | None:
        """The room whose job it is; None: the one that the person is in."""
        return None

    def replaces(self, _other: Request) -> bool:
        """Whether nobody waits for another request any longer once this one is asked."""
        return False


@dataclass(frozen=True, kw_only=True)
class ModelRequest(Request):
    """Work that needs the model in the folder ``model``, which the engine finds; a fit needs none."""

    model: Path | None = None

    @property
    def latents(self) -> tuple[Item, ...]:
        """The items whose latents the model is to decode."""
        return ()


@dataclass(frozen=True, kw_only=True)
class ItemRequest(Request):
    """Work about a library item."""

    item: Item

    @property
    def room(self) -> str:
        """That of the item's domain."""
        return self.item.recipe.domain


@dataclass(frozen=True, kw_only=True)
class StageRequest(ItemRequest):
    """Work for the stage that shows an item: quiet, and of no use once something else is asked for."""

    def replaces(self, other: Request) -> bool:
        """What the same stage was asked before of the same kind."""
        return type(other) is type(self) and other.room == self.room


F = TypeVar("F", bound="Field")


@dataclass(frozen=True, kw_only=True)
class SignalRequest(ModelRequest, ItemRequest, Generic[F]):
    """Work on the signal of a library item, which is a field of the kind F."""

    @property
    def latents(self) -> tuple[Item, ...]:
        """The item, unless it is a fit."""
        return () if self.item.recipe.is_fitted else (self.item,)


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

    request: StageRequest


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
    title: str
    words: str
    quiet: bool
    gives_way: bool
    takes_stage: bool

    def titled(self, request: Request, model: str) -> str:
        """What work on a request is called in the queue; ``model`` is the name of the model that it needs."""
        return self.title.format(request=request, model=model)

    def described(self, request: Request) -> str:
        """What work on a request is, to go after "Something went wrong while"."""
        return self.words.format(request=request)


_KINDS: dict[type[Request], Kind] = {}


def does(
    request: type[_R],
    lane: LaneName,
    title: str,
    words: str,
    *,
    quiet: bool = False,
    gives_way: bool = False,
    takes_stage: bool = False,
    priority: int | Callable[[_R], int] = 0,
) -> Callable[[_Do[_R]], _Do[_R]]:
    """Let a function do what a kind of request asks, yielding each answer as soon as it exists.

    Args:
        request: the kind.
        lane: where; what a person waits for there goes before what nobody asked for, by ``priority``, low first.
        title: what it is called in the queue; may name fields, such as ``{request.path.name}``, and the ``{model}``.
        words: what it is, to go after "Something went wrong while"; may name fields too.
        quiet: it is work that a person does not know of, and is not listed.
        gives_way: nobody waits for it any longer once something new is to be made.
        takes_stage: its result may take the stage of its room, so that what was under way for it becomes stale.
        priority: the same for all, or by request.
    """

    def register(do: _Do[_R]) -> _Do[_R]:
        order = priority if callable(priority) else lambda _: priority
        _KINDS[request] = Kind(do, lane, order, title, words, quiet, gives_way, takes_stage)
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
