"""ImageField: colour and coverage everywhere on a canvas, and drawings of it at any size."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8, UInt16
from PIL import Image
from torch import Tensor
from typing_extensions import override

from ddmi_core.coordinates import WHOLE, Region, Window, crossed, region_axes
from ddmi_core.export.images import export_image
from ddmi_core.export.options import ImageExport
from ddmi_core.fields.decoded import DecodedField
from ddmi_core.fields.field import Evidence, Field, Vantage
from ddmi_core.fields.scales import weighted
from ddmi_core.fields.splines import means
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import ReadOut
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.picture_layout import over
from ddmi_core.support.progress import Progress, sub_progress

ENCODED_SIDE = 128
"""Side of the pictures that the encoder gets, in training and afterwards: the base resolution."""
FINEST, COARSEST = -10.0, -5.0
"""Range of the pixel footprints that models are trained on: log2 of a pixel's side as a share of the canvas."""

PAPER = (236, 236, 236)
"""The ground that pictures with transparent parts lie on in previews."""

_BLOCK = 2**18  # pixels evaluated before they are turned into integers
_SLACK = 0.01  # coverage this near to nothing or to all is taken for it, or backgrounds would be speckled
_POINT = 0.05  # of a cell: the mean over less is the value in its middle


class ImageField(Field[ImageExport]):
    """A picture: `field(coords)` gives premultiplied red, green, blue and alpha, about [0, 1], x right, y down."""

    export_options = ImageExport
    evidence = ("pictures",)

    def sample(
        self, coords: Float[Tensor, "*shape 2"], footprint: float = FINEST, progress: Progress | None = None
    ) -> Float[Tensor, "*shape 4"]:
        """Return premultiplied RGBA in [0, 1] at coordinates in [-1, 1], averaged over a footprint.

        Args:
            coords: pixel centres.
            footprint: log2 of a pixel's side as a share of the canvas.
            progress: called between chunks; may raise `Cancelled`.
        """
        return self(coords, progress, footprint=footprint).clamp(0, 1)

    def raster(
        self,
        x: Float[Tensor, " w"],
        y: Float[Tensor, " h"],
        footprint: float = FINEST,
        progress: Progress | None = None,
    ) -> Float[Tensor, "h w 4"]:
        """Return what `sample` does where columns at `x` and rows at `y` cross."""
        return self.sample(crossed(x, y), footprint, progress)

    def render(
        self,
        width: int,
        height: int,
        *,
        region: Region = WHOLE,
        window: Window | None = None,
        dtype: type[np.uint8] | type[np.uint16] = np.uint8,
        progress: Progress | None = None,
    ) -> UInt8[np.ndarray, "h w 4"] | UInt16[np.ndarray, "h w 4"]:
        """Draw `region` with width x height pixels: red, green, blue and straight (not premultiplied) alpha.

        Args:
            width: pixels over the region's width.
            height: pixels over its height.
            region: left, top, right, bottom on the canvas.
            window: draw only these pixels (left, top, width, height) of the drawing. Windows of one drawing fit
                together without a seam: each equals the same crop of the whole, bit for bit.
            dtype: 8 or 16 bits a channel.
            progress: called between chunks; may raise `Cancelled`.
        """
        left, top, columns, rows = window or (0, 0, width, height)
        x0, y0, x1, y1 = region
        footprint = math.log2(max((x1 - x0) / width, (y1 - y0) / height) / 2)
        pixels = np.empty((rows, columns, 4), dtype=dtype)
        step = max(1, _BLOCK // max(1, columns))
        for start in range(0, rows, step):
            stop = min(start + step, rows)
            x, y = region_axes(width, height, region, window=(left, top + start, columns, stop - start))
            share = sub_progress(progress, start / rows, stop / rows)
            pixels[start:stop] = straight(self.raster(x, y, footprint, share), np.iinfo(dtype).max)
        return pixels

    @override
    def view(self, *, resolution: int, progress: Progress | None = None) -> dict[str, Any]:
        """The whole canvas: pixels uint8 (resolution, resolution, 4), straight alpha."""
        return {"pixels": self.render(resolution, resolution, progress=progress)}

    @override
    def thumbnail(self, view: dict[str, Any], *, size: int) -> UInt8[np.ndarray, "s s 4"]:
        return reduced(view["pixels"], size)

    @override
    def preview(
        self, *, size: int = 256, resolution: int | None = None, progress: Progress | None = None
    ) -> UInt8[np.ndarray, "s s 3"]:
        return over(self.thumbnail(self.view(resolution=resolution or size, progress=progress), size=size), PAPER)

    @override
    def observe(self, kind: Evidence, vantage: Vantage) -> Float[Tensor, "1 3 h w"]:
        """The whole canvas, with as many pixels as were seen or at the base resolution."""
        return on_white(self.as_written(vantage.size[0] or ENCODED_SIDE)).unsqueeze(0)

    def as_written(self, side: int) -> Float[Tensor, "4 s s"]:
        """Return the picture as it is once it was written with 8 bits a channel: premultiplied, values in [0, 1]."""
        pixels = torch.from_numpy(self.render(side, side).astype(np.float32) / 255).movedim(-1, 0)
        return torch.cat([pixels[:3] * pixels[3:], pixels[3:]])

    @override
    def _write(
        self, path: Path, options: ImageExport, recipe: Recipe | None, progress: Progress | None
    ) -> dict[str, Any]:
        return export_image(self, path, options, recipe=recipe, progress=progress)


class DecodedImageField(DecodedField[ImageExport], ImageField):
    """A picture that a model made."""

    def weighted(self, weights: tuple[float, ...]) -> "DecodedImageField":
        """Return the picture with each scale's basis field multiplied by its weight, coarse to fine; see `scales`.

        Raises:
            ValueError: there are not as many weights as scales.
        """
        return DecodedImageField(self.readout, weighted(self.basis, weights))


class FittedImageField(ImageField):
    """A picture that basis fields were fitted to, whose read-out adds what they say.

    It has no footprint as an input: because it adds, the mean of the picture over a pixel is the picture of the basis
    fields' means, so the footprint filters these.

    Args:
        readout: one that adds; see `ReadOut.make_adding`.
        basis: basis fields of the picture, batch size one, without the canvas around it.
        extent: the part of the canvas that the picture covers.
    """

    def __init__(self, readout: ReadOut, basis: BasisFields, extent: Region) -> None:
        self.readout, self.basis = readout, basis
        self.extent = extent
        self._filtered = (0.0, DecodedImageField(readout, basis))

    def weighted(self, weights: tuple[float, ...]) -> "FittedImageField":
        """Return the picture with each scale's basis field multiplied by its weight, coarse to fine; see `scales`.

        Raises:
            ValueError: there are not as many weights as scales.
        """
        return FittedImageField(self.readout, weighted(self.basis, weights), self.extent)

    @property
    @override
    def nbytes(self) -> int:
        kept, field = self._filtered
        return super().nbytes + (field.nbytes if kept else 0)

    @override
    def __call__(
        self, coords: Float[Tensor, "*shape 2"], progress: Progress | None = None, *, footprint: float | None = None
    ) -> Float[Tensor, "*shape 4"]:
        """Return the means over pixels; nothing outside of the extent. Without a footprint, the values at points."""
        inside, share = inside_of(self.extent, coords, footprint)
        return self.inside(inside, progress, footprint=footprint) * share

    def inside(
        self, coords: Float[Tensor, "*shape 2"], progress: Progress | None = None, *, footprint: float | None = None
    ) -> Float[Tensor, "*shape 4"]:
        """Return the means over pixels at coordinates of which [-1, 1] is the extent; beyond it, what its edge has."""
        return self._means(_pixel(footprint))(coords, progress)

    def _means(self, pixel: float) -> DecodedImageField:
        """The field over the extent whose values are means over pixels; the last one is kept."""
        kept = self._filtered
        if kept[0] != pixel:
            left, top, right, bottom = self.extent
            sides = pixel / (bottom - top), pixel / (right - left)
            basis = tuple(tuple(_filtered(plane, sides) for plane in planes) for planes in self.basis)
            self._filtered = kept = (pixel, DecodedImageField(self.readout, basis))
        return kept[1]


def inside_of(
    extent: Region, coords: Float[Tensor, "*shape 2"], footprint: float | None
) -> tuple[Float[Tensor, "*shape 2"], Float[Tensor, "*shape 1"]]:
    """Return where coordinates are if [-1, 1] is the extent, and how much of a pixel there lies in it."""
    left, top, right, bottom = extent
    low, high = coords.new_tensor([left, top]), coords.new_tensor([right, bottom])
    share = torch.minimum(coords - low, high - coords) / max(_pixel(footprint), 1e-9) + 0.5
    return (coords - low) * (2 / (high - low)) - 1, share.clamp(0, 1).prod(dim=-1, keepdim=True)


def _pixel(footprint: float | None) -> float:
    """The side of a pixel on the canvas; 0 for points."""
    return 0.0 if footprint is None else 2 * 2.0**footprint


def _filtered(plane: Float[Tensor, "1 c h w"], sides: tuple[float, float]) -> Float[Tensor, "1 c _h _w"]:
    """Return a plane's means over a rectangle, `sides` in shares of its height and width.

    For means over many cells the plane gets fewer of them.
    """
    width = [side * count for side, count in zip(sides, plane.shape[-2:], strict=True)]
    if max(width) > 2:
        size = [max(1, round(count / max(w, 1.0))) for count, w in zip(plane.shape[-2:], width, strict=True)]
        plane = F.interpolate(plane, size, mode="bilinear", antialias=True, align_corners=False)
        return plane.contiguous(memory_format=torch.channels_last)
    channels = plane.shape[1]
    for axis, share in enumerate(width):
        if share < _POINT:
            continue
        taps = torch.from_numpy(means(share)).to(plane)
        shape = (3, 1) if axis == 0 else (1, 3)
        padding = (0, 0, 1, 1) if axis == 0 else (1, 1, 0, 0)
        kernel = taps.view(1, 1, *shape).expand(channels, 1, *shape)
        plane = F.conv2d(F.pad(plane, padding, mode="replicate"), kernel, groups=channels)
    return plane.contiguous(memory_format=torch.channels_last)


def straight(premultiplied: Float[Tensor, "h w 4"], largest: int) -> np.ndarray:
    """Return straight RGBA integers of premultiplied values in [0, 1]; colour without coverage is black."""
    values = premultiplied.double().numpy()
    colour, alpha = values[..., :3], values[..., 3:]
    covered = np.clip((alpha - _SLACK) / (1 - 2 * _SLACK), 0, 1)
    colour = np.clip(colour / np.maximum(alpha, _SLACK), 0, 1) * (covered > 0)
    return np.concatenate([colour, covered], axis=-1) * largest + 0.5


def on_white(premultiplied: Float[Tensor, "*n 4 h w"]) -> Float[Tensor, "*n 3 h w"]:
    """Return how pictures look on white."""
    return premultiplied[..., :3, :, :] + 1 - premultiplied[..., 3:, :, :]


def reduced(pixels: UInt8[np.ndarray, "h w c"], size: int) -> UInt8[np.ndarray, "s s c"]:
    """Return a square picture at another size, each pixel the mean of those that it stands for."""
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BOX))
