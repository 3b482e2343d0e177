"""Objects seen in posed pictures, with coloured surface points, and the training examples drawn from them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from scipy import ndimage
from typing_extensions import override

from ddmi_core.data.coloured_meshes import ColouredPoints
from ddmi_core.data.items import USUAL_INPUT, Augment, EncoderInput, ItemSource, Order
from ddmi_core.data.shapes import draw_points, mapped_normals, random_map
from ddmi_core.rendering.cameras import Camera, orbit_camera, rays
from ddmi_core.rendering.volume_rendering import box_span, importance_samples
from ddmi_core.support.errors import DataError

SAMPLES = 28
"""Samples along each ray of a training example."""

_ON_OBJECT = 0.75  # share of an example's rays through pixels that show the object or its rim
_CELLS = 24  # an axis, of the grid that says where near a surface point is
_BINS = 96  # along a ray, in which that grid is looked up
_FAR_WEIGHT = 0.08  # of a bin away from all surface points, against 1 near them
_STRETCH = 0.15
_EXCHANGED_SHARE = 0.3  # of recoloured examples have their colour channels exchanged
_WHITE_SHARE = 0.5  # of training examples lie on white, the others on a random colour


@dataclass(frozen=True)
class PosedPictures:
    """Pictures of one object, uint8 (v, h, w, 4) with straight alpha, and their cameras in the object's space."""

    cameras: Sequence[Camera]
    pixels: UInt8[np.ndarray, "v h w 4"]


class Rays(NamedTuple):
    """Rays and what they see: origins and unit directions (n, 3), pixels (n, 4) in [0, 1], straight alpha."""

    origins: Float[np.ndarray, "n 3"]
    directions: Float[np.ndarray, "n 3"]
    pixels: Float[np.ndarray, "n 4"]


class Known(NamedTuple):
    """What is known of an object itself, and not by how it looks.

    `places` (m, 3) and the share of each, `solid` (m,) in [0, 1], that is inside; places of the `surface` (k, 3), the
    unit `normals` and the `colours` there, as seen along them without any gloss.
    """

    places: Float[np.ndarray, "m 3"]
    solid: Float[np.ndarray, " m"]
    surface: Float[np.ndarray, "k 3"]
    normals: Float[np.ndarray, "k 3"]
    colours: Float[np.ndarray, "k 3"]


class RadianceSet(ABC):
    """A set of objects, each known by coloured points and, as a rule, by posed pictures."""

    names: Sequence[str]

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of objects."""

    @abstractmethod
    def captions(self, index: int) -> list[str]:
        """Return the captions of an object."""

    @abstractmethod
    def points(self, index: int) -> ColouredPoints:
        """Return the coloured points of an object."""

    @abstractmethod
    def views(self, index: int) -> PosedPictures | None:
        """Return the pictures of an object; None where there are only points."""

    def front_view(self, index: int) -> PosedPictures | None:
        """Return the one of its pictures that is nearest to the front, slightly above; None where there are none."""
        views = self.views(index)
        if views is None:
            return None
        chosen = nearest_to_front(views.cameras)
        return PosedPictures([views.cameras[chosen]], views.pixels[[chosen]])

    def rays(self, index: int, count: int, rng: np.random.Generator) -> Rays | None:
        """Draw random rays and what they see of an object; None where there are only points."""
        views = self.views(index)
        return None if views is None else _pick_rays(views, count, rng)

    def known(self, index: int, count: int, rng: np.random.Generator) -> Known:
        """Draw `count` random places of an object and half as many of its surface.

        Raises:
            DataError: the set knows its objects by pictures and points alone.
        """
        raise DataError(
            "Some of the data are known by pictures alone, so nothing can be compared directly: set "
            "stage1.direct_weight to 0, or leave them out."
        )

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        views = self.views(index)
        if views is None:
            points = self.points(index)
            return draw_points(points.positions, size, points.colours)
        return np.asarray(Image.fromarray(views.pixels[0]).convert("RGBa").resize((size, size)))


def nearest_to_front(cameras: Sequence[Camera]) -> int:
    """Return which camera looks most nearly as previews do: from the front right, slightly above."""
    wanted = orbit_camera().pose[:3, 2]
    return int(np.argmax([camera.pose[:3, 2] @ wanted for camera in cameras]))


class RadianceSource(ItemSource):
    """A set of objects seen as training items.

    Args:
        objects: the set.
        queries: places in space that an example asks for: rays x `SAMPLES`.
        given: what the encoder gets, and how many places are compared directly.
    """

    def __init__(self, objects: RadianceSet, queries: int, given: EncoderInput = USUAL_INPUT) -> None:
        self.objects = objects
        self.order: Order | None = getattr(objects, "order", None)
        self._rays = max(1, queries // SAMPLES)
        self._surface, self._direct = given.surface, given.direct

    def __len__(self) -> int:
        return len(self.objects)

    @override
    def captions(self, index: int) -> Sequence[str]:
        return self.objects.captions(index)

    @override
    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return self.objects.thumbnail(index, size)

    @override
    def sample(self, index: int, rng: np.random.Generator, *, augment: Augment) -> dict[str, np.ndarray]:
        """Draw an example, all float32.

        `points` (p, 6): positions and colours. Of each ray `origins` and unit `directions` (n, 3), `depths` of its
        samples and the `steps` they stand for (n, SAMPLES), `background` and, over it, `targets` (n, 3).
        Samples are dense near surface points and sparse elsewhere, but never absent, so that emptiness is learned too.
        With places that are compared directly, `places` (m, 3) and how `solid` (m, 1) each is, and of the `surface`
        (m // 2, 3) `normals` and `surface_colours`; see `Known`.

        `captioned` augmentation mirrors and stretches, `full` also changes colours and turns half of the objects
        about y.
        """
        cloud = self.objects.points(index)
        matrix = random_map(cloud.positions, rng, augment, stretch=_STRETCH).astype(np.float32)
        tint = _tint(rng) if augment == "full" else np.eye(3, dtype=np.float32)
        total = len(cloud.positions)
        chosen = rng.choice(total, self._surface.count, replace=total < self._surface.count)
        positions = (cloud.positions @ matrix.T).astype(np.float32)
        seen = self._surface.disturb(positions[chosen], rng, augment)
        points = np.concatenate([seen, cloud.colours[chosen] @ tint.T], axis=1)
        example = {"points": points.astype(np.float32)}
        if self._direct:
            example |= _brought(self.objects.known(index, self._direct, rng), matrix, tint)
        seen_rays = self.objects.rays(index, self._rays, rng)
        if seen_rays is None:
            return example
        origins, directions, pixels = seen_rays
        origins = (origins @ matrix.T).astype(np.float32)
        directions = directions @ matrix.T
        directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
        depths, steps = _place_samples(origins, directions, positions, rng)
        white = augment == "none" or rng.random() < _WHITE_SHARE
        background = np.broadcast_to(np.ones(3) if white else rng.random(3), origins.shape).astype(np.float32)
        alpha = pixels[:, 3:]
        targets = alpha * (pixels[:, :3] @ tint.T) + (1 - alpha) * background
        return example | {
            "origins": origins,
            "directions": directions,
            "depths": depths,
            "steps": steps,
            "background": background,
            "targets": targets.astype(np.float32),
        }


def _brought(known: Known, matrix: Float[np.ndarray, "3 3"], tint: Float[np.ndarray, "3 3"]) -> dict[str, np.ndarray]:
    """What is known of an object, after a linear map and a change of its colours."""
    return {
        "places": (known.places @ matrix.T).astype(np.float32),
        "solid": known.solid[:, None].astype(np.float32),
        "surface": (known.surface @ matrix.T).astype(np.float32),
        "normals": mapped_normals(known.normals, np.linalg.inv(matrix)),
        "surface_colours": (known.colours @ tint.T).astype(np.float32),
    }


def _pick_rays(views: PosedPictures, count: int, rng: np.random.Generator) -> Rays:
    """Draw rays of random pixels of all views, most of them of pixels that show the object or its rim."""
    height, width = views.pixels.shape[1:3]
    rim = ndimage.binary_dilation(views.pixels[..., 3] > 0, np.ones((1, 3, 3)))
    shown = np.flatnonzero(rim)
    chosen = rng.integers(views.pixels[..., 3].size, size=count)
    if len(shown):
        on_object = round(_ON_OBJECT * count)
        chosen[:on_object] = shown[rng.integers(len(shown), size=on_object)]
    pixels = views.pixels.reshape(-1, 4)[chosen].astype(np.float32) / 255
    view, inside = np.divmod(chosen, height * width)
    origins = np.empty((count, 3), dtype=np.float32)
    directions = np.empty((count, 3), dtype=np.float32)
    for number in np.unique(view):
        mine = view == number
        starts, ways = rays(views.cameras[number], width, height)
        origins[mine] = starts.reshape(-1, 3)[inside[mine]]
        directions[mine] = ways.reshape(-1, 3)[inside[mine]]
    return Rays(origins, directions, pixels)


def _place_samples(
    origins: Float[np.ndarray, "n 3"],
    directions: Float[np.ndarray, "n 3"],
    positions: Float[np.ndarray, "p 3"],
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "n s"], Float[np.ndarray, "n s"]]:
    """Place samples along rays through [-1, 1]^3 by importance, which here is to be near a surface point."""
    near, far = box_span(torch.from_numpy(origins), torch.from_numpy(directions))
    edges = near[:, None] + (far - near)[:, None] * torch.linspace(0, 1, _BINS + 1)
    middles = ((edges[:, 1:] + edges[:, :-1]) / 2).numpy()
    where = origins[:, None] + middles[..., None] * directions[:, None]
    cells = _cells(where)
    weights = np.where(_nearby(positions)[cells[..., 0], cells[..., 1], cells[..., 2]], 1.0, _FAR_WEIGHT)
    offsets = torch.from_numpy(rng.random((len(origins), SAMPLES), dtype=np.float32))
    depths, steps = importance_samples(edges, torch.from_numpy(weights.astype(np.float32)), offsets)
    return depths.numpy(), steps.numpy()


def _nearby(positions: Float[np.ndarray, "p 3"]) -> Bool[np.ndarray, "x y z"]:
    """Which cells of a coarse grid hold a point or touch one that does."""
    grid = np.zeros((_CELLS,) * 3, dtype=bool)
    grid[tuple(_cells(positions).T)] = True
    return ndimage.binary_dilation(grid, np.ones((3, 3, 3)))


def _cells(where: Float[np.ndarray, "*shape 3"]) -> np.ndarray:
    return np.clip(((where + 1) * (_CELLS / 2)).astype(np.int64), 0, _CELLS - 1)


def _tint(rng: np.random.Generator) -> Float[np.ndarray, "3 3"]:
    """Return random gains of the colour channels, at times also exchanged: objects come in few colours by nature.

    Were they always exchanged, the channels would be alike on average, and grey a place where training rests for long.
    """
    order = rng.permutation(3) if rng.random() < _EXCHANGED_SHARE else np.arange(3)
    return (np.eye(3)[order] * rng.uniform(0.7, 1.0, (3, 1))).astype(np.float32)
