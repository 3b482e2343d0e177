"""Coloured surface points of an object that is known by posed silhouettes only (Laurentini 1994, "visual hull").

The encoder of radiance fields takes coloured points. Photographs have none, but where the object can be told from the
background, a cell of space is solid if it projects into the object in every view; cells of its surface get the colours
that the views show there.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from scipy import ndimage

from ddmi_core.data.posed_pictures import Shots, looked_at
from ddmi_core.rendering.cameras import Camera, project
from ddmi_core.support.errors import DataError

_CELLS = 96  # an axis
_MISSES = 0.04  # share of the views that may contradict a cell: silhouettes are a pixel off here and there
_REACH = 3.0  # cells; a surface cell this much behind the nearest one in its pixel is hidden


def hull_points(shots: Shots) -> tuple[Float[np.ndarray, "p 3"], Float[np.ndarray, "p 3"]]:
    """Return positions in the views' own space and colours in [0, 1] of the hull's surface cells.

    Raises:
        DataError: the silhouettes have nothing in common.
    """
    cameras = [shot.camera for shot in shots.views]
    pixels = np.stack([shot.pixels for shot in shots.views])
    centre = looked_at(cameras)
    # As much space as every view shows whole; then once more around what was found there, finer.
    half = min(_half_of_view(camera, centre, pixels.shape[2] / pixels.shape[1]) for camera in cameras)
    for _ in range(2):
        axis = ((2 * np.arange(_CELLS) + 1) / _CELLS - 1) * half
        cells = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1) + centre
        solid = carve(cells.reshape(-1, 3), cameras, pixels).reshape((_CELLS,) * 3)
        if not solid.any():
            raise DataError("the silhouettes in its views have nothing in common: the cameras or the masks are wrong.")
        found = cells[solid]
        centre = (found.min(0) + found.max(0)) / 2
        half = float(np.ptp(found, axis=0).max()) / 2 * 1.1 + 2 * half / _CELLS
    surface = cells[solid & ~ndimage.binary_erosion(solid)]
    return surface, _colours(surface, cameras, pixels, cell=axis[1] - axis[0])


def _half_of_view(camera: Camera, centre: Float[np.ndarray, "3"], aspect: float) -> float:
    distance = np.linalg.norm(camera.pose[:3, 3] - centre)
    return float(distance * np.sin(np.radians(camera.fov) / 2) * min(1.0, aspect))


def carve(
    places: Float[np.ndarray, "n 3"], cameras: Sequence[Camera], pixels: UInt8[np.ndarray, "v h w 4"]
) -> np.ndarray:
    """Return which places project into the object in (nearly) all views."""
    height, width = pixels.shape[1:3]
    against = np.zeros(len(places), dtype=np.int32)
    for camera, picture in zip(cameras, pixels, strict=True):
        column, row, inside = _pixels_of(camera, places, width, height)
        # What a picture does not show, it says nothing of
        against += inside & (picture[row, column, 3] < 128)
    return against <= _MISSES * len(cameras)


def _colours(
    places: Float[np.ndarray, "p 3"],
    cameras: Sequence[Camera],
    pixels: UInt8[np.ndarray, "v h w 4"],
    *,
    cell: float,
) -> Float[np.ndarray, "p 3"]:
    """The mean colour of the views in which nothing lies before a place; grey where there is none."""
    height, width = pixels.shape[1:3]
    total, weight = np.zeros((len(places), 3)), np.zeros(len(places))
    for camera, picture in zip(cameras, pixels, strict=True):
        column, row, inside = _pixels_of(camera, places, width, height)
        _, distance = project(camera, places, width, height)
        nearest = np.full((height, width), np.inf)
        np.minimum.at(nearest, (row[inside], column[inside]), distance[inside])
        # Cells are coarser or finer than pixels: the nearest one counts for the pixels beside it too
        nearest = ndimage.minimum_filter(nearest, 3)
        seen = inside & (distance <= nearest[row, column] + _REACH * cell) & (picture[row, column, 3] >= 128)
        total[seen] += picture[row[seen], column[seen], :3] / 255
        weight[seen] += 1
    return np.where(weight[:, None] > 0, total / np.maximum(weight, 1)[:, None], 0.5)


def _pixels_of(
    camera: Camera, places: Float[np.ndarray, "n 3"], width: int, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column, row, and whether a place is in the picture."""
    where, distance = project(camera, places, width, height)
    rounded = np.round(np.nan_to_num(where, nan=-1.0, posinf=-1.0, neginf=-1.0))
    inside = (distance > 0) & (rounded >= 0).all(-1) & (rounded[:, 0] < width) & (rounded[:, 1] < height)
    column = np.clip(rounded[:, 0], 0, width - 1).astype(np.int64)
    row = np.clip(rounded[:, 1], 0, height - 1).astype(np.int64)
    return column, row, inside
