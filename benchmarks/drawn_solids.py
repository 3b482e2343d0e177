"""Two solids made by rule, as meshes that are no easy ones: of parts that overlap, and of very many faces."""

from collections.abc import Callable

import numpy as np
import trimesh
from skimage.measure import marching_cubes

_TEETH = 18
_SIDE, _PERIODS, _WALL = 152, 3.0, 0.35


def _gear() -> trimesh.Trimesh:
    """A disc whose teeth reach into it, each a box of its own."""
    parts = [trimesh.creation.cylinder(1.0, 0.4, sections=96)]
    for turn in np.linspace(0, 2 * np.pi, _TEETH, endpoint=False):
        tooth = trimesh.creation.box((0.45, 0.16, 0.4))
        tooth.apply_translation((1.0, 0.0, 0.0))
        parts.append(tooth.apply_transform(trimesh.transformations.rotation_matrix(turn, (0, 0, 1))))
    return trimesh.util.concatenate(parts)


def _gyroid() -> trimesh.Trimesh:
    """The wall along a gyroid, cut out by a ball."""
    axis = np.linspace(-1.05, 1.05, _SIDE)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij", sparse=True)
    a, b, c = (np.pi * _PERIODS * one for one in (x, y, z))
    gyroid = np.sin(a) * np.cos(b) + np.sin(b) * np.cos(c) + np.sin(c) * np.cos(a)
    wall = np.minimum((_WALL - np.abs(gyroid)) / (np.pi * _PERIODS), 1 - np.sqrt(x**2 + y**2 + z**2))
    vertices, faces, *_ = marching_cubes(wall, 0.0, spacing=(axis[1] - axis[0],) * 3, gradient_direction="ascent")
    return trimesh.Trimesh(vertices, faces)


SOLIDS: dict[str, Callable[[], trimesh.Trimesh]] = {"gear": _gear, "gyroid": _gyroid}
