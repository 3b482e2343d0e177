"""Pictures of meshes on the CPU: pinhole cameras and a ray caster with soft studio light.

Cameras are 4x4 camera-to-world matrices that look along -z with y up (OpenGL). Space is right-handed, y up; the front
of an object faces +z. Pixel row 0 is the top row; rays go through pixel centres.
"""

from dataclasses import dataclass

import numpy as np
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Float, UInt8

DARK = (22, 24, 28)  # the stage of the dark theme, #16181c
LIGHT = (246, 247, 249)
CLAY = (196, 202, 212)

# Directions towards the lights in camera space (x right, y up, z to the viewer), so that every view is lit alike.
_KEY = np.array([-0.55, 0.65, 0.55]) / np.linalg.norm([-0.55, 0.65, 0.55])
_FILL = np.array([0.85, 0.1, 0.5]) / np.linalg.norm([0.85, 0.1, 0.5])
_SKY, _GROUND, _KEY_POWER, _FILL_POWER = 0.30, 0.13, 0.72, 0.13  # linear light
_SAMPLES = 2  # along each side of a pixel
_STRIP = 1 << 16  # rays that one call of the caster gets


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: `pose` (4, 4) camera-to-world, `fov` the vertical field of view in degrees."""

    pose: Float[np.ndarray, "4 4"]
    fov: float = 35.0


def orbit_camera(
    azimuth: float = 35.0,
    elevation: float = 20.0,
    distance: float = 4.4,
    fov: float = 35.0,
    target: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Camera:
    """Place a camera on a sphere around a point, looking at it, y up. The defaults show the whole of [-0.9, 0.9]^3.

    Args:
        azimuth: degrees from the front (+z) towards the right (+x).
        elevation: degrees above the horizon; straight up or down is 90 or -90.
        distance: from the target, in units of the field's [-1, 1].
        fov: vertical field of view in degrees.
        target: the point looked at.
    """
    turn, tilt = np.radians([azimuth, elevation])
    back = np.array([np.sin(turn) * np.cos(tilt), np.sin(tilt), np.cos(turn) * np.cos(tilt)])
    right = np.array([np.cos(turn), 0.0, -np.sin(turn)])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    pose[:3, 3] = np.asarray(target) + distance * back
    return Camera(pose, fov)


def framing_camera(
    mesh: trimesh.Trimesh, azimuth: float = 35.0, elevation: float = 20.0, fov: float = 35.0, *, margin: float = 0.06
) -> Camera:
    """Place an orbit camera just so far away that the mesh fills a square picture, but for `margin` of it at each side.

    Azimuth, elevation and fov are those of `orbit_camera`. A mesh without vertices gets the default distance.
    """
    if not len(mesh.vertices):
        return orbit_camera(azimuth, elevation, fov=fov)
    low, high = mesh.bounds
    camera = orbit_camera(azimuth, elevation, 0.0, fov, tuple(((low + high) / 2).tolist()))
    local = (np.asarray(mesh.vertices) - camera.pose[:3, 3]) @ camera.pose[:3, :3]
    # A point at (x, y, z) is inside while |x| and |y| stay below slope * (distance - z).
    slope = np.tan(np.radians(fov) / 2) * (1 - 2 * margin)
    # Perspective shows the near side larger: shift the view so that both sides touch the frame alike.
    shift = np.zeros(3)
    distance = 0.0
    for axis in (0, 1):
        above = (local[:, axis] / slope + local[:, 2]).max()
        below = (-local[:, axis] / slope + local[:, 2]).max()
        shift[axis] = slope * (above - below) / 2
        distance = max(distance, (above + below) / 2)
    camera.pose[:3, 3] += camera.pose[:3, :3] @ (shift + np.array([0.0, 0.0, distance]))
    return camera


def rays(camera: Camera, width: int, height: int) -> tuple[Float[np.ndarray, "h w 3"], Float[np.ndarray, "h w 3"]]:
    """Return origins and unit directions, float32, of the rays through the pixel centres."""
    half = np.tan(np.radians(camera.fov) / 2)
    x = ((2 * np.arange(width) + 1) / width - 1) * half * width / height
    y = (1 - (2 * np.arange(height) + 1) / height) * half
    local = np.stack(np.broadcast_arrays(x, y[:, None], -1.0), axis=-1)
    directions = local @ camera.pose[:3, :3].T
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    origins = np.broadcast_to(camera.pose[:3, 3], directions.shape)
    return origins.astype(np.float32), directions.astype(np.float32)


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
        hit, normals = _cast(mesh, origins.reshape(-1, 3), directions.reshape(-1, 3))
        light[hit] = _shade(normals, camera) * _to_linear(colour)
        cover[hit] = 1.0
    light, cover = (
        samples.reshape(height, _SAMPLES, width, _SAMPLES, -1).mean(axis=(1, 3)) for samples in (light, cover)
    )
    if background is None:
        alpha = np.round(255 * cover).astype(np.uint8)
        return np.concatenate([_to_srgb(light / np.maximum(cover, 1e-6)), alpha], axis=-1)
    return _to_srgb(light + (1 - cover) * _to_linear(background))


def over(picture: UInt8[np.ndarray, "h w 4"], background: tuple[int, int, int] = DARK) -> UInt8[np.ndarray, "h w 3"]:
    """Lay a picture with straight alpha over a plain background."""
    alpha = picture[..., 3:] / 255
    return np.round(alpha * picture[..., :3] + (1 - alpha) * np.asarray(background)).astype(np.uint8)


def contact_sheet(
    images: list[UInt8[np.ndarray, "h w 3"]], columns: int, *, gap: int = 8, background: tuple[int, int, int] = DARK
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    """Lay pictures of one size side by side in rows of `columns`, `gap` pixels between and around them."""
    height, width = images[0].shape[:2]
    lines = -(-len(images) // columns)
    sheet = np.empty((lines * (height + gap) + gap, columns * (width + gap) + gap, 3), dtype=np.uint8)
    sheet[:] = background
    for index, image in enumerate(images):
        top, left = (
            gap + place * (extent + gap) for place, extent in zip(divmod(index, columns), (height, width), strict=True)
        )
        sheet[top : top + height, left : left + width] = image
    return sheet


def _cast(
    mesh: trimesh.Trimesh, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"]
) -> tuple[np.ndarray, Float[np.ndarray, "hits 3"]]:
    """Which rays hit (indices) and the unit normals there, turned towards the viewer."""
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
    triangle = faces[met[hit]]
    u, v = all_u[hit, None], all_v[hit, None]
    corner = np.asarray(mesh.vertex_normals, dtype=np.float32)[triangle]
    normals = (1 - u - v) * corner[:, 0] + u * corner[:, 1] + v * corner[:, 2]
    away = np.einsum("ij,ij->i", normals, directions[hit]) > 0
    normals[away] *= -1
    return hit, normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


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
