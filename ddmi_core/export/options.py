"""What a person can choose about an export: one frozen model per domain. Needs no torch."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from pydantic import Field as Setting
from typing_extensions import override

from ddmi_core.export.exposure import Loop
from ddmi_core.frame_size import LARGEST_SIDE, Extent, pixel_size
from ddmi_core.rendering.view_settings import Around, Easing, ViewSettings
from ddmi_core.support.errors import ExportError

MOST_FPS = 1000
LONGEST = 1e6
"""Side of a mesh that can be asked for."""
FASTEST_GIF = 50
"""Frames a second that viewers show of a GIF; shorter delays are taken for a mistake and slowed down."""
USUAL_SECONDS = 3.0
"""How long a clip lasts that comes from nowhere, as the animated emoji do."""

_WHOLE: Extent = (-1.0, -1.0, 1.0, 1.0)

_Options = TypeVar("_Options", bound="ExportOptions")


class ExportOptions(BaseModel):
    """Base of the domains' options."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    formats: ClassVar[Mapping[str, str]]
    """Suffix and name of the formats, the usual one first."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other suffixes that files of these formats may have."""

    @classmethod
    def checked(cls: type[_Options], values: Mapping[str, Any]) -> _Options:
        """Make options of values that a person gave.

        Raises:
            ExportError: an option that this kind of export does not have, or a value that does not fit.
        """
        unknown = sorted(set(values) - set(cls.model_fields))
        if unknown:
            raise ExportError(f"This kind of export has no {_named(unknown)}; it has {_named(list(cls.model_fields))}.")
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"][:1])).replace("_", "-")
            raise ExportError(f"{where} does not fit: {first['msg']}.") from error

    def targets(self, path: Path) -> tuple[Path, ...]:
        """Return the files, and the folders of pictures, that an export to `path` with these options makes."""
        return (path,)

    def pixels(self, extent: Extent | None = None) -> tuple[int, int] | None:
        """Return the width and height asked for, before `frame_size`; None where there are no pixels.

        Args:
            extent: the part of the canvas that is exported; all of it if None.
        """
        return None


class ShapeExport(ExportOptions):
    """How a shape becomes a mesh."""

    formats = {
        ".obj": "OBJ, Wavefront",
        ".glb": "GLB, glTF binary",
        ".ply": "PLY, Stanford",
        ".stl": "STL, for printing",
        ".3mf": "3MF, for printing",
    }

    resolution: int = 256
    """Samples along each axis."""
    faces: int | None = None
    """Simplify to about this many triangles."""
    unit_cube: bool = False
    """Whether what was made of a file stays in [-1, 1]^3 instead of the file's own units, place and up axis."""
    longest: float | None = Setting(None, gt=0, le=LONGEST)
    """Length of the longest side, around the origin: to printers, who know no units, millimetres. None: as it is."""
    embed_recipe: bool = True
    """Whether a GLB file says how the shape was made, so that it can be made again from it."""


class ImageExport(ExportOptions):
    """How a picture becomes pixels."""

    formats = {
        ".png": "PNG, lossless",
        ".jpg": "JPEG, small",
        ".webp": "WebP, smaller",
        ".tif": "TIFF, tiled",
        ".svg": "SVG, outlines",
    }
    aliases = (".jpeg", ".tiff")
    DEEP: ClassVar[tuple[str, ...]] = (".png", ".tif", ".tiff")
    """Suffixes of formats that can have 16 bits a channel."""

    resolution: int = Setting(1024, ge=1, le=LARGEST_SIDE)
    """Pixels along the longer side of what is exported."""
    region: Extent | None = None
    """The part to export; all of the picture if None."""
    bits: Literal[8, 16] = 8
    """Bits a channel; 16 for PNG and TIFF."""
    quality: int = Setting(92, ge=1, le=100)
    """Of JPEG and WebP."""
    colours: int = Setting(16, ge=2, le=64)
    """Of SVG: into how many the picture is parted."""
    embed_recipe: bool = True
    """Whether the file says how the picture was made, so that it can be made again from the file."""

    @override
    def pixels(self, extent: Extent | None = None) -> tuple[int, int]:
        return pixel_size(self.region or extent or _WHOLE, self.resolution)

    @field_validator("region")
    @classmethod
    def _has_an_area(cls, region: Extent | None) -> Extent | None:
        if region is not None:
            x0, y0, x1, y1 = region
            if not (-1 <= x0 < x1 <= 1 and -1 <= y0 < y1 <= 1):
                raise ValueError("left, top, right, bottom must grow and lie in [-1, 1]")
        return region


_BROADCAST = tuple(Fraction(1000 * whole, 1001) for whole in (24, 30, 48, 60, 120))
_ROUNDED = Fraction(1, 200)  # by how much people round those when they write them as decimals


def _frame_rate(given: object) -> Fraction:
    """Return a rate that a person gave, exact; 29.97 and the like stand for 30000/1001 and its relatives."""
    text = str(given).strip()
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError("give a number, or a fraction such as 30000/1001") from None
    if not 0 < rate <= MOST_FPS:
        raise ValueError(f"more than 0 and at most {MOST_FPS} frames a second")
    if "." in text:
        return next((exact for exact in _BROADCAST if abs(rate - exact) < _ROUNDED), rate)
    return rate


FrameRate = Annotated[Fraction, BeforeValidator(_frame_rate)]


class VideoExport(ExportOptions):
    """How a clip becomes frames."""

    formats = {
        ".mp4": "MP4, H.264",
        ".webm": "WebM, VP9 with transparency",
        ".gif": "GIF",
        ".webp": "WebP, animated",
        ".png": "PNG pictures in a folder",
    }

    resolution: int = Setting(512, ge=2, le=8192)
    """Pixels along the longer side."""
    fps: FrameRate = Fraction(30)
    """Frames a second: a number, or a fraction such as 30000/1001, which 29.97 stands for too."""
    seconds: float | None = Setting(None, gt=0, le=3600)
    """How long the whole clip lasts; if None, as long as what it was made from, or as the model's clips do."""
    span: tuple[float, float] | None = None
    """Write only from .. to, in seconds."""
    loop: Loop = "none"
    """Whether the film ends as it begins: it runs backwards again, or its end dissolves into its beginning."""
    shutter: float = Setting(0, ge=0, le=360)
    """Degrees of each turn in which the shutter is open, as a film camera's: at 180 a frame is the mean of what is seen
    in half of its time, at 0 a moment."""
    quality: int = Setting(75, ge=1, le=100)
    """Of MP4, WebM and WebP."""
    embed_recipe: bool = True
    """Whether MP4, WebM, GIF and WebP say how the clip was made."""

    @override
    def targets(self, path: Path) -> tuple[Path, ...]:
        return (path.with_suffix(""),) if path.suffix.lower() in ("", ".png") else (path,)

    @override
    def pixels(self, extent: Extent | None = None) -> tuple[int, int]:
        return pixel_size(extent or _WHOLE, self.resolution)

    @field_validator("span")
    @classmethod
    def _has_a_length(cls, span: tuple[float, float] | None) -> tuple[float, float] | None:
        if span is not None and not 0 <= span[0] < span[1]:
            raise ValueError("from, to in seconds must grow, and not be negative")
        return span


_FRAMES, _POSED = 72, 24  # of a video, and of posed pictures, where nobody says how many

Pose = tuple[tuple[float, float, float, float], ...]
"""The rows of a 4x4 camera-to-world matrix; the camera looks along -z."""


class KeyFrame(BaseModel):
    """A camera on a path: `pose`, `fov`, the vertical field of view in degrees, and how it goes on from there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pose: Pose
    fov: float = Setting(35.0, gt=0, lt=170)
    seconds: float = Setting(2.0, gt=0, le=600)
    """Until the next one."""
    easing: Easing = "flowing"
    """How the camera goes there."""

    @field_validator("pose")
    @classmethod
    def _is_square(cls, pose: Pose) -> Pose:
        if len(pose) != 4:
            raise ValueError("a pose has four rows of four numbers")
        return pose


class RadianceExport(ExportOptions):
    """How a radiance field becomes a picture, a video, a mesh or a set of posed pictures."""

    FILMS: ClassVar[tuple[str, ...]] = (".mp4", ".gif")
    MESHES: ClassVar[tuple[str, ...]] = (".glb", ".obj", ".ply")
    formats = {
        ".png": "PNG picture",
        ".mp4": "MP4, H.264",
        ".gif": "GIF",
        ".glb": "GLB, mesh with colours",
        ".obj": "OBJ, mesh with colours",
        ".ply": "PLY, mesh with colours",
        ".tif": "Depth map, 32-bit TIFF",
        ".json": "Views with cameras, transforms.json",
    }

    resolution: int = Setting(256, ge=8, le=8192)
    """Pixels along each side of a picture; of a mesh, samples along each axis (1024 at most)."""
    width: int | None = Setting(None, ge=8, le=8192)
    """Pixels, where a picture is not square."""
    height: int | None = Setting(None, ge=8, le=8192)
    faces: int | None = None
    """Simplify a mesh to about this many triangles."""
    unit_cube: bool = False
    """Whether what was made of a file stays in [-1, 1]^3: meshes, depths and posed views."""
    views: int | None = Setting(None, ge=1, le=3600)
    """Pictures of a turn or a path: frames of a video, posed pictures, or a folder of PNG files if more than one. A
    video of a path has as many as its seconds take, if not given."""
    fps: FrameRate = Fraction(24)
    """Frames a second of a video: a number, or a fraction such as 30000/1001, which 29.97 stands for too."""
    azimuth: float = 35.0
    """Degrees from the front towards the right; a turn starts here."""
    elevation: float = Setting(20.0, ge=-90, le=90)
    """Degrees above the horizon."""
    distance: float = Setting(4.4, gt=0)
    """From the middle of the object, in units of the field's [-1, 1]."""
    fov: float = Setting(35.0, gt=0, lt=170)
    """Vertical field of view in degrees."""
    around: Around = "ring"
    """Where the cameras of several views stand, if they do not follow a path."""
    held_out: int = Setting(0, ge=0, le=3600)
    """How many posed views are kept apart to test with, evenly spread over all; with 0 the file names no parts."""
    frame_object: bool = False
    """Whether the cameras of a turn or a path stand so far away that all of the object is in every picture. Those of a
    path only move back, as far as is needed."""
    path: tuple[KeyFrame, ...] = ()
    """Cameras to pass through, instead of a turn; a single one is a free camera."""
    view: ViewSettings = ViewSettings()
    """What pictures show, and how finely."""
    embed_recipe: bool = True
    """Whether a PNG, an MP4 or a GIF says how the field was made."""

    @override
    def targets(self, path: Path) -> tuple[Path, ...]:
        match path.suffix.lower():
            case ".png" if (self.views or 1) > 1:
                return (path.with_suffix(""),)
            case ".json" if self.held_out:
                parts = (path.with_name(f"{path.stem}_{part}.json") for part in ("train", "val", "test"))
                return (*parts, path.with_name(f"{path.stem}-views"))
            case ".json":
                return path, path.with_name(f"{path.stem}-views")
        return (path,)

    @override
    def pixels(self, extent: Extent | None = None) -> tuple[int, int]:
        return self.width or self.resolution, self.height or self.resolution

    def count(self, suffix: str) -> int:
        """Return how many pictures are drawn for a format."""
        if self.views is not None:
            return self.views
        if suffix in self.FILMS and len(self.path) > 1:
            return max(2, round(sum(key.seconds for key in self.path[:-1]) * self.fps) + 1)
        return _FRAMES if suffix in self.FILMS else _POSED if suffix == ".json" else 1


def _named(names: list[str]) -> str:
    return ", ".join(name.replace("_", "-") for name in names)
