"""Pictures of what a model makes, for the run's samples."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ddmi_core.fields.field import Field
from ddmi_core.rendering.picture_layout import SHEET_COLUMNS, contact_sheet
from ddmi_core.rendering.sheet_texts import SHEET_KEY, SheetTexts
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import atomic_write

PICTURE_SIZE = 160
"""Of each, in pixels."""


def picture(field: Field) -> UInt8[np.ndarray, "s s 3"]:
    """Draw a signal; one that cannot be drawn yet (an empty shape) is black."""
    return drawn_or_black(lambda field: field.preview(size=PICTURE_SIZE), field)


def drawn_or_black(draw: Callable[[Any], UInt8[np.ndarray, "s s 3"]], field: Field) -> UInt8[np.ndarray, "s s 3"]:
    """Draw a signal at `PICTURE_SIZE` in some way; one that cannot be drawn yet is black."""
    try:
        return draw(field)
    except DDMIError:
        return np.zeros((PICTURE_SIZE, PICTURE_SIZE, 3), dtype=np.uint8)


def save_sheet(pictures: Sequence[np.ndarray], path: Path, texts: SheetTexts = SheetTexts()) -> None:  # noqa: B008
    """Write pictures as one PNG, with what is said of them."""
    said = PngInfo()
    said.add_text(SHEET_KEY, texts.to_json())
    sheet = Image.fromarray(contact_sheet(list(pictures), columns=SHEET_COLUMNS))
    with atomic_write(path) as temporary:
        sheet.save(temporary, format="PNG", pnginfo=said)
