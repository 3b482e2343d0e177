"""ShapeNet as the Occupancy Networks prepare it (Mescheder et al. 2019): SYNSET/MODEL/points.npz and pointcloud.npz.

Their objects fill the unit cube: the longest side spans [-0.5, 0.5], the query points [-0.55, 0.55].
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8

from ddmi_core.data.array_files import read_arrays
from ddmi_core.data.drawn import Drawn
from ddmi_core.data.items import Augment
from ddmi_core.data.layouts import POINTS, SURFACE
from ddmi_core.data.listing import Listing
from ddmi_core.data.shapes import draw_points, mapped_normals, random_map
from ddmi_core.placement import HALF_SIDE
from ddmi_core.support.errors import DataError

_SCALE = 2 * HALF_SIDE
_RECENT = 64  # models that are kept in memory, of about 3 MB each
_JITTER = 1e-4  # of queries, in the files' units, against the steps of half precision; as the authors do


class Model(NamedTuple):
    """Surface points and query points, both float32 in [-1, 1]^3, and whether each query is inside.

    Normals are of unit length, zeros where the file has none.
    """

    surface: Float[np.ndarray, "p 3"]
    normals: Float[np.ndarray, "p 3"]
    queries: Float[np.ndarray, "q 3"]
    inside: Bool[np.ndarray, " q"]


class OccupancyShapes:
    """The models of a part of such a folder, read when they are drawn; for a damaged one the next one is taken.

    Args:
        root: the data set's folder.
        listing: what it holds.
        split: `train` or `held_out`.

    Raises:
        DataError: nothing is listed for the part.
    """

    def __init__(self, root: Path, listing: Listing, split: str) -> None:
        items = listing.part(split) or listing.items
        if not items:
            raise DataError(f"{root} lists no model that is there. `ddmi data check {root}` says what is missing.")
        self._folders = [item.path for item in items]
        self._captions = [list(item.captions) for item in items]
        self._kinds = [item.kind for item in items]
        self.names: Sequence[str] = [folder.relative_to(root).as_posix() for folder in self._folders]
        self.unusable = list(listing.absent)
        self._drawn = Drawn(len(items), self._read, _RECENT)

    def __len__(self) -> int:
        return len(self._folders)

    def captions(self, index: int) -> list[str]:
        """Return the descriptions of a model, or else what its synset is called."""
        return self._captions[self._drawn.place(index)]

    def kind(self, index: int) -> str:
        """Return what the synset of a model is called."""
        return self._kinds[self._drawn.place(index)]

    def points(self, index: int) -> Float[np.ndarray, "p 3"]:
        """Return all surface points of a model.

        Raises:
            DataError: no model can be read.
        """
        return self._drawn[index].surface

    def sample(
        self,
        index: int,
        rng: np.random.Generator,
        n_surface: int,
        n_query: int,
        augment: Augment = "none",
        *,
        label_sigma: float = 0.0,
    ) -> dict[str, np.ndarray]:
        """Draw an example as `GridShapes` does, its queries from those of the data set: uniform in space.

        Of what is inside, only the published labels are known, so that they are never blurred.

        Raises:
            DataError: no model can be read.
        """
        surface, normals, queries, inside = self._drawn[index]
        matrix = random_map(surface, rng, augment)
        drawn = rng.integers(len(queries), size=2 * n_query)
        coords = (queries[drawn] + rng.normal(0, _JITTER * _SCALE, (len(drawn), 3))) @ matrix.T
        # A stretch takes some out of the space in which fields are defined, and into an empty part of it
        kept = np.argsort(np.abs(coords).max(axis=1) > 1, kind="stable")[:n_query]
        which = rng.integers(len(surface), size=n_surface)
        return {
            "points": (surface[which] @ matrix.T).astype(np.float32),
            "normals": mapped_normals(normals[which], np.linalg.inv(matrix)),
            "coords": coords[kept].astype(np.float32),
            "targets": inside[drawn[kept]].astype(np.float32)[:, None],
        }

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return draw_points(self.points(index)[:8192], size)

    def _read(self, index: int) -> Model:
        return read_model(self._folders[index])


def read_model(folder: Path) -> Model:
    """Read the files of a model.

    Raises:
        DataError: a file is missing or damaged, or its arrays do not fit together.
    """
    surface = _arrays(folder / SURFACE, "points")[0]
    normals = read_arrays(folder / SURFACE, "normals").get("normals", np.zeros_like(surface))
    queries, occupancies = _arrays(folder / POINTS, "points", "occupancies")
    # Eight to a byte, as the published files are, or one each
    inside = np.unpackbits(occupancies) if occupancies.dtype == np.uint8 else occupancies.ravel() > 0
    for file, points in ((folder / SURFACE, surface), (folder / POINTS, queries)):
        if points.ndim != 2 or points.shape[1] != 3 or not len(points) or not np.isfinite(points).all():
            raise DataError(f"{file} holds no points in space: its array has the shape {points.shape}.")
    if normals.shape != surface.shape or not np.isfinite(normals).all():
        raise DataError(f"{folder / SURFACE} has {len(surface):,} points, but its normals are {normals.shape}.")
    if not len(queries) <= len(inside) < len(queries) + 8:
        raise DataError(f"{folder / POINTS} has {len(queries):,} points and {len(inside):,} occupancies.")
    return Model(
        (surface * np.float32(_SCALE)).astype(np.float32),
        mapped_normals(normals, np.eye(3)),
        (queries.astype(np.float32) * np.float32(_SCALE)),
        inside[: len(queries)].astype(bool),
    )


def _arrays(file: Path, *names: str) -> list[np.ndarray]:
    found = read_arrays(file, *names)
    if missing := [name for name in names if name not in found]:
        raise DataError(f"{file} lacks an array: {missing[0]}. Fetch it again.")
    return [found[name] for name in names]
