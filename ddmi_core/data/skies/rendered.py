"""What an encoder is given of a sky, kept in the cache: to draw it takes 0.1 s, to read it 0.003 s."""

import logging
from collections.abc import Callable
from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image

from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache

_log = logging.getLogger(__name__)
_VERSION = 1  # raise it when skies, or how they are seen, change
_QUALITY = 95  # 23 kB for 16 frames of 64 x 64; colours are off by 2 of 255 on average


def rendered(name: str, draw: Callable[[], Float[np.ndarray, "t s s 3"]]) -> Float[np.ndarray, "t s s 3"]:
    """Return frames, sRGB in [0, 1], from the cache, where they are put when they are first asked for.

    The first time, too, they are as the cache has them, so that an example is the same whenever it is drawn.
    """
    stored = cache() / "skies" / f"{_VERSION}-{name}.webp"
    try:
        return _frames(stored.read_bytes())
    except (OSError, SyntaxError):  # absent or damaged, it is made again
        content = _content(draw())
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        _log.warning("a sky is not cached: %s", error)
    return _frames(content)


def _content(frames: Float[np.ndarray, "t s s 3"]) -> bytes:
    """Compress frames, one below the other."""
    buffer = BytesIO()
    column = np.rint(255 * frames).astype(np.uint8).reshape(-1, *frames.shape[2:])
    Image.fromarray(column).save(buffer, "WEBP", quality=_QUALITY, method=0)
    return buffer.getvalue()


def _frames(content: bytes) -> Float[np.ndarray, "t s s 3"]:
    with Image.open(BytesIO(content), formats=["WEBP"]) as picture:
        column = np.asarray(picture.convert("RGB"))
    side = column.shape[1]
    return column.reshape(-1, side, side, 3).astype(np.float32) / 255
