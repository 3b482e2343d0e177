"""VideoField: colour and coverage everywhere on a canvas at any time; its frames are pictures like any other."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor
from typing_extensions import override

from ddmi_core.coordinates import cell_centres, crossed, overlapping_spans
from ddmi_core.export.options import VideoExport
from ddmi_core.export.videos import export_video
from ddmi_core.fields.decoded import DecodedField, OnLattice
from ddmi_core.fields.field import Evidence, Field, Vantage
from ddmi_core.fields.image import FINEST, PAPER, ImageField, on_white, reduced, straight
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.picture_layout import contact_sheet, over
from ddmi_core.support.progress import Progress, sub_progress

ENCODED_FRAMES, ENCODED_SIDE = 16, 64
"""Of the clips that the encoder gets, in training and afterwards: the base resolution."""
OVERLAP = 0.25
"""Share of its length that a part of a long clip has in common with the next."""

_SHOWN = 4  # frames of a preview


class VideoField(Field[VideoExport]):
    """A clip: `field(coords)` gives premultiplied red, green, blue and alpha at (x, y, t), x right, y down, t on."""

    export_options = VideoExport
    evidence = ("clip",)

    def at(self, t: float) -> "FrozenField":
        """Return the picture at a moment in [-1, 1]."""
        return FrozenField(self, t)

    def frame(
        self,
        x: Float[Tensor, " w"],
        y: Float[Tensor, " h"],
        t: float,
        footprint: float,
        progress: Progress | None = None,
    ) -> Float[Tensor, "h w 4"]:
        """Return the values where columns at `x` and rows at `y` cross, at a moment; the rest is as in `Field`."""
        return self(F.pad(crossed(x, y), (0, 1), value=t), progress, footprint=footprint)

    @property
    def marks(self) -> list[float]:
        """The moments in [-1, 1] of the base frames: those that the encoder is given."""
        return cell_centres(ENCODED_FRAMES).tolist()

    def slices(
        self, x: float, y: float, *, side: int, moments: int, progress: Progress | None = None
    ) -> tuple[UInt8[np.ndarray, "t s 4"], UInt8[np.ndarray, "t s 4"]]:
        """Return what lies along x at height `y`, and along y at width `x`, at all times.

        Straight RGBA, time downwards.

        Args:
            x: in [-1, 1].
            y: in [-1, 1].
            side: pixels along x and y.
            moments: pixels along time.
            progress: called between chunks; may raise `Cancelled`.
        """
        t, place = torch.meshgrid(cell_centres(moments), cell_centres(side), indexing="ij")
        along_x = torch.stack([place, torch.full_like(place, y), t], dim=-1)
        along_y = torch.stack([torch.full_like(place, x), place, t], dim=-1)
        values = self(torch.stack([along_x, along_y]), progress, footprint=-math.log2(side)).clamp(0, 1)
        return straight(values[0], 255).astype(np.uint8), straight(values[1], 255).astype(np.uint8)

    @override
    def view(self, *, resolution: int, progress: Progress | None = None) -> dict[str, Any]:
        """Some frames of the whole canvas: `frames` uint8 (4, resolution, resolution, 4), straight alpha, and `times`.

        `pixels` is the one that a thumbnail shows; `marks` are the moments of the base frames.
        """
        times = cell_centres(_SHOWN).tolist()
        frames = np.stack(
            [
                self.at(t).render(resolution, resolution, progress=sub_progress(progress, i / _SHOWN, (i + 1) / _SHOWN))
                for i, t in enumerate(times)
            ]
        )
        marks = np.asarray(self.marks, np.float32)
        return {"frames": frames, "times": times, "pixels": frames[_SHOWN // 2], "marks": marks}

    @override
    def thumbnail(self, view: dict[str, Any], *, size: int) -> UInt8[np.ndarray, "s s 4"]:
        return reduced(view["pixels"], size)

    @override
    def preview(
        self, *, size: int = 256, resolution: int | None = None, progress: Progress | None = None
    ) -> UInt8[np.ndarray, "s s 3"]:
        """Draw four moments of the clip, two a row."""
        half = size // 2
        view = self.view(resolution=resolution or half, progress=progress)
        return contact_sheet([over(reduced(frame, half), PAPER) for frame in view["frames"]], columns=2, gap=0)

    @override
    def observe(self, kind: Evidence, vantage: Vantage) -> Float[Tensor, "t 3 h w"]:
        """As many frames, of as many pixels, as were seen, or those at the base resolution."""
        moments = cell_centres(vantage.frames or ENCODED_FRAMES).tolist()
        side = vantage.size[0] or ENCODED_SIDE
        return on_white(torch.stack([self.at(t).as_written(side) for t in moments]))

    @override
    def _write(
        self, path: Path, options: VideoExport, recipe: Recipe | None, progress: Progress | None
    ) -> dict[str, Any]:
        return export_video(self, path, options, recipe=recipe, progress=progress)


class DecodedVideoField(DecodedField[VideoExport], VideoField):
    """A clip that a model made."""

    _last: OnLattice | None = None
    """The last frame, with which the next one of a clip that plays has its places in common."""

    @property
    @override
    def nbytes(self) -> int:
        return super().nbytes + (0 if self._last is None else self._last.nbytes)

    @override
    def frame(
        self,
        x: Float[Tensor, " w"],
        y: Float[Tensor, " h"],
        t: float,
        footprint: float,
        progress: Progress | None = None,
    ) -> Float[Tensor, "h w 4"]:
        raster = self.on_lattice([x, y, x.new_tensor([t])], footprint=footprint, known=self._last)
        self._last = raster
        places = F.pad(crossed(torch.arange(len(x)), torch.arange(len(y))), (0, 1))
        return raster(places.reshape(-1, 3), progress).view(len(y), len(x), -1)


class FrozenField(ImageField):
    """A clip at one moment: a picture like any other, with any size, region and zoom."""

    def __init__(self, video: VideoField, t: float) -> None:
        self.basis = video.basis
        self.video, self.t = video, t

    @override
    def __call__(
        self, coords: Float[Tensor, "*shape 2"], progress: Progress | None = None, *, footprint: float | None = None
    ) -> Float[Tensor, "*shape 4"]:
        """Return what the clip has at (x, y) at the moment."""
        return self.video(F.pad(coords, (0, 1), value=self.t), progress, footprint=footprint)

    @override
    def raster(
        self,
        x: Float[Tensor, " w"],
        y: Float[Tensor, " h"],
        footprint: float = FINEST,
        progress: Progress | None = None,
    ) -> Float[Tensor, "h w 4"]:
        return self.video.frame(x, y, self.t, footprint, progress).clamp(0, 1)


class JoinedField(VideoField):
    """A long clip of several parts that overlap; where they do, one fades into the next."""

    def __init__(self, parts: Sequence[VideoField]) -> None:
        self.basis = parts[0].basis
        self.parts = list(parts)
        self._spans = overlapping_spans(len(parts), OVERLAP)

    @property
    @override
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)

    @property
    @override
    def marks(self) -> list[float]:
        """The moments of all parts' base frames; where parts overlap, those of the part that is seen more."""
        found = []
        for i, ((start, stop), part) in enumerate(zip(self._spans, self.parts, strict=True)):
            inner = [start + (t + 1) / 2 * (stop - start) for t in part.marks]
            shares = self._shares(torch.tensor(inner))[i].tolist()
            found += [t for t, share in zip(inner, shares, strict=True) if share > 0.5]
        return sorted(found)

    @override
    def __call__(
        self, coords: Float[Tensor, "*shape 3"], progress: Progress | None = None, *, footprint: float | None = None
    ) -> Float[Tensor, "*shape 4"]:
        """Return the clip's values; see `Field`."""
        flat = coords.reshape(-1, 3)
        shares = self._shares(flat[:, 2])
        busy = [i for i in range(len(self.parts)) if bool((shares[i] > 0).any())]
        values = flat.new_zeros(len(flat), 4)
        for done, i in enumerate(busy):
            start, stop = self._spans[i]
            here = shares[i] > 0
            local = flat[here]
            local = torch.cat([local[:, :2], (local[:, 2:] - start) * (2 / (stop - start)) - 1], dim=1)
            share = sub_progress(progress, done / len(busy), (done + 1) / len(busy))
            values[here] += shares[i][here, None] * self.parts[i](local, share, footprint=footprint)
        return values.reshape(*coords.shape[:-1], -1)

    def _shares(self, t: Float[Tensor, " n"]) -> Float[Tensor, "p n"]:
        """How much of each part is seen at each moment: one of them, or a smooth mixture of two that sums to 1."""
        shares = torch.ones(len(self.parts), len(t), device=t.device)
        for i, ((start, _), (_, stop)) in enumerate(zip(self._spans[1:], self._spans[:-1], strict=True)):
            rising = ((t - start) / (stop - start)).clamp(0, 1)
            rising = rising * rising * (3 - 2 * rising)
            shares[i] = shares[i] * (1 - rising)
            shares[i + 1] = rising
        return shares
