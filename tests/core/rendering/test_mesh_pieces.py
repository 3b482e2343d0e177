from __future__ import annotations

import numpy as np
import trimesh

from ddmi_core.rendering.mesh_pieces import MOST_FACES, MeshPiece, mesh_pieces


def pieces_of(mesh: trimesh.Trimesh) -> tuple[MeshPiece, ...]:
    return mesh_pieces(mesh.vertices, mesh.faces, mesh.vertex_normals)


def places(piece: MeshPiece, indices: np.ndarray) -> list[bytes]:
    """Each face or edge by the places of its points."""
    return [part.tobytes() for part in piece.points[indices, :3]]


def test_pieces_are_the_mesh_each_face_once() -> None:
    mesh = trimesh.creation.icosphere(6)
    pieces = pieces_of(mesh)
    assert len(pieces) > 4 and max(len(piece.faces) for piece in pieces) <= MOST_FACES
    given = sorted(part.tobytes() for part in mesh.vertices.astype(np.float32)[mesh.faces])
    assert sorted(face for piece in pieces for face in places(piece, piece.faces)) == given
    for piece in pieces:
        assert (piece.points[:, :3] >= piece.low).all() and (piece.points[:, :3] <= piece.high).all()
        np.testing.assert_allclose(piece.points[:, 3:], piece.points[:, :3], atol=0.01)  # normals of a unit sphere
        assert (piece.high - piece.low).min() < 1.5


def test_each_edge_of_a_closed_surface_once() -> None:
    mesh = trimesh.creation.icosphere(6)
    edges = [edge for piece in pieces_of(mesh) for edge in places(piece, np.sort(piece.edges, axis=1))]
    assert len(edges) == len(mesh.edges_unique)
    assert len({tuple(sorted((edge[:12], edge[12:]))) for edge in edges}) == len(edges)


def test_marks_go_with_their_points() -> None:
    mesh = trimesh.creation.icosphere(6)
    for piece in mesh_pieces(mesh.vertices, mesh.faces, mesh.vertex_normals, mesh.vertices[:, 1]):
        assert piece.marks is not None
        np.testing.assert_array_equal(piece.marks, piece.points[:, 1])


def test_no_faces_no_pieces() -> None:
    assert mesh_pieces(np.zeros((0, 3)), np.zeros((0, 3), dtype=int), np.zeros((0, 3))) == ()
