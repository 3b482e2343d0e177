"""Which of the palette's colours most of a thing has, as pictures show it."""

import numpy as np
from jaxtyping import Float
from skimage.color import rgb2lab

from ddmi_core.data.furniture.procedural.paint import PALETTE

_LIGHTNESS = 0.4
"""How much a difference of lightness counts beside one of hue: less, as light falls differently on each side."""
_COVERED = 0.5

COLOURS = tuple(name for name in PALETTE if name != "grey")
"""Names that are told apart. White in the shade is grey."""

_NAMES = tuple(name for name in COLOURS for _ in PALETTE[name])
_SHADES = np.array([shade for name in COLOURS for shade in PALETTE[name]], dtype=np.float64) / 255


def main_colour(colours: Float[np.ndarray, "n 3"], opacity: Float[np.ndarray, " n"]) -> str:
    """Return the name that most of the covered pixels are nearest to; "nothing" where none is covered.

    Args:
        colours: sRGB in [0, 1], premultiplied by the opacity.
        opacity: in [0, 1].
    """
    covered = opacity > _COVERED
    if not covered.any():
        return "nothing"
    seen = np.clip(colours[covered] / opacity[covered, None], 0, 1)
    apart = _lab(seen)[:, None] - _lab(_SHADES)[None]
    nearest = np.square(apart).sum(-1).argmin(1)
    names, counts = np.unique(np.array(_NAMES)[nearest], return_counts=True)
    return str(names[counts.argmax()])


def _lab(colours: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    return rgb2lab(colours) * (_LIGHTNESS, 1, 1)
