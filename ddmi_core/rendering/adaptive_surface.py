"""Field -> mesh for a view: fine where the camera is near, coarse where it is far, or does not look.

An octree grows around the surface. It begins with the root cells in which a mesh of the whole shape runs; a cell that
the surface touches and that is too large for the view is refined; and wherever the surface leaves the cells that there
are, the ones behind are taken in, as far as it goes. So the field is asked only around the surface, and what the view
does not need is not asked at all. What was asked is kept for the next view.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import trimesh
from jaxtyping import Bool, Float, Float32, Int64

from ddmi_core.rendering.cameras import Camera
from ddmi_core.rendering.dual_contouring import contour
from ddmi_core.rendering.octree import (
    CORNERS,
    LEVELS,
    ROOT,
    STEPS,
    Keys,
    Level,
    ancestors,
    cells_around,
    cells_at,
    coordinates,
    crossed_edges,
    find,
    is_mixed,
    length_of,
    size_of,
)
from ddmi_core.rendering.octree_normals import SMOOTH_LEVEL, SmoothGradients, corner_gradients
from ddmi_core.rendering.surfaces import CHUNK, OUTSIDE, LatticeLogits, Logits, clean, extract_surface
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import Progress, report, sub_progress

KEPT_BYTES = 32 * 2**20
"""How much of what a field answered is kept from one view to the next."""

_GRID = np.array([(x, y, z) for x in range(3) for y in range(3) for z in range(3)])
_IN_GRID = np.array([9, 3, 1])
_CHILDREN = (CORNERS[:, None] + CORNERS[None]) @ _IN_GRID  # for each child, its corners in the grid
_OWN = 2 * CORNERS @ _IN_GRID  # the corners of the cell itself
_NEW = np.setdiff1d(np.arange(27), _OWN)
_NEAREST = 0.01  # scene units
_FIRST_FINENESS = 24.0
_STAGES = ((64.0, 16_000), (180.0, 90_000))  # fineness, and at most about so many cells that the surface runs through
_WORTH_IT = 1.1

Cells = tuple[Keys, Float32[np.ndarray, "_ 8"]]
"""Cells of one level, and the logits at their corners."""


@dataclass(frozen=True)
class Sight:
    """What is looked at. aspect: width by height of the picture; one that is higher than wide sees higher up."""

    camera: Camera
    aspect: float

    def wants_finer(self, fineness: float, level: int, keys: Keys) -> Bool[np.ndarray, " n"]:
        """Which cells of a level are in sight and take more than the `fineness`-th part of the picture's height."""
        size = length_of(level)
        towards = coordinates(keys) + size / 2 - self.camera.pose[:3, 3]
        right, up, back = (towards @ self.camera.pose[:3, :3]).T
        slope = np.tan(np.radians(self.camera.fov / 2)) / min(1.0, self.aspect)
        radius = size * np.sqrt(3) / 2
        depth = np.maximum(radius - back, 0.0)
        seen = (
            (back < radius)
            & (np.abs(up) <= slope * depth + radius)
            & (np.abs(right) <= slope * self.aspect * depth + radius)
        )
        step = 2 * slope * np.maximum(-back - radius, _NEAREST) / fineness
        return seen & (size > step * np.sqrt(2))  # the level next to what is wanted


class AdaptiveSurface:
    """The surface of one field, for any view of it. Not thread-safe."""

    def __init__(self, logits: Logits, seeds: Float[np.ndarray, "v 3"]) -> None:
        """`seeds`: points of the surface, as dense as its parts are thin: the vertices of a mesh."""
        self._logits = logits
        self._seeds = cells_at(seeds, 0)
        self._roots = Level()
        self._roots.add(self._seeds, self._ask_corners(self._seeds, None))
        self._kept = [_Answers() for _ in range(LEVELS)]
        self._gradients = SmoothGradients(self._ask)

    @classmethod
    def of(
        cls, logits: Logits, progress: Progress | None = None, *, on_lattice: LatticeLogits | None = None
    ) -> AdaptiveSurface:
        """Find the surface first; `on_lattice` is as in `extract_surface`.

        Raises:
            DDMIError: the field has no surface.
        """
        surface = extract_surface(logits, ROOT, on_lattice=on_lattice, progress=progress)
        if not len(surface.vertices):
            raise DDMIError("This shape is empty: the field is outside everywhere. Try another seed or prompt.")
        return cls(logits, surface.vertices)

    @property
    def nbytes(self) -> int:
        """Memory that is kept."""
        roots = self._roots.keys.nbytes + self._roots.values.nbytes
        return roots + self._gradients.nbytes + sum(kept.nbytes for kept in self._kept)

    def meshes(self, sight: Sight, progress: Progress | None = None) -> Iterator[trimesh.Trimesh]:
        """The surface for a view, roughly and then finely: closed, whatever sizes meet, with normals, without specks.

        `mesh.metadata["resolution"]` says how many cells along an axis there are, where they are smallest.

        Raises:
            DDMIError: the field gives NaN or infinity.
            Cancelled: from inside `progress`.
        """
        levels = [Level() for _ in range(LEVELS + 1)]
        try:
            yield from self._staged(levels, sight, progress)
        finally:
            self._forget(levels)

    def _staged(self, levels: list[Level], sight: Sight, progress: Progress | None) -> Iterator[trimesh.Trimesh]:
        levels[0].add(self._roots.keys, self._roots.values)
        fresh: dict[int, Cells] = {0: (self._roots.keys, self._roots.values)}
        # Parts so thin that the corners of root cells do not show them.
        hidden = find(levels[0].keys, self._seeds)
        self._refine(levels, 0, hidden[~is_mixed(levels[0].values[hidden])], fresh, progress)
        fineness = _FIRST_FINENESS
        for number, (finest, most) in enumerate(_STAGES):
            begin, end = number / len(_STAGES), (number + 1) / len(_STAGES)
            while True:
                report(progress, begin, "surface")
                self._grow(levels, fresh, sight, fineness, sub_progress(progress, begin, end))
                fresh = {}
                count = sum(int((level.touched & ~level.refined).sum()) for level in levels)
                finer = min(2 * fineness, finest, fineness * np.sqrt(most / count))
                if finer < _WORTH_IT * fineness:
                    break
                fineness = finer
            report(progress, end, "triangles")
            yield self._contour(levels)

    def _contour(self, levels: list[Level]) -> trimesh.Trimesh:
        """The mesh of the leaves that there are."""
        surface = contour(levels)
        cells = np.empty(len(surface.vertices), dtype=np.int64)
        normals = np.empty_like(surface.vertices)
        for number in np.unique(surface.levels).tolist():
            own = surface.levels == number
            leaves = surface.leaves[own]
            cells[own] = levels[number].keys[leaves]
            within = (surface.vertices[own] - coordinates(cells[own])) / length_of(number)
            normals[own] = -corner_gradients(levels[number].values[leaves], within)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        fine = surface.levels >= SMOOTH_LEVEL
        normals[fine] = self._gradients.normals(surface.vertices[fine], cells[fine], normals[fine])
        mesh = clean(trimesh.Trimesh(surface.vertices, surface.faces, vertex_normals=normals, process=False))
        mesh.metadata["resolution"] = ROOT << int(surface.levels.max())
        return mesh

    def _grow(
        self, levels: list[Level], fresh: dict[int, Cells], sight: Sight, fineness: float, progress: Progress | None
    ) -> None:
        """Refine what is too coarse, and go on wherever the surface leaves the cells, until neither is the case."""
        for level in levels:
            level.judged[:] = False
        while True:
            missing = [_follow(levels, number, *cells) for number, cells in fresh.items()]
            fresh = {}
            if missing and len(roots := np.unique(np.concatenate(missing))):
                fresh[0] = (roots, self._ask_corners(roots, progress))
                self._roots.add(*fresh[0])
                levels[0].add(*fresh[0])
                levels[0].touched[find(levels[0].keys, roots)] = True
            for number, level in enumerate(levels[:-1]):
                open_ones = np.flatnonzero(level.touched & ~level.judged & ~level.refined)
                level.judged[open_ones] = True
                wanted = sight.wants_finer(fineness, number, level.keys[open_ones])
                self._refine(levels, number, open_ones[wanted], fresh, progress)
            if not fresh:
                return

    def _refine(
        self,
        levels: list[Level],
        number: int,
        cells: Int64[np.ndarray, " n"],
        fresh: dict[int, Cells],
        progress: Progress | None,
    ) -> None:
        """Give cells of a level children, which are fresh."""
        if not len(cells):
            return
        level, half = levels[number], size_of(number + 1)
        level.refined[cells] = True
        keys = level.keys[cells]
        values = self._kept[number].values_of(keys)
        unknown = np.isnan(values[:, 0])
        if unknown.any():
            values[unknown[:, None] & np.isin(np.arange(27), _OWN)] = level.values[cells[unknown]].reshape(-1)
            points = keys[unknown, None] + _GRID[_NEW] @ STEPS * half
            points, index = np.unique(points, return_inverse=True)
            values[np.ix_(unknown, _NEW)] = self._ask(points, progress)[index.reshape(-1, len(_NEW))]
            self._kept[number].keep(keys[unknown], values[unknown])
        children = (keys[:, None] + CORNERS @ STEPS * half).reshape(-1), values[:, _CHILDREN].reshape(-1, 8)
        levels[number + 1].add(*children)
        fresh[number + 1] = children

    def _ask_corners(self, cells: Keys, progress: Progress | None) -> Float32[np.ndarray, "n 8"]:
        points, index = np.unique(cells[:, None] + CORNERS @ STEPS * size_of(0), return_inverse=True)
        return self._ask(points, progress)[index.reshape(-1, 8)]

    def _ask(self, points: Keys, progress: Progress | None = None) -> Float32[np.ndarray, " n"]:
        """The logits at points; in the ring around the volume it is outside."""
        where = coordinates(points)
        within = np.flatnonzero((np.abs(where) <= 1 + length_of(LEVELS) / 2).all(axis=1))
        values = np.full(len(points), OUTSIDE, dtype=np.float32)
        for start in range(0, len(within), CHUNK):
            report(progress, 0.0, f"surface, {len(within):,} points")
            chunk = within[start : start + CHUNK]
            answers = self._logits(torch.from_numpy(where[chunk].astype(np.float32)))
            values[chunk] = answers.detach().reshape(-1).cpu().numpy()
        if not np.isfinite(values).all():
            raise DDMIError("The field gives values that are not numbers: the model may be damaged.")
        return values

    def _forget(self, levels: list[Level]) -> None:
        """Keep only what this view needed, once there is too much."""
        if self.nbytes > KEPT_BYTES:
            for kept, level in zip(self._kept, levels, strict=False):
                kept.retain(level.keys[level.refined])
            self._gradients.forget()


def _follow(levels: list[Level], number: int, keys: Keys, values: Float32[np.ndarray, "n 8"]) -> Keys:
    """Mark the cells that the surface runs through beside cells of a level; return the root cells that are missing."""
    mixed = is_mixed(values)
    around = [
        cells_around(crossed_edges(values[mixed], keys[mixed], number, axis)[0], number, axis).reshape(-1)
        for axis in range(3)
    ]
    rest = np.unique(np.concatenate(around))
    for coarser in range(number, -1, -1):
        rest = np.unique(ancestors(rest, coarser))
        at = find(levels[coarser].keys, rest)
        levels[coarser].touched[at[at >= 0]] = True
        rest = rest[at < 0]
    return rest


class _Answers:
    """What the field answered at the 27 points of refined cells of one level."""

    def __init__(self) -> None:
        self.keys: Keys = np.empty(0, dtype=np.int64)
        self.values: Float32[np.ndarray, "n 27"] = np.empty((0, 27), dtype=np.float32)

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes

    def values_of(self, keys: Keys) -> Float32[np.ndarray, "n 27"]:
        """Those of cells; NaN where they are not known."""
        at = find(self.keys, keys)
        values = np.full((len(keys), 27), np.nan, dtype=np.float32)
        values[at >= 0] = self.values[at[at >= 0]]
        return values

    def keep(self, keys: Keys, values: Float32[np.ndarray, "n 27"]) -> None:
        """Take further cells in."""
        keys = np.concatenate([self.keys, keys])
        order = np.argsort(keys, kind="stable")
        self.keys, self.values = keys[order], np.concatenate([self.values, values])[order]

    def retain(self, keys: Keys) -> None:
        """Forget all cells but these."""
        stays = find(np.sort(keys), self.keys) >= 0
        self.keys, self.values = self.keys[stays], self.values[stays]
