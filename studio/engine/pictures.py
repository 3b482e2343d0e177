"""Pictures made from pictures and basis fields: enlarging, spectra, walks written to files. Plain numpy."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image

from ddmi_core.errors import ExportError
from ddmi_core.files import atomic_write
from studio.engine.requests import Window
from studio.engine.results import BasisScale

_GROUND = 255  # grey level under transparent parts of a video, which knows no transparency
_DECADES = 4.0  # of the amplitude that the picture of a spectrum spans


def enlarged(picture: UInt8[np.ndarray, "h w 4"], side: int, window: Window) -> UInt8[np.ndarray, "h2 w2 4"]:
    """A window of a picture enlarged to side × side pixels by bicubic interpolation. Windows fit together."""
    left, top, width, height = window
    scale = picture.shape[1] / side
    box = (left * scale, top * scale, (left + width) * scale, (top + height) * scale)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=box))


def basis_scale(features: Float[np.ndarray, "c h w"]) -> BasisScale:
    """The picture and the spectrum of one scale of the basis fields."""
    channels, _, width = features.shape
    amplitudes = np.abs(np.fft.fft2(features - features.mean(axis=(1, 2), keepdims=True))).mean(axis=0)
    frequencies, profile = _profile(amplitudes)
    return BasisScale(
        size=width,
        channels=channels,
        picture=_components(features),
        spectrum=_logarithmic(np.fft.fftshift(amplitudes)),
        frequencies=frequencies,
        profile=profile,
    )


def _components(features: Float[np.ndarray, "c h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """The three main components of the channels as red, green and blue; grey where there is one alone."""
    channels, height, width = features.shape
    flat = features.reshape(channels, -1).T.astype(np.float64)
    flat = flat - flat.mean(axis=0)
    _, _, directions = np.linalg.svd(flat.T @ flat)
    parts = flat @ directions[: min(3, channels)].T
    if parts.shape[1] < 3:
        parts = np.repeat(parts[:, :1], 3, axis=1)
    spread = np.maximum(np.percentile(np.abs(parts), 99, axis=0), 1e-9)
    return (127.5 + 127.5 * np.clip(parts / spread, -1, 1)).astype(np.uint8).reshape(height, width, 3)


def _logarithmic(amplitudes: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    largest = max(float(amplitudes.max()), 1e-12)
    decades = np.log10(np.maximum(amplitudes / largest, 10**-_DECADES))
    return (255 * (1 + decades / _DECADES)).astype(np.uint8)


def _profile(amplitudes: Float[np.ndarray, "h w"]) -> tuple[Float32[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """The mean amplitude at each whole number of cycles across the canvas, relative to the largest."""
    height, width = amplitudes.shape
    cycles = np.hypot(np.fft.fftfreq(height, 1 / height)[:, None], np.fft.fftfreq(width, 1 / width)[None, :])
    ring = np.rint(cycles).astype(int)
    count = min(height, width) // 2
    sums = np.bincount(ring.ravel(), amplitudes.ravel())[1 : count + 1]
    sizes = np.bincount(ring.ravel())[1 : count + 1]
    profile = sums / np.maximum(sizes, 1)
    return np.arange(1, count + 1, dtype=np.float32), (profile / max(float(profile.max()), 1e-12)).astype(np.float32)


def write_walk(frames: Iterator[UInt8[np.ndarray, "h w 4"]], path: Path, *, rate: int) -> None:
    """Write frames as a video, or as numbered PNGs into a new folder where the path has no suffix.

    All or nothing: when `frames` raises, or the disk is full, nothing is left.

    Raises:
        ExportError: it could not be written.
    """
    try:
        if path.suffix:
            _write_video(frames, path, rate)
        else:
            _write_pictures(frames, path)
    except OSError as error:
        raise ExportError(
            f"{path} could not be written ({error.strerror or error}). Check the folder and the space left."
        ) from error


def _write_pictures(frames: Iterator[UInt8[np.ndarray, "h w 4"]], folder: Path) -> None:
    if folder.exists():
        raise ExportError(f"{folder} is there already. Choose another name.")
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for number, frame in enumerate(frames):
            imageio.imwrite(temporary / f"{number:04}.png", frame)
        temporary.rename(folder)
        folder.chmod(0o755)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _write_video(frames: Iterator[UInt8[np.ndarray, "h w 4"]], path: Path, rate: int) -> None:
    with atomic_write(path) as temporary, imageio.imopen(temporary, "w", plugin="pyav", extension=".mp4") as video:
        video.init_video_stream("libx264", fps=rate, pixel_format="yuv420p")
        for frame in frames:
            video.write_frame(_opaque(frame))


def _opaque(frame: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 3"]:
    """Lay a frame on white; H.264 knows no transparency, and wants even sides."""
    even = frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2]
    alpha = even[..., 3:].astype(np.uint16)
    return ((even[..., :3] * alpha + _GROUND * (255 - alpha)) // 255).astype(np.uint8)
