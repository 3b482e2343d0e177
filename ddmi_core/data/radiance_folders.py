"""A user's own radiance data: one file or scene to encode, or a folder of them to train on."""

import hashlib
import logging
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from typing_extensions import override

from ddmi_core.cameras import Camera
from ddmi_core.data.coloured_meshes import (
    ColouredMesh,
    ColouredPoints,
    coloured_points,
    read_coloured,
    spread_cameras,
)
from ddmi_core.data.folders import SUFFIXES
from ddmi_core.data.layouts import SRN_INTRINSICS, Listing, listing_of
from ddmi_core.data.posed_pictures import (
    TRANSFORMS,
    Shots,
    moved,
    read_points2nerf,
    read_shots,
    scene_digest_files,
)
from ddmi_core.data.radiance import PosedPictures, RadianceSet
from ddmi_core.data.user_folder import Unusable, digest, files_of, first_usable, read_folder
from ddmi_core.data.visual_hull import hull_points
from ddmi_core.errors import DataError
from ddmi_core.files import atomic_write
from ddmi_core.paths import cache
from ddmi_core.placement import Up
from ddmi_core.progress import Progress

_POINTS = 4096
_RECENT = 64  # scenes of a data set that are kept in memory, of about 3 MB each
_CACHE_VERSION = 1  # raise it when what is made of a scene changes
_SIDE, _VIEWS = 96, 24  # of the pictures that are made of a mesh

_log = logging.getLogger(__name__)


class Objects(RadianceSet):
    """Objects in memory; `unusable` lists the files, and the views of scenes, that could not be used."""

    def __init__(
        self,
        names: list[str],
        contents: list[tuple[ColouredPoints, PosedPictures | None, list[Unusable]]],
        captions: list[list[str]],
        unusable: list[Unusable],
    ) -> None:
        self.names = names
        self._contents = contents
        self._captions = captions
        self.unusable = [*unusable, *(problem for _, _, problems in contents for problem in problems)]

    def __len__(self) -> int:
        return len(self._contents)

    @override
    def captions(self, index: int) -> list[str]:
        return self._captions[index]

    @override
    def points(self, index: int) -> ColouredPoints:
        return self._contents[index][0]

    @override
    def views(self, index: int) -> PosedPictures | None:
        return self._contents[index][1]


class PublishedScenes(RadianceSet):
    """The scenes of a data set of thousands, each read when it is drawn: together they would not fit into memory.

    What has been made of a scene is kept in the cache. For one that cannot be used the next one is taken.

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
            raise DataError(f"{root} holds no scene. `ddmi data check {root}` says what is missing.")
        self._files = [item.path for item in items]
        self.names = [file.parent.relative_to(root).as_posix() for file in self._files]
        self.unusable = list(listing.absent)
        self._recent = lru_cache(_RECENT)(_cached)

    def __len__(self) -> int:
        return len(self._files)

    @override
    def captions(self, index: int) -> list[str]:
        return []

    @override
    def points(self, index: int) -> ColouredPoints:
        return self._content(index)[0]

    @override
    def views(self, index: int) -> PosedPictures | None:
        return self._content(index)[1]

    def _content(self, index: int) -> tuple[ColouredPoints, PosedPictures]:
        return first_usable(len(self), index, lambda place: self._recent(self._files[place]))


def read_radiance(path: Path, up: Up = "y") -> Objects:
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
        found = next((path / name for name in (*TRANSFORMS, SRN_INTRINSICS) if (path / name).is_file()), None)
        if found is None:
            raise DataError(f"{path} holds no posed pictures: neither transforms.json nor {SRN_INTRINSICS} is there.")
        path = found
    return Objects([path.stem], [_load(path, up)], [[]], [])


def radiance_folder(path: Path, split: str, *, progress: Progress | None = None) -> Objects | PublishedScenes:
    """Read a folder of coloured meshes, points2nerf files and posed pictures, subfolders included.

    Captions and the held-out part are those of `user_folder.read_folder`; a scene of posed pictures is called by its
    `transforms.json` or `intrinsics.txt`. What cannot be used is left out and listed. SRN's cars and chairs
    (cars_train/OBJECT/intrinsics.txt) have their published parts.

    Raises:
        DataError: no such folder, a malformed captions.csv, or no usable object at all.
    """
    if (listing := listing_of(Path(path), "nerf")) is not None:
        return PublishedScenes(Path(path), listing, split)
    entries, unusable = read_folder(
        Path(path),
        split,
        _load_to_train_on,
        suffixes=(*SUFFIXES, ".npz"),
        find=_files,
        identity=_identity,
        noun="object",
        plural="files of coloured objects, or folders of posed pictures",
        progress=progress,
    )
    return Objects(
        [entry.name for entry in entries],
        [entry.content for entry in entries],
        [entry.captions for entry in entries],
        unusable,
    )


def _files(folder: Path) -> list[Path]:
    scenes = [file for name in (*TRANSFORMS, SRN_INTRINSICS) for file in folder.rglob(name) if file.is_file()]
    return sorted([*files_of(folder, (*SUFFIXES, ".npz")), *scenes])


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


def _cached(scene: Path) -> tuple[ColouredPoints, PosedPictures]:
    """Return the points and pictures of a scene, made once for each content."""
    stored = cache() / "scenes" / f"{_identity(scene)}-{_CACHE_VERSION}.npz"
    try:
        with stored.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            cameras = [
                Camera(pose, float(fov), (float(x), float(y)))
                for pose, (fov, x, y) in zip(found["poses"], found["lenses"], strict=True)
            ]
            return ColouredPoints(found["positions"], found["colours"]), PosedPictures(cameras, found["pixels"])
    except Exception:  # absent or damaged, it is made again
        pass
    points, views, _ = _from_shots(read_shots(scene))
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary, temporary.open("wb") as target:
            np.savez_compressed(
                target,
                positions=points.positions,
                colours=points.colours,
                poses=np.stack([camera.pose for camera in views.cameras]),
                lenses=np.array([(camera.fov, *camera.shift) for camera in views.cameras]),
                pixels=views.pixels,
            )
    except OSError as error:
        _log.warning("what was made of %s is not cached: %s", scene.parent, error)
    return points, views


def _load_to_train_on(path: Path) -> tuple[ColouredPoints, PosedPictures | None, list[Unusable]]:
    if path.name == TRANSFORMS[1] and path.with_name(TRANSFORMS[0]).is_file():
        raise DataError(f"{path.name} is passed over: {TRANSFORMS[0]} is beside it.")
    content = _load(path)
    if content[1] is None:
        raise DataError(f"{path.name} has no faces: a point cloud can be reconstructed, but not trained on.")
    return content


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


def _identity(file: Path) -> str:
    """The hash of what a file stands for."""
    files = scene_digest_files(file)
    return hashlib.sha256("".join(digest(part) for part in files).encode()).hexdigest()
