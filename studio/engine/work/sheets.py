"""Thumbnails of several items as one picture file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ddmi_core.export.sheets import write_sheet
from ddmi_core.rendering.picture_layout import over
from studio.engine.work.base import Answer, Context, Request, does
from studio.state.sheet_layout import SheetLayout


@dataclass(frozen=True, kw_only=True)
class SheetRequest(Request):
    """Write items that are laid out as a sheet to ``path``, replacing what is there. Answered by a SheetDone."""

    layout: SheetLayout
    path: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class SheetDone(Answer):
    """A sheet was written."""

    request: SheetRequest


@does(SheetRequest, "export", "Sheet {request.path.name}", "writing {request.path.name}")
def _write(request: SheetRequest, context: Context) -> Iterator[SheetDone]:
    rows, columns, items = request.layout
    pictures: list[np.ndarray | None] = []
    for number, item in enumerate(items):
        context.progress(number / len(items), f"picture {number + 1} of {len(items)}")
        if item is None:
            pictures.append(None)
            continue
        with Image.open(item.thumbnail) as thumbnail:
            pictures.append(over(np.asarray(thumbnail.convert("RGBA"))))
    write_sheet(request.path, pictures, rows, columns)
    yield SheetDone(request=request)
