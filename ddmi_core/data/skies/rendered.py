"""What an encoder is given of a sky, kept in the cache: to draw it takes 0.1 s, to read it 0.003 s."""

import logging
from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from PIL import Image

from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache

_log = logging.getLogger(__name__)
_VERSION = 1  # raise it when skies, or how they are seen, change
_QUALITY = 95  # about 40 kB for 16 frames of 64 x 64; colours are off by 1 of 255 on average


def rendered(name: str, draw: Callable[[], Float[np.ndarray, "t s s 3"]]) -> Float[np.ndarray, "t s s 3"]:
    """Return frames, sRGB in [0, 1], from the cache, where they are put when they are first asked for."""
    stored = cache() / "skies" / f"{_VERSION}-{name}.webp"
    try:
        with Image.open(stored, formats=["WEBP"]) as picture:
            column = np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError):  # absent or damaged, it is made again
        frames = np.rint(255 * draw()).astype(np.uint8)
        column = frames.reshape(-1, *frames.shape[2:])
        try:
            stored.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(stored) as temporary:
                Image.fromarray(column).save(temporary, "WEBP", quality=_QUALITY, method=0)
        except OSError as error:
            _log.warning("a sky is not cached: %s", error)
    side = column.shape[1]
    return column.reshape(-1, side, side, 3).astype(np.float32) / 255
