"""Painted furniture: the procedural pieces with colours, in soft light, looked at from wherever one wants.

Object ``i`` depends on (seed, i) alone. Nothing is stored: rays are traced when they are asked for, so that no example
sees the same pixels twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from typing_extensions import override

from ddmi_core.data.coloured_meshes import ColouredPoints, lit, spread_cameras
from ddmi_core.data.furniture.procedural import CAPTIONS_PER_SHAPE, drawn
from ddmi_core.data.furniture.procedural.captions import captions
from ddmi_core.data.furniture.procedural.paint import paint, told
from ddmi_core.data.furniture.procedural.solids import Union
from ddmi_core.data.radiance import Known, PosedPictures, RadianceSet, Rays, nearest_to_front
from ddmi_core.data.shapes import LABEL_SIGMA, LABEL_TRIES
from ddmi_core.rendering.cameras import Camera, orbit_camera, rays

SIDE, VIEWS, POINTS = 128, 12, 4096
_OVERSAMPLING = 2  # rays along each side of a pixel of a picture
_CACHED = 4096  # objects, about 10 kB each
_GLOSS = 0.28  # of the highlight of what is polished
_REACH, _DARKEST = (0.06, 0.16), 0.55  # how far away things take light from a place, and how little may be left
_LOWEST, _HIGHEST, _DISTANCE = -35.0, 75.0, (3.4, 5.0)
_NEAR = 0.05  # spread of places about the surface
_AIMED, _BESIDE = 0.85, 0.05  # share of rays that are aimed at the surface, and how far they may miss it


class _Object(NamedTuple):
    shape: Union
    colours: Float[np.ndarray, "solids 3"]
    roughness: Float[np.ndarray, " solids"]
    facts: dict[str, object]
    captions: list[str]


class PaintedFurniture(RadianceSet):
    """``count`` painted pieces of furniture."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed
        self.names = [f"{i:05d}" for i in range(count)]
        self._object = lru_cache(maxsize=_CACHED)(self._make)

    def __len__(self) -> int:
        return self.count

    def _make(self, i: int) -> _Object:
        if not 0 <= i < self.count:
            raise IndexError(f"object {i} of {self.count}")
        shape, draft = drawn(self.seed, i)
        rng = np.random.default_rng((self.seed, i, 1))
        coats = paint(draft.facts, list(dict.fromkeys(shape.roles)), rng)
        colour, apart = told(draft.facts, coats)
        facts = draft.facts | {"colour": colour, "parts_apart": apart}
        return _Object(
            shape,
            np.stack([coats[role].colour for role in shape.roles]),
            np.array([coats[role].roughness for role in shape.roles], dtype=np.float32),
            facts,
            captions(facts, rng, CAPTIONS_PER_SHAPE),
        )

    @override
    def captions(self, index: int) -> list[str]:
        return self._object(index).captions

    def kind(self, index: int) -> str:
        """Return the kind of an object."""
        return str(self._object(index).facts["kind"])

    def attributes(self, index: int) -> dict[str, object]:
        """The facts behind the captions, with its `colour` and the `parts_apart` that have another."""
        return dict(self._object(index).facts)

    @override
    def points(self, index: int) -> ColouredPoints:
        """Return points drawn evenly over the surface, with their unlit colours."""
        seen = self._object(index)
        positions, _ = seen.shape.surface(POINTS, np.random.default_rng((self.seed, index, 2)))
        return ColouredPoints(positions, seen.colours[seen.shape.nearest(positions)])

    @override
    def views(self, index: int) -> PosedPictures:
        """Draw pictures from all around."""
        return self._seen(index, self._cameras(index))

    @override
    def front_view(self, index: int) -> PosedPictures:
        """Draw that one alone."""
        cameras = self._cameras(index)
        return self._seen(index, [cameras[nearest_to_front(cameras)]])

    def _cameras(self, index: int) -> Sequence[Camera]:
        return spread_cameras(VIEWS, start=float(np.random.default_rng((self.seed, index, 3)).uniform(0, 360)))

    def _seen(self, index: int, cameras: Sequence[Camera]) -> PosedPictures:
        return PosedPictures(cameras, np.stack([_straight(self._picture(index, camera, SIDE)) for camera in cameras]))

    @override
    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return np.rint(255 * self._picture(index, orbit_camera(30, 20, 4.4), size)).astype(np.uint8)

    @override
    def rays(self, index: int, count: int, rng: np.random.Generator) -> Rays:
        """Trace rays from random places around an object, most of them at or just beside its surface."""
        low, high = np.sin(np.radians([_LOWEST, _HIGHEST]))
        azimuth, height = rng.uniform(0, 360, count), np.arcsin(rng.uniform(low, high, count))
        away = rng.uniform(*_DISTANCE, count)
        turn = np.radians(azimuth)
        origins = np.stack([np.cos(height) * np.sin(turn), np.sin(height), np.cos(height) * np.cos(turn)], axis=1)
        origins *= away[:, None]
        aims = rng.uniform(-1, 1, (count, 3))
        aimed = int(_AIMED * count)
        aims[:aimed] = self._object(index).shape.surface(aimed, rng)[0] + rng.normal(0, _BESIDE, (aimed, 3))
        directions = aims - origins
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        origins, directions = origins.astype(np.float32), directions.astype(np.float32)
        return Rays(origins, directions, self._look(index, origins, directions))

    @override
    def known(self, index: int, count: int, rng: np.random.Generator) -> Known:
        """Draw places, half of them near the surface, and say how solid a blurred object is there."""
        seen = self._object(index)
        near, surface = count // 2, max(1, count // 2)
        drawn, normals = seen.shape.surface(near + surface, rng)
        places = rng.uniform(-1, 1, (count, 3)).astype(np.float32)
        places[:near] = drawn[:near] + rng.normal(0, _NEAR, (near, 1)) * normals[:near]
        solid = seen.shape.coverage(places, LABEL_SIGMA * np.eye(3), rng, LABEL_TRIES)
        where, upright = drawn[near:], normals[near:]
        dull, openness = np.ones(surface, np.float32), _openness(seen.shape, where, upright)
        colours = _lit(seen.colours[seen.shape.nearest(where)], dull, upright, -upright, openness)
        return Known(places, solid, where, upright, colours)

    def _picture(self, index: int, camera: Camera, side: int) -> Float[np.ndarray, "side side 4"]:
        """A square picture of an object, premultiplied."""
        origins, directions = rays(camera, side * _OVERSAMPLING, side * _OVERSAMPLING)
        values = self._look(index, origins.reshape(-1, 3), directions.reshape(-1, 3))
        return values.reshape(side, _OVERSAMPLING, side, _OVERSAMPLING, 4).mean((1, 3))

    def _look(
        self, index: int, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"]
    ) -> Float[np.ndarray, "n 4"]:
        """What rays see: colour premultiplied by opacity, which is 0 or 1."""
        seen = self._object(index)
        depth = seen.shape.trace(origins, directions)
        hit = np.flatnonzero(np.isfinite(depth))
        values = np.zeros((len(origins), 4), dtype=np.float32)
        places = origins[hit] + depth[hit, None] * directions[hit]
        solids, normals = seen.shape.nearest(places), seen.shape.normals(places)
        normals = np.where(np.einsum("ij,ij->i", normals, directions[hit])[:, None] > 0, -normals, normals)
        openness = _openness(seen.shape, places, normals)
        values[hit, :3] = _lit(seen.colours[solids], seen.roughness[solids], normals, directions[hit], openness)
        values[hit, 3] = 1
        return values


def _lit(
    unlit: Float[np.ndarray, "n 3"],
    roughness: Float[np.ndarray, " n"],
    normals: Float[np.ndarray, "n 3"],
    directions: Float[np.ndarray, "n 3"],
    openness: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "n 3"]:
    """Colours in soft light; the smoother a coat, the stronger and narrower its highlight."""
    polish = 1 - roughness
    return lit(unlit, normals, directions, openness=openness, gloss=_GLOSS * polish**2, sharpness=6 + 40 * polish)


def _openness(shape: Union, places: Float[np.ndarray, "n 3"], normals: Float[np.ndarray, "n 3"]) -> np.ndarray:
    """How much of the light of the sky reaches places, in [0, 1], by whether a few near them are solid."""
    probes = _PROBES * np.repeat(_REACH, len(_PROBES) // len(_REACH))[:, None]
    slant = normals @ _PROBES.T
    around = places[:, None] + 0.01 * normals[:, None] + np.sign(slant)[..., None] * probes
    solid = shape.inside(around.reshape(-1, 3)).reshape(around.shape[:2])
    hidden = (solid * np.abs(slant)).sum(1) / np.abs(slant).sum(1)
    return 1 - (1 - _DARKEST) * hidden


def _directions(count: int) -> Float[np.ndarray, "count 3"]:
    """Directions spread evenly over the sphere (a Fibonacci lattice), in an order without order."""
    height = 1 - 2 * (np.arange(count) + 0.5) / count
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    flat = np.sqrt(1 - height**2)
    lattice = np.stack([flat * np.cos(turn), height, flat * np.sin(turn)], axis=1)
    return np.random.default_rng(0).permutation(lattice).astype(np.float32)


_PROBES = _directions(16)


def _straight(values: Float[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 4"]:
    """Premultiplied values as 8 bits with straight alpha."""
    alpha = values[..., 3:]
    colour = np.divide(values[..., :3], alpha, out=np.zeros_like(values[..., :3]), where=alpha > 0)
    return np.rint(255 * np.concatenate([colour, alpha], axis=-1)).astype(np.uint8)
