"""The radiance starter set: pictures of the textured catalogue furniture from all around, with coloured points.

Names, captions and the held-out part are those of the furniture set (`ddmi_core.data.furniture.catalogue`).
"""

import io
import json
import lzma
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ddmi_core.data.coloured_meshes import ColouredPoints, spread_cameras
from ddmi_core.data.furniture.catalogue import FurnitureEntry, furniture_entries
from ddmi_core.data.radiance import PosedPictures, RadianceSet
from ddmi_core.rendering.cameras import Camera
from ddmi_core.support.cached import cached
from ddmi_core.support.errors import DataError
from ddmi_core.support.paths import assets

SIDE, VIEWS, POINTS = 64, 24, 2048
INDEX_FILE = "index.json"
VIEWS_FILE = "views.npz"

COLUMNS = 6  # of a sheet
STEPS = 383  # positions are kept in steps of 2/383, a sixth of a cell of the finest plane
SHADES = 31  # colours of points, steps a channel


@dataclass(frozen=True)
class RenderedEntry:
    """What the index says of one object: whose it is in the furniture set, and the azimuth of its first camera."""

    id: str
    start: float


def cameras_of(start: float) -> list[Camera]:
    """Return the cameras of an object's pictures."""
    return spread_cameras(VIEWS, start=start)


def unpack_sheet(stream: bytes) -> UInt8[np.ndarray, "views side side 4"]:
    """Return the pictures of a sheet, straight alpha."""
    with Image.open(io.BytesIO(stream)) as sheet:
        pixels = np.asarray(sheet.convert("RGBA"))
    side = pixels.shape[1] // COLUMNS
    return pixels.reshape(-1, side, COLUMNS, side, 4).transpose(0, 2, 1, 3, 4).reshape(-1, side, side, 4)


def unpack_points(stream: bytes) -> ColouredPoints:
    """Return points from LZMA: differences of positions in `STEPS`, int16, then colours in `SHADES`, uint8."""
    content = lzma.decompress(stream)
    count = len(content) // 9
    steps = np.frombuffer(content, np.int16, 3 * count).reshape(3, count).T
    colours = np.frombuffer(content, np.uint8, 3 * count, 6 * count).reshape(3, count).T
    positions = np.cumsum(steps, axis=0, dtype=np.int16).astype(np.float32) * (2 / STEPS) - 1
    return ColouredPoints(positions, colours.astype(np.float32) / SHADES)


@cached()
def _load(folder: Path) -> tuple[list[RenderedEntry], list[bytes], list[ColouredPoints]]:
    try:
        entries = [RenderedEntry(**entry) for entry in json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))]
        # numpy would leave a damaged file open
        with (folder / VIEWS_FILE).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            sheets, points = (_parts(file[name], file[f"{name}_ends"]) for name in ("sheets", "points"))
        return entries, sheets, [unpack_points(part) for part in points]
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile, lzma.LZMAError) as error:
        raise DataError(
            f"The furniture pictures in {folder} cannot be read ({error}). "
            "Rebuild them: scripts/build_furniture_renders.py."
        ) from error


def _parts(blob: np.ndarray, ends: np.ndarray) -> list[bytes]:
    content = blob.tobytes()
    return [content[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


class FurnitureViews(RadianceSet):
    """A part of the starter set; pictures are decompressed when they are asked for."""

    def __init__(self, split: str) -> None:
        entries, sheets, points = _load(assets() / "datasets" / "furniture-nerf")
        known = furniture_entries()
        self._entries: list[FurnitureEntry] = []
        self._kept: list[tuple[float, bytes, ColouredPoints]] = []
        for entry, sheet, cloud in zip(entries, sheets, points, strict=True):
            if entry.id in known and known[entry.id].split == split:
                self._entries.append(known[entry.id])
                self._kept.append((entry.start, sheet, cloud))
        self.names = [entry.name for entry in self._entries]

    def __len__(self) -> int:
        return len(self._kept)

    def captions(self, index: int) -> list[str]:
        """Return the captions of an object."""
        return self._entries[index].captions

    def kind(self, index: int) -> str:
        """Return the kind of an object."""
        return self._entries[index].kind

    def points(self, index: int) -> ColouredPoints:
        """Return all points of an object."""
        return self._kept[index][2]

    def views(self, index: int) -> PosedPictures:
        """Return the pictures of an object with their cameras."""
        start, sheet, _ = self._kept[index]
        return PosedPictures(cameras_of(start), unpack_sheet(sheet))
