"""Common names of colours: which of them is nearest to a colour."""

from functools import lru_cache

import numpy as np
from skimage.color import rgb2lab

NAMES = {
    "black": "1a1a1c",
    "dark brown": "4a2e1d",
    "brown": "8a5a36",
    "beige": "e3cfb0",
    "blond": "e5c261",
    "white": "f6f6f4",
    "grey": "9a9ea4",
    "red": "d03a38",
    "orange": "f08030",
    "yellow": "f4c93a",
    "green": "46a35c",
    "turquoise": "31aca8",
    "blue": "3f6fdc",
    "light blue": "8cbdf4",
    "dark blue": "28396f",
    "purple": "8354d4",
    "pink": "ee82b4",
}
"""Names, each with a colour that everybody would call so."""


def lab(colour: str) -> np.ndarray:
    """Return a colour such as `#3f6fdc` in CIELAB."""
    digits = colour.removeprefix("#")
    return rgb2lab(np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255)


@lru_cache
def nearest(colour: str, names: tuple[str, ...] = tuple(NAMES)) -> str:
    """Return the one of the names whose colour is nearest in CIELAB, such as "blue" for `#3765d6`."""
    return min(names, key=lambda name: float(np.linalg.norm(lab(NAMES[name]) - lab(colour))))
