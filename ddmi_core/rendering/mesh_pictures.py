"""Pictures of meshes on the CPU: a ray caster with soft studio light."""

from typing import NamedTuple

import numpy as np
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Float, Int, UInt8

from ddmi_core.rendering.cameras import Camera, framing_camera, rays
from ddmi_core.rendering.picture_layout import DARK

CLAY = (196, 202, 212)

# Directions towards the lights in camera space (x right, y up, z to the viewer), so that every view is lit alike.
_KEY = np.array([-0.55, 0.65, 0.55]) / np.linalg.norm([-0.55, 0.65, 0.55])
_FILL = np.array([0.85, 0.1, 0.5]) / np.linalg.norm([0.85, 0.1, 0.5])
_SKY, _GROUND, _KEY_POWER, _FILL_POWER = 0.30, 0.13, 0.72, 0.13  # linear light
_SAMPLES = 2  # along each side of a pixel
_STRIP = 1 << 16  # rays that one call of the caster gets


def render_mesh(
    mesh: trimesh.Trimesh,
    camera: Camera | None = None,
    width: int = 256,
    height: int = 256,
    *,
    background: tuple[int, int, int] | None = DARK,
    colour: tuple[int, int, int] = CLAY,
) -> UInt8[np.ndarray, "h w c"]:
    """Ray-cast a mesh: interpolated vertex normals, hemispheric ambient, a key and a fill light, 2x2 samples a pixel.

    The default camera is `framing_camera(mesh)`: from the front right, slightly above. No side is black. Background and
    colour are sRGB, 0 to 255. A mesh without faces gives the plain background. Without a background the picture has a
    fourth channel, straight alpha.
    """
    camera = camera or framing_camera(mesh)
    count = height * _SAMPLES * width * _SAMPLES
    light = np.zeros((count, 3), dtype=np.float32)
    cover = np.zeros((count, 1), dtype=np.float32)
    if len(mesh.faces):
        origins, directions = rays(camera, width * _SAMPLES, height * _SAMPLES)
        hits = cast(mesh, origins.reshape(-1, 3), directions.reshape(-1, 3))
        light[hits.rays] = _shade(hits.normals, camera) * _to_linear(colour)
        cover[hits.rays] = 1.0
    light, cover = (
        samples.reshape(height, _SAMPLES, width, _SAMPLES, -1).mean(axis=(1, 3)) for samples in (light, cover)
    )
    if background is None:
        alpha = np.round(255 * cover).astype(np.uint8)
        return np.concatenate([_to_srgb(light / np.maximum(cover, 1e-6)), alpha], axis=-1)
    return _to_srgb(light + (1 - cover) * _to_linear(background))


class Hits(NamedTuple):
    """Where rays first met a mesh: numbers of the rays, the triangles, places in them, and unit normals.

    `corners` are barycentric weights of each triangle's corners. Normals are interpolated and turned to the viewer.
    """

    rays: Int[np.ndarray, " hits"]
    triangles: Int[np.ndarray, " hits"]
    corners: Float[np.ndarray, "hits 3"]
    normals: Float[np.ndarray, "hits 3"]


def cast(mesh: trimesh.Trimesh, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"]) -> Hits:
    """Find the first hit of each ray on either side of a mesh's faces; float32 in, float32 out."""
    vertices = np.ascontiguousarray(mesh.vertices, dtype=np.float32)
    faces = np.ascontiguousarray(mesh.faces, dtype=np.int32)
    scene = EmbreeScene()
    TriangleMesh(scene, vertices, faces)
    # The caster holds the interpreter while it runs: strips leave other threads their turn.
    strips = [
        scene.run(origins[start : start + _STRIP], directions[start : start + _STRIP], output=True)
        for start in range(0, len(origins), _STRIP)
    ]
    met, all_u, all_v = (np.concatenate([strip[key] for strip in strips]) for key in ("primID", "u", "v"))
    hit = np.flatnonzero(met >= 0)
    u, v = all_u[hit], all_v[hit]
    corners = np.stack([1 - u - v, u, v], axis=1)
    around = np.asarray(mesh.vertex_normals, dtype=np.float32)[faces[met[hit]]]
    normals = np.einsum("nc,nck->nk", corners, around)
    away = np.einsum("ij,ij->i", normals, directions[hit]) > 0
    normals[away] *= -1
    lengths = np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Hits(hit, met[hit], corners, normals / lengths)


def _shade(normals: Float[np.ndarray, "n 3"], camera: Camera) -> Float[np.ndarray, "n 1"]:
    """Linear light that leaves a white surface towards the viewer."""
    seen = normals @ camera.pose[:3, :3]
    ambient = _GROUND + (_SKY - _GROUND) * (normals[:, 1] + 1) / 2
    # Wrapped diffuse light: soft like a large lamp, no hard edge where it ends.
    key, fill = (np.clip((seen @ light + 0.25) / 1.25, 0, 1) for light in (_KEY, _FILL))
    return np.clip(ambient + _KEY_POWER * key**1.5 + _FILL_POWER * fill, 0, 1)[:, None]


def _to_linear(colour: tuple[int, int, int]) -> Float[np.ndarray, "3"]:
    return (np.asarray(colour) / 255) ** 2.2


def _to_srgb(linear: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    return np.round(255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8)
