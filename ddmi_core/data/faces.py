"""The faces starter set: cartoon faces as vector pictures, so that there is true detail far beyond the base grid."""

import gzip
import hashlib
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from ddmi_core.data.pictures import Raster, premultiplied
from ddmi_core.errors import DataError
from ddmi_core.files import atomic_write
from ddmi_core.kept import kept
from ddmi_core.paths import assets, cache

FACES_FILE = "faces.jsonl.gz"
CREDITS_FILE = "ATTRIBUTION.md"
DRAWN_SIDE = 1024
"""Side at which a face is drawn, once: as fine as the finest pixels that are trained on. Drawing takes 0.2 s."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Face:
    """A face: its drawing style, its captions, its part of the set and its picture (SVG)."""

    style: str
    captions: list[str]
    split: str
    svg: str


class FacePictures:
    """A part of the set."""

    def __init__(self, faces: Sequence[Face]) -> None:
        self.faces = faces

    def __len__(self) -> int:
        return len(self.faces)

    def captions(self, index: int) -> list[str]:
        """Return the captions of a face, the shortest first."""
        return self.faces[index].captions

    def open(self, index: int) -> Raster:
        """Return a face, drawn when it is first asked for and kept in the cache."""
        return Raster(premultiplied(_drawn(self.faces[index].svg)))


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


def save_faces(folder: Path, faces: Sequence[Face]) -> None:
    """Write the set as one compressed file of JSON lines."""
    lines = "".join(json.dumps(asdict(face)) + "\n" for face in faces)
    with atomic_write(folder / FACES_FILE) as temporary:
        # A fixed date, so that the same faces give the same bytes.
        temporary.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))


def _drawn(svg: str) -> Image.Image:
    stored = cache() / "faces" / f"{hashlib.sha256(svg.encode()).hexdigest()}-{DRAWN_SIDE}.webp"
    try:
        with Image.open(stored, formats=["WEBP"]) as picture:
            return picture.convert("RGBA")
    except (OSError, SyntaxError):  # absent or damaged, it is made again
        pass
    drawn = draw(svg, DRAWN_SIDE)
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary:
            drawn.save(temporary, "WEBP", lossless=True, quality=30, method=2)
    except OSError as error:
        _log.warning("a drawn face is not cached: %s", error)
    return drawn


@kept()
def _load(folder: Path) -> list[Face]:
    try:
        lines = gzip.decompress((folder / FACES_FILE).read_bytes()).decode().splitlines()
        return [Face(**json.loads(line)) for line in lines]
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise DataError(
            f"The faces in {folder} cannot be read ({error}). Rebuild them: scripts/build_faces.py."
        ) from error


def faces(split: str) -> FacePictures:
    """Return the `train` or the `held_out` part (10 %, fixed).

    Raises:
        DataError: the set is missing or damaged.
    """
    return FacePictures([face for face in _load(assets() / "datasets" / "faces") if face.split == split])
