"""A plane that cuts what is drawn of a surface, so that one sees inside; and where a ray meets what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from ddmi_core.rendering.mesh_pieces import MeshPiece

Axis = Literal[0, 1, 2]
Plane = tuple[float, float, float, float]
"""(a, b, c, d): what has a x + b y + c z + d > 0 is cut away."""
Point = Float[np.ndarray, " 3"]

_PARALLEL = 1e-12


@dataclass(frozen=True)
class Section:
    """A cut across an axis, `share` (0..1) of the way from the low side of a box to its high side.

    What is above it along the axis is cut away; if `flipped`, what is below.
    """

    axis: Axis = 0
    share: float = 0.5
    flipped: bool = False

    def place(self, low: Point, high: Point) -> float:
        """Return where the plane is along the axis in the box between two corners."""
        return float(low[self.axis] + self.share * (high[self.axis] - low[self.axis]))

    def plane(self, low: Point, high: Point) -> Plane:
        """Return the plane in the box between two corners."""
        side = -1.0 if self.flipped else 1.0
        a, b, c = (side * (axis == self.axis) for axis in range(3))
        return a, b, c, -side * self.place(low, high)

    def corners(self, low: Point, high: Point) -> Float[np.ndarray, "4 3"]:
        """Return the corners of what lies in the plane within the box between two corners, as a strip of triangles."""
        corners = np.array([[low, low], [high, low], [low, high], [high, high]], dtype=np.float64)
        u, v = (axis for axis in range(3) if axis != self.axis)
        found = np.full((4, 3), self.place(low, high))
        found[:, u], found[:, v] = corners[:, 0, u], corners[:, 1, v]
        return found


def beyond(points: Float[np.ndarray, "n 3"], plane: Plane) -> Float[np.ndarray, " n"]:
    """Return how far points lie in what a plane cuts away; negative in what is left."""
    return points @ np.array(plane[:3]) + plane[3]


def first_met(pieces: Sequence[MeshPiece], origin: Point, direction: Point, plane: Plane | None = None) -> Point | None:
    """Return where a ray first meets what is seen of a closed surface, or None.

    Args:
        pieces: the surface.
        origin: where the ray begins.
        direction: where it goes; of any length.
        plane: cuts the surface. Where the ray enters the solid through it, it meets the cut itself.
    """
    nearest, is_inside = np.inf, False
    for piece in pieces:
        if _misses_box(piece, origin, direction):
            continue
        corners = piece.points[:, :3].astype(np.float64)[piece.faces]
        ways, outwards = _crossings(corners, origin, direction)
        if plane is not None:
            kept = beyond(origin + ways[:, None] * direction, plane) <= 0
            ways, outwards = ways[kept], outwards[kept]
        if len(ways) and ways.min() < nearest:
            first = ways.argmin()
            nearest, is_inside = float(ways[first]), bool(outwards[first])
    if not np.isfinite(nearest):
        return None
    if is_inside and plane is not None:
        steepness = float(direction @ np.array(plane[:3]))
        through = -float(beyond(origin[None], plane)[0]) / steepness if abs(steepness) > _PARALLEL else 0.0
        nearest = through if 0 < through < nearest else nearest
    return origin + nearest * direction


def _misses_box(piece: MeshPiece, origin: Point, direction: Point) -> bool:
    """Whether a ray passes by the box around a piece."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = (np.stack([piece.low, piece.high]) - origin) / direction
    ends = np.where(np.isnan(ends), [[-np.inf], [np.inf]], ends)  # along a side of the box
    return bool(ends.max(axis=0).min() < max(ends.min(axis=0).max(), 0.0))


def _crossings(
    corners: Float[np.ndarray, "n 3 3"], origin: Point, direction: Point
) -> tuple[Float[np.ndarray, " hits"], Bool[np.ndarray, " hits"]]:
    """Where a ray goes through triangles, in lengths of its direction, and whether it leaves the solid there.

    After Möller and Trumbore, "Fast, minimum storage ray/triangle intersection", 1997.
    """
    first, one, other = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(direction, other)
    size = np.einsum("nk,nk->n", one, across)  # negative where the triangle is seen from behind
    with np.errstate(divide="ignore", invalid="ignore"):
        away = origin - first
        u = np.einsum("nk,nk->n", away, across) / size
        turned = np.cross(away, one)
        v = turned @ direction / size
        ways = np.einsum("nk,nk->n", other, turned) / size
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (ways > 0) & np.isfinite(ways)
    return ways[hit], size[hit] < 0
