"""Sheets: many signals as one picture file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ddmi_core.export.targets import format_of, written_whole
from ddmi_core.rendering.matrix_sheet import matrix_sheet

SHEETS = (".png",)


def write_sheet(
    path: Path, pictures: Sequence[UInt8[np.ndarray, "h w 3"] | None], rows: Sequence[str], columns: Sequence[str]
) -> None:
    """Write pictures of one size as a sheet; see `matrix_sheet`.

    Raises:
        ExportError: the suffix is none of SHEETS, or the file could not be written.
    """
    format_of(path, SHEETS, "sheet")
    with written_whole(path) as temporary:
        Image.fromarray(matrix_sheet(pictures, rows, columns)).save(temporary, "PNG")
