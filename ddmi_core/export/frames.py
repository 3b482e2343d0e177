"""Streams of frames to files, one frame in memory at a time: MP4, WebM, GIF, animated WebP, a folder of PNGs."""

import itertools
import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from jaxtyping import UInt8
from PIL import GifImagePlugin, Image

from ddmi_core.export.options import FASTEST_GIF, VideoExport
from ddmi_core.export.recipe_files import exif_of
from ddmi_core.export.targets import format_of, written_whole
from ddmi_core.frame_size import EVEN_SIDES
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import ExportError

Frame = UInt8[np.ndarray, "h w 4"]
"""Straight (not premultiplied) RGBA."""

_GROUND = 255  # grey level under transparent parts where a format knows no transparency
_BT709 = 1  # FFmpeg's number of the colour space, primaries and transfer of HDTV
_RIFF_HEADER = 8  # bytes of a WebP that it does not count, the last four of which have its size
_VP8X_FLAGS, _VP8X_ALPHA, _VP8X_EXIF = 20, 0x10, 0x08  # where an extended WebP has its flags, and two of them
_STUDIO_RANGE = 1  # and of luma from 16 to 235


class _Stream(NamedTuple):
    """What a writer gets."""

    frames: Iterator[Frame]
    rate: Fraction
    quality: int
    recipe: Recipe | None


def write_frames(
    frames: Iterator[Frame], path: Path, *, rate: Fraction, quality: int = 75, recipe: Recipe | None = None
) -> Path:
    """Write frames of one size in the format that the suffix names, and return what was written.

    All or nothing: when `frames` raises, or the disk is full, nothing is left, and an earlier file is as it was.

    Args:
        frames: straight RGBA. MP4 has no transparency, there they lie on white. MP4 and WebM need even sides, see
            `frame_size`.
        path: the file. `.png`, or no suffix: a new folder of that name with `frame00000.png` and so on.
        rate: frames a second, exact.
        quality: 1 to 100, of all but GIF and PNG.
        recipe: how they were made, kept in all but PNG; `read_recipe` brings it back.

    Raises:
        ExportError: unknown suffix, a rate or a size that the format cannot have, no frames, a folder that is there
            already, or a place that cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() in ("", ".png"):
        return _write_folder(frames, path.with_suffix(""))
    write = _WRITERS[format_of(path, VideoExport.formats, "video")]
    if write is _write_gif and rate > FASTEST_GIF:
        raise ExportError(f"A GIF goes up to {FASTEST_GIF} frames a second. Use fewer, or WebP, WebM or MP4.")
    first = next(frames, None)
    if first is None:
        raise ExportError(f"There is nothing to write to {path.name}: no frames.")
    name = EVEN_SIDES.get(path.suffix.lower())
    if name is not None and (len(first) % 2 or first.shape[1] % 2):
        raise ExportError(f"{name} has even sides only, not {first.shape[1]} x {len(first)} pixels.")
    stream = _Stream(itertools.chain([first], frames), rate, quality, recipe)
    with written_whole(path) as temporary:
        try:
            write(stream, temporary)
        except av.FFmpegError as error:
            raise ExportError(f"{path.name} could not be encoded ({error}). Try another size or format.") from error
    return path


def _write_folder(frames: Iterator[Frame], folder: Path) -> Path:
    if folder.exists():
        raise ExportError(f"{folder} is there already. Choose another name.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for number, frame in enumerate(frames):
                Image.fromarray(frame).save(temporary / f"frame{number:05d}.png", compress_level=3)
            temporary.rename(folder)
            folder.chmod(0o755)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise ExportError(
            f"Could not write {folder}: {error.strerror or error}. Check the folder and the space left."
        ) from error
    return folder


def _write_mp4(stream: _Stream, path: Path) -> None:
    """H.264. A short look-ahead, because at 4K every frame that the encoder holds takes 12 MB."""
    options = {"crf": str(round(40 - 0.3 * stream.quality)), "preset": "medium", "rc-lookahead": "12"}
    _encode(stream, path, "libx264", "yuv420p", options, container={"movflags": "+faststart"})


def _write_webm(stream: _Stream, path: Path) -> None:
    """VP9 with alpha."""
    options = {"crf": str(round(55 - 0.4 * stream.quality)), "b": "0", "cpu-used": "4", "row-mt": "1"}
    _encode(stream, path, "libvpx-vp9", "yuva420p", options)


def _write_webp(stream: _Stream, path: Path) -> None:
    """Animated WebP; the recipe goes into a chunk behind the frames, as the format has it (RFC 9649)."""
    _encode(stream, path, "libwebp_anim", "bgra", {"quality": str(stream.quality)}, container={"loop": "0"})
    with path.open("r+b") as file:
        file.seek(_VP8X_FLAGS)
        # Only the part of a frame that is not empty is stored. Where all such parts are opaque, the encoder says that
        # there is no transparency, and viewers show the rest of the canvas black.
        flags = file.read(1)[0] | _VP8X_ALPHA
        if stream.recipe is not None:
            exif = exif_of(stream.recipe).tobytes()
            file.seek(0, os.SEEK_END)
            file.write(b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\0" * (len(exif) % 2))
            flags |= _VP8X_EXIF
            size = file.tell() - _RIFF_HEADER
            file.seek(_RIFF_HEADER - 4)
            file.write(struct.pack("<I", size))
        file.seek(_VP8X_FLAGS)
        file.write(bytes([flags]))


def _encode(
    stream: _Stream,
    path: Path,
    codec: str,
    pixels: str,
    options: dict[str, str],
    container: dict[str, str] | None = None,
) -> None:
    with av.open(str(path), "w", options=container or {}) as output:
        if stream.recipe is not None:
            output.metadata["comment"] = stream.recipe.model_dump_json()
        video = output.add_stream(codec, rate=stream.rate, options=options)
        assert isinstance(video, av.VideoStream)
        for number, frame in enumerate(stream.frames):
            if number == 0:
                video.height, video.width = frame.shape[:2]
                video.pix_fmt = pixels
                if pixels.startswith("yuv"):
                    context = video.codec_context
                    context.colorspace = context.color_primaries = context.color_trc = _BT709
                    context.color_range = _STUDIO_RANGE
            output.mux(video.encode(_converted(frame, pixels)))
        output.mux(video.encode(None))


def _converted(frame: Frame, pixels: str) -> av.VideoFrame:
    if pixels == "yuv420p":
        whole = av.VideoFrame.from_ndarray(on_ground(frame), format="rgb24")
    else:
        whole = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgba")
    if not pixels.startswith("yuv"):
        return whole
    return whole.reformat(format=pixels, dst_colorspace=_BT709, dst_color_range=_STUDIO_RANGE)


def _write_gif(stream: _Stream, path: Path) -> None:
    """GIF block by block: Pillow's own `save` would keep all frames. Each frame has a palette of its own."""
    with path.open("wb") as file:
        shown = 0
        for number, frame in enumerate(stream.frames):
            # Delays are whole hundredths of a second, so they take turns to keep the rate.
            end = round((number + 1) * 100 / stream.rate)
            picture = _with_palette(frame)
            if number == 0:
                comment = {} if stream.recipe is None else {"comment": stream.recipe.model_dump_json()}
                header, _ = GifImagePlugin.getheader(picture, info={"loop": 0, **comment})
                for block in header:
                    file.write(block)
            for block in GifImagePlugin.getdata(
                picture, duration=10 * (end - shown), disposal=2, transparency=_CLEAR, include_color_table=True
            ):
                file.write(block)
            shown = end
        file.write(b";")


_CLEAR = 255  # entry of the palette for what is transparent


def _with_palette(frame: Frame) -> Image.Image:
    opaque = Image.fromarray(on_ground(frame))
    colours = opaque.quantize(_CLEAR, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    indices = np.asarray(colours).copy()
    indices[frame[..., 3] < 128] = _CLEAR
    picture = Image.fromarray(indices, mode="P")
    palette = colours.getpalette() or []
    picture.putpalette(palette + [0] * (768 - len(palette)))
    return picture


def on_ground(frame: Frame) -> UInt8[np.ndarray, "h w 3"]:
    """Lay a frame on white."""
    alpha = frame[..., 3:].astype(np.uint16)
    return ((frame[..., :3] * alpha + _GROUND * (255 - alpha)) // 255).astype(np.uint8)


_WRITERS: dict[str, Callable[[_Stream, Path], None]] = {
    ".mp4": _write_mp4,
    ".webm": _write_webm,
    ".gif": _write_gif,
    ".webp": _write_webp,
}
