"""Finished pictures laid over a ground or side by side."""

import numpy as np
from jaxtyping import UInt8

DARK = (22, 24, 28)  # the stage of the dark theme, #16181c
LIGHT = (246, 247, 249)
SHEET_COLUMNS = 8
"""Pictures in a row of a run's sheets, and of a model's preview."""


def over(picture: UInt8[np.ndarray, "h w 4"], background: tuple[int, int, int] = DARK) -> UInt8[np.ndarray, "h w 3"]:
    """Lay a picture with straight alpha over a plain background."""
    alpha = picture[..., 3:] / 255
    return np.round(alpha * picture[..., :3] + (1 - alpha) * np.asarray(background)).astype(np.uint8)


def contact_sheet(
    images: list[UInt8[np.ndarray, "h w 3"]], columns: int, *, gap: int = 8, background: tuple[int, int, int] = DARK
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Lay pictures of one size side by side in rows of `columns`, `gap` pixels between and around them."""
    height, width = images[0].shape[:2]
    lines = -(-len(images) // columns)
    sheet = np.empty((lines * (height + gap) + gap, columns * (width + gap) + gap, 3), dtype=np.uint8)
    sheet[:] = background
    for index, image in enumerate(images):
        top, left = (
            gap + place * (extent + gap) for place, extent in zip(divmod(index, columns), (height, width), strict=True)
        )
        sheet[top : top + height, left : left + width] = image
    return sheet


def pictures_on(
    sheet: UInt8[np.ndarray, "h w 3"], columns: int = SHEET_COLUMNS, *, gap: int = 8
) -> list[UInt8[np.ndarray, "_ _ 3"]]:
    """Take a sheet of square pictures apart again; empty places at its end are left out.

    Returns the sheet itself where it was not laid out like that.
    """
    height, width = sheet.shape[:2]
    step, rest = divmod(width - gap, columns)
    lines, more = divmod(height - gap, max(1, step))
    if rest or more or step <= gap or lines < 1:
        return [sheet]
    pictures = [
        sheet[gap + line * step : (line + 1) * step, gap + column * step : (column + 1) * step]
        for line in range(lines)
        for column in range(columns)
    ]
    while len(pictures) > 1 and (pictures[-1] == sheet[0, 0]).all():
        pictures.pop()
    return pictures


def number_at(x: float, y: float, width: int, columns: int = SHEET_COLUMNS, *, gap: int = 8) -> int:
    """Return which picture of a sheet so many pixels wide lies at a pixel of it, those to the left and above first.

    The gap around a picture counts as the nearest one's.
    """
    step = (width - gap) / columns
    line, column = (max(0, int((place - gap / 2) // step)) for place in (y, x))
    return line * columns + min(column, columns - 1)
