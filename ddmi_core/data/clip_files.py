"""A user's clips as they come: MP4, WebM, MOV, MKV, AVI, GIF, animated WebP and PNG, or a folder of numbered frames."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageSequence

from ddmi_core.data.clips import Clip
from ddmi_core.data.pictures import premultiplied
from ddmi_core.support.errors import DataError, TooLongError
from ddmi_core.support.file_kinds import CLIPS
from ddmi_core.support.film_files import open_film
from ddmi_core.support.picture_files import open_picture

CLIP_SUFFIXES = (*CLIPS, ".webp")
FRAME_SUFFIXES = (".png", ".jpg", ".jpeg")
LONGEST_SECONDS = 30.0
"""Longer clips have to be cut: one is asked for a range."""
MOST_FRAMES = 1000
LEAST_FRAMES = 2
STORED_SIDE = 256
"""Side of the canvas that frames are brought to: four times the base resolution."""
FOLDER_RATE = 25
"""Frames a second that a folder of pictures is taken to have."""

_LEAST_SIDE = 8
_MOST_PIXELS = 8192**2  # of a frame; larger ones would take gigabytes to decode, and may be made to
_LEAST_STORED = 64
_ANIMATIONS = ("GIF", "WEBP", "PNG")
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_USUAL_DELAY = 100  # milliseconds, where a GIF gives none

Span = tuple[float, float]
"""From .. to, in seconds."""
_Take = Callable[[Image.Image], UInt8[np.ndarray, "h w 4"]]
"""What is made of an upright frame."""


class ClipFacts(NamedTuple):
    """What a file says of itself: pixels once upright, how long it lasts, and its frames a second in the mean."""

    width: int
    height: int
    seconds: float
    rate: float
    is_opaque: bool
    """Whether such a file has no transparency."""


class Shown(NamedTuple):
    """A frame, premultiplied, the second it appears, and how long it says that it stays."""

    pixels: UInt8[np.ndarray, "h w 4"]
    second: float
    stays: float


class FullClip(NamedTuple):
    """A clip at its own size, upright, one frame in memory at a time.

    `frames` are premultiplied; they raise `DataError` where the file breaks off, or has too many of them. `frame_count`
    is about how many there are. `is_opaque`: such a file has no transparency.
    """

    width: int
    height: int
    frame_count: int
    is_opaque: bool
    frames: Iterator[Shown]


def read_clip(path: Path, span: Span | None = None) -> Clip:
    """Read a clip as training and the encoder take it: upright, RGBA, in the middle of a square canvas.

    Every frame is at its own moment, so a variable frame rate is honoured. The canvas has 64, 128 or 256 pixels a side.

    Args:
        path: a video, an animation, or a folder of numbered pictures.
        span: only the part from .. to, in seconds.

    Raises:
        TooLongError: the file, or the span, lasts more than `LONGEST_SECONDS`.
        DataError: the file cannot be used; the message names it and says why.
    """
    path = Path(path)
    within = _checked(path, clip_facts(path), span)
    shown = list(_shown(path, within, _on_canvas))
    times, seconds = frame_moments([frame.second for frame in shown], shown[-1].stays)
    return Clip(np.stack([frame.pixels for frame in shown]), times, seconds)


def open_full_clip(path: Path, span: Span | None = None) -> FullClip:
    """Open a clip as it is, to be read once.

    Args:
        path: a video, an animation, or a folder of numbered pictures.
        span: only the part from .. to, in seconds.

    Raises:
        TooLongError: the file, or the span, lasts more than `LONGEST_SECONDS`.
        DataError: the file cannot be used; the message names it and says why.
    """
    path = Path(path)
    facts = clip_facts(path)
    start, stop = _checked(path, facts, span)
    count = round(facts.rate * (min(stop, facts.seconds) - start)) if facts.seconds else 0
    frames = _shown(path, (start, stop), premultiplied)
    return FullClip(facts.width, facts.height, min(max(count, LEAST_FRAMES), MOST_FRAMES), facts.is_opaque, frames)


def frame_moments(appears: Sequence[float], last_stays: float) -> tuple[Float32[np.ndarray, " n"], float]:
    """Return when frames are, in [-1, 1] of a clip that begins with the first of them; and its seconds.

    A frame shows the moment at which it appears. Half the usual distance later it is in the middle of what it stands
    for, as any sample is.

    Args:
        appears: the second at which each appears.
        last_stays: how long the last one says that it stays, 0 if it does not.

    Raises:
        DataError: all are at one moment.
    """
    seconds = np.array(appears) - appears[0]
    usual = float(np.median(np.diff(seconds)))
    stays = last_stays or usual
    whole = float(seconds[-1]) + stays
    if whole <= 0:
        raise DataError("All frames of the clip are at one moment: its time stamps are broken.")
    return ((seconds + min(usual, stays) / 2) * (2 / whole) - 1).astype(np.float32), whole


def _shown(path: Path, span: Span, take: _Take) -> Iterator[Shown]:
    """Read the frames of a range that was checked."""
    start, stop = span
    count = 0
    for frame in _frames(path, start, take):
        if frame.second >= stop:
            break
        if frame.second + frame.stays <= start:
            continue
        if count == MOST_FRAMES:
            raise DataError(
                f"{path.name} has more than {MOST_FRAMES} frames from {start:g} to {stop:g} s. Give a shorter range."
            )
        count += 1
        yield frame
    if count < LEAST_FRAMES:
        raise DataError(
            f"{path.name} has {_counted(count)} from {start:g} to {stop:g} s; a clip has at least {LEAST_FRAMES}."
        )


def clip_facts(path: Path) -> ClipFacts:
    """Return a clip's size in pixels, once upright, and its duration, without decoding more than a frame.

    Raises:
        DataError: the file cannot be used.
    """
    path = Path(path)
    if path.is_dir():
        files = numbered_frames(path)
        with _still(files[0]) as picture:
            return ClipFacts(*picture.size, len(files) / FOLDER_RATE, FOLDER_RATE, is_opaque=False)
    if _is_animation(path):
        with _animation(path) as picture:
            delays = _delays(picture, path)
            return ClipFacts(*picture.size, sum(delays), len(delays) / max(sum(delays), 1e-6), is_opaque=False)
    with _opened(path) as (container, stream):
        frame = next(_decoded(path, container, stream), None)
        if frame is None:
            raise DataError(f"{path.name} has no frames: it has zero length, or its pictures are missing.")
        width, height = _upright_size(frame, stream)
        is_opaque = _decoder_with_alpha(stream) is None and not any(part.is_alpha for part in frame.format.components)
        return ClipFacts(width, height, _duration(container, stream), float(_rate(stream)), is_opaque)


def numbered_frames(folder: Path) -> list[Path]:
    """Return the pictures of a folder in the order of the numbers in their names.

    Raises:
        DataError: there are none.
    """
    files = [file for file in folder.iterdir() if file.suffix.lower() in FRAME_SUFFIXES and not file.is_dir()]
    if not files:
        raise DataError(f"{folder.name} holds no frames ({', '.join(FRAME_SUFFIXES)}).")
    return sorted(files, key=lambda file: [int(part) for part in re.findall(r"\d+", file.stem)] or [0])


def _checked(path: Path, facts: ClipFacts, span: Span | None) -> Span:
    """Return the range to read, in seconds."""
    if min(facts.width, facts.height) < _LEAST_SIDE:
        raise DataError(
            f"{path.name} has {facts.width} x {facts.height} pixels; at least {_LEAST_SIDE} a side are needed."
        )
    start, stop = span or (0.0, max(facts.seconds, 1e-6))
    if not 0 <= start < stop:
        raise DataError(f"{start:g} to {stop:g} s is no range: it must grow, and not be negative.")
    if start >= facts.seconds > 0:
        raise DataError(f"{path.name} lasts {_clock(facts.seconds)}: there is nothing at {start:g} s.")
    if stop - start > LONGEST_SECONDS:
        raise TooLongError(
            f"{path.name}: {_clock(stop - start)} is too long to be read at once, up to {LONGEST_SECONDS:g} s is. Give "
            "a range, such as from 10 to 20 s.",
            seconds=facts.seconds,
            longest=LONGEST_SECONDS,
        )
    return start, stop


def _frames(path: Path, start: float, take: _Take) -> Iterator[Shown]:
    if path.is_dir():
        return _folder_frames(path, take)
    return _animation_frames(path, take) if _is_animation(path) else _video_frames(path, start, take)


# Videos


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    with open_film(path) as container:
        streams = [stream for stream in container.streams.video if not _is_cover(stream)]
        if not streams:
            what = "sound but no pictures" if container.streams.audio else "no pictures"
            raise DataError(f"{path.name} has {what}: give a video.")
        stream = streams[0]
        if stream.codec_context is None:
            raise DataError(f"{path.name} needs a decoder that is not there. Convert it to H.264 (MP4) first.")
        _check_size(path, stream.codec_context.width, stream.codec_context.height)
        stream.thread_type = "AUTO"
        yield container, stream


def _is_cover(stream: av.VideoStream) -> bool:
    """Whether a stream is the picture of a record's cover."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _decoded(path: Path, container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    count = 0
    decoder = _decoder_with_alpha(stream)
    try:
        frames = (
            container.decode(stream)
            if decoder is None
            else (frame for packet in container.demux(stream) for frame in decoder.decode(packet))
        )
        for frame in frames:
            count += 1
            yield frame
    except (av.FFmpegError, MemoryError) as error:
        raise DataError(
            f"{path.name} is damaged: it breaks off after {_counted(count)} ({error}). Give a range before that."
        ) from error


def _decoder_with_alpha(stream: av.VideoStream) -> av.VideoCodecContext | None:
    """Return the decoder of a WebM with transparency; FFmpeg's own decoders of its codecs leave the alpha out."""
    name = _ALPHA_DECODERS.get(stream.codec_context.name)
    if name is None or stream.metadata.get("alpha_mode") != "1":
        return None
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    return decoder


def _video_frames(path: Path, start: float, take: _Take) -> Iterator[Shown]:
    with _opened(path) as (container, stream):
        base = stream.time_base or Fraction(1, 1000)
        first = stream.start_time or 0
        length = _duration(container, stream)
        if start > 0:
            container.seek(first + int(start / base), stream=stream)
        rate = _rate(stream)
        second, stays = 0.0, float(1 / rate)
        for number, frame in enumerate(_decoded(path, container, stream)):
            second = float((frame.pts - first) * base) if frame.pts is not None else float(number / rate)
            stays = float(frame.duration * base) if frame.duration else float(1 / rate)
            yield Shown(take(_upright(frame, stream, on_canvas=take is _on_canvas)), second, stays)
        if second + stays < 0.9 * length - 0.5:
            raise DataError(
                f"{path.name} is damaged: it breaks off at {_clock(second + stays)} of {_clock(length)}. Give a range "
                "before that."
            )


def _rate(stream: av.VideoStream) -> Fraction:
    return stream.average_rate or stream.guessed_rate or Fraction(FOLDER_RATE)


def _duration(container: av.container.InputContainer, stream: av.VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / av.time_base
    ends = [
        float((packet.pts + (packet.duration or 0)) * packet.time_base)
        for packet in container.demux(stream)
        if packet.pts is not None
    ]
    container.seek(0)
    return max(ends, default=0.0)


def _upright_size(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[int, int]:
    width, height = frame.width, frame.height
    aspect = stream.sample_aspect_ratio
    if aspect:  # of pixels that are not square
        width = max(1, round(width * aspect))
    return (height, width) if frame.rotation % 180 else (width, height)


def _upright(frame: av.VideoFrame, stream: av.VideoStream, *, on_canvas: bool) -> Image.Image:
    """A frame of a video with square pixels, as small already as it is on the canvas if it goes there."""
    width, height = _upright_size(frame, stream)
    if on_canvas:
        _, width, height = _fit(width, height)
    lying = (height, width) if frame.rotation % 180 else (width, height)
    scaled = frame.reformat(width=lying[0], height=lying[1], format="rgba", interpolation="AREA")
    pixels = np.rot90(scaled.to_ndarray(), k=frame.rotation // 90 % 4)
    return Image.fromarray(np.ascontiguousarray(pixels))


# Animations and folders


def _is_animation(path: Path) -> bool:
    """Whether a file is a GIF, WebP or PNG by its content: FFmpeg does not read their transparency."""
    try:
        with path.open("rb") as file:
            beginning = file.read(16)
    except OSError:
        return False
    return beginning.startswith((b"GIF8", b"\x89PNG")) or (beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP")


@contextmanager
def _animation(path: Path) -> Iterator[Image.Image]:
    try:
        picture = Image.open(path, formats=_ANIMATIONS)
    except Exception as error:  # Pillow's readers fail in every way on a damaged file
        raise DataError(f"{path.name} is damaged: its header cannot be read ({error}).") from error
    with picture:
        _check_size(path, picture.width, picture.height)
        yield picture


def _delays(picture: Image.Image, path: Path) -> list[float]:
    """Return how long each frame stays, in seconds."""
    try:
        delays = []
        for frame in islice(ImageSequence.Iterator(picture), _first(picture), None):
            if picture.format == "WEBP":
                frame.load()  # only then it knows
            delays.append((frame.info.get("duration") or _USUAL_DELAY) / 1000)
        return delays
    except Exception as error:  # as above
        raise DataError(f"{path.name} is damaged, or cut short ({error}).") from error


def _first(picture: Image.Image) -> int:
    """Which frame the animation begins with: a PNG may have a picture before it, for programs that know no other."""
    return 1 if getattr(picture, "default_image", False) else 0


def _animation_frames(path: Path, take: _Take) -> Iterator[Shown]:
    with _animation(path) as picture:
        delays = _delays(picture, path)
        second = 0.0
        for number, stays in enumerate(delays):
            try:
                picture.seek(_first(picture) + number)
                pixels = take(picture.convert("RGBA"))
            except Exception as error:  # as above
                raise DataError(
                    f"{path.name} is damaged: it breaks off after {_counted(number)} ({error}). Give a range before "
                    "that."
                ) from error
            yield Shown(pixels, second, stays)
            second += stays


def _folder_frames(folder: Path, take: _Take) -> Iterator[Shown]:
    size: tuple[int, int] | None = None
    for number, file in enumerate(numbered_frames(folder)):
        with _still(file) as picture:
            if size not in (None, picture.size):
                raise DataError(f"{folder.name}: {file.name} has another size than the frames before it.")
            size = picture.size
            yield Shown(take(picture.convert("RGBA")), number / FOLDER_RATE, 1 / FOLDER_RATE)


@contextmanager
def _still(file: Path) -> Iterator[Image.Image]:
    try:
        with open_picture(file) as picture:
            _check_size(file, picture.width, picture.height)
            picture.load()
            yield picture
    except DataError:
        raise
    except Exception as error:  # as above
        raise DataError(f"{file.parent.name}/{file.name} is damaged ({error}).") from error


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > _MOST_PIXELS:
        raise DataError(
            f"{path.name} has frames of {width} x {height} pixels, more than the {_MOST_PIXELS / 1e6:.0f} million that "
            "are read. Make it smaller first."
        )


# The canvas


def _fit(width: int, height: int) -> tuple[int, int, int]:
    """Return the side of the canvas for a frame, and the frame's size on it."""
    longest = max(width, height)
    side = STORED_SIDE
    while side > max(longest, _LEAST_STORED):
        side //= 2
    # Even sizes lie exactly in the middle.
    width, height = (max(2, 2 * round(length * side / longest / 2)) for length in (width, height))
    return side, width, height


def _on_canvas(picture: Image.Image) -> UInt8[np.ndarray, "s s 4"]:
    """Lay a frame in the middle of a transparent square."""
    side, width, height = _fit(*picture.size)
    if picture.size != (width, height):
        # Colours of transparent pixels must not bleed into the others.
        scaled = picture.convert("RGBa").resize((width, height), Image.Resampling.HAMMING, reducing_gap=4)
        picture = scaled.convert("RGBA")
    canvas = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    canvas.paste(picture, ((side - width) // 2, (side - height) // 2))
    return premultiplied(canvas)


def _counted(frames: int) -> str:
    return f"{frames} frame{'' if frames == 1 else 's'}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:02.0f} h" if hours else f"{minutes}:{rest:04.1f} min"
