"""Lenses that bend straight lines, by OpenCV's coefficients, and what a pinhole would have shown in their place."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from ddmi_core.rendering.cameras import Camera

_RADIAL, _TANGENTIAL = ("k1", "k2", "k3", "k4"), ("p1", "p2")
_PINHOLES = ("", "perspective", "simple_pinhole", "pinhole", "simple_radial", "radial", "opencv", "full_opencv")
_FISHEYES = ("opencv_fisheye", "fisheye")
_TINY = 1e-6
_STEPS = 512  # in which the radius is looked at where a lens may fold


@dataclass(frozen=True)
class Lens:
    """How a picture of width x height pixels came about: focal lengths and principal point in pixels, and distortion.

    `radial` and `tangential` are OpenCV's k1 .. k4 and p1, p2. Of `fisheye` lenses the angle from the axis is
    distorted (Kannala and Brandt 2006), of others the distance in the plane at depth 1 (Brown 1966).
    """

    focal: tuple[float, float]
    centre: tuple[float, float]
    radial: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)
    fisheye: bool = False

    @classmethod
    def of(cls, frame: dict[str, Any], table: dict[str, Any], camera: Camera, width: int, height: int) -> "Lens | None":
        """Return the lens of a frame of a `transforms.json`; None where it is a pinhole with square pixels.

        Args:
            frame: what the file says of the picture.
            table: what it says of all.
            camera: the pinhole that `camera_of` takes it for.
            width: of the picture as it was read.
            height: of the picture as it was read.

        Raises:
            ValueError: a camera of another kind.
        """
        known = {**table, **frame}
        model = str(known.get("camera_model") or "").lower()
        if model not in (*_PINHOLES, *_FISHEYES):
            raise ValueError(f"its camera is of the model {model[:40]}, not one with a lens")
        radial = tuple(float(known.get(name, 0)) for name in _RADIAL)
        first, second = (float(known.get(name, 0)) for name in _TANGENTIAL)
        if not np.isfinite([*radial, first, second]).all():
            raise ValueError("its lens has coefficients that are not numbers")
        focal = height / (2 * np.tan(np.radians(camera.fov) / 2))
        stretch = float(known["fl_x"]) / float(known["fl_y"]) if "fl_x" in known and "fl_y" in known else 1.0
        fisheye = model in _FISHEYES or bool(known.get("is_fisheye", False))
        if not fisheye and max(map(abs, (*radial, first, second, stretch - 1))) < _TINY:
            return None
        centre = (width + camera.shift[0] * height) / 2, (height + camera.shift[1] * height) / 2
        return cls((focal * stretch, focal), centre, radial, (first, second), fisheye)

    def places(
        self, x: Float[np.ndarray, "*shape"], y: Float[np.ndarray, "*shape"]
    ) -> tuple[Float[np.ndarray, "*shape 2"], Bool[np.ndarray, "*shape"]]:
        """Return where directions (x, y, 1), x right and y down, fall in the picture, and whether they can be seen.

        In pixels from the picture's corner, (column, row). Beyond the radius where the polynomial turns back it says
        nothing.
        """
        radius = np.hypot(x, y)
        angle = np.arctan(radius) if self.fisheye else radius
        bent = np.where(radius > 0, angle / np.maximum(radius, 1e-12), 1.0) * self._factor(angle)
        first, second = self.tangential
        squared = radius**2
        columns = x * bent + 2 * first * x * y + second * (squared + 2 * x * x)
        rows = y * bent + first * (squared + 2 * y * y) + 2 * second * x * y
        found = np.stack([columns * self.focal[0] + self.centre[0], rows * self.focal[1] + self.centre[1]], axis=-1)
        return found, angle < self._fold(float(angle.max(initial=0)))

    def _factor(self, angle: np.ndarray) -> np.ndarray:
        squared = angle**2
        k1, k2, k3, k4 = self.radial
        return 1 + squared * (k1 + squared * (k2 + squared * (k3 + squared * k4)))

    def _fold(self, largest: float) -> float:
        """The angle or radius from which on the picture would turn back inwards; infinite if there is none."""
        radii = np.linspace(0, largest, _STEPS)
        back = np.flatnonzero(np.diff(radii * self._factor(radii)) <= 0)
        return float(radii[back[0]]) if len(back) else np.inf


def straightened(pixels: UInt8[np.ndarray, "h w 4"], lens: Lens, camera: Camera) -> UInt8[np.ndarray, "h w 4"]:
    """Return what a pinhole camera shows in place of a lens: the same size, straight alpha.

    Each pixel of the new picture is sent through the lens, which says where in the old one it lies; there the
    premultiplied colours are interpolated by cubic splines. So the distortion need not be inverted. What the lens did
    not show is transparent.
    """
    height, width = pixels.shape[:2]
    focal = height / (2 * np.tan(np.radians(camera.fov) / 2))
    x = (np.arange(width) + 0.5 - (width + camera.shift[0] * height) / 2) / focal
    y = (np.arange(height) + 0.5 - (height + camera.shift[1] * height) / 2) / focal
    where, seen = lens.places(*np.meshgrid(x, y))
    columns, rows = where[..., 0] - 0.5, where[..., 1] - 0.5
    alpha = pixels[..., 3:] / 255
    values = np.concatenate([pixels[..., :3] / 255 * alpha, alpha], axis=-1)
    found = np.stack(
        [ndimage.map_coordinates(values[..., i], [rows, columns], order=3, mode="nearest") for i in range(4)], axis=-1
    ).clip(0, 1)
    inside = seen & (columns >= -0.5) & (rows >= -0.5) & (columns <= width - 0.5) & (rows <= height - 0.5)
    found *= inside[..., None]
    found[..., :3] = np.where(found[..., 3:] > 0, found[..., :3] / np.maximum(found[..., 3:], 1e-6), 0)
    return np.round(255 * found.clip(0, 1)).astype(np.uint8)
