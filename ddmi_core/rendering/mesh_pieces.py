"""A mesh in pieces of a few thousand triangles that lie together, so that it can be handed over and drawn in steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int, UInt32

MOST_FACES = 4096


@dataclass(frozen=True, eq=False)
class MeshPiece:
    """Ready for the graphics card.

    points: positions and unit normals. faces, edges: indices of points; of an edge that several pieces of a closed
    surface share, one has it. low, high: corners of the box around it. marks: what the points are coloured by, 0 to 1;
    None where nothing is told by colours.
    """

    points: Float32[np.ndarray, "v 6"]
    faces: UInt32[np.ndarray, "f 3"]
    edges: UInt32[np.ndarray, "e 2"]
    low: Float32[np.ndarray, " 3"]
    high: Float32[np.ndarray, " 3"]
    marks: Float32[np.ndarray, " v"] | None = None


def mesh_pieces(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    normals: Float[np.ndarray, "v 3"],
    marks: Float[np.ndarray, " v"] | None = None,
) -> tuple[MeshPiece, ...]:
    """Cut a mesh into pieces of at most `MOST_FACES` triangles."""
    points = np.concatenate([vertices, normals], axis=1).astype(np.float32)
    return tuple(_piece(points, marks, part) for part in _halved(faces, points[faces[:, 0], :3]) if len(part))


def _halved(faces: Int[np.ndarray, "f 3"], places: Float32[np.ndarray, "f 3"]) -> Iterator[Int[np.ndarray, "_ 3"]]:
    """Halve along the longest side until it is few enough."""
    if len(faces) <= MOST_FACES:
        yield faces
        return
    axis = int(np.ptp(places, axis=0).argmax())
    order = np.argpartition(places[:, axis], len(faces) // 2)
    for part in (order[: len(faces) // 2], order[len(faces) // 2 :]):
        yield from _halved(faces[part], places[part])


def _piece(
    points: Float32[np.ndarray, "v 6"], marks: Float[np.ndarray, " v"] | None, faces: Int[np.ndarray, "f 3"]
) -> MeshPiece:
    is_used = np.zeros(len(points), dtype=bool)
    is_used[faces] = True
    used = np.flatnonzero(is_used)
    place = np.empty(len(points), dtype=np.uint32)
    place[used] = np.arange(len(used), dtype=np.uint32)
    own, index = points[used], place[faces]
    # Two faces run through an edge of a closed surface in opposite directions; the order of points is the same in all.
    sides = np.stack([index[:, [0, 1]], index[:, [1, 2]], index[:, [2, 0]]], axis=1).reshape(-1, 2)
    edges = np.ascontiguousarray(sides[sides[:, 0] < sides[:, 1]])
    own_marks = None if marks is None else marks[used].astype(np.float32)
    return MeshPiece(own, index, edges, own[:, :3].min(axis=0), own[:, :3].max(axis=0), own_marks)
