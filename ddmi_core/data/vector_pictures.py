"""Square vector pictures (SVG): drawn whole or in part at any scale, and drawings of a whole kept in the cache."""

import hashlib
import logging
import re
from io import BytesIO

from PIL import Image

from ddmi_core.support.errors import DataError
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache

_log = logging.getLogger(__name__)


def draw(svg: str, side: int, part: tuple[float, float, float] = (0.0, 0.0, 1.0)) -> Image.Image:
    """Draw a square part (left, top, side, in shares of the whole) of a square vector picture: RGBA, straight alpha."""
    import resvg_py

    found = re.search(r'viewBox="0 0 ([\d.]+) \1"', svg)
    if found is None:
        raise DataError("The vector picture has no square viewBox that starts at 0 0.")
    box = " ".join(f"{share * float(found[1]):.6f}" for share in (*part, part[2]))
    shown = svg.replace(found[0], f'viewBox="{box}"', 1)
    drawn = resvg_py.svg_to_bytes(svg_string=shown, width=side, height=side, skip_system_fonts=True)
    return Image.open(BytesIO(drawn), formats=["PNG"]).convert("RGBA")


def drawn(svg: str, side: int, name: str) -> Image.Image:
    """Draw the whole of a vector picture when it is first asked for; kept in the cache, in the folder `name`.

    Without alpha where it is opaque.
    """
    stored = cache() / name / f"{hashlib.sha256(svg.encode()).hexdigest()}-{side}.webp"
    try:
        with Image.open(stored, formats=["WEBP"]) as picture:
            picture.load()
            return picture
    except (OSError, SyntaxError):  # absent or damaged, it is made again
        pass
    made = draw(svg, side)
    if made.getchannel("A").getextrema() == (255, 255):
        made = made.convert("RGB")
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary:
            made.save(temporary, "WEBP", lossless=True, quality=20, method=1)
    except OSError as error:
        _log.warning("a drawing is not cached: %s", error)
    return made
