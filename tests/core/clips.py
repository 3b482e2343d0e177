"""Clips that tests make: a dot that moves, and files of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ddmi_core.coordinates import cell_centres
from ddmi_core.data.clips import Clip


def dot_frames(count: int, side: int = 32, *, width: int | None = None) -> np.ndarray:
    """A red dot that crosses a blue ground from left to right at a quarter of the height: uint8 (n, h, w, 4)."""
    width = width or side
    frames = np.zeros((count, side, width, 4), np.uint8)
    frames[..., 2:] = 200, 255
    radius = max(2, side // 12)
    for i in range(count):
        x, y = int((i + 0.5) / count * width), side // 4
        frames[i, y - radius : y + radius + 1, max(0, x - radius) : x + radius + 1, :3] = 255, 0, 0
    return frames


def dot_clip(count: int, side: int = 32, *, seconds: float = 2.0) -> Clip:
    return Clip(dot_frames(count, side), cell_centres(count).numpy(), seconds)


def write_video(path: Path, frames: np.ndarray, *, rate: Fraction | int = 10, pts: list[int] | None = None) -> Path:
    """Write frames with the container's usual codec; `pts`: when each frame is, in units of 1 / rate."""
    codec = {".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".webm": "libvpx-vp9", ".avi": "mpeg4"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec[path.suffix], rate=rate)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        stream.bit_rate = 4_000_000
        for number, frame in enumerate(frames):
            image = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[..., :3]), format="rgb24")
            image.pts = pts[number] if pts else number
            image.time_base = 1 / Fraction(rate)
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """Write a second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        stream.layout = "mono"
        for _ in range(16):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
