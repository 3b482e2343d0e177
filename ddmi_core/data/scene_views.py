"""The pictures of one scene, as fits take them: some to learn from, some held out to measure at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from ddmi_core.data.coloured_meshes import coloured_points
from ddmi_core.data.listing import Unusable
from ddmi_core.data.posed_pictures import LEAST_VIEWS, Shot, Shots, left_out, moved, read_shots
from ddmi_core.data.radiance import PosedPictures
from ddmi_core.data.visual_hull import carve, hull_points
from ddmi_core.placement import Placement
from ddmi_core.support.errors import DataError
from ddmi_core.support.file_kinds import SCENE_NAMES, SRN_INTRINSICS, TRANSFORMS

LARGEST_SIDE = 800
"""Pixels along the longer side of pictures; larger ones are reduced."""
_HELD_OUT_FILES = ("transforms_test.json", "transforms_val.json")
_EVERY = 4  # of how many views one is held out, where the file does not say which
_MOST_HELD_OUT = 25  # views of a file's own: NeRF's synthetic scenes have 200 of them
_LEAST_TURN = np.radians(10.0)  # between the views that differ most
_SOLID = 128  # alpha from which a pixel shows the object
_FILLED = 0.95  # share of a picture's border


@dataclass(frozen=True)
class SceneViews:
    """Pictures of a scene in the space in which its object spans [-0.9, 0.9], y up.

    Args:
        learned: pictures to learn from.
        held_out: others, to measure at.
        names: of those held out, as their file calls them.
        placement: where the object lay.
        unusable: what was left out, and why.
    """

    learned: PosedPictures
    held_out: PosedPictures
    names: tuple[str, ...]
    placement: Placement
    unusable: list[Unusable]

    @property
    def remark(self) -> str:
        """What was left out, in words; empty if nothing was."""
        return left_out(self.unusable, len(self.learned.cameras) + len(self.held_out.cameras))

    @property
    def nbytes(self) -> int:
        """Memory that its pictures take."""
        return self.learned.pixels.nbytes + self.held_out.pixels.nbytes

    def hull(self, cells: int, *, whole: bool) -> Bool[np.ndarray, "c c c"]:
        """Return which cells of [-1, 1]^3 lie in the object in all views that are learned from, as far as these tell.

        Args:
            cells: along each side.
            whole: those whose middle does; else those of which any place may, however thin the object is.
        """
        axis = (2 * np.arange(cells) + 1) / cells - 1
        places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
        pixels = self.learned.pixels if whole else self._widened(np.sqrt(3) / cells)
        return carve(places, self.learned.cameras, pixels).reshape((cells,) * 3)

    def _widened(self, by: float) -> UInt8[np.ndarray, "v h w 4"]:
        """The pictures that are learned from, with the object wider by a length in space around the origin."""
        found = self.learned.pixels.copy()
        for camera, picture in zip(self.learned.cameras, found, strict=True):
            distance = max(float(np.linalg.norm(camera.pose[:3, 3])) - 1, 0.1)
            wider = by * picture.shape[0] / (2 * distance * np.tan(np.radians(camera.fov) / 2))
            picture[..., 3] = ndimage.maximum_filter(picture[..., 3], 2 * int(np.ceil(wider)) + 1)
        return found


def scene_file(path: Path) -> Path | None:
    """Return the file that a scene of posed pictures is called by, given that or its folder; None if it is none."""
    if path.is_dir():
        return next((path / name for name in SCENE_NAMES if (path / name).is_file()), None)
    return path if path.suffix.lower() == ".json" or path.name == SRN_INTRINSICS else None


def read_scene(path: Path, *, largest: int = LARGEST_SIDE) -> SceneViews:
    """Read a scene's pictures and cameras.

    Held out are the views of a `transforms_test.json` or `transforms_val.json` beside the file; else every fourth.

    Args:
        path: a `transforms.json`, a `transforms_train.json`, SRN's `intrinsics.txt`, or their folder.
        largest: pixels along the longer side to which larger pictures are reduced.

    Raises:
        DataError: it cannot be used; the message says why.
    """
    file = scene_file(Path(path))
    if file is None:
        raise DataError(f"{path} holds no posed pictures: give a transforms.json, or the folder that holds it.")
    shots = read_shots(file, largest=largest)
    _from_outside(file, shots)
    kept, apart = _parted(file, shots, largest)
    try:
        positions, colours = hull_points(Shots(kept))
        placement = coloured_points(positions, colours, up="z").placement
    except DataError as error:
        raise DataError(f"{file.name} cannot be used: {error}") from error
    assert placement is not None
    where, unit = np.array(placement.centre), placement.unit
    apart = [shot for shot in apart if shot.pixels.shape == kept[0].pixels.shape]
    _check_turn([shot.camera.pose[:3, 3] - where for shot in kept], file)
    learned, held_out = (PosedPictures(*moved(Shots(part), where, 1 / unit)) for part in (kept, apart))
    return SceneViews(learned, held_out, tuple(shot.name for shot in apart), placement, shots.unusable)


def _parted(file: Path, shots: Shots, largest: int) -> tuple[list[Shot], list[Shot]]:
    """The views to learn from, and those held out."""
    beside = next((file.with_name(name) for name in _HELD_OUT_FILES if file.with_name(name).is_file()), None)
    if beside is not None and beside != file and file.name in TRANSFORMS:
        try:
            found = read_shots(beside, largest=largest)
        except DataError as error:
            shots.leave_out(beside, error)
        else:
            evenly = np.linspace(0, len(found.views), min(_MOST_HELD_OUT, len(found.views)), endpoint=False)
            return shots.views, [found.views[int(i)] for i in evenly]
    apart = shots.views[_EVERY - 1 :: _EVERY]
    kept = [shot for i, shot in enumerate(shots.views) if i % _EVERY != _EVERY - 1]
    if len(kept) < LEAST_VIEWS:
        return shots.views, []
    return kept, apart


def _from_outside(file: Path, shots: Shots) -> None:
    """Leave out views that show no edge of the object: their camera is inside of it, or too near to tell."""
    found = []
    for shot in shots.views:
        alpha = shot.pixels[..., 3] >= _SOLID
        if not alpha.any():
            shots.leave_out(Path(shot.name), "it shows nothing but background")
            continue
        border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
        if border.mean() < _FILLED:
            found.append(shot)
        else:
            shots.leave_out(Path(shot.name), "its camera is inside of the object, or too near to see where that ends")
    if len(found) < LEAST_VIEWS:
        raise DataError(
            f"{file.name} cannot be fitted: the cameras of {len(shots.views) - len(found)} of its {len(shots.views)} "
            "views are inside of the object, or too near to see where it ends. Fits are of an object that is seen from "
            "around it."
        )
    shots.views = found


def _check_turn(ways: Sequence[Float[np.ndarray, "3"]], file: Path) -> None:
    """See whether the object is looked at from different sides: else nothing says how deep it is."""
    units = np.stack([way / max(float(np.linalg.norm(way)), 1e-9) for way in ways])
    if np.arccos(np.clip(units @ units.T, -1, 1)).max() < _LEAST_TURN:
        raise DataError(
            f"{file.name} cannot be fitted: its {len(ways)} views are all from the same side, which does not say how "
            "deep things are. Take pictures from around the object."
        )
