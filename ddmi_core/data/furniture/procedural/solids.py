"""Unions of simple solids with exact inside tests and surface samples, in vectorised numpy and without meshes.

Two families are enough for furniture. A *block* is a box with rounded edges, a *drum* an elliptic cylinder, possibly
hollow or only a sector of one. Both may be rotated, stretched, tapered and bulged along their own y axis. The scale
of the cross-section at height ``t`` in [-1, 1] is ``1 + taper * t + bulge * (1 - t^2)``.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from ddmi_core.rendering.volume_rendering import box_span

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]
Vector = Sequence[float] | FloatArray
AnyFamily = TypeVar("AnyFamily", bound="_Family")

# A surface sample belongs to the union's boundary if this much further out nothing is solid. It also is the
# tolerance for touching parts.
SURFACE_STEP = 2e-3
LONGEST = 1.8
_TRACE_STEPS, _TRACE_END, _NORMAL_STEP = 96, 1e-3, 1e-3
_NOT_A_SECTOR = -2.0

_HALVES = np.array(list(itertools.product((0, 1), repeat=3)))

# The parts of a drum's surface: outer wall, inner wall, lower end, upper end, and the two cut faces of a sector.
_ONE = np.float32(1)
_RADIAL = np.array([1, -1, 0, 0, 0, 0], dtype=np.float32)
_END_LEVEL = np.array([0, 0, -1, 1, 0, 0], dtype=np.float32)
_CUT_SIDE = np.array([0, 0, 0, 0, -1, 1], dtype=np.float32)


def rotation(*, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> FloatArray:
    """Rotation matrix (3, 3) about the axes x, then y, then z, by angles in radians."""
    (sx, cx), (sy, cy), (sz, cz) = ((np.sin(a), np.cos(a)) for a in (x, y, z))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def upright(direction: Vector) -> FloatArray:
    """Rotation (3, 3) whose y axis is ``direction``, with its x axis as near the world's x as can be."""
    up = np.asarray(direction, dtype=float)
    up = up / np.linalg.norm(up)
    helper = np.array([1.0, 0.0, 0.0]) if abs(up[0]) < 0.9 else np.array([0.0, 0.0, 1.0])
    side = helper - up * (helper @ up)
    side /= np.linalg.norm(side)
    return np.stack([side, up, np.cross(side, up)], axis=1)


@dataclass(frozen=True)
class Solid:
    """One block or drum; lengths in the caller's unit.

    ``half``: half sizes along the own axes. ``rounding``: edge radius. ``stretch``: factors applied after rounding,
    so that a ball becomes an ellipsoid. ``hole``: inner radius over outer radius (drums). ``sector``: half angle
    about the own -z axis in radians, ``None`` for the whole drum. ``role``: what it is of the furniture, such as
    "legs".
    """

    centre: FloatArray
    half: FloatArray
    frame: FloatArray
    is_drum: bool = False
    rounding: float = 0.0
    taper: tuple[float, float] = (0.0, 0.0)
    bulge: float = 0.0
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)
    hole: float = 0.0
    sector: float | None = None
    role: str = ""

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner of an axis-aligned box that holds the solid."""
        levels = np.linspace(-1, 1, 9) if self.bulge else np.array([-1.0, 1.0])
        scale = np.stack([1 + k * levels + self.bulge * (1 - levels**2) for k in self.taper], axis=1)
        axes = self.frame * np.asarray(self.stretch)
        middles = np.outer(levels * self.half[1], axes[:, 1])
        if self.is_drum and self.sector is not None:
            angles = np.linspace(-self.sector, self.sector, 33)
            rim = np.stack([np.sin(angles), -np.cos(angles)], axis=1)
            rim = np.concatenate([rim, rim * self.hole])
            local = rim[None] * scale[:, None] * self.half[[0, 2]]
            points = middles[:, None] + local @ axes[:, [0, 2]].T
            points = points.reshape(-1, 3)
            return self.centre + points.min(0), self.centre + points.max(0)
        across = axes[None][:, :, [0, 2]] * (scale * self.half[[0, 2]])[:, None]
        if self.is_drum:
            reach = np.linalg.norm(across, axis=2)
        elif self.rounding and not any(self.taper) and not self.bulge:
            core = np.abs(axes) @ (self.half - self.rounding) + np.linalg.norm(axes, axis=1) * self.rounding
            return self.centre - core, self.centre + core
        else:
            reach = np.abs(across).sum(2)
        return self.centre + (middles - reach).min(0), self.centre + (middles + reach).max(0)

    def placed(self, offset: FloatArray, scale: float, thinnest: float, narrowest_hole: float) -> Solid:
        """The solid moved by ``-offset`` and scaled, then thickened to at least ``thinnest`` in every direction.

        A whole drum's hole closes where it would be narrower than ``narrowest_hole``.
        """
        narrowest = np.array(
            [1 - abs(self.taper[0]) + min(self.bulge, 0), 1.0, 1 - abs(self.taper[1]) + min(self.bulge, 0)]
        )
        half = np.maximum(self.half * scale, 0.5 * thinnest / np.maximum(narrowest, 0.35) / np.asarray(self.stretch))
        hole = self.hole
        if hole:
            radius = float((half[[0, 2]] * narrowest[[0, 2]]).min())
            hole = max(min(hole, 1 - thinnest / radius), 0.0)
            if self.sector is None and 2 * hole * radius < narrowest_hole:
                hole = 0.0
        return Solid(
            (self.centre - offset) * scale, half, self.frame, self.is_drum, min(self.rounding * scale, half.min()),
            self.taper, self.bulge, self.stretch, hole, self.sector, self.role,
        )  # fmt: skip


@dataclass
class Builder:
    """Collects solids in metres; y is up and the floor is wherever the caller puts it."""

    solids: list[Solid] = field(default_factory=list)
    role: str = "body"
    """Of the solids that come next."""

    @contextmanager
    def part(self, role: str) -> Iterator[None]:
        """Give what is built inside a role."""
        before, self.role = self.role, role
        try:
            yield
        finally:
            self.role = before

    def box(
        self,
        centre: Vector,
        size: Vector,
        *,
        rounding: float = 0.0,
        frame: FloatArray | None = None,
        taper: tuple[float, float] = (0.0, 0.0),
        bulge: float = 0.0,
        stretch: tuple[float, float, float] = (1.0, 1.0, 1.0),
    ) -> None:
        """A box of the given full size; ``rounding`` is limited to half of its thinnest side."""
        half = np.abs(np.asarray(size, dtype=float)) / 2
        frame = np.eye(3) if frame is None else frame
        rounding = min(rounding, float(half.min()))
        self.solids.append(
            Solid(np.asarray(centre, dtype=float), half, frame, False, rounding, taper, bulge, stretch, role=self.role)
        )

    def span(self, low: Vector, high: Vector, *, rounding: float = 0.0) -> None:
        """The axis-aligned box between two corners."""
        a, b = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        self.box((a + b) / 2, b - a, rounding=rounding)

    def drum(
        self,
        centre: Vector,
        radii: Vector,
        height: float,
        *,
        frame: FloatArray | None = None,
        taper: float = 0.0,
        bulge: float = 0.0,
        rounding: float = 0.0,
        hole: float = 0.0,
        sector: float | None = None,
    ) -> None:
        """An elliptic cylinder with radii (x, z) at mid-height; see `Solid` for the rest."""
        half = np.array([radii[0], height / 2, radii[-1]], dtype=float)
        frame = np.eye(3) if frame is None else frame
        rounding = min(rounding, height / 2, 0.95 * min(radii) * (1 - hole))
        self.solids.append(
            Solid(
                np.asarray(centre, dtype=float),
                half,
                frame,
                True,
                rounding,
                (taper, taper),
                bulge,
                (1.0, 1.0, 1.0),
                hole,
                sector,
                self.role,
            )
        )

    def ball(self, centre: Vector, radii: Vector) -> None:
        """An ellipsoid with radii along x, y, z."""
        reach = np.asarray(radii, dtype=float)
        self.box(centre, (2.0 * reach.min(),) * 3, rounding=reach.min(), stretch=tuple((reach / reach.min()).tolist()))

    def rod(
        self,
        start: Vector,
        end: Vector,
        start_size: float,
        end_size: float | None = None,
        *,
        is_round: bool = True,
        bulge: float = 0.0,
    ) -> None:
        """A straight leg, rail or pole between two points with full widths at its ends; round or square in section."""
        a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
        end_size = start_size if end_size is None else end_size
        middle = (start_size + end_size) / 2
        taper = (end_size - start_size) / (end_size + start_size)
        frame, length = upright(b - a), float(np.linalg.norm(b - a))
        if is_round:
            self.drum((a + b) / 2, (middle / 2, middle / 2), length, frame=frame, taper=taper, bulge=bulge)
        else:
            self.box((a + b) / 2, (middle, length, middle), frame=frame, taper=(taper, taper), bulge=bulge)

    def path(self, points: Iterable[Vector], size: float) -> None:
        """A bent round tube through ``points`` with balls at its bends."""
        bends = [np.asarray(p, dtype=float) for p in points]
        for a, b in itertools.pairwise(bends):
            self.rod(a, b, size)
        for p in bends[1:-1]:
            self.ball(p, (size / 2,) * 3)

    def longest(self) -> float:
        """The longest side of the box that holds all solids."""
        low, high = _bounds(self.solids)
        return float((high - low).max())

    def union(self, *, thinnest: float = 0.0, narrowest_hole: float = 0.0) -> Union:
        """All solids as one shape, centred, its longest side `LONGEST`, no part thinner than ``thinnest``."""
        solids = self.solids
        # Thickening may move the outermost face, so the second pass fits what the first one made.
        for _ in range(2):
            low, high = _bounds(solids)
            offset, scale = (low + high) / 2, LONGEST / float((high - low).max())
            solids = [s.placed(offset, scale, thinnest, narrowest_hole) for s in solids]
        return Union(solids, (high - low) * scale)


def _bounds(solids: Sequence[Solid]) -> tuple[FloatArray, FloatArray]:
    corners = np.array([s.bounds() for s in solids])
    return corners[:, 0].min(0), corners[:, 1].max(0)


class _Family:
    """The solids of one family as arrays over the family's n members.

    ``distance(points)`` is negative inside, positive outside, (n, p), and never larger than the way to the surface.
    """

    by_row: tuple[str, ...] = ("half", "rounding", "taper_x", "taper_z", "bulge", "hole", "cos_sector", "trust")

    def __init__(self, solids: list[Solid]) -> None:
        def column(values: Iterable[float]) -> FloatArray:
            return np.array(list(values), dtype=np.float32).reshape(-1, 1)

        self.count = len(solids)
        stretch = np.array([s.stretch for s in solids]).reshape(-1, 3)
        frames = np.array([s.frame for s in solids]).reshape(-1, 3, 3)
        centres = np.array([s.centre for s in solids]).reshape(-1, 3)
        self.half = np.array([s.half for s in solids], dtype=np.float32).reshape(-1, 3)
        self.rounding = column(s.rounding for s in solids)
        self.taper_x = column(s.taper[0] for s in solids)
        self.taper_z = column(s.taper[1] for s in solids)
        self.bulge = column(s.bulge for s in solids)
        self.hole = column(s.hole for s in solids)
        self.sector = column(np.pi if s.sector is None else s.sector for s in solids)
        self.cos_sector = column(_NOT_A_SECTOR if s.sector is None else np.cos(s.sector) for s in solids)
        # world -> own coordinates, grouped by own axis: (own axis, solid, world axis), so that one matrix product for
        # the whole family gives each axis as one (n, points) slab
        into = frames.transpose(0, 2, 1) / stretch[:, :, None]
        shift = np.einsum("nij,nj->ni", into, centres)
        self.into = np.ascontiguousarray(into.transpose(1, 0, 2), dtype=np.float32)
        self.shift = np.ascontiguousarray(shift.T[:, :, None], dtype=np.float32)
        slope = (self.half.max(1) / self.half[:, 1])[:, None] * (
            np.maximum(np.abs(self.taper_x), np.abs(self.taper_z)) + 2 * np.abs(self.bulge)
        )
        narrowest = 1 - np.maximum(np.abs(self.taper_x), np.abs(self.taper_z)) + np.minimum(self.bulge, 0)
        narrowest = np.clip(narrowest, 0.1, 1)
        shear = slope / narrowest
        # Own lengths times this are never longer than the lengths in the world that they stand for: undoing the
        # profile lengthens by at most 1 / narrowest across, and by the norm of [[1, shear], [0, 1]].
        self.trust = column(stretch.min(1)) * narrowest / ((shear + np.sqrt(shear**2 + 4)) / 2)
        # own -> world: (own axis, world axis, solid)
        self.out = np.ascontiguousarray((frames * stretch[:, None, :]).transpose(2, 1, 0), dtype=np.float32)
        self.normal_out = np.ascontiguousarray((frames / stretch[:, None, :]).transpose(2, 1, 0), dtype=np.float32)
        self.centres = np.ascontiguousarray(centres.T, dtype=np.float32)
        self.profile = np.concatenate([self.bulge, self.taper_x, self.taper_z, self.half[:, 1:2]], axis=1).T.copy()
        self.stretched_half = self.half * stretch
        self.stretched = bool(np.any(stretch != 1))
        self.turned = self.stretched or bool(np.any(frames != np.eye(3)))
        self.shaped = bool(np.any(self.taper_x) or np.any(self.taper_z) or np.any(self.bulge))

    def rows(self: AnyFamily, which: NDArray[np.intp]) -> AnyFamily:
        """The solids ``which``, repeated as often as they are named, for `distance` to places of each one's own."""
        picked = copy.copy(self)
        for name in self.by_row:
            setattr(picked, name, np.take(getattr(self, name), which, axis=0))
        picked.into, picked.shift = np.take(self.into, which, axis=1), np.take(self.shift, which, axis=1)
        picked.count = len(which)
        return picked

    def own(self, points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Own coordinates with taper and bulge undone, three arrays (n, p), of points (p, 3), or (n, p, 3) of each."""
        if points.ndim == 2:
            local = (self.into.reshape(-1, 3) @ points.T).reshape(3, self.count, -1)
        else:
            local = np.einsum("anc,npc->anp", self.into, points)
        local -= self.shift
        x, y, z = local
        if self.shaped:
            level = y / self.half[:, 1:2]
            # Beyond the ends the profile may shrink to nothing; those points are outside by their height anyway.
            np.clip(level, -1, 1, out=level)
            swell = 1 + self.bulge * (1 - level * level)
            x = x / (swell + self.taper_x * level)
            z = z / (swell + self.taper_z * level)
        return x, y, z

    def place(self, which: NDArray[np.intp], local: FloatArray, normal: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Own surface points and normals (3, p) of solids ``which`` -> world (p, 3), applying the profile."""
        if self.shaped:
            bulge, taper_x, taper_z, half_y = np.take(self.profile, which, axis=1)
            x, y, z = local
            level = y / half_y
            swell = bulge * (1 - level * level) + 1
            scale_x, scale_z = swell + taper_x * level, swell + taper_z * level
            lean_x, lean_z = (taper_x - 2 * bulge * level) / scale_x, (taper_z - 2 * bulge * level) / scale_z
            normal_y = normal[1] - (normal[0] * x * lean_x + normal[2] * z * lean_z) / half_y
            normal = np.stack([normal[0] / scale_x, normal_y, normal[2] / scale_z])
            local = np.stack([x * scale_x, y, z * scale_z])
        points = np.take(self.centres, which, axis=1)
        if self.turned:
            out = np.take(self.out, which, axis=2)
            for axis in range(3):
                points += out[axis] * local[axis]
            out = np.take(self.normal_out, which, axis=2) if self.stretched else out
            normal = out[0] * normal[0] + out[1] * normal[1] + out[2] * normal[2]
        else:
            points += local
        normal /= np.sqrt(np.einsum("ip,ip->p", normal, normal))
        return points.T, normal.T


def _rounded_corner(beyond: Sequence[FloatArray], rounding: FloatArray) -> FloatArray:
    """Distance to an edge of radius ``rounding``, from how far beyond the planes its centre lies in a place is."""
    squares = sum(np.maximum(b, 0) ** 2 for b in beyond)
    return np.sqrt(squares) + np.minimum(np.maximum.reduce(beyond), 0) - rounding


class _Blocks(_Family):
    def __init__(self, solids: list[Solid]) -> None:
        super().__init__(solids)
        x, y, z = self.stretched_half.T
        self.areas = 8 * np.stack([y * z, x * z, x * y], axis=1).reshape(-1)  # per solid: both faces across x, y, z
        self.core = self.half - self.rounding
        self.half_columns = self.half.T.copy()
        self.any_rounded = bool(np.any(self.rounding))

    def distance(self, points: FloatArray) -> FloatArray:
        offsets = [np.abs(v) for v in self.own(points)]
        for axis in range(3):
            offsets[axis] -= self.half[:, axis : axis + 1]
        result = np.maximum(np.maximum(offsets[0], offsets[1]), offsets[2])
        rounded = np.flatnonzero(self.rounding[:, 0])
        if len(rounded):
            r = self.rounding[rounded]
            beyond = [offset[rounded] + r for offset in offsets]
            result[rounded] = _rounded_corner(beyond, r)
        result *= self.trust
        return result

    def surface(self, part: NDArray[np.intp], rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        which, axis = np.divmod(part, 3)
        row = np.arange(len(part))
        half = np.take(self.half_columns, which, axis=1)
        unit = rng.random((3, len(part)), dtype=np.float32)
        unit *= 2
        unit -= 1
        sign = np.copysign(np.float32(1), unit[axis, row])
        unit[axis, row] = sign
        local = unit * half
        normal = np.zeros_like(local)
        normal[axis, row] = sign
        if self.any_rounded:
            # On a rounded block the sample is pushed from the sharp box onto the rounded edge.
            rounding = np.take(self.rounding[:, 0], which)
            core = half - rounding
            excess = local - np.clip(local, -core, core)
            length = np.sqrt(np.einsum("ip,ip->p", excess, excess))
            np.maximum(length, 1e-12, out=length)
            rounded = rounding > 0
            excess /= length
            np.copyto(normal, excess, where=rounded)
            local -= normal * np.where(rounded, length - rounding, 0)
        return self.place(which, local, normal)


class _Drums(_Family):
    by_row = (*_Family.by_row, "radius")

    def __init__(self, solids: list[Solid]) -> None:
        super().__init__(solids)
        x, y, z = self.half.T
        hole, share = self.hole[:, 0], self.sector[:, 0] / np.pi
        ends = np.stack([(1 + s * self.taper_x[:, 0]) ** 2 for s in (-1, 1)], axis=1)
        around = 2 * np.pi * np.sqrt((x**2 + z**2) / 2) * 2 * y * (1 + 2 * self.bulge[:, 0] / 3) * share
        disc = np.pi * x * z * (1 - hole**2) * share
        cut = np.where(share < 1, 2 * y * (1 - hole) * np.sqrt(x * z), 0)
        self.areas = np.stack([around, around * hole, disc * ends[:, 0], disc * ends[:, 1], cut, cut], axis=1).reshape(
            -1
        )
        self.radius = np.sqrt(self.half[:, 0:1] * self.half[:, 2:3])
        self.any_rounded = bool(np.any(self.rounding))
        columns = [self.hole, self.radius, self.rounding, self.sector, self.half, self.taper_x]
        self.table = np.concatenate(columns, axis=1).T.astype(np.float32, order="C")

    def distance(self, points: FloatArray) -> FloatArray:
        x, y, z = self.own(points)
        half_x, half_y, half_z = self.half[:, 0:1], self.half[:, 1:2], self.half[:, 2:3]
        x, z, above = x / half_x, z / half_z, np.abs(y) - half_y
        rho, radius = np.sqrt(x * x + z * z), np.minimum(half_x, half_z)
        result = np.maximum((rho - 1) * radius, above)
        rounded = np.flatnonzero(self.rounding[:, 0])
        if len(rounded):
            r, mean = self.rounding[rounded], self.radius[rounded]
            beyond = [(rho[rounded] - 1) * mean + r, above[rounded] + r]
            result[rounded] = _rounded_corner(beyond, r) * (radius[rounded] / mean)
        hollow = np.flatnonzero(self.hole[:, 0])
        if len(hollow):
            result[hollow] = np.maximum(result[hollow], (self.hole[hollow] - rho[hollow]) * radius[hollow])
        sectors = np.flatnonzero(self.cos_sector[:, 0] > _NOT_A_SECTOR)
        if len(sectors):
            # Neither -z nor the distance from the axis grows faster than a step is long.
            beyond_cut = (self.cos_sector[sectors] * rho[sectors] + z[sectors]) * (0.5 * radius[sectors])
            result[sectors] = np.maximum(result[sectors], beyond_cut)
        result *= self.trust
        return result

    def surface(self, part: NDArray[np.intp], rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        which, part = np.divmod(part, 6)
        u, v, w = rng.random((3, len(part)), dtype=np.float32)
        hole, radius, r, sector, half_x, half_y, half_z, taper = np.take(self.table, which, axis=1)
        # On a cone a height is as likely as its circumference is long: inverse of the distribution 1 + taper * t.
        steady = np.abs(taper) < 1e-3
        slope = np.where(steady, _ONE, taper)
        level = np.where(steady, 2 * v - 1, (np.sqrt((1 - slope) ** 2 + 4 * slope * v) - 1) / slope)
        np.copyto(level, np.take(_END_LEVEL, part), where=(part == 2) | (part == 3))
        rho = np.sqrt(hole**2 + w * (1 - hole**2))
        np.copyto(rho, _ONE, where=part == 0)
        np.copyto(rho, hole, where=part == 1)
        cut = np.take(_CUT_SIDE, part)
        angle = np.where(cut == 0, (2 * u - 1), cut) * sector
        radial, vertical = np.take(_RADIAL, part), np.take(_END_LEVEL, part)
        y = level * half_y
        if self.any_rounded:
            over, above = (rho - 1) * radius + r, np.abs(y) - half_y + r
            corner = np.flatnonzero((r > 0) & (over > 0) & (above > 0) & (part != 1))
            length = np.hypot(over[corner], above[corner])
            out, up = over[corner] / length, above[corner] / length
            is_face = part[corner] < 4
            reach = np.where(is_face, r[corner], np.minimum(length, r[corner]))
            rho[corner] = 1 + (out * reach - r[corner]) / radius[corner]
            y[corner] = np.sign(y[corner]) * (half_y[corner] + up * reach - r[corner])
            radial[corner] = np.where(is_face, out, 0)
            vertical[corner] = np.where(is_face, up * np.sign(y[corner]), 0)
        sin, cos = np.sin(angle), np.cos(angle)
        radial *= radius
        local = np.stack([half_x * rho * sin, y, -half_z * rho * cos])
        normal = np.stack([radial * sin / half_x + cut * cos, vertical, -radial * cos / half_z + cut * sin])
        return self.place(which, local, normal)


class Union:
    """A shape: the union of placed solids, centred, with extents ``sides`` (3,). x is right, y up, z to the front."""

    def __init__(self, solids: list[Solid], sides: FloatArray) -> None:
        self.sides = sides
        self.families: list[_Blocks | _Drums] = []
        self.roles: list[str] = []
        """Of the solids, in the order in which `nearest` counts them."""
        for kind, members in (
            (_Blocks, [s for s in solids if not s.is_drum]),
            (_Drums, [s for s in solids if s.is_drum]),
        ):
            if members:
                self.families.append(kind(members))
                self.roles += [solid.role for solid in members]
        areas = np.concatenate([f.areas for f in self.families])
        self._cumulative = np.cumsum(areas) / areas.sum()

    def inside(self, points: FloatArray) -> BoolArray:
        """Whether each of (p, 3) points is solid: (p,)."""
        points = np.ascontiguousarray(points, dtype=np.float32)
        return np.logical_or.reduce([(f.distance(points) <= 0).any(axis=0) for f in self.families])

    def distance(self, points: FloatArray) -> NDArray[np.float32]:
        """At most the way to the surface from (p, 3) points, negative inside: (p,)."""
        points = np.ascontiguousarray(points, dtype=np.float32)
        return np.minimum.reduce([family.distance(points).min(axis=0) for family in self.families])

    def nearest(self, points: FloatArray) -> NDArray[np.intp]:
        """The solid whose surface each of (p, 3) points on the boundary lies on: its number, (p,)."""
        points = np.ascontiguousarray(points, dtype=np.float32)
        return np.concatenate([family.distance(points) for family in self.families]).argmin(axis=0)

    def trace(self, origins: FloatArray, directions: FloatArray) -> NDArray[np.float32]:
        """How far rays, (p, 3) each and of unit length, go until they meet the solid; infinity where they miss it.

        By sphere tracing (Hart 1996): no step is longer than the way to the nearest surface.
        """
        x, y, z = (self.sides / 2).tolist()
        starts, ways = (torch.from_numpy(np.asarray(part, dtype=np.float32)) for part in (origins, directions))
        enter, out = box_span(starts, ways, (-x, -y, -z, x, y, z))
        depth, leave = enter.numpy(), out.numpy()
        active = np.flatnonzero(leave > depth)
        met = np.full(len(origins), np.inf, dtype=np.float32)
        for _ in range(_TRACE_STEPS):
            if not len(active):
                break
            ahead = self.distance(origins[active] + depth[active, None] * directions[active])
            here = ahead < _TRACE_END
            met[active[here]] = depth[active[here]]
            depth[active] += np.maximum(ahead, _TRACE_END)
            active = active[~here & (depth[active] < leave[active])]
        return met

    def normals(self, points: FloatArray) -> NDArray[np.float32]:
        """Outward unit normals at (p, 3) points near the boundary, from distances at the corners of a tetrahedron."""
        corners = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], dtype=np.float32)
        around = (points[:, None] + _NORMAL_STEP * corners).reshape(-1, 3)
        slope = self.distance(around).reshape(-1, 4) @ corners
        return slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)

    def grid(self, resolution: int) -> BoolArray:
        """Whether the cell centres of a grid over [-1, 1]^3 are solid: (resolution,) * 3, indexed [ix, iy, iz].

        The grid is halved block by block. A block whose centre is further from every surface than its corners are from
        there needs no more asking.
        """
        result = np.zeros((resolution,) * 3, dtype=bool)
        side = next(n for n in (8, 4, 2, 1) if resolution % n == 0)
        corner = np.stack(np.meshgrid(*[np.arange(0, resolution, side)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        while True:
            middle = ((2 * corner + side) / resolution - 1).astype(np.float32)
            depth = np.minimum.reduce([f.distance(middle).min(axis=0) for f in self.families])
            # A little more than the way to the outermost cell centres, for rounding.
            sure = (
                np.abs(depth) > np.sqrt(3) * (side - 1) / resolution + 1e-4 if side > 1 else np.ones_like(depth, bool)
            )
            for x, y, z in corner[sure & (depth <= 0)]:
                result[x : x + side, y : y + side, z : z + side] = True
            corner = corner[~sure]
            if not len(corner):
                return result
            side //= 2
            corner = (corner[:, None] + side * _HALVES).reshape(-1, 3)

    def coverage(
        self, points: FloatArray, spread: FloatArray, rng: np.random.Generator, tries: int
    ) -> NDArray[np.float32]:
        """The share of ``tries`` places about each of (p, 3) points that is solid: (p,).

        The places are normally spread; ``spread`` (3, 3) maps standard normal vectors to their offsets. Only points
        within three standard deviations of a surface are asked about, and only against the solids near to them: for
        all others one answer holds everywhere around.
        """
        points = np.ascontiguousarray(points, dtype=np.float32)
        distances = [family.distance(points) for family in self.families]
        nearest = np.minimum.reduce([d.min(axis=0) for d in distances])
        reach = 3 * float(np.linalg.norm(spread, 2))
        result = (nearest <= 0).astype(np.float32)
        unsure = np.flatnonzero(np.abs(nearest) < reach)
        offsets = rng.standard_normal((len(unsure), tries, 3), dtype=np.float32) @ spread.T.astype(np.float32)
        places = points[unsure, None] + offsets
        solid = np.zeros((len(unsure), tries), dtype=bool)
        for family, distance in zip(self.families, distances, strict=True):
            at, which = np.nonzero(np.abs(distance[:, unsure].T) < reach)
            if len(at):
                first = np.flatnonzero(np.diff(at, prepend=-1))
                inside = family.rows(which).distance(places[at]) <= 0
                solid[at[first]] |= np.logical_or.reduceat(inside, first, axis=0)
        result[unsure] = solid.mean(axis=1)
        return result

    def surface(self, count: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """``count`` area-weighted points on the union's boundary and outward unit normals, (count, 3) float32 each."""
        points: list[FloatArray] = []
        normals: list[FloatArray] = []
        found = 0
        rate = 0.7  # a guess at the share of samples that lie on the boundary; measured from the first draw on
        while found < count:
            drawn = int((count - found) / rate * 1.08) + 16
            p, n = self._candidates(drawn, rng)
            keep = np.flatnonzero(~self.inside(p + SURFACE_STEP * n))
            rate = max(len(keep) / len(p), 0.05)
            p, n = p[keep], n[keep]
            points.append(p)
            normals.append(n)
            found += len(p)
        # Families come out one after the other, so a cut at ``count`` must be a random one.
        chosen = rng.permutation(found)[:count]
        return np.concatenate(points)[chosen], np.concatenate(normals)[chosen]

    def _candidates(self, count: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """About ``count`` samples of all solids' surfaces, in order; each part gets its area's share to within one."""
        ends = np.floor(self._cumulative * count + rng.random()).astype(np.intp)
        shares = np.diff(ends, prepend=0)
        points, normals, first = [], [], 0
        for family in self.families:
            size = len(family.areas)
            p, n = family.surface(np.repeat(np.arange(size), shares[first : first + size]), rng)
            points.append(p)
            normals.append(n)
            first += size
        return np.concatenate(points), np.concatenate(normals)
