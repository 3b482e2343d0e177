"""Pictures of what a model makes, for the run's samples."""

from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from jaxtyping import UInt8

from ddmi_core.fields.field import Field
from ddmi_core.rendering.picture_layout import SHEET_COLUMNS, contact_sheet
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import atomic_write

PICTURE_SIZE = 160
"""Of each, in pixels."""


def picture(field: Field) -> UInt8[np.ndarray, "s s 3"]:
    """Draw a signal; one that cannot be drawn yet (an empty shape) is black."""
    try:
        return field.preview(size=PICTURE_SIZE)
    except DDMIError:
        return np.zeros((PICTURE_SIZE, PICTURE_SIZE, 3), dtype=np.uint8)


def save_sheet(pictures: Sequence[np.ndarray], path: Path) -> None:
    """Write pictures as one PNG."""
    with atomic_write(path) as temporary:
        imageio.imwrite(temporary, contact_sheet(list(pictures), columns=SHEET_COLUMNS))
