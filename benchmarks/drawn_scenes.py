"""Ten coloured things made by rule, three of them difficult, and posed pictures of them for fits of scenes.

Seven easy ones are furniture and vessels of plain parts; difficult are thin rods, a box with a fine pattern, and a deep
niche that no silhouette shows. The studio's own soft light and faint gloss fall on them; see `coloured_meshes`.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from ddmi_core.data.coloured_meshes import ColouredMesh, spread_cameras
from ddmi_core.export import transforms_json

VIEWS, SIDE = 24, 128
"""Pictures of each, every fourth of which is held out, and pixels along their sides."""

_Colour = tuple[int, int, int]
_Place = tuple[float, float, float]

_WOOD, _DARK, _CLOTH, _LEAF, _SAND, _RED = (
    (176, 128, 78),
    (52, 46, 44),
    (70, 96, 150),
    (72, 128, 70),
    (226, 208, 170),
    (196, 62, 48),
)
_FINE = 0.03  # side of the triangles that carry a pattern


def _coloured(mesh: trimesh.Trimesh, colour: _Colour) -> trimesh.Trimesh:
    mesh.visual.face_colors = np.tile([*colour, 255], (len(mesh.faces), 1))
    return mesh


def _box(size: _Place, place: _Place, colour: _Colour) -> trimesh.Trimesh:
    return _coloured(trimesh.creation.box(size, trimesh.transformations.translation_matrix(place)), colour)


def _rod(start: _Place, stop: _Place, radius: float, colour: _Colour) -> trimesh.Trimesh:
    return _coloured(trimesh.creation.cylinder(radius, segment=np.array([start, stop]), sections=24), colour)


def _ball(radius: float, place: _Place, colour: _Colour) -> trimesh.Trimesh:
    return _coloured(trimesh.creation.icosphere(3, radius).apply_translation(place), colour)


def _turned(profile: Sequence[tuple[float, float]], colour: _Colour) -> trimesh.Trimesh:
    """What a profile of (radius, height) makes when it is turned about y."""
    mesh = trimesh.creation.revolve(np.array(profile), sections=48)
    return _coloured(mesh.apply_transform(trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0])), colour)


def _patterned(mesh: trimesh.Trimesh, colour_of: Callable[[np.ndarray], np.ndarray]) -> trimesh.Trimesh:
    """With faces small enough to carry a pattern: `colour_of` maps their centres (n, 3) to colours (n, 3), 0 to 255."""
    fine = trimesh.Trimesh(*trimesh.remesh.subdivide_to_size(mesh.vertices, mesh.faces, _FINE), process=False)
    colours = colour_of(fine.triangles_center)
    fine.visual.face_colors = np.concatenate([colours, np.full((len(colours), 1), 255)], axis=1).astype(np.uint8)
    return fine


def _legs(x: float, z: float, top: float, radius: float, colour: _Colour) -> list[trimesh.Trimesh]:
    return [_rod((i * x, 0, j * z), (i * x, top, j * z), radius, colour) for i in (-1, 1) for j in (-1, 1)]


def _table() -> list[trimesh.Trimesh]:
    return [_box((1.6, 0.08, 0.9), (0, 0.8, 0), _WOOD), *_legs(0.7, 0.36, 0.78, 0.05, _DARK)]


def _chair() -> list[trimesh.Trimesh]:
    back = _box((0.8, 0.7, 0.07), (0, 0.95, -0.37), _CLOTH)
    return [_box((0.8, 0.1, 0.8), (0, 0.55, 0), _CLOTH), back, *_legs(0.34, 0.34, 0.55, 0.045, _WOOD)]


def _sofa() -> list[trimesh.Trimesh]:
    arms = [_box((0.2, 0.6, 0.8), (i * 0.9, 0.3, 0), _RED) for i in (-1, 1)]
    cushions = [_box((0.76, 0.16, 0.6), (i * 0.39, 0.42, 0.08), _SAND) for i in (-1, 1)]
    return [_box((1.6, 0.34, 0.8), (0, 0.17, 0), _RED), _box((1.6, 0.8, 0.2), (0, 0.4, -0.32), _RED), *arms, *cushions]


def _lamp() -> list[trimesh.Trimesh]:
    shade = _turned([(0.0, 0.9), (0.42, 0.9), (0.26, 1.35), (0.0, 1.35)], _SAND)
    return [
        _turned([(0.0, 0.0), (0.3, 0.0), (0.3, 0.06), (0.0, 0.06)], _DARK),
        _rod((0, 0, 0), (0, 1, 0), 0.035, _DARK),
        shade,
    ]


def _shelf() -> list[trimesh.Trimesh]:
    sides = [_box((0.06, 1.5, 0.4), (i * 0.5, 0.75, 0), _WOOD) for i in (-1, 1)]
    boards = [_box((1.0, 0.05, 0.4), (0, y, 0), _WOOD) for y in (0.05, 0.55, 1.0, 1.47)]
    books = [_box((0.08, 0.3, 0.25), (-0.35 + 0.1 * i, 0.73, 0), c) for i, c in enumerate((_RED, _CLOTH, _LEAF, _SAND))]
    return [*sides, *boards, _box((1.0, 1.5, 0.03), (0, 0.75, -0.2), _DARK), *books, _ball(0.14, (0.2, 1.17, 0), _RED)]


def _vase() -> list[trimesh.Trimesh]:
    outside = [(0.0, 0.0), (0.35, 0.0), (0.55, 0.4), (0.45, 0.8), (0.22, 1.05), (0.3, 1.25)]
    vase = _turned([*outside, (0.24, 1.25), (0.16, 1.05), (0.0, 0.7)], _CLOTH)

    def banded(places: np.ndarray) -> np.ndarray:
        return np.where((np.floor(places[:, 1:2] * 6) % 2) > 0, [_CLOTH], [_SAND])

    return [_patterned(vase, banded)]


def _plant() -> list[trimesh.Trimesh]:
    pot = _turned([(0.0, 0.0), (0.3, 0.0), (0.4, 0.5), (0.0, 0.5)], _RED)
    leaves = [
        _ball(0.2, (0.32 * np.cos(turn), 0.85 + 0.12 * np.sin(2 * turn), 0.32 * np.sin(turn)), _LEAF)
        for turn in np.linspace(0, 2 * np.pi, 6, endpoint=False)
    ]
    return [pot, _rod((0, 0.4, 0), (0, 0.9, 0), 0.06, _WOOD), _ball(0.26, (0, 1.1, 0), _LEAF), *leaves]


def _rods() -> list[trimesh.Trimesh]:
    ring = [(0.6 * np.cos(t), 0.6 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 9)]
    bars = [_rod((x, 0, z), (x, 1.1, z), 0.02, _DARK) for x, z in ring[:-1]]
    hoops = [
        _rod((*a[:1], y, a[1]), (*b[:1], y, b[1]), 0.025, _RED) for y in (0.02, 0.55, 1.1) for a, b in pairwise(ring)
    ]
    return [*bars, *hoops]


def _pattern() -> list[trimesh.Trimesh]:
    def drawn(places: np.ndarray) -> np.ndarray:
        checks = np.floor(places * 8 + 0.01).sum(axis=1) % 2 > 0
        waves = 0.5 + 0.5 * np.sin(9 * places @ np.array([[1.0, 0.3, 0.2], [0.2, 1.0, 0.4], [0.5, 0.2, 1.0]]))
        return np.where(checks[:, None], 40 + 200 * waves, [_SAND])

    return [_patterned(trimesh.creation.box((1.4, 1.0, 0.9)), drawn)]


def _niche() -> list[trimesh.Trimesh]:
    walls = [
        _box((1.4, 0.1, 0.9), (0, -0.5, 0), _WOOD),
        _box((1.4, 0.1, 0.9), (0, 0.5, 0), _WOOD),
        _box((0.1, 1.1, 0.9), (-0.65, 0, 0), _CLOTH),
        _box((0.1, 1.1, 0.9), (0.65, 0, 0), _CLOTH),
        _box((1.4, 1.1, 0.1), (0, 0, -0.4), _SAND),
    ]
    return [*walls, _ball(0.22, (0.15, -0.2, 0), _RED)]


SCENES: dict[str, Callable[[], list[trimesh.Trimesh]]] = {
    "table": _table,
    "chair": _chair,
    "sofa": _sofa,
    "lamp": _lamp,
    "shelf": _shelf,
    "vase": _vase,
    "plant": _plant,
    "thin rods": _rods,
    "fine pattern": _pattern,
    "deep niche": _niche,
}
DIFFICULT = ("thin rods", "fine pattern", "deep niche")


def write_scene(folder: Path, parts: list[trimesh.Trimesh]) -> Path:
    """Write pictures of a thing and their `transforms.json`, which is returned."""
    cameras = spread_cameras(VIEWS)
    values = ColouredMesh(parts).seen(cameras, SIDE, SIDE).pictures()
    straight = np.concatenate([values[..., :3] / np.maximum(values[..., 3:], 1e-6), values[..., 3:]], axis=-1)
    files = [f"{number:02}.png" for number in range(VIEWS)]
    folder.mkdir(parents=True, exist_ok=True)
    for file, pixels in zip(files, np.round(255 * straight.clip(0, 1)).astype(np.uint8), strict=True):
        Image.fromarray(pixels).save(folder / file)
    transforms_json.write(folder / "transforms.json", cameras, files, SIDE, SIDE)
    return folder / "transforms.json"
