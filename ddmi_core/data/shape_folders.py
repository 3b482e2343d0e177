"""A user's own shapes: one file to encode, or a folder of meshes to train on."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import trimesh
from jaxtyping import Float, UInt8
from typing_extensions import override

from ddmi_core.data.drawn import DrawnSet, FolderSet
from ddmi_core.data.file_hashes import file_digest
from ddmi_core.data.labels import pack, solid_grid, surface_normals, surface_points
from ddmi_core.data.layouts import listing_of
from ddmi_core.data.occupancy_shapes import OccupancyShapes
from ddmi_core.data.preparing import Preparation
from ddmi_core.data.shapes import GridShapes, PointCloud
from ddmi_core.data.shard_places import has_shards
from ddmi_core.data.shards import Shards, ShardSet
from ddmi_core.data.user_folder import known, read_folder
from ddmi_core.placement import Placement, Up, turned_up
from ddmi_core.support.errors import DataError
from ddmi_core.support.file_kinds import SURFACES
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache
from ddmi_core.support.progress import Progress

LEAST_POINTS = 32
"""A file without faces is a point cloud, and with fewer points than this it says nothing of a shape."""

_NO_KIND = "other"
_PARTS = ("train", "val", "test")  # how subfolders are called that are no classes
_POINTS = 8192
_RECENT = 256  # shapes that are kept in memory, of about 0.5 MB each
_CACHE_VERSION = 3  # raise it when labels change, so that stale ones are not used

_log = logging.getLogger(__name__)


class Labels(NamedTuple):
    """What is learned of a mesh: its packed grid, points of its surface and the normals there."""

    grid: UInt8[np.ndarray, "x y z"]
    points: Float[np.ndarray, "p 3"]
    normals: Float[np.ndarray, "p 3"]


class DrawnShapes(GridShapes):
    """Meshes whose labels are read when they are drawn.

    Args:
        drawn: the set that they are of.
        kinds: of each, where that is known.
    """

    def __init__(self, drawn: DrawnSet[Labels], kinds: Sequence[str] | None = None) -> None:
        self._drawn = drawn
        self._grids, self._points = _Column(drawn, "grid"), _Column(drawn, "points")
        self.names, self.kinds = drawn.names, list(kinds or [_NO_KIND] * len(drawn))
        self.unusable, self.order = drawn.unusable, drawn.order
        self.placement = None

    @override
    def captions(self, index: int) -> list[str]:
        return self._drawn.captions(index)

    @override
    def normals(self, index: int) -> Float[np.ndarray, "p 3"]:
        return self._drawn.content(index).normals


class _Column(Sequence[np.ndarray]):
    """The grids, or the points, of meshes that are labelled when they are drawn."""

    def __init__(self, drawn: DrawnSet[Labels], name: str) -> None:
        self._drawn, self._name = drawn, name

    def __len__(self) -> int:
        return len(self._drawn)

    def __getitem__(self, index: Any) -> Any:
        return getattr(self._drawn.content(index), self._name)


def read_shape(path: Path, up: Up = "y") -> GridShapes | PointCloud:
    """Read a mesh or a point cloud as a set of one shape, centred, longest side in [-0.9, 0.9].

    Of a mesh, points are drawn from the surface of its solid just as they are for training; the same file gives
    the same points. A file without faces is taken as a point cloud.

    Args:
        path: the file.
        up: the axis that is up in it.

    Raises:
        DataError: no such file, an unknown kind of file, or nothing usable in it.
    """
    path = Path(path)
    loaded, placement = _load(path, up)
    if not isinstance(loaded, trimesh.Trimesh):
        return loaded
    grid, points = _label(loaded)
    return GridShapes([pack(grid)], [points], [[]], names=[path.stem], kinds=["other"], placement=placement)


def read_mesh(path: Path, up: Up = "y") -> tuple[trimesh.Trimesh, Placement]:
    """Read a mesh, centred, longest side in [-0.9, 0.9], and where it lay in its file.

    Raises:
        DataError: no such file, an unknown kind of file, nothing usable in it, or no faces.
    """
    loaded, placement = _load(Path(path), up)
    if not isinstance(loaded, trimesh.Trimesh):
        raise DataError(f"{Path(path).name} has no faces: a point cloud can be reconstructed, but not fitted.")
    return loaded, placement


def mesh_folder(path: Path, split: str, *, progress: Progress | None = None) -> DrawnShapes | OccupancyShapes:
    """Read a folder of OBJ, PLY, STL, GLB and OFF meshes, subfolders included, as the `train` or `held_out` part.

    Captions and the held-out part are those of `user_folder.read_folder`.
    Files that cannot be used are left out and listed. Labels are cached. Of a folder with WebDataset shards (`*.tar`),
    the meshes in these are read. ShapeNet in the layout of the Occupancy Networks has its published parts and points.

    Raises:
        DataError: no such folder, a malformed captions.csv, or no usable mesh at all.
    """
    if has_shards(Path(path)):
        return mesh_shards(Path(path), split, progress=progress)
    if (listing := listing_of(Path(path), "shape")) is not None:
        return OccupancyShapes(Path(path), listing, split)
    preparation = Preparation(_cached_label, _label_file)
    entries, unusable = read_folder(
        Path(path), split, preparation, suffixes=SURFACES, noun="mesh", plural="meshes", progress=progress
    )
    return DrawnShapes(FolderSet(entries, unusable, _cached_label, _RECENT), [kind_of(entry.name) for entry in entries])


def kind_of(name: str) -> str:
    """Return the class of a mesh by its place in a folder: that of the subfolder it lies in, parts of the data apart.

    Example:
        >>> kind_of("chair/train/17.off"), kind_of("train/chair/17.off"), kind_of("17.off")
        ('chair', 'chair', 'other')
    """
    folders = [part for part in name.split("/")[:-1] if part not in _PARTS]
    return folders[0] if folders else _NO_KIND


def mesh_shards(source: str | Path, split: str, *, progress: Progress | None = None) -> DrawnShapes:
    """Read the meshes in WebDataset shards as the `train` or `held_out` part, labelled when they are drawn.

    Args:
        source: of the shards, as `Shards` takes it.
        split: the part.
        progress: called before each shard.

    Raises:
        DataError: there is no shard that can be used, or no mesh in any.
    """
    return DrawnShapes(ShardSet(Shards(source, split, SURFACES, progress), _label_of_copy, _RECENT))


def load_parts(path: Path, *, materials: bool) -> list[trimesh.Trimesh | trimesh.PointCloud]:
    """Return the meshes and point sets of a file, placed as its scene says, vertices as they are.

    Args:
        path: an OBJ, PLY, STL, GLB or OFF file.
        materials: whether to read materials and textures too.

    Raises:
        DataError: no such file, an unknown kind of file, a damaged one, one without vertices or with ones that are not
            finite.
    """
    if path.suffix.lower() not in SURFACES:
        raise DataError(f"{path.name} is no file of a known kind. Give {known(SURFACES)}.")
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty. Export it again from the program that made it.")
    try:
        # Unprocessed: otherwise broken vertices would vanish silently.
        parts = trimesh.load_scene(path, process=False, skip_materials=not materials).dump()
    except Exception as error:  # trimesh's readers fail in every way on a damaged file
        raise DataError(f"{path.name} cannot be read, it is damaged or not what its suffix says ({error}).") from error
    parts = [part for part in parts if isinstance(part, trimesh.Trimesh | trimesh.PointCloud)]
    vertices = [np.asarray(part.vertices, dtype=np.float64).reshape(-1, 3) for part in parts]
    if not sum(map(len, vertices)):
        raise DataError(f"{path.name} holds no vertices. Export it again from the program that made it.")
    if not all(np.isfinite(part).all() for part in vertices):
        raise DataError(
            f"{path.name} has vertices that are not numbers (NaN or infinite). Repair it or export it again."
        )
    return parts


def _load(path: Path, up: Up = "y") -> tuple[trimesh.Trimesh | PointCloud, Placement]:
    """Return the normalised mesh of a file, or its normalised points where it has no faces, and where they lay."""
    parts = load_parts(path, materials=False)
    all_vertices = [np.asarray(part.vertices, dtype=np.float64).reshape(-1, 3) for part in parts]
    meshes = [part for part in parts if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    try:
        if meshes:
            mesh = trimesh.util.concatenate(meshes)
            used = np.unique(mesh.faces)  # a stray vertex must not set the scale
            mesh.update_vertices(np.isin(np.arange(len(mesh.vertices)), used))
            vertices = turned_up(mesh.vertices, up)
            placement = Placement.of(vertices, up)
            return trimesh.Trimesh(placement.brought_in(vertices), mesh.faces, process=False), placement
        points = turned_up(np.concatenate(all_vertices), up)
        if len(points) < LEAST_POINTS:
            raise DataError(
                f"it has no faces and only {len(points)} points; a point cloud needs at least {LEAST_POINTS}."
            )
        normals = turned_up(np.concatenate([_normals(part) for part in parts]), up).astype(np.float32)
        placement = Placement.of(points, up)
        cloud = PointCloud(placement.brought_in(points).astype(np.float32), normals, placement)
        return cloud, placement
    except DataError as error:
        raise DataError(f"{path.name} cannot be used: {error}") from error


def _normals(part: trimesh.Trimesh | trimesh.PointCloud) -> np.ndarray:
    """Return the unit normals that a PLY file gives its points (float32), zeros where it gives none."""
    columns = part.metadata.get("_ply_raw", {}).get("vertex", {}).get("data")  # trimesh itself drops them
    normals = np.zeros((len(part.vertices), 3), dtype=np.float32)
    try:
        given = np.column_stack([np.asarray(columns[axis], dtype=np.float32) for axis in ("nx", "ny", "nz")])
    except (KeyError, ValueError, TypeError, IndexError):
        return normals
    length = np.linalg.norm(given, axis=1, keepdims=True)
    known = np.isfinite(length) & (length > 0)
    return np.divide(given, length, out=normals, where=known) if given.shape == normals.shape else normals


def _label(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """Return the solid grid of a normalised mesh and points of the solid's surface (float32)."""
    grid = solid_grid(mesh)
    return grid, surface_points(grid, _POINTS, np.random.default_rng(0))


def _label_file(digest: str) -> Path:
    """Return where the labels of a mesh of that content are kept."""
    return cache() / "shapes" / f"{digest}-{_CACHE_VERSION}.npz"


def _label_of_copy(file: Path) -> Labels:
    return _cached_label(file, file_digest(file))


def _cached_label(file: Path, digest: str) -> Labels:
    """Return the labels of a mesh file, computed once for each content."""
    stored = _label_file(digest)
    try:
        with stored.open("rb") as stream, np.load(stream, allow_pickle=False) as content:
            return Labels(content["grid"], content["points"], content["normals"].astype(np.float32))
    except Exception:  # absent or damaged, it is made again
        pass
    mesh, _ = _load(file)
    if not isinstance(mesh, trimesh.Trimesh):
        raise DataError(f"{file.name} has no faces: a point cloud can be reconstructed, but not trained on.")
    try:
        grid, points = _label(mesh)
    except DataError as error:
        raise DataError(f"{file.name} cannot be used: {error}") from error
    packed = pack(grid)
    labels = Labels(packed, points, surface_normals(packed, points))
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary, temporary.open("wb") as target:
            np.savez_compressed(target, grid=packed, points=points, normals=labels.normals.astype(np.float16))
    except OSError as error:
        _log.warning("labels of %s are not cached: %s", file.name, error)
    return labels
