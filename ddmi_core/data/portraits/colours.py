"""Common names of colours: which of them is nearest to a colour."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from skimage.color import rgb2lab

NAMES = {
    "black": "1a1a1c", "white": "f6f6f4", "grey": "9a9ea4", "dark brown": "4a2e1d", "brown": "8a5a36",
    "blond": "e5c261", "red": "cc3a32", "orange": "f08030", "yellow": "f4c93a", "green": "46a35c",
    "turquoise": "31aca8", "light blue": "6fa6f2", "blue": "3864d8", "dark blue": "28396f", "purple": "8354d4",
    "pink": "ee82b4",
}  # fmt: skip
"""Names, each with a colour that everybody would call so."""

HAIR = tuple(name for name in NAMES if name not in ("orange", "yellow", "light blue", "dark blue"))
CLOTHES = tuple(name for name in NAMES if name not in ("blond", "dark brown"))

_SKIN_TONES = {"light": 82.0, "tan": 66.0, "brown": 43.0, "dark": 0.0}  # least lightness of each, of 100


@lru_cache(maxsize=1024)
def nearest(colour: str, names: tuple[str, ...]) -> str:
    """Return the one of the names whose colour is nearest in CIELAB, such as "blue" for `#3765d6`."""
    return min(names, key=lambda name: float(np.linalg.norm(_lab(NAMES[name]) - _lab(colour))))


@lru_cache(maxsize=64)
def skin_tone(colour: str, light: float = 0.0) -> str:
    """Return the word for a colour of skin: `light`, `tan`, `brown` or `dark`.

    Args:
        colour: of the skin, such as `#dba272`.
        light: opacity of a white overlay on it.
    """
    skin = _rgb(colour)
    lightness = rgb2lab(skin + light * (np.minimum(2 * skin, 1) - skin))[0]
    return next(tone for tone, least in _SKIN_TONES.items() if lightness >= least)


def _lab(colour: str) -> Float[np.ndarray, "3"]:
    return rgb2lab(_rgb(colour))


def _rgb(colour: str) -> Float[np.ndarray, "3"]:
    digits = colour.removeprefix("#")
    return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
