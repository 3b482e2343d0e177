"""How thick a solid is beneath its surface: what breaks, or cannot be printed at all, is thin."""

import numpy as np
import trimesh
from jaxtyping import Float

from ddmi_core.rendering.mesh_pictures import cast
from ddmi_core.support.progress import Progress, report

_BENEATH = 1e-3
"""How far beneath the surface a ray begins, so that it does not meet the triangles that it comes from."""
_AT_ONCE = 1 << 18  # rays


def thicknesses(mesh: trimesh.Trimesh, progress: Progress | None = None) -> Float[np.ndarray, " v"]:
    """Return of each vertex how far it is through the solid, straight inwards, to where a ray comes out again.

    Infinite where none does, as under a surface that is not closed.

    Args:
        mesh: within [-1, 1]^3, its normals outwards.
        progress: called now and then; may raise `Cancelled`.
    """
    inwards = -np.asarray(mesh.vertex_normals, np.float32)
    vertices, triangles = np.asarray(mesh.vertices, np.float32), np.asarray(mesh.triangles, np.float32)
    found = np.full(len(inwards), np.inf)
    for start in range(0, len(inwards), _AT_ONCE):
        report(progress, start / len(inwards), "measuring how thick it is")
        ways = inwards[start : start + _AT_ONCE]
        origins = vertices[start : start + _AT_ONCE] + np.float32(_BENEATH) * ways
        hits = cast(mesh, origins, ways)
        met = np.einsum("hk,hkx->hx", hits.corners, triangles[hits.triangles])
        found[start + hits.rays] = _BENEATH + np.linalg.norm(met - origins[hits.rays], axis=1)
    return found
