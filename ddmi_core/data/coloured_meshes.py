"""Coloured surfaces: meshes with materials or textures, and clouds of coloured points; softly lit pictures of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float, Int
from trimesh.visual.color import uv_to_interpolated_color
from trimesh.visual.material import PBRMaterial

from ddmi_core.data.shape_folders import LEAST_POINTS, load_parts
from ddmi_core.placement import Placement, Up, turned_up
from ddmi_core.rendering.cameras import Camera, rays, sphere_of_cameras
from ddmi_core.rendering.mesh_pictures import Hits, cast
from ddmi_core.support.errors import DataError

_SAMPLES = 2  # rays along each side of a pixel
_PLAIN = 0.8  # grey of faces that say nothing of their colour
_CREASE = 0.8  # cosine of the angle between a face and its corners' normals from which an edge is hard
_THINNING = 64  # cells an axis: points are drawn alike from each cell that holds some

# Fixed in space and alike on both sides, so that a mirrored object is lit as it should be.
_KEY = np.array([0.0, 0.8, 0.6])
_SHADE, _GLOSS, _SHARPNESS = 0.42, 0.10, 12


@dataclass(frozen=True)
class ColouredPoints:
    """Points of a surface: positions float32 (p, 3) in [-0.9, 0.9], colours float32 (p, 3), sRGB in [0, 1].

    `placement` says where they lay in their file, where they are all that was read of it.
    """

    positions: Float[np.ndarray, "p 3"]
    colours: Float[np.ndarray, "p 3"]
    placement: Placement | None = None


class ColouredMesh:
    """A mesh that knows its colour everywhere on its surface.

    Args:
        parts: meshes, whose visuals give the colours.
        transform: linear map applied to all vertices first, such as a stretch; the result is then normalised.
        up: the axis that is up in their file.

    Raises:
        DataError: there are no faces, or they have no extent.
    """

    def __init__(
        self, parts: list[trimesh.Trimesh], transform: Float[np.ndarray, "3 3"] | None = None, up: Up = "y"
    ) -> None:
        self._parts = [part for part in parts if len(part.faces)]
        if not self._parts:
            raise DataError("it has no faces.")
        counts = [len(part.vertices) for part in self._parts]
        starts = np.cumsum([0, *counts[:-1]])
        vertices = np.concatenate([np.asarray(part.vertices, dtype=np.float64) for part in self._parts])
        faces = np.concatenate([part.faces + start for part, start in zip(self._parts, starts, strict=True)])
        used, faces = np.unique(faces, return_inverse=True)  # a stray vertex must not set the scale
        vertices = turned_up(vertices[used], up)
        if transform is not None:
            vertices = vertices @ transform.T
        self.placement = Placement.of(vertices, up)
        """Where the object lay, but for the linear map."""
        self.mesh = trimesh.Trimesh(self.placement.brought_in(vertices), faces.reshape(-1, 3), process=False)
        self._ends = np.cumsum([len(part.faces) for part in self._parts])

    def colours(self, triangles: Int[np.ndarray, " n"], corners: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Return the unlit colour, sRGB in [0, 1], at places (barycentric) in triangles."""
        found = np.empty((len(triangles), 3), dtype=np.float32)
        owner = np.searchsorted(self._ends, triangles, side="right")
        for index in np.unique(owner):
            mine = owner == index
            part = self._parts[index]
            local = triangles[mine] - (self._ends[index] - len(part.faces))
            found[mine] = _colours_of(part, local, corners[mine])
        return found

    def seen(self, cameras: Sequence[Camera], width: int, height: int) -> "Sight":
        """Look at the mesh from some places, 2x2 rays a pixel, all at once: the caster's tree is built but once."""
        bundles = [rays(camera, width * _SAMPLES, height * _SAMPLES) for camera in cameras]
        origins, directions = (
            np.concatenate([part.reshape(-1, 3) for part in parts]) for parts in zip(*bundles, strict=True)
        )
        hits = cast(self.mesh, origins, directions)
        return Sight(self, hits, directions, (len(cameras), height, width))


class Sight:
    """What was seen of a mesh from some cameras: pictures of it, and points of its visible surface."""

    def __init__(
        self, mesh: ColouredMesh, hits: Hits, directions: Float[np.ndarray, "n 3"], size: tuple[int, int, int]
    ) -> None:
        self._mesh = mesh.mesh
        self._hits = hits
        self._directions = directions
        self._size = size
        self._unlit = mesh.colours(hits.triangles, hits.corners)

    def pictures(self) -> Float[np.ndarray, "views h w 4"]:
        """Draw the mesh in soft light: red, green, blue premultiplied by alpha, in [0, 1].

        The light comes from above and in front, wherever the camera stands; a faint gloss depends on the direction of
        view, which a radiance field can show and a coloured surface cannot.
        """
        views, height, width = self._size
        directions = self._directions[self._hits.rays]
        values = np.zeros((len(self._directions), 4), dtype=np.float32)
        values[self._hits.rays, :3] = lit(self._unlit, self._normals(directions), directions)
        values[self._hits.rays, 3] = 1
        return values.reshape(views, height, _SAMPLES, width, _SAMPLES, 4).mean(axis=(2, 4))

    def points(self, count: int, rng: np.random.Generator) -> ColouredPoints:
        """Draw points of the surface that was seen, evenly over it, with their unlit colours.

        Raises:
            DataError: hardly anything was seen.
        """
        if len(self._hits.rays) < LEAST_POINTS:
            raise DataError("hardly anything of it can be seen from outside.")
        around = np.asarray(self._mesh.vertices, dtype=np.float32)[self._mesh.faces[self._hits.triangles]]
        positions = np.einsum("nc,nck->nk", self._hits.corners, around)
        return evenly(ColouredPoints(positions, self._unlit), count, rng)

    def _normals(self, directions: Float[np.ndarray, "hits 3"]) -> Float[np.ndarray, "hits 3"]:
        """Interpolated normals; a face's own where they stray far from it, so that hard edges stay hard."""
        flat = np.asarray(self._mesh.face_normals, dtype=np.float32)[self._hits.triangles]
        flat = np.where(np.einsum("ij,ij->i", flat, directions)[:, None] > 0, -flat, flat)
        smooth = np.einsum("ij,ij->i", flat, self._hits.normals) > _CREASE
        return np.where(smooth[:, None], self._hits.normals, flat)


def evenly(points: ColouredPoints, count: int, rng: np.random.Generator) -> ColouredPoints:
    """Draw `count` points, each cell of a fine grid that holds any being as likely as the others."""
    x, y, z = ((points.positions + 1) * (_THINNING / 2)).astype(np.int64).T
    cell = (x * _THINNING + y) * _THINNING + z
    weights = 1 / np.bincount(cell)[cell]
    total = len(points.positions)
    chosen = rng.choice(total, count, replace=total < count, p=weights / weights.sum())
    return ColouredPoints(points.positions[chosen], points.colours[chosen])


def spread_cameras(
    count: int, *, lowest: float = -35.0, highest: float = 75.0, start: float = 0.0, distance: float = 4.4
) -> list[Camera]:
    """Return cameras from which an object is well seen: a band of the sphere, degrees of elevation, from below."""
    return sphere_of_cameras(count, first=lowest, last=highest, distance=distance, start=start)


def read_coloured(
    path: Path, transform: Float[np.ndarray, "3 3"] | None = None, up: Up = "y"
) -> ColouredMesh | ColouredPoints:
    """Read a mesh with its materials, or a coloured point cloud, centred, longest side in [-0.9, 0.9].

    Faces that say nothing of their colour are grey. `transform` is for meshes; `up` is the axis that is up in the file.

    Raises:
        DataError: the file cannot be read, is empty, or is a point cloud with too few points or without colours.
    """
    parts = load_parts(path, materials=True)
    try:
        meshes = [part for part in parts if isinstance(part, trimesh.Trimesh) and len(part.faces)]
        if meshes:
            return ColouredMesh(meshes, transform, up)
        return _cloud(parts, up)
    except DataError as error:
        raise DataError(f"{path.name} cannot be used: {error}") from error


def coloured_points(positions: np.ndarray, colours: np.ndarray, up: Up = "y") -> ColouredPoints:
    """Check and normalise a cloud: positions (p, 3) of any scale with y up, colours (p, 3) in [0, 1].

    `up` is the axis that was up in their file.

    Raises:
        DataError: too few points, ones that are not finite or have no extent, or colours that do not fit them.
    """
    if len(positions) < LEAST_POINTS:
        raise DataError(f"it has only {len(positions)} points; a point cloud needs at least {LEAST_POINTS}.")
    if colours.shape != positions.shape:
        raise DataError("its points have no colours. A radiance field needs points with red, green and blue.")
    if not np.isfinite(colours).all():
        raise DataError("some of its colours are not numbers.")
    placement = Placement.of(positions, up)
    inside = placement.brought_in(positions).astype(np.float32)
    return ColouredPoints(inside, np.clip(colours, 0, 1).astype(np.float32), placement)


def _cloud(parts: list[trimesh.Trimesh | trimesh.PointCloud], up: Up) -> ColouredPoints:
    """Join clouds, and the vertices of meshes without faces."""
    positions = np.concatenate([np.asarray(part.vertices, dtype=np.float64).reshape(-1, 3) for part in parts])
    colours = [np.asarray(_vertex_colours(part))[:, :3] / 255 for part in parts]
    return coloured_points(turned_up(positions, up), np.concatenate(colours), up)


def _vertex_colours(part: trimesh.Trimesh | trimesh.PointCloud) -> np.ndarray:
    if isinstance(part, trimesh.PointCloud):
        found = np.asarray(part.colors)
        return found if len(found) == len(part.vertices) else np.zeros((0, 3))
    return part.visual.vertex_colors if part.visual.kind == "vertex" else np.zeros((0, 3))


def _colours_of(
    part: trimesh.Trimesh, triangles: Int[np.ndarray, " n"], corners: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    """The unlit colour at places in a part's own triangles."""
    visual = part.visual
    if visual.kind == "texture":
        material = visual.material
        factor = np.ones(3)
        if isinstance(material, PBRMaterial):
            image = material.baseColorTexture
            if material.baseColorFactor is not None:
                factor = np.asarray(material.baseColorFactor, dtype=np.float64)[:3]
                factor = factor / 255 if factor.max() > 1 else factor
        else:
            image = material.image
            if image is None:
                factor = np.asarray(material.diffuse, dtype=np.float64)[:3] / 255
        if image is None or visual.uv is None:
            return np.broadcast_to(factor.astype(np.float32), (len(triangles), 3))
        where = np.einsum("nc,nck->nk", corners, np.asarray(visual.uv)[part.faces[triangles]])
        return (uv_to_interpolated_color(where, image)[:, :3] / 255 * factor).astype(np.float32)
    if visual.kind == "vertex":
        around = np.asarray(visual.vertex_colors)[part.faces[triangles], :3]
        return (np.einsum("nc,nck->nk", corners, around) / 255).astype(np.float32)
    if visual.kind == "face":
        return (np.asarray(visual.face_colors)[triangles, :3] / 255).astype(np.float32)
    return np.full((len(triangles), 3), _PLAIN, dtype=np.float32)


def lit(
    unlit: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    directions: Float[np.ndarray, "n 3"],
    *,
    openness: Float[np.ndarray, " n"] | float = 1.0,
    gloss: Float[np.ndarray, " n"] | float = _GLOSS,
    sharpness: Float[np.ndarray, " n"] | float = _SHARPNESS,
) -> Float[np.ndarray, "n 3"]:
    """Return colours in soft light: wrapped and diffuse from the key, and Blinn and Phong's highlight (Blinn 1977).

    Args:
        unlit: colours.
        normals: unit normals, towards the viewer.
        directions: along which the viewer looks.
        openness: share of the light that comes there.
        gloss: strength of the highlight, as a rule faint.
        sharpness: its exponent, as a rule wide.
    """
    wrapped = np.clip((normals @ _KEY + 1) / 2, 0, 1)
    half = _KEY - directions
    half /= np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-9)
    highlight = gloss * np.clip(np.einsum("ij,ij->i", normals, half), 0, 1) ** sharpness
    light = (1 - _SHADE + _SHADE * wrapped) * openness
    return np.clip(unlit * light[:, None] + highlight[:, None], 0, 1).astype(np.float32)
