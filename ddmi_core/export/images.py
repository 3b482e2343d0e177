"""Pictures to files of any size, in constant memory: PNG, JPEG, tiled TIFF and (whole, so limited) WebP and SVG.

A picture is evaluated and written in stripes, so the memory that an export takes does not grow with the picture. All
formats can carry the recipe, which `recipe_files.read_recipe` brings back.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image

from ddmi_core.coordinates import WHOLE, Region, Window
from ddmi_core.export.options import ImageExport
from ddmi_core.export.outlines import traced
from ddmi_core.export.recipe_files import RECIPE_KEY, description_of, exif_of
from ddmi_core.export.targets import format_of, written_whole
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Progress, report, sub_progress

Pixels = UInt8[np.ndarray, "h w 4"] | UInt16[np.ndarray, "h w 4"]

_STRIPE = 2**21  # pixels that are held at once
_TILE = 256
_WEBP_SIDE, _WEBP_PIXELS = 16383, 8192**2
_SVG_PIXELS = 4096**2
_PNG_BLOCK = 2**20  # bytes of a chunk of compressed pixels
_CLASSIC_TIFF = 2**32 - 2**25  # bytes that a TIFF without 64 bit offsets can hold, with room for its tables


@runtime_checkable
class Renders(Protocol):
    """What can be exported: a field that draws itself."""

    def render(
        self,
        width: int,
        height: int,
        *,
        region: Region = ...,
        window: Window | None = ...,
        dtype: type[np.uint8] | type[np.uint16] = ...,
        progress: Progress | None = ...,
    ) -> Pixels:
        """Draw a window of a region with straight alpha."""


class _Job(NamedTuple):
    """A picture to be written."""

    field: Renders
    width: int
    height: int
    region: Region
    options: ImageExport
    recipe: Recipe | None
    progress: Progress | None

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        return np.uint16 if self.options.bits == 16 else np.uint8

    def stripes(self, multiple: int) -> Iterator[Pixels]:
        """Yield the picture from top to bottom, `multiple` rows or several times that at once."""
        rows = max(1, _STRIPE // (self.width * multiple)) * multiple
        for top in range(0, self.height, rows):
            window = (0, top, self.width, min(rows, self.height - top))
            share = sub_progress(self.progress, top / self.height, min(1.0, (top + rows) / self.height))
            yield self.field.render(
                self.width, self.height, region=self.region, window=window, dtype=self.dtype, progress=share
            )


def export_image(
    field: Renders,
    path: Path,
    options: ImageExport,
    *,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a picture in the format that the suffix names, and return its width, height and number of evaluations.

    Without a region in `options`, the part of the canvas that the recipe's source covered is written, or the whole
    canvas. JPEG has no transparency: there the picture lies on white.

    Raises:
        ExportError: unknown suffix, something that the format cannot hold, or a place that cannot be written to.
        Cancelled: from inside `progress`; nothing stays.
    """
    suffix = format_of(path, _WRITERS, "picture")
    extent = recipe.extent if recipe is not None else None
    region = options.region or extent or WHOLE
    width, height = options.pixels(extent)
    job = _Job(field, width, height, region, options, recipe if options.embed_recipe else None, progress)
    if suffix not in options.DEEP and options.bits != 8:
        raise ExportError(f"{suffix[1:].upper()} has 8 bits a channel. Use PNG or TIFF for 16.")
    if suffix == ".webp" and (max(width, height) > _WEBP_SIDE or width * height > _WEBP_PIXELS):
        raise ExportError(
            f"WebP cannot hold {width} x {height} pixels: it goes to {_WEBP_SIDE} a side, and to "
            f"{_WEBP_PIXELS / 1e6:.0f} million here, because it is encoded in one piece. Use PNG, JPEG or TIFF."
        )
    if suffix == ".svg" and width * height > _SVG_PIXELS:
        raise ExportError(
            f"Outlines are traced in one piece, of {_SVG_PIXELS / 1e6:.0f} million pixels at most, and can be drawn at "
            "any size afterwards: take fewer pixels."
        )
    with written_whole(path) as temporary:
        _WRITERS[suffix](job, temporary)
    report(progress, 1.0, f"wrote {path.name}")
    return {"width": width, "height": height, "evaluations": width * height}


def _write_png(job: _Job, path: Path) -> None:
    """Write PNG (W3C, third edition) row by row."""
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        _png_chunk(file, b"IHDR", struct.pack(">IIBBBBB", job.width, job.height, job.options.bits, 6, 0, 0, 0))
        if job.recipe is not None:
            text = job.recipe.model_dump_json().encode()
            _png_chunk(file, b"iTXt", RECIPE_KEY.encode() + b"\0\0\0\0\0" + text)
        packer = zlib.compressobj(6)
        waiting = bytearray()
        for stripe in job.stripes(1):
            waiting += packer.compress(_png_rows(stripe))
            if len(waiting) >= _PNG_BLOCK:
                _png_chunk(file, b"IDAT", waiting)
                waiting.clear()
        _png_chunk(file, b"IDAT", waiting + packer.flush())
        _png_chunk(file, b"IEND", b"")


def _png_rows(stripe: Pixels) -> bytes:
    """Return rows as PNG compresses them: each byte less the one of the pixel before (filter 1, "Sub")."""
    rows = stripe.astype(stripe.dtype.newbyteorder(">")).view(np.uint8).reshape(len(stripe), -1)
    pixel = 4 * stripe.dtype.itemsize
    filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = 1
    filtered[:, 1 : 1 + pixel] = rows[:, :pixel]
    np.subtract(rows[:, pixel:], rows[:, :-pixel], out=filtered[:, 1 + pixel :])
    return filtered.tobytes()


def _png_chunk(file: BinaryIO, kind: bytes, content: bytes | bytearray) -> None:
    file.write(struct.pack(">I", len(content)) + kind)
    file.write(content)
    file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))


def _write_jpeg(job: _Job, path: Path) -> None:
    """Write JPEG stripe by stripe.

    Every stripe is encoded as a picture of its own, with a restart marker after each row of blocks. Restart markers
    count to eight and reset the coder, so stripes of eight rows of blocks (64 pixels) can simply be joined by the
    marker that is due, and the first stripe's header gets the whole height.
    """
    with path.open("wb") as file:
        for i, stripe in enumerate(job.stripes(64)):
            header, scan = _jpeg_stripe(job, _on_white(stripe))
            if i == 0:
                file.write(header)
            else:
                file.write(b"\xff\xd7")
            file.write(scan)
        file.write(b"\xff\xd9")


def _jpeg_stripe(job: _Job, pixels: UInt8[np.ndarray, "h w 3"]) -> tuple[bytes, bytes]:
    """Return the header of a stripe, with the whole picture's height in it, and its entropy-coded data."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer, "JPEG", quality=job.options.quality, subsampling=0, restart_marker_rows=1, exif=exif_of(job.recipe)
    )
    data = bytearray(buffer.getvalue())
    at = 2
    while (marker := data[at + 1]) != 0xDA:  # start of scan
        if marker == 0xC0:  # start of frame: length (2), precision (1), height (2)
            struct.pack_into(">H", data, at + 5, job.height)
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return bytes(data[:at]), bytes(data[at:-2])


def _write_webp(job: _Job, path: Path) -> None:
    whole = np.concatenate(list(job.stripes(1)))
    Image.fromarray(whole).save(path, "WEBP", quality=job.options.quality, exif=exif_of(job.recipe))


def _write_svg(job: _Job, path: Path) -> None:
    whole = np.concatenate(list(job.stripes(1)))
    assert whole.dtype == np.uint8  # as all but PNG and TIFF are asked for
    path.write_text(traced(whole, job.options.colours, job.recipe), encoding="utf-8")


def _write_tiff(job: _Job, path: Path) -> None:
    import tifffile

    size = job.width * job.height * 4 * np.dtype(job.dtype).itemsize
    tifffile.imwrite(
        path,
        _tiles(job),
        shape=(job.height, job.width, 4),
        dtype=job.dtype,
        tile=(_TILE, _TILE),
        photometric="rgb",
        extrasamples=("unassalpha",),
        compression="zlib",
        bigtiff=size > _CLASSIC_TIFF,
        description=None if job.recipe is None else description_of(job.recipe),
        metadata=None,
        maxworkers=1,
    )


def _tiles(job: _Job) -> Iterator[Pixels]:
    """Yield square tiles row by row, those at the right and the bottom filled up with nothing."""
    for stripe in job.stripes(_TILE):
        rows, columns = -len(stripe) % _TILE, -job.width % _TILE
        filled = np.pad(stripe, ((0, rows), (0, columns), (0, 0)))
        for top in range(0, len(filled), _TILE):
            for left in range(0, filled.shape[1], _TILE):
                yield np.ascontiguousarray(filled[top : top + _TILE, left : left + _TILE])


def _on_white(stripe: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 3"]:
    alpha = stripe[..., 3:].astype(np.uint16)
    return ((stripe[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


_WRITERS: dict[str, Callable[[_Job, Path], None]] = {
    ".png": _write_png,
    ".jpg": _write_jpeg,
    ".jpeg": _write_jpeg,
    ".webp": _write_webp,
    ".tif": _write_tiff,
    ".tiff": _write_tiff,
    ".svg": _write_svg,
}
