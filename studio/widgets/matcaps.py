"""Matcaps: how a material looks in fixed light, told by a picture of a ball made of it.

What is seen of a surface has the colour that the ball has where it faces the same way. The pictures are computed here:
light from the upper left and a room's surroundings, in linear light, then brought to sRGB.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, UInt8

Matcap = Literal["clay", "porcelain", "metal", "stripes"]
MATCAPS: tuple[Matcap, ...] = get_args(Matcap)

SIZE = 256
"""Pixels of a ball's side."""
_KEY = np.array([-0.45, 0.75, 0.62]) / np.linalg.norm([-0.45, 0.75, 0.62])
_STRIPES = 10  # of the room around the ball, from its floor to its ceiling

_Normals = Float[np.ndarray, "h w 3"]
_Light = Float[np.ndarray, "h w 3"]


@cache
def matcap(name: Matcap) -> UInt8[np.ndarray, "h w 3"]:
    """The picture of a ball, seen from the front, that fills it from edge to edge; the first row is the lowest.

    Beside the ball its edge goes on, so that a look-up at the edge finds nothing else.
    """
    light = _MATERIALS[name](_normals())
    return np.round(255 * light.clip(0, 1) ** (1 / 2.2)).astype(np.uint8)


def _normals() -> _Normals:
    """Where the ball faces, per pixel: x right, y up, z toward the one who looks."""
    along = (2 * np.arange(SIZE) + 1) / SIZE - 1
    x, y = np.meshgrid(along, along)
    outside = np.maximum(np.hypot(x, y), 1.0)
    x, y = x / outside, y / outside
    return np.stack([x, y, np.sqrt((1 - x * x - y * y).clip(0))], axis=-1)


def _clay(normals: _Normals) -> _Light:
    """Matte and warm, with light that reaches a little around."""
    soft = ((normals @ _KEY + 0.4) / 1.4).clip(0)[..., None] ** 1.3
    light = 0.26 * _between((0.55, 0.42, 0.38), (1.0, 1.0, 1.05), _up(normals)) + soft
    return np.array([0.56, 0.25, 0.16]) * light + 0.05 * _grazing(normals, 3) * np.array([1.0, 0.8, 0.7])


def _porcelain(normals: _Normals) -> _Light:
    """White, glazed: soft shade, and the room mirrored the more the more it is seen from the side."""
    soft = ((normals @ _KEY + 0.5) / 1.5).clip(0)[..., None] ** 1.5
    body = np.array([0.84, 0.85, 0.86]) * (0.26 * _between((0.5, 0.54, 0.66), (1, 1, 1), _up(normals)) + 0.76 * soft)
    mirrored = 0.04 + 0.5 * _grazing(normals, 5)
    return body * (1 - mirrored) + mirrored * _room(normals, floor=0.10, ceiling=0.55, lamp=12.0)


def _metal(normals: _Normals) -> _Light:
    """Polished steel: the room, mirrored, and nothing else."""
    return np.array([0.90, 0.92, 0.95]) * _room(normals, floor=0.06, ceiling=0.40, lamp=1.6)


def _stripes(normals: _Normals) -> _Light:
    """A mirror in a room of stripes: they break where a surface has an edge, and bend where it is uneven."""
    height = np.arcsin(_mirrored(normals)[..., 1].clip(-1, 1)) / (np.pi / 2)
    wave = np.sin(np.pi * _STRIPES / 2 * height)[..., None]
    lit = 0.35 + 0.65 * ((normals @ _KEY + 0.6) / 1.6).clip(0)[..., None]
    return lit * _between((0.02, 0.025, 0.04), (0.86, 0.87, 0.88), _step(wave, -0.12, 0.12))


_MATERIALS: dict[Matcap, Callable[[_Normals], _Light]] = {
    "clay": _clay,
    "porcelain": _porcelain,
    "metal": _metal,
    "stripes": _stripes,
}


def _room(normals: _Normals, *, floor: float, ceiling: float, lamp: float) -> _Light:
    """The light that a mirror shows of a room: a dark floor, walls that are brightest at the horizon, and a lamp."""
    seen = _mirrored(normals)
    height = seen[..., 1:2]
    walls = ceiling + (0.85 - ceiling) * np.exp(-2.4 * height.clip(0))
    ground = floor + 0.24 * (-height).clip(0)
    lit = _step(height, -0.10, 0.10)
    room = ground * (1 - lit) + walls * lit
    return room + lamp * _step((seen @ _KEY)[..., None], 0.90, 0.97)


def _mirrored(normals: _Normals) -> _Normals:
    """Where one sees to in a mirror that faces so."""
    return 2 * normals[..., 2:] * normals - np.array([0.0, 0.0, 1.0])


def _up(normals: _Normals) -> Float[np.ndarray, "h w 1"]:
    """How much the ball faces upward, 0..1."""
    return 0.5 + 0.5 * normals[..., 1:2]


def _grazing(normals: _Normals, power: float) -> Float[np.ndarray, "h w 1"]:
    """How much it is seen from the side, 0 in the middle of the ball, 1 at its edge."""
    return (1 - normals[..., 2:]) ** power


def _between(
    low: tuple[float, float, float], high: tuple[float, float, float], share: Float[np.ndarray, "h w 1"]
) -> _Light:
    return np.array(low) * (1 - share) + np.array(high) * share


def _step(values: Float[np.ndarray, "h w 1"], low: float, high: float) -> Float[np.ndarray, "h w 1"]:
    """A smooth step from 0 at `low` to 1 at `high`."""
    share = ((values - low) / (high - low)).clip(0, 1)
    return share * share * (3 - 2 * share)
