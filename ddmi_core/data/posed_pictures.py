"""Readers of pictures with cameras: `transforms.json` folders, the SRN layout, and the points2nerf layout.

All give the world y up and cameras that look along -z (OpenGL), at the scale that the files have. Views that cannot be
used are left out and listed.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from scipy import ndimage

from ddmi_core.data.array_files import read_arrays
from ddmi_core.data.lens import Lens, straightened
from ddmi_core.data.listing import Unusable
from ddmi_core.export.transforms_json import camera_of, rigid
from ddmi_core.placement import TO_Y_UP
from ddmi_core.rendering.cameras import Camera, project
from ddmi_core.support.colour_profiles import in_srgb
from ddmi_core.support.errors import DataError
from ddmi_core.support.file_kinds import SRN_INTRINSICS
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.picture_files import open_picture

LEAST_VIEWS = 3
"""Fewer do not say where things are in space."""

_SHOWN = 80  # characters of a name that leads nowhere
_LARGEST_SIDE = 256  # pixels; larger pictures are reduced, the base resolution sees no more
_LARGEST_FILE = 8192**2  # pixels that are decoded at all
_KEY_TOLERANCE = 12  # of 255, from the colour of a plain background
_PLAIN_BORDER = 0.9  # share of a border that must have its colour
_POINTS2NERF_ANGLE = 0.6911112070083618  # horizontal, radians: its renderer's, which its files do not hold


class BusyBackgroundError(ValueError):
    """Nothing tells the object in a picture from what is behind it."""

    def __init__(self) -> None:
        super().__init__(
            "it has neither transparency nor a plain background, so the object cannot be told from it; cut the object "
            "out, or photograph it before a sheet of one colour"
        )


@dataclass(frozen=True)
class Shot:
    """One picture, uint8 (h, w, 4) with straight alpha, and its camera."""

    name: str
    camera: Camera
    pixels: UInt8[np.ndarray, "h w 4"]


@dataclass
class Shots:
    """The usable views of one scene, and what was left out and why."""

    views: list[Shot] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    busy: int = 0
    """How many are left out for what is behind the object."""

    def leave_out(self, path: Path, reason: object) -> None:
        """List a view that cannot be used."""
        self.unusable.append(Unusable(path, f"{path.name}: {reason}"))
        self.busy += isinstance(reason, BusyBackgroundError)


def read_transforms(path: Path, *, largest: int = _LARGEST_SIDE) -> Shots:
    """Read a `transforms.json` or `transforms_train.json` with the pictures that it names, as a pinhole shows them.

    Args:
        path: the file.
        largest: pixels along the longer side to which larger pictures are reduced.

    Raises:
        DataError: the file cannot be read, or hardly any view can be used; the message says why.
    """
    try:
        table = parse_json(path.read_text(encoding="utf-8"))
        frames = table["frames"]
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read ({error}).") from error
    except (KeyError, TypeError):
        raise DataError(f"{path.name} lists no frames: it is not a transforms.json of posed pictures.") from None
    shots = Shots()
    for frame in frames if isinstance(frames, list) else []:
        if not isinstance(frame, dict) or not isinstance(frame.get("file_path"), str):
            shots.leave_out(path, "a frame names no picture")
            continue
        file = path.parent / frame["file_path"][:_SHOWN]
        try:
            file = _picture_file(path.parent, frame["file_path"])
            pixels = _read_pixels(file, largest)
            camera = camera_of(frame, table, pixels.shape[1], pixels.shape[0])
            if (lens := Lens.of(frame, table, camera, pixels.shape[1], pixels.shape[0])) is not None:
                pixels = straightened(pixels, lens, camera)
        except (DataError, OSError, TypeError, ValueError) as error:
            shots.leave_out(file, error)
            continue
        shots.views.append(Shot(frame["file_path"], camera, pixels))
    return _checked(shots, path)


def read_srn(folder: Path, *, largest: int = _LARGEST_SIDE) -> Shots:
    """Read the SRN layout (Sitzmann et al. 2019): `intrinsics.txt`, `rgb/NAME.png` and `pose/NAME.txt`.

    The first line of the intrinsics is focal length, cx, cy and a number; the last one height and width. Poses are
    camera-to-world with x right, y down and z ahead, in a world with z up.

    Raises:
        DataError: the intrinsics cannot be read, or hardly any view can be used.
    """
    file = folder / SRN_INTRINSICS
    try:
        lines = [line.split() for line in file.read_text().splitlines() if line.strip()]
        focal, cx, cy = (float(part) for part in lines[0][:3])
        height, width = (float(part) for part in lines[-1][:2])
        if focal <= 0 or height <= 0 or width <= 0:
            raise ValueError("lengths must be positive")
    except (OSError, UnicodeDecodeError, ValueError, IndexError) as error:
        raise DataError(f"{file} cannot be read as SRN intrinsics ({error}).") from error
    fov = float(np.degrees(2 * np.arctan(height / (2 * focal))))
    shift = ((2 * cx - width) / height, (2 * cy - height) / height)
    shots = Shots()
    for pose_file in sorted((folder / "pose").glob("*.txt")):
        picture = _picture_file(folder / "rgb", pose_file.stem)
        try:
            pose = rigid(np.array(pose_file.read_text().split(), dtype=np.float64).reshape(4, 4))
            pixels = _read_pixels(picture, largest)
        except (DataError, OSError, ValueError) as error:
            shots.leave_out(picture, error)
            continue
        to_opengl = np.diag([1.0, -1.0, -1.0, 1.0])
        shots.views.append(Shot(pose_file.stem, Camera(TO_Y_UP @ pose @ to_opengl, fov, shift), pixels))
    return _checked(shots, folder)


def read_points2nerf(path: Path) -> tuple[Float[np.ndarray, "p 3"], Float[np.ndarray, "p 3"], Shots]:
    """Read an .npz of points2nerf: `data` (p, 6), `images` (v, h, w, 3 or 4) in [0, 1], `cam_poses` (v, 4, 4).

    Returns:
        Positions and colours of the points, and the views. The world of the files is taken to have z up.

    Raises:
        DataError: not such a file, no points, points without colours, or hardly any usable view.
    """
    found = read_arrays(path, "data", "images", "cam_poses")
    if missing := {"data", "images", "cam_poses"} - set(found):
        raise DataError(f"{path.name} has no {', '.join(sorted(missing))}: it is not of the points2nerf layout.")
    points, images, poses = (np.asarray(found[name], dtype=np.float64) for name in ("data", "images", "cam_poses"))
    if points.ndim != 2 or not len(points):
        raise DataError(f"{path.name} holds no points.")
    if points.shape[1] < 6:
        raise DataError(f"{path.name} has points without colours: data needs x, y, z, red, green and blue.")
    if images.ndim != 4 or len(images) != len(poses):
        raise DataError(f"{path.name} has {len(images)} images and {len(poses)} poses: each image needs its own.")
    colours = points[:, 3:6] / (255 if points[:, 3:6].max() > 1 else 1)
    shots = Shots()
    height, width = images.shape[1:3]
    fov = float(np.degrees(2 * np.arctan(np.tan(_POINTS2NERF_ANGLE / 2) * height / width)))
    for number, (image, pose) in enumerate(zip(images, poses, strict=True)):
        try:
            values = np.clip(np.round(255 * image), 0, 255).astype(np.uint8)
            pixels = values if values.shape[-1] == 4 else _cut_out(values)
            shots.views.append(Shot(str(number), Camera(TO_Y_UP @ rigid(pose), fov), pixels))
        except ValueError as error:
            shots.leave_out(path, f"view {number}: {error}")
    return points[:, :3] @ TO_Y_UP[:3, :3].T, colours, _checked(shots, path)


def looked_at(cameras: Sequence[Camera]) -> Float[np.ndarray, "3"]:
    """Return the point that is nearest to all optical axes (least squares)."""
    total, target = np.zeros((3, 3)), np.zeros(3)
    for camera in cameras:
        axis = camera.pose[:3, 2]
        across = np.eye(3) - np.outer(axis, axis)
        total += across
        target += across @ camera.pose[:3, 3]
    # Axes that are all parallel leave a direction open: the smallest solution does.
    return np.linalg.lstsq(total, target, rcond=1e-6)[0]


def _checked(shots: Shots, path: Path) -> Shots:
    """Leave out views of another size than most, and those that do not show what the others look at."""
    sizes = Counter(shot.pixels.shape for shot in shots.views)
    usual = sizes.most_common(1)[0][0] if sizes else None
    kept = []
    for shot in shots.views:
        if shot.pixels.shape != usual:
            height, width = shot.pixels.shape[:2]
            shots.leave_out(Path(shot.name), f"it has {width} x {height} pixels, the others have not")
        else:
            kept.append(shot)
    if kept:
        centre = looked_at([shot.camera for shot in kept])
        facing = []
        for shot in kept:
            where, distance = project(shot.camera, centre[None], shot.pixels.shape[1], shot.pixels.shape[0])
            inside = distance[0] > 0 and (where >= 0).all() and (where < shot.pixels.shape[1::-1]).all()
            if inside:
                facing.append(shot)
            else:
                shots.leave_out(Path(shot.name), "its camera points away from what the others look at")
        kept = facing
    shots.views = kept
    if len(kept) < LEAST_VIEWS and shots.busy > len(shots.unusable) / 2:
        raise DataError(
            f"{path.name} cannot be used: {shots.busy} of its {len(kept) + len(shots.unusable)} pictures show the "
            "object before a background of many colours, from which it cannot be told. Give pictures of the object "
            "alone: cut it out, as PNG or WebP with transparency, or photograph it before a sheet of one colour that "
            "fills the picture to its edges."
        )
    if len(kept) < LEAST_VIEWS:
        reasons = f" The first problem: {shots.unusable[0].reason}." if shots.unusable else ""
        raise DataError(
            f"{path.name} has {len(kept)} usable views of {len(kept) + len(shots.unusable)}; "
            f"at least {LEAST_VIEWS} are needed.{reasons}"
        )
    return shots


def _picture_file(folder: Path, name: str) -> Path:
    """Return the file of a picture, whose suffix NeRF's synthetic scenes leave out.

    Raises:
        ValueError: the name leads out of the folder.
    """
    file = Path(os.path.normpath(folder / name))
    if not file.is_relative_to(os.path.normpath(folder)):
        raise ValueError("it lies outside of the scene's folder, where nothing is read")
    candidates = [file, *(file.with_name(file.name + suffix) for suffix in (".png", ".jpg", ".jpeg", ".webp"))]
    return next((candidate for candidate in candidates if candidate.is_file()), file)


def _read_pixels(file: Path, largest: int) -> UInt8[np.ndarray, "h w 4"]:
    """Read a picture with what is transparent in it, reduced to the size that is worth while.

    Raises:
        DataError: it is missing, damaged or too large.
        BusyBackgroundError: it is opaque and its background is not plain.
    """
    with open_picture(file) as picture:
        if picture.width * picture.height > _LARGEST_FILE:
            raise DataError(f"{picture.width} x {picture.height} pixels are too many.")
        try:
            opaque = "A" not in picture.getbands() and "transparency" not in picture.info
            picture = in_srgb(picture, picture.info.get("icc_profile")).convert("RGB" if opaque else "RGBA")
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"it is damaged ({error})") from error
        picture.thumbnail((largest, largest), Image.Resampling.BOX)
        pixels = np.asarray(picture)
    if pixels.shape[-1] == 4 and (pixels[..., 3] < 255).any():
        return pixels
    return _cut_out(pixels[..., :3])


def _cut_out(pixels: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 4"]:
    """Make a plain background transparent: what has the border's colour and hangs together with the border.

    Raises:
        BusyBackgroundError: the border has no single colour.
    """
    rim = np.ones(pixels.shape[:2], dtype=bool)
    rim[1:-1, 1:-1] = False
    ground = np.median(pixels[rim], axis=0)
    alike = (np.abs(pixels.astype(np.float64) - ground) <= _KEY_TOLERANCE).all(axis=-1)
    if alike[rim].mean() < _PLAIN_BORDER:
        raise BusyBackgroundError
    labels, _ = ndimage.label(alike)
    outside: Bool[np.ndarray, "h w"] = np.isin(labels, np.setdiff1d(np.unique(labels[rim]), 0))
    return np.concatenate([pixels, np.where(outside, 0, 255).astype(np.uint8)[..., None]], axis=-1)


def left_out(unusable: Sequence[Unusable], kept: int) -> str:
    """Say in words which pictures of a scene are left out, beside so many that are not; empty if there are none."""
    if not unusable:
        return ""
    return f"{len(unusable)} of {kept + len(unusable)} pictures are left out. {unusable[0].reason}."


def moved(shots: Shots, centre: Float[np.ndarray, "3"], scale: float) -> tuple[list[Camera], np.ndarray]:
    """Return cameras and pictures of views in a space moved by -centre and then scaled."""
    cameras = []
    for shot in shots.views:
        pose = shot.camera.pose.copy()
        pose[:3, 3] = (pose[:3, 3] - centre) * scale
        cameras.append(replace(shot.camera, pose=pose))
    return cameras, np.stack([shot.pixels for shot in shots.views])


def read_shots(file: Path, *, largest: int = _LARGEST_SIDE) -> Shots:
    """Read the scene that a `transforms.json` or an SRN `intrinsics.txt` stands for."""
    if file.name == SRN_INTRINSICS:
        return read_srn(file.parent, largest=largest)
    return read_transforms(file, largest=largest)


def scene_digest_files(file: Path) -> list[Path]:
    """Return the files that tell one scene from another: SRN's intrinsics, and even poses, are alike in many scenes."""
    if file.name != SRN_INTRINSICS:
        return [file]
    return sorted(part for folder in ("pose", "rgb") for part in (file.parent / folder).iterdir() if part.is_file())
