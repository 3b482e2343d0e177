"""A user's own shapes: one file to encode, or a folder of meshes to train on."""

import csv
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float

from ddmi_core.data.labels import normalise, pack, skin_points, solid_grid
from ddmi_core.data.shapes import GridShapes
from ddmi_core.errors import DataError
from ddmi_core.files import atomic_write
from ddmi_core.paths import cache
from ddmi_core.progress import Progress, report

SUFFIXES = (".obj", ".ply", ".stl", ".glb", ".off")
CAPTIONS_FILE = "captions.csv"
LEAST_POINTS = 32
"""A file without faces is a point cloud, and with fewer points than this it says nothing of a shape."""

_POINTS = 8192
_HELD_OUT = 0.1
_CACHE_VERSION = 1  # raise it when labels change, so that stale ones are not used

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unusable:
    """A file that cannot be trained on, and why."""

    path: Path
    reason: str


class FolderShapes(GridShapes):
    """The usable shapes of a folder; `unusable` lists the other files of the folder with the reason."""

    unusable: list[Unusable]


def read_shape(path: Path) -> Float[np.ndarray, "n 3"]:
    """Read a mesh or a point cloud as points on its surface, float32, centred, longest side in [-0.9, 0.9].

    Of a mesh, points of the surface visible from outside are drawn just as they are for training; the same file gives
    the same points. A file without faces is taken as a point cloud.

    Raises:
        DataError: no such file, an unknown kind of file, or nothing usable in it.
    """
    path = Path(path)
    loaded = _load(path)
    return _label(loaded)[1] if isinstance(loaded, trimesh.Trimesh) else loaded.astype(np.float32)


def mesh_folder(path: Path, split: str, *, progress: Progress | None = None) -> FolderShapes:
    """Read a folder of OBJ, PLY, STL, GLB and OFF meshes, subfolders included, as the `train` or `held_out` part.

    The optional captions.csv has the columns file (relative to the folder) and caption; a file may have several rows,
    and shapes without any are trained on without words. One in ten shapes is held out by a hash of the file's bytes, so
    copies stay on one side; at least one is held out, and a lone shape serves both parts.
    Files that cannot be used are left out and listed. Labels are cached.

    Raises:
        DataError: no such folder, a malformed captions.csv, or no usable mesh at all.
    """
    path = Path(path)
    if not path.is_dir():
        raise DataError(f"There is no folder {path}. Give a folder of {_known()} meshes.")
    captions = _read_captions(path / CAPTIONS_FILE)
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    usable: list[tuple[str, Path, np.ndarray, np.ndarray]] = []
    unusable: list[Unusable] = []
    for i, file in enumerate(files):
        report(progress, i / len(files), f"{file.name}, {i + 1} of {len(files)}")
        try:
            usable.append((_digest(file), file, *_cached_label(file)))
        except DataError as error:
            unusable.append(Unusable(file, str(error)))
            _log.warning("left out %s: %s", file, error)
    if not usable:
        reasons = f" The first problem: {unusable[0].reason}" if unusable else ""
        raise DataError(f"{path} holds no usable mesh ({_known()}); {len(files)} files were looked at.{reasons}")
    held_out = {digest for digest, *_ in usable if int(digest[:8], 16) < _HELD_OUT * 2**32}
    held_out = held_out or {min(digest for digest, *_ in usable)}
    alone = len({digest for digest, *_ in usable}) == 1
    part = [entry for entry in usable if alone or (entry[0] in held_out) == (split == "held_out")]
    names = [file.relative_to(path).as_posix() for _, file, *_ in part]
    shapes = FolderShapes(
        [grid for *_, grid, _ in part],
        [points for *_, points in part],
        [captions.get(name, []) for name in names],
        names=names,
        kinds=["other"] * len(part),
    )
    shapes.unusable = unusable
    return shapes


def _load(path: Path) -> trimesh.Trimesh | np.ndarray:
    """Return the normalised mesh of a file, or its normalised points where it has no faces."""
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path.name} is no file of a known kind. Give {_known()}.")
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty. Export it again from the program that made it.")
    try:
        # Unprocessed: otherwise broken vertices would vanish silently.
        parts = trimesh.load_scene(path, process=False, skip_materials=True).dump()
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
    meshes = [part for part in parts if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    try:
        if meshes:
            mesh = trimesh.util.concatenate(meshes)
            used = np.unique(mesh.faces)  # a stray vertex must not set the scale
            mesh.update_vertices(np.isin(np.arange(len(mesh.vertices)), used))
            return trimesh.Trimesh(normalise(mesh.vertices), mesh.faces, process=False)
        points = np.concatenate(vertices)
        if len(points) < LEAST_POINTS:
            raise DataError(
                f"it has no faces and only {len(points)} points; a point cloud needs at least {LEAST_POINTS}."
            )
        return normalise(points)
    except DataError as error:
        raise DataError(f"{path.name} cannot be used: {error}") from error


def _label(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """Return the solid grid and visible surface points (float32) of a normalised mesh."""
    grid = solid_grid(mesh)
    return grid, skin_points(mesh, grid, _POINTS, np.random.default_rng(0))


def _cached_label(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the packed grid and the surface points of a mesh file, computed once for each content."""
    folder = cache() / "shapes"
    stored = folder / f"{_digest(file)}-{_CACHE_VERSION}.npz"
    try:
        with stored.open("rb") as stream, np.load(stream, allow_pickle=False) as content:
            return content["grid"], content["points"]
    except Exception:  # absent or damaged, it is made again
        pass
    mesh = _load(file)
    if not isinstance(mesh, trimesh.Trimesh):
        raise DataError(f"{file.name} has no faces: a point cloud can be reconstructed, but not trained on.")
    try:
        grid, points = _label(mesh)
    except DataError as error:
        raise DataError(f"{file.name} cannot be used: {error}") from error
    packed = pack(grid)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary, temporary.open("wb") as target:
            np.savez_compressed(target, grid=packed, points=points)
    except OSError as error:
        _log.warning("labels of %s are not cached: %s", file.name, error)
    return packed, points


def _read_captions(file: Path) -> dict[str, list[str]]:
    """Return the captions by file name, POSIX and relative; none if there is no such file."""
    if not file.exists():
        return {}
    captions: dict[str, list[str]] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if not {"file", "caption"} <= set(reader.fieldnames or ()):
                raise DataError(f"{file} must start with the line file,caption.")
            for row in reader:
                name, caption = (row["file"] or "").strip(), (row["caption"] or "").strip()
                if name and caption:
                    captions.setdefault(Path(name).as_posix(), []).append(caption)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read as UTF-8 CSV ({error}).") from error
    return captions


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{file.name} cannot be read ({error}).") from error


def _known() -> str:
    return ", ".join(suffix[1:].upper() for suffix in SUFFIXES)
