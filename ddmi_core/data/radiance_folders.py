"""A user's own radiance data: one file or scene to encode, or a folder of them to train on."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from typing_extensions import override

from ddmi_core.data.coloured_meshes import (
    ColouredMesh,
    ColouredPoints,
    coloured_points,
    read_coloured,
    spread_cameras,
)
from ddmi_core.data.drawn import DrawnSet, FolderSet
from ddmi_core.data.file_hashes import file_digest
from ddmi_core.data.layouts import listing_of
from ddmi_core.data.listing import Unusable
from ddmi_core.data.posed_pictures import (
    Shots,
    left_out,
    moved,
    read_points2nerf,
    read_shots,
    scene_digest_files,
)
from ddmi_core.data.preparing import Preparation
from ddmi_core.data.radiance import PosedPictures, RadianceSet
from ddmi_core.data.shard_places import has_shards
from ddmi_core.data.shards import Shards, ShardSet
from ddmi_core.data.user_folder import files_of, read_folder
from ddmi_core.data.visual_hull import hull_points
from ddmi_core.placement import Up
from ddmi_core.rendering.cameras import Camera
from ddmi_core.support.errors import DataError
from ddmi_core.support.file_kinds import SCENE_NAMES, SRN_INTRINSICS, SURFACES, TRANSFORMS
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache
from ddmi_core.support.progress import Progress

_FILE_SUFFIXES = (*SURFACES, ".npz")
_POINTS = 4096
_RECENT = 64  # objects that are kept in memory, of about 3 MB each
_CACHE_VERSION = 4  # raise it when what is made of a scene changes
_SIDE, _VIEWS = 96, 24  # of the pictures that are made of a mesh

_log = logging.getLogger(__name__)


class LoneObject(RadianceSet):
    """One object; `unusable` lists the views of it that could not be used."""

    def __init__(
        self, name: str, points: ColouredPoints, views: PosedPictures | None, unusable: list[Unusable]
    ) -> None:
        self.names = [name]
        self._points, self._views = points, views
        self.unusable = unusable

    @property
    def remark(self) -> str:
        """Which views could not be used, in words; empty if all could."""
        return left_out(self.unusable, len(self._views.cameras) if self._views is not None else 0)

    def __len__(self) -> int:
        return 1

    @override
    def captions(self, index: int) -> list[str]:
        return []

    @override
    def points(self, index: int) -> ColouredPoints:
        return self._points

    @override
    def views(self, index: int) -> PosedPictures | None:
        return self._views


class _Content(NamedTuple):
    """Points and pictures of an object, and which of its views cannot be used."""

    points: ColouredPoints
    views: PosedPictures
    problems: list[Unusable]


class DrawnObjects(RadianceSet):
    """Objects that are read when they are drawn: thousands would not fit into memory.

    Args:
        drawn: the set that they are of.
    """

    def __init__(self, drawn: DrawnSet[_Content]) -> None:
        self._drawn = drawn
        self.names, self.unusable, self.order = drawn.names, drawn.unusable, drawn.order

    def __len__(self) -> int:
        return len(self._drawn)

    @override
    def captions(self, index: int) -> list[str]:
        return self._drawn.captions(index)

    @override
    def points(self, index: int) -> ColouredPoints:
        return self._drawn.content(index).points

    @override
    def views(self, index: int) -> PosedPictures | None:
        return self._drawn.content(index).views


def read_radiance(path: Path, up: Up = "y") -> LoneObject:
    """Read one object: a coloured mesh or point cloud, a points2nerf .npz, or posed pictures.

    Posed pictures are given by their `transforms.json` or by the folder that holds it, or an SRN scene. Of a mesh
    pictures are made, so that a latent can be fitted to them; a point cloud has none.

    Args:
        path: the file or folder.
        up: the axis that is up in a mesh or a cloud; scenes of pictures and points2nerf files have z up.

    Raises:
        DataError: it cannot be used; the message says why.
    """
    path = Path(path)
    if path.is_dir():
        found = next((path / name for name in SCENE_NAMES if (path / name).is_file()), None)
        if found is None:
            raise DataError(f"{path} holds no posed pictures: neither transforms.json nor {SRN_INTRINSICS} is there.")
        path = found
    return LoneObject(path.stem, *_load(path, up))


def radiance_folder(path: Path, split: str, *, progress: Progress | None = None) -> DrawnObjects:
    """Read a folder of coloured meshes, points2nerf files and posed pictures, subfolders included.

    Captions and the held-out part are those of `user_folder.read_folder`; a scene of posed pictures is called by its
    `transforms.json` or `intrinsics.txt`. What cannot be used is left out and listed. SRN's cars and chairs
    (cars_train/OBJECT/intrinsics.txt) have their published parts. Of a folder with WebDataset shards (`*.tar`), the
    meshes and points2nerf files in these are read.

    Raises:
        DataError: no such folder, a malformed captions.csv, or no usable object at all.
    """
    if has_shards(Path(path)):
        return object_shards(Path(path), split, progress=progress)
    listing = listing_of(Path(path), "nerf")
    entries, unusable = read_folder(
        Path(path),
        split,
        Preparation(_cached, _scene_file),
        suffixes=_FILE_SUFFIXES,
        find=_files,
        parts=scene_digest_files,
        listing=listing,
        noun="object",
        plural="files of coloured objects, or folders of posed pictures",
        progress=progress,
    )
    if listing is not None:  # its scenes are called by their folders
        entries = [replace(entry, name=entry.name.rpartition("/")[0]) for entry in entries]
    for entry in entries:
        if entry.digest is not None:
            unusable += _stored_problems(_scene_file(entry.digest))
    return DrawnObjects(FolderSet(entries, unusable, _cached, _RECENT, scene_digest_files))


def object_shards(source: str | Path, split: str, *, progress: Progress | None = None) -> DrawnObjects:
    """Read the coloured meshes and points2nerf files in WebDataset shards as the `train` or `held_out` part.

    Args:
        source: of the shards, as `Shards` takes it.
        split: the part.
        progress: called before each shard.

    Raises:
        DataError: there is no shard that can be used, or no object in any.
    """
    return DrawnObjects(ShardSet(Shards(source, split, _FILE_SUFFIXES, progress), _of_copy, _RECENT))


def _files(folder: Path) -> list[Path]:
    scenes = [file for name in SCENE_NAMES for file in folder.rglob(name) if file.is_file()]
    return sorted([*files_of(folder, _FILE_SUFFIXES), *scenes])


def _load(path: Path, up: Up = "y") -> tuple[ColouredPoints, PosedPictures | None, list[Unusable]]:
    """Return an object's points, its pictures, and which of its views could not be used."""
    if path.name == SRN_INTRINSICS or path.suffix.lower() == ".json":
        return _from_shots(read_shots(path))
    if path.suffix.lower() == ".npz":
        positions, colours, shots = read_points2nerf(path)
        return _placed(positions, colours, shots)
    found = read_coloured(path, up=up)
    if isinstance(found, ColouredMesh):
        return *_drawn(found, path), []
    return found, None, []


def _scene_file(digest: str) -> Path:
    """Return where what is made of an object of that content is kept."""
    return cache() / "scenes" / f"{digest}-{_CACHE_VERSION}.npz"


def _of_copy(file: Path) -> _Content:
    return _cached(file, file_digest(file))


def _cached(file: Path, digest: str) -> _Content:
    """Return the points and pictures of an object, made once for each content."""
    stored = _scene_file(digest)
    try:
        return _read_stored(stored)
    except Exception:  # absent or damaged, it is made again
        pass
    made = _load_to_train_on(file)
    cameras = made.views.cameras
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary, temporary.open("wb") as target:
            np.savez_compressed(
                target,
                positions=made.points.positions,
                colours=made.points.colours,
                poses=np.stack([camera.pose for camera in cameras]),
                lenses=np.array([(camera.fov, *camera.shift) for camera in cameras]),
                pixels=made.views.pixels,
                problems=np.array([(str(one.path), one.reason) for one in made.problems], dtype=str).reshape(-1, 2),
            )
    except OSError as error:
        _log.warning("what was made of %s is not cached: %s", file.parent, error)
    return made


def _read_stored(stored: Path) -> _Content:
    with stored.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
        cameras = [
            Camera(pose, float(fov), (float(x), float(y)))
            for pose, (fov, x, y) in zip(found["poses"], found["lenses"], strict=True)
        ]
        points = ColouredPoints(found["positions"], found["colours"])
        return _Content(points, PosedPictures(cameras, found["pixels"]), _stored_problems(stored))


def _stored_problems(stored: Path) -> list[Unusable]:
    """Return what is known of an object's views that cannot be used."""
    try:
        with stored.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            return [Unusable(Path(path), reason) for path, reason in found["problems"].tolist()]
    except Exception:  # absent or damaged, it is made when it is drawn
        return []


def _load_to_train_on(path: Path) -> _Content:
    if path.name == TRANSFORMS[1] and path.with_name(TRANSFORMS[0]).is_file():
        raise DataError(f"{path.name} is passed over: {TRANSFORMS[0]} is beside it.")
    points, views, problems = _load(path)
    if views is None:
        raise DataError(f"{path.name} has no faces: a point cloud can be reconstructed, but not trained on.")
    return _Content(points, views, problems)


def _drawn(mesh: ColouredMesh, path: Path) -> tuple[ColouredPoints, PosedPictures]:
    cameras = spread_cameras(_VIEWS)
    seen = mesh.seen(cameras, _SIDE, _SIDE)
    try:
        points = seen.points(_POINTS, np.random.default_rng(0))
    except DataError as error:
        raise DataError(f"{path.name} cannot be used: {error}") from error
    pictures = seen.pictures()
    straight = np.concatenate([pictures[..., :3] / np.maximum(pictures[..., 3:], 1e-6), pictures[..., 3:]], axis=-1)
    points = replace(points, placement=mesh.placement)
    return points, PosedPictures(cameras, np.round(255 * np.clip(straight, 0, 1)).astype(np.uint8))


def _from_shots(shots: Shots) -> tuple[ColouredPoints, PosedPictures, list[Unusable]]:
    return _placed(*hull_points(shots), shots)


def _placed(
    positions: np.ndarray, colours: np.ndarray, shots: Shots
) -> tuple[ColouredPoints, PosedPictures, list[Unusable]]:
    """Bring points and cameras to the space in which the longest side of the object spans [-0.9, 0.9]."""
    points = coloured_points(positions, colours, up="z")
    assert points.placement is not None
    cameras, pixels = moved(shots, np.array(points.placement.centre), 1 / points.placement.unit)
    return points, PosedPictures(cameras, pixels), shots.unusable
