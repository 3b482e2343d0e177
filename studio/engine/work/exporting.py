"""Items to files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ddmi_core.export.options import ExportOptions
from ddmi_core.support.progress import sub_progress
from studio.engine.work.base import Answer, Context, SignalRequest, WriteRequest, check_free, does
from studio.engine.work.items import decoded

if TYPE_CHECKING:
    from ddmi_core.fields.field import Field


@dataclass(frozen=True, kw_only=True)
class ExportRequest(SignalRequest["Field"], WriteRequest):
    """Write a library item to a file, whose suffix says the format. Answered by an ExportDone.

    ``options`` are those of the item's domain.
    """

    options: ExportOptions


@dataclass(frozen=True, kw_only=True)
class ExportDone(Answer):
    """A file was written. ``facts`` are the domain's figures about it (vertices, faces, watertight …)."""

    request: ExportRequest
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class HandOverRequest(ExportRequest):
    """Write a library item to a file that another program waits for. Answered by nothing: the file is there."""


@does(ExportRequest, "export", "Export {request.path.name}", "exporting {request.path.name}")
def _export(request: ExportRequest, context: Context) -> Iterator[ExportDone]:
    check_free(request, request.options.targets(request.path))
    yield ExportDone(request=request, facts=_written(request, context))


@does(HandOverRequest, "export", "Hand over {request.path.name}", "writing {request.path.name}", priority=-1)
def _hand_over(request: HandOverRequest, context: Context) -> Iterator[Answer]:
    _written(request, context)
    yield from ()


def _written(request: ExportRequest, context: Context) -> dict[str, Any]:
    """Write the file; facts about it."""
    context.progress(0.0, "loading the model")
    field = decoded(request, context)
    return field.export(
        request.path,
        request.options,
        recipe=request.item.recipe,
        progress=sub_progress(context.progress, 0.02, 1.0),
    )
