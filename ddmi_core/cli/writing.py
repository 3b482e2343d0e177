"""How a command's results are written: its flags for exports, and the files that they go to."""

import itertools
import string
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddmi_core.cli.terminal import Flag, require
from ddmi_core.export.exposure import Loop
from ddmi_core.rendering.view_settings import Around, Channel
from ddmi_core.support.errors import DataError, ExportError

if TYPE_CHECKING:
    from ddmi_core.domains import Domain
    from ddmi_core.export.options import ExportOptions


@dataclass(frozen=True, kw_only=True)
class Writes:
    """A command that writes signals to files.

    Attributes:
        out: a file, whose suffix names the format, or a folder, which gets numbered files.
        resolution: samples along each axis of a shape, pixels along the longer side of a picture, a view or a clip.
        faces: simplify meshes to about this many faces.
        longest: length of the longest side of a shape's mesh, around the origin; printers take it for millimetres.
        region: left,top,right,bottom of the part of a picture to write, in [-1, 1], x right, y down.
        bits: 8 or 16 bits a channel, of PNG and TIFF; if not given 8, and of a fit as many as its file has.
        colours: into how many an SVG is parted, 2 to 64.
        file_quality: of JPEG, WebP, MP4 and WebM, 1 to 100.
        fps: frames a second of a clip or a film: any number, or a fraction such as 30000/1001, which 29.97 means too.
        seconds: how long the whole clip is to last, if not as long as its file.
        loop: back or dissolve, for a clip that ends as it begins: it runs backwards again, or its end dissolves.
        shutter: degrees of each turn, up to 360, in which a clip's frames are exposed: 180 blurs what moves.
        views: how many views of a radiance field: frames of a turntable, or posed pictures for transforms.json.
        around: where the cameras of these views stand: on a ring, a sphere or a hemisphere.
        held_out: how many posed views go to NAME_test.json, and the others to NAME_train.json.
        frame_object: move the camera of a film or of posed views back or nearer, so that all of the object is seen.
        size: WIDTHxHEIGHT of a view in pixels, where it is not square.
        camera: azimuth,elevation[,distance[,fov]] of a view, degrees; 0,0 is the front.
        crop: x,y,z,x,y,z of two corners of a box, in [-1, 1]: what lies outside of it is left out of views and meshes.
        channel: what a view shows: colour, depth, normals or opacity.
        background: of a view, as #rrggbb; transparent, or white in a video, if not given.
        force: replace files that are there already.
        json: print one JSON object a line for each file.
    """

    out: Path
    resolution: int | None = None
    faces: int | None = None
    longest: float | None = None
    region: str | None = None
    bits: int | None = None
    colours: int | None = None
    file_quality: int | None = None
    fps: str | None = None
    seconds: float | None = None
    loop: Loop | None = None
    shutter: float | None = None
    views: int | None = None
    around: Around | None = None
    held_out: int | None = None
    frame_object: Flag = False
    size: str | None = None
    camera: str | None = None
    crop: str | None = None
    channel: Channel | None = None
    background: str | None = None
    force: Flag = False
    json: Flag = False

    def options(self, domain: "Domain", *, has_recipe: bool = True, **of_its_kind: Any) -> "ExportOptions":
        """Return the domain's export options; what was not given is the domain's to choose.

        Raises:
            ExportError: something does not go with the domain.
        """
        given = {
            "resolution": self.resolution,
            "faces": self.faces,
            "longest": self.longest,
            "region": None if self.region is None else self.region.split(","),
            "bits": self.bits,
            "colours": self.colours,
            "quality": self.file_quality,
            "fps": self.fps,
            "seconds": self.seconds,
            "loop": self.loop,
            "shutter": self.shutter,
            "embed_recipe": None if has_recipe else False,
            **self._look(),
            **of_its_kind,
        }
        return domain.kind.export_options.checked({name: value for name, value in given.items() if value is not None})

    def targets(
        self, count: int, domain: "Domain", options: "ExportOptions", *, more: tuple[str, ...] = ()
    ) -> list[Path]:
        """Return the files that `count` items of a domain go to.

        A path with a suffix is a file: alone as it is, several with -1, -2 and so on after the stem. Any other path is
        a folder, made if need be, in which the numbers go on after those that are taken. `more` are suffixes beside the
        domain's formats.

        Raises:
            ExportError: the suffix is none of the domain's formats, the folder cannot be made, or something is there
                already: a folder of pictures, or a file that is not to be replaced by force.
        """
        from ddmi_core.export.targets import in_the_way

        out, known = self.out, (*options.formats, *options.aliases, *more)
        is_folder = out.is_dir() or not out.suffix
        if not is_folder and out.suffix.lower() not in known:
            raise ExportError(
                f'Cannot export to {out}: "{out.suffix}" is not a format of {domain.title.lower()}. '
                f"Use {', '.join(known)}."
            )
        folder = out if is_folder else out.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExportError(f"Cannot make the folder {folder}: {error.strerror}. Choose another place.") from error
        if is_folder:
            names = (folder / f"{domain.name}-{n:03d}{next(iter(options.formats))}" for n in itertools.count(1))
            free = (path for path in names if in_the_way(options.targets(path), replace=False) is None)
            return list(itertools.islice(free, count))
        targets = [out] if count == 1 else [out.with_stem(f"{out.stem}-{n}") for n in range(1, count + 1)]
        taken = in_the_way(itertools.chain(*map(options.targets, targets)), replace=self.force)
        if taken is not None:
            kind = (
                "a folder is never replaced, give another name" if taken.is_dir() else "give another name, or --force"
            )
            raise ExportError(f"{taken} is there already: {kind}.")
        return targets

    def _look(self) -> dict[str, Any]:
        """Return the options that say how to look at a radiance field."""
        size = _numbers(self.size, "x", (2,), "--size is WIDTHxHEIGHT, such as 1280x720.")
        places = _numbers(self.camera, ",", (2, 3, 4), "--camera is azimuth,elevation[,distance[,fov]].")
        crop = _numbers(self.crop, ",", (6,), "--crop is x,y,z,x,y,z: the lowest and the highest corner of a box.")
        view: dict[str, Any] = {} if self.channel is None else {"channel": self.channel}
        if crop:
            view["crop"] = crop
        if self.background is not None:
            digits = self.background.removeprefix("#")
            is_colour = len(digits) == 6 and all(c in string.hexdigits for c in digits)
            require(is_colour, "--background is a colour: #rrggbb.")
            view["background"] = tuple(bytes.fromhex(digits))
        return {
            "views": self.views,
            "around": self.around,
            "held_out": self.held_out,
            "frame_object": self.frame_object or None,
            **dict(zip(("width", "height"), size, strict=False)),
            **dict(zip(("azimuth", "elevation", "distance", "fov"), places, strict=False)),
            "view": view or None,
        }


def read_span(text: str | None) -> tuple[float, float] | None:
    """Read a range given as from,to, if one is given.

    Raises:
        DataError: it is none.
    """
    if text is None:
        return None
    try:
        start, stop = (float(part) for part in text.split(","))
    except ValueError:
        raise DataError(f"{text!r} is no range: give from,to in seconds, such as 10,20.") from None
    return start, stop


def _numbers(text: str | None, separator: str, counts: Iterable[int], message: str) -> list[float]:
    """Return the numbers that a person gave in one word, if any."""
    if text is None:
        return []
    try:
        found = [float(part) for part in text.split(separator)]
    except ValueError:
        found = []
    require(len(found) in counts, message)
    return found
