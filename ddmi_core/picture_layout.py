"""Finished pictures laid over a ground or side by side."""

import numpy as np
from jaxtyping import UInt8

DARK = (22, 24, 28)  # the stage of the dark theme, #16181c
LIGHT = (246, 247, 249)


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
