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


@does(ExportRequest, "export", "Export {request.path.name}", "exporting {request.path.name}")
def _export(request: ExportRequest, context: Context) -> Iterator[ExportDone]:
    check_free(request, request.options.targets(request.path))
    context.progress(0.0, "loading the model")
    field = decoded(request, context)
    facts = field.export(
        request.path,
        request.options,
        recipe=request.item.recipe,
        progress=sub_progress(context.progress, 0.02, 1.0),
    )
    yield ExportDone(request=request, facts=dict(facts))
