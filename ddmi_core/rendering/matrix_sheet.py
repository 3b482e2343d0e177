"""Pictures of many signals as one, with the words that tell them apart at its edges."""

import textwrap
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from ddmi_core.rendering.picture_layout import DARK, contact_sheet

_GAP = 8
_WORDS = (230, 232, 235)  # on the stage of the dark theme, #e6e8eb
_LINES = 3  # of words, at most


def matrix_sheet(
    pictures: Sequence[UInt8[np.ndarray, "h w 3"] | None],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    background: tuple[int, int, int] = DARK,
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Lay pictures of one size out in rows and columns, with what each row and column stands for beside and above it.

    Args:
        pictures: row after row; None leaves a place empty. At least one is there.
        rows: what the rows stand for; the room beside them is left out where all are empty.
        columns: what the columns stand for, likewise.
        background: of the sheet.
    """
    height, width = next(picture for picture in pictures if picture is not None).shape[:2]
    empty = np.full((height, width, 3), background, np.uint8)
    grid = contact_sheet(
        [empty if one is None else one for one in pictures], len(columns), gap=_GAP, background=background
    )
    font = ImageFont.load_default(size=max(11, width // 14))
    assert isinstance(font, ImageFont.FreeTypeFont)  # as it is with a size
    left = width * 2 // 3 if any(rows) else 0
    above, beside = (
        [_wrapped(text, font, room - _GAP) for text in texts] for texts, room in ((columns, width), (rows, left))
    )
    line = round(1.4 * font.size)
    top = line * max((text.count("\n") + 1 for text in above), default=0) + _GAP if any(columns) else 0
    sheet = Image.new("RGB", (left + grid.shape[1], top + grid.shape[0]), background)
    sheet.paste(Image.fromarray(grid), (left, top))
    draw = ImageDraw.Draw(sheet)
    for number, text in enumerate(above):
        place = left + _GAP + number * (width + _GAP) + width // 2, top
        draw.multiline_text(place, text, _WORDS, font, anchor="md", align="center")
    for number, text in enumerate(beside):
        place = left - _GAP // 2, top + _GAP + number * (height + _GAP) + height // 2
        draw.multiline_text(place, text, _WORDS, font, anchor="rm", align="right")
    return np.asarray(sheet)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    """Break a text into a few lines that fit into the room, cut off with an ellipsis if need be."""
    letters = max(6, int(room / font.getlength("n")))
    return "\n".join(textwrap.wrap(text, letters, max_lines=_LINES, placeholder=" …"))
