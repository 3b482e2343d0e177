"""The furniture starter set: catalogue furniture as solid grids, surface points and captions."""

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddmi_core.data.labels import RESOLUTION
from ddmi_core.data.shapes import GridShapes
from ddmi_core.support.cached import cached
from ddmi_core.support.errors import DataError
from ddmi_core.support.paths import assets

INDEX_FILE = "index.json"
SHAPES_FILE = "shapes.npz"
CREDITS_FILE = "ATTRIBUTION.md"


NAMED_KINDS = frozenset(
    ("chair", "armchair", "stool", "bench", "table", "desk", "sofa", "bed", "lamp", "bookcase", "wardrobe", "cabinet")
)
"""What people ask for by name. Of these, all parts are as thick as a model can keep; see `labels.thickened`."""


@dataclass(frozen=True)
class FurnitureEntry:
    """What the index says of one shape.

    ``crowded``: its bars have grown together where they were thickened, so that it is no example of its captions.
    """

    id: str
    name: str
    kind: str
    captions: list[str]
    split: str
    catalogue: str
    creator: str
    licence: str
    crowded: bool = False

    @property
    def is_named(self) -> bool:
        """Whether it is of a kind that prompts name, and shows it."""
        return self.kind in NAMED_KINDS and not self.crowded


@cached()
def _load(folder: Path) -> tuple[list[FurnitureEntry], list[np.ndarray], np.ndarray]:
    entries = _load_index(folder)
    try:
        # numpy would leave a damaged file open
        with (folder / SHAPES_FILE).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            blob, ends, steps = file["grids"].tobytes(), file["ends"], file["steps"]
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(folder, error) from error
    starts = np.concatenate([[0], ends[:-1]])
    side = (RESOLUTION, RESOLUTION, RESOLUTION // 8)
    grids = [
        np.frombuffer(zlib.decompress(blob[start:end]), np.uint8).reshape(side)
        for start, end in zip(starts, ends, strict=True)
    ]
    points = np.cumsum(steps, axis=1, dtype=np.int16).astype(np.float32) / 32767
    return entries, grids, points


def furniture_entries() -> dict[str, FurnitureEntry]:
    """Return what the index says of all shapes, by id.

    Raises:
        DataError: the index is missing or damaged.
    """
    return {entry.id: entry for entry in _load_index(assets() / "datasets" / "furniture")}


def _load_index(folder: Path) -> list[FurnitureEntry]:
    try:
        return [FurnitureEntry(**entry) for entry in json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> DataError:
    return DataError(f"The furniture set in {folder} cannot be read ({error}). Rebuild it: scripts/build_furniture.py.")


def furniture(split: str, *, named: bool = False) -> GridShapes:
    """Return the `train` or the `held_out` part (10 %, fixed); with `named`, what is of a kind that prompts name.

    Raises:
        DataError: the set is missing or damaged.
    """
    entries, grids, points = _load(assets() / "datasets" / "furniture")
    chosen = [i for i, entry in enumerate(entries) if entry.split == split and (entry.is_named or not named)]
    return GridShapes(
        [grids[i] for i in chosen],
        [points[i] for i in chosen],
        [entries[i].captions for i in chosen],
        names=[entries[i].name for i in chosen],
        kinds=[entries[i].kind for i in chosen],
    )
