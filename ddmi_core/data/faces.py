"""The faces starter set: cartoon faces as vector pictures, so that there is true detail far beyond the base grid."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ddmi_core.data.pictures import Raster, premultiplied
from ddmi_core.data.vector_pictures import drawn
from ddmi_core.support.cached import cached
from ddmi_core.support.errors import DataError
from ddmi_core.support.paths import assets

FACES_FILE = "faces.jsonl.gz"
CREDITS_FILE = "ATTRIBUTION.md"
DRAWN_SIDE = 1024
"""Side at which a face is drawn, once: as fine as the finest pixels that are trained on. Drawing takes 0.2 s."""


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
        return Raster(premultiplied(drawn(self.faces[index].svg, DRAWN_SIDE, "faces")))


@cached()
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
