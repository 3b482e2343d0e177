"""SoundField: the amplitude of a wave at any moment."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from pydantic import Field as Setting
from torch import Tensor
from typing_extensions import override

from ddmi_core.export.options import ExportOptions
from ddmi_core.export.targets import format_of, written_whole
from ddmi_core.fields.decoded import DecodedField
from ddmi_core.fields.field import Evidence, Vantage
from ddmi_core.recipe import Recipe
from ddmi_core.support.progress import Progress


class SoundExport(ExportOptions):
    """How a sound becomes samples."""

    formats: ClassVar[Mapping[str, str]] = {".wav": "WAV, 16 bits"}

    resolution: int = Setting(8000, ge=8, le=192_000)
    """Samples in all; a sound lasts a second."""


def on_line(moments: Float[Tensor, "*shape 1"]) -> Float[Tensor, "*shape 2"]:
    """Where a moment lies on the one plane that a sound has: on the line through its middle."""
    return F.pad(moments, (0, 1))


def moments(count: int) -> Float[Tensor, "n 1"]:
    """The middles of `count` samples."""
    return ((2 * torch.arange(count) + 1) / count - 1).unsqueeze(-1)


class SoundField(DecodedField[SoundExport]):
    """A wave: `field(t)` gives the amplitude, about [-1, 1]."""

    export_options = SoundExport
    evidence = ("points",)

    @override
    def __call__(self, coords: Float[Tensor, "*shape 1"], progress: Progress | None = None, **more: Any) -> Tensor:
        return super().__call__(on_line(coords), progress, **more)

    @override
    def view(self, *, resolution: int, progress: Progress | None = None) -> dict[str, Any]:
        """`wave`, float32 (resolution,)."""
        return {"wave": self(moments(resolution), progress)[:, 0].clamp(-1, 1).numpy()}

    @override
    def thumbnail(self, view: dict[str, Any], *, size: int) -> UInt8[np.ndarray, "s s 4"]:
        picture = np.zeros((size, size, 4), np.uint8)
        heights = np.interp(np.linspace(0, 1, size), np.linspace(0, 1, len(view["wave"])), view["wave"])
        picture[np.round((1 - heights) / 2 * (size - 1)).astype(int), np.arange(size)] = 255
        return picture

    @override
    def observe(self, kind: Evidence, vantage: Vantage) -> Float[Tensor, "n 3"]:
        return torch.cat([on_line(moments(64)), self(moments(64))], dim=-1)

    @override
    def _write(
        self, path: Path, options: SoundExport, recipe: Recipe | None, progress: Progress | None
    ) -> dict[str, Any]:
        format_of(path, options.formats, "sound")
        samples = (self.view(resolution=options.resolution, progress=progress)["wave"] * 32767).astype("<i2")
        with written_whole(path) as temporary, wave.open(str(temporary), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(options.resolution)
            file.writeframes(samples.tobytes())
        return {"samples": len(samples)}
