"""Field -> mesh: marching cubes that asks the field only where its surface runs.

N samples an axis lie at the cell centres (2i + 1)/N - 1; a ring of "outside" around them closes every surface. The
search starts from a coarse lattice of about `base` samples an axis and halves the spacing until it reaches N:

- *refine*: an edge of the lattice whose ends differ in sign holds a sign change in one of its halves; the cells around
  that half are visited at the next spacing;
- *follow*: a visited cell whose corners differ in sign passes the surface on through every face where they do, so the
  neighbour behind it is visited too, until there is nothing left to follow;
- *search*: where the logits fall towards zero from both sides of an edge without a sign change, a part thinner than the
  spacing may hide; the cells around it are visited at the next spacing.

What refining and following guarantee: a connected piece of the dense surface is extracted whole, exactly as the dense
extraction would, if the coarse lattice has one edge that it crosses an odd number of times. So whatever hangs on
anything found is never lost, however thin. For the other pieces, disconnected and thinner than the coarse spacing,
there is only the search. It finds what shows in the samples around it (in a field like a distance, any thin part),
taking the field to be up to `SEARCH_MARGIN` times steeper than these samples are; it cannot find a speck in a field
that is flat around it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import igl
import numpy as np
import torch
import trimesh
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from ddmi_core.coordinates import cell_centres
from ddmi_core.planes import Axes
from ddmi_core.rendering.decimation import decimate
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import Progress, report, sub_progress

Logits = Callable[[Float[Tensor, "n 3"]], Float[Tensor, "..."]]
LatticeLogits = Callable[[Axes], Callable[[Int[Tensor, "n 3"]], Float[Tensor, "..."]]]
"""For a lattice with such places along each axis, the logits at positions along them; for fields that are asked faster
so than place by place."""

SEARCH_MARGIN = 2.0
"""How much steeper than the samples beside it a field is taken to be in the search for thin parts."""
CHUNK = 16_384  # points a call: about a tenth of a second of a small read-out on one core, so that cancelling is prompt
SLAB = 16_384  # cells that one call of marching cubes gets, which holds the interpreter for about 20 ms
OUTSIDE = -1.0  # logit of the ring around the volume
MAX_RESOLUTION = 1024

# libigl's corner order of a cell; faces and edges below follow from it.
_CORNERS = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)])
_FACES = [(axis, side, np.flatnonzero(_CORNERS[:, axis] == side)) for axis in range(3) for side in (0, 1)]


@dataclass(frozen=True)
class Surface:
    """A triangulated zero level set.

    vertices: (v, 3) float32 in [-1, 1]. faces: (f, 3) int64, counter-clockwise seen from outside. normals: (v, 3)
    float32, unit length, outward (against the field's gradient). evaluations: how many points the field was asked for.
    """

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    normals: Float[np.ndarray, "v 3"]
    evaluations: int


class _Lattice:
    """Sampled logits on a padded lattice; index p along an axis is sample p - 1, so p = 0 is the ring of outside.

    Values live in one zero-initialised array, 0 meaning "not asked yet": the system gives memory only to the pages that
    are written, so the cost follows the surface. Points are flat indices into it.
    """

    def __init__(self, logits: Logits, resolution: int, stride: int, on_lattice: LatticeLogits | None) -> None:
        self.resolution = resolution
        self.side = -(-(resolution + 1) // stride) * stride + 1  # a whole number of coarse cells
        self.values = np.zeros(self.side**3, dtype=np.float32)
        self.steps = np.array([self.side**2, self.side, 1])
        self.evaluations = 0
        self.progress: Progress | None = None
        self.share = 0.0  # how much of the stage under way is done
        centres = cell_centres(resolution).numpy()
        ring = np.arange(1, self.side - resolution, dtype=np.float32) * np.float32(2 / resolution)
        self.axis = np.concatenate([centres[:1] - ring[:1], centres, centres[-1] + ring])  # coordinate of each position
        axis = torch.from_numpy(self.axis)
        self.logits = (lambda positions: logits(axis[positions])) if on_lattice is None else on_lattice([axis] * 3)

    def positions(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Lattice position (n, 3) of each point."""
        return np.stack(np.unravel_index(points, (self.side,) * 3), axis=-1)

    def ask(self, points: NDArray[np.int64]) -> None:
        """Make the values at these points known, as far as they are not."""
        self.answer(np.unique(points[self.values[points] == 0]))

    def answer(self, points: NDArray[np.int64]) -> None:
        """Fill in the values at points that are all different and not known yet."""
        ahead = 0.8 * (1 - self.share)  # the rest is for what following the surface may bring up
        for start in range(0, len(points), CHUNK):
            report(self.progress, self.share + ahead * start / len(points), f"surface, {len(points):,} points")
            chunk = points[start : start + CHUNK]
            positions = self.positions(chunk)
            within = ((positions >= 1) & (positions <= self.resolution)).all(axis=1)
            self.values[chunk[~within]] = OUTSIDE
            answers = self.logits(torch.from_numpy(positions[within]))
            values = answers.detach().reshape(-1).cpu().numpy().astype(np.float32)
            if not np.isfinite(values).all():
                raise DDMIError("The field gives values that are not numbers: the model may be damaged.")
            # An exact zero would read as "not known". Inside is above zero, so it counts as outside.
            self.values[chunk[within]] = np.where(values == 0, -np.finfo(np.float32).tiny, values)
            self.evaluations += len(values)
        self.share += ahead


def extract_surface(
    logits: Logits,
    resolution: int,
    *,
    on_lattice: LatticeLogits | None = None,
    base: int = 32,
    dense: bool = False,
    progress: Progress | None = None,
) -> Surface:
    """The zero level set of a field over [-1, 1]^3; inside is where the logit is above zero.

    Args:
        logits: maps points (n, 3) float32 to logits, (n,) or (n, 1).
        on_lattice: the same logits, if there is a faster way to them for the places of a lattice.
        resolution: samples along each axis, 8 to 1024.
        base: the coarsest lattice has at least this many samples along each axis.
        dense: ask for every sample; the reference that the sparse search is tested against.
        progress: called about every tenth of a second; what it raises ends the work.

    Returns:
        The surface; without faces where the field has no sign change.

    Raises:
        DDMIError: a resolution out of range, or a field that gives NaN or infinity.
    """
    if not 8 <= resolution <= MAX_RESOLUTION:
        raise DDMIError(f"A mesh resolution of {resolution} is out of range: choose 8 to {MAX_RESOLUTION}.")
    stride = 1
    while not dense and resolution // (2 * stride) >= base:
        stride *= 2
    lattice = _Lattice(logits, resolution, stride, on_lattice)
    visited = np.zeros(len(lattice.values), dtype=np.uint8)  # 1 + log2 of the stride at which a cell was last visited
    # Each halving of the stride quadruples the points on the surface, hence the time of the stage.
    shares = np.cumsum([4.0**-k for k in reversed(range(stride.bit_length()))])
    stages = itertools.pairwise([0.0, *(shares / shares[-1]).tolist()])
    lattice.progress = sub_progress(progress, *next(stages))
    points, mixed = _scan(lattice, stride)
    for begin, end in stages:
        crossed, hidden = _halves(lattice, mixed, stride), _hidden(lattice, points, stride)
        stride //= 2
        lattice.progress, lattice.share = sub_progress(progress, begin, end), 0.0
        cells = np.concatenate([_around(lattice, crossed, stride), _beside(lattice, hidden, stride)])
        points, mixed = _follow(lattice, cells, stride, visited)
    return _triangulate(lattice, mixed)


Points = NDArray[np.int64]
Edges = list[Points]  # for each axis, the lower ends of lattice edges along it


def _scan(lattice: _Lattice, stride: int) -> tuple[Points, Points]:
    """Ask for every point of the lattice; return them and the cells whose corners differ in sign, sorted."""
    first = np.arange(0, lattice.side, stride)
    points = first[:, None, None] * lattice.steps[0] + first[:, None] * lattice.steps[1] + first
    lattice.answer(points.reshape(-1))
    inside = lattice.values[points] > 0
    corners = [inside[tuple(slice(1, None) if c else slice(-1) for c in corner)] for corner in _CORNERS]
    mixed = np.logical_or.reduce(corners) & ~np.logical_and.reduce(corners)
    return points.reshape(-1), points[:-1, :-1, :-1][mixed]


def _follow(lattice: _Lattice, cells: Points, stride: int, visited: NDArray[np.uint8]) -> tuple[Points, Points]:
    """Visit cells, and on through the faces that the surface crosses.

    Returns the corners of all visited cells, and those cells whose corners differ in sign; both sorted.
    """
    corner_steps = _CORNERS @ lattice.steps * stride
    level = stride.bit_length()
    seen, mixed = [cells[:0]], [cells[:0]]
    while len(cells := np.unique(cells[visited[cells] != level])):
        visited[cells] = level
        corners = cells[:, None] + corner_steps
        lattice.ask(corners.reshape(-1))
        inside = lattice.values[corners] > 0
        seen.append(cells)
        mixed.append(cells[inside.any(axis=1) & ~inside.all(axis=1)])
        ahead = []
        for axis, side, face in _FACES:
            crossed = inside[:, face].any(axis=1) & ~inside[:, face].all(axis=1)
            ahead.append(cells[crossed] + (2 * side - 1) * stride * lattice.steps[axis])
        cells = np.concatenate(ahead)
    return _corners_of(lattice, np.concatenate(seen), stride), np.sort(np.concatenate(mixed))


def _corners_of(lattice: _Lattice, cells: Points, stride: int) -> Points:
    return np.unique(cells[:, None] + _CORNERS @ lattice.steps * stride)


def _halves(lattice: _Lattice, mixed: Points, stride: int) -> Edges:
    """For each sign-changing edge of the mixed cells, the half of it that holds a sign change."""
    points = _corners_of(lattice, mixed, stride)
    inside = lattice.values[points] > 0
    edges = []
    for axis, step in enumerate(lattice.steps):
        fits = lattice.positions(points)[:, axis] + stride < lattice.side
        start = points[fits]
        end_value = lattice.values[start + stride * step]
        changes = (end_value != 0) & ((end_value > 0) != inside[fits])
        start, start_inside = start[changes], inside[fits][changes]
        middle = start + stride // 2 * step
        lattice.ask(middle)
        edges.append(np.where((lattice.values[middle] > 0) != start_inside, start, middle))
    return edges


def _hidden(lattice: _Lattice, points: Points, stride: int) -> Edges:
    """Edges without a sign change whose outer neighbours say that the logit may touch zero in between.

    With v the logits along four samples in a row, signed so that the middle two are positive, lines from both sides
    with `SEARCH_MARGIN` times the outer slopes meet at or below zero.
    """
    edges = []
    for axis, step in enumerate(lattice.steps):
        position = lattice.positions(points)[:, axis]
        start = points[(position >= stride) & (position + 2 * stride < lattice.side)]
        values = lattice.values[start[:, None] + np.arange(-1, 3) * stride * step].astype(np.float64)
        known = (values != 0).all(axis=1)
        v0, v1, v2, v3 = (values * np.sign(values[:, 1:2])).T
        left, right = SEARCH_MARGIN * (v0 - v1), SEARCH_MARGIN * (v3 - v2)
        ridge = known & (v2 > 0) & (left > 0) & (right > 0)
        start, v1, v2, left, right = (array[ridge] for array in (start, v1, v2, left, right))
        meet = np.clip((v1 - v2 + right) / (left + right), 0, 1)
        lowest = np.maximum(v1 - left * meet, v2 - right * (1 - meet))
        edges.append(start[lowest <= 0])
    return edges


def _cells_near(lattice: _Lattice, edges: Edges, stride: int, along: range, across: range) -> Points:
    """The cells at offsets `along` the edges and `across` them, in strides, as far as they are in the lattice."""
    cells = []
    for axis, starts in enumerate(edges):
        offsets = np.array(list(itertools.product(*(along if a == axis else across for a in range(3))))) * stride
        positions = (lattice.positions(starts)[:, None] + offsets).reshape(-1, 3)
        fits = ((positions >= 0) & (positions + stride < lattice.side)).all(axis=1)
        cells.append(np.unique(positions[fits] @ lattice.steps))
    return np.concatenate(cells)


def _around(lattice: _Lattice, edges: Edges, stride: int) -> Points:
    """The four cells that share each edge."""
    return _cells_near(lattice, edges, stride, range(1), range(-1, 1))


def _beside(lattice: _Lattice, edges: Edges, stride: int) -> Points:
    """The cells of half the spacing around each edge, with one more at its ends so that slopes are known there."""
    return _cells_near(lattice, edges, stride, range(-1, 3), range(-2, 2))


def _triangulate(lattice: _Lattice, mixed: Points) -> Surface:
    """Marching cubes over the mixed cells, a slab at a time so that other threads and a cancel get their turn."""
    vertices, faces, ends = [np.zeros((0, 3))], [np.zeros((0, 3), dtype=np.int64)], [np.zeros((0, 2), dtype=np.int64)]
    count = 0
    for start in range(0, len(mixed), SLAB):
        report(lattice.progress, 1.0, "triangles")
        corners = mixed[start : start + SLAB, None] + _CORNERS @ lattice.steps
        points, index = np.unique(corners, return_inverse=True)
        where = lattice.axis[lattice.positions(points)].astype(np.float64)
        values = lattice.values[points].astype(np.float64)
        slab_vertices, slab_faces, edges = igl.marching_cubes(values, where, index.reshape(-1, 8), 0.0)
        # A vertex lies on the lattice edge whose ends are packed into one key of `edges`.
        keys = np.fromiter(edges.keys(), dtype=np.int64, count=len(edges))
        owners = np.fromiter(edges.values(), dtype=np.int64, count=len(edges))
        slab_ends = np.empty((len(slab_vertices), 2), dtype=np.int64)
        slab_ends[owners] = np.sort(points[np.stack([keys & 0xFFFFFFFF, keys >> 32], axis=-1)], axis=1)
        vertices.append(slab_vertices)
        faces.append(slab_faces + count)
        ends.append(slab_ends)
        count += len(slab_vertices)
    # Slabs share the vertices on edges between them: one number an edge, its lower end and its axis.
    all_ends = np.concatenate(ends)
    axis = 2 - np.searchsorted(lattice.steps[::-1], all_ends[:, 1] - all_ends[:, 0])
    _, first, index = np.unique(all_ends[:, 0] * 3 + axis, return_index=True, return_inverse=True)
    # The ring of outside lets a vertex lie up to half a spacing beyond the volume.
    merged = np.clip(np.concatenate(vertices)[first], -1, 1).astype(np.float32)
    triangles = index[np.concatenate(faces)][:, ::-1].copy()  # libigl winds for "inside is low"
    return Surface(merged, triangles, _edge_normals(lattice, all_ends[first]), lattice.evaluations)


def _edge_normals(lattice: _Lattice, ends: NDArray[np.int64]) -> Float[np.ndarray, "v 3"]:
    """Outward unit normals where the surface crosses lattice edges (v, 2), lower ends first, from known samples.

    Across the edge, central differences at both ends, interpolated; all those samples are known, because the four cells
    around a crossed edge were visited. Along it, the difference of the ends.
    """
    values = lattice.values
    low, high = values[ends].astype(np.float64).T
    share = low / (low - high)
    gradient = np.empty((len(ends), 3))
    for axis, step in enumerate(lattice.steps):
        # Beyond the ring there is nothing to take, and only along the edge, where it is not used.
        ahead, behind = (values.take(ends + side * step, mode="clip").astype(np.float64) for side in (1, -1))
        slopes = (ahead - behind) / 2
        across = slopes[:, 0] * (1 - share) + slopes[:, 1] * share
        gradient[:, axis] = np.where(ends[:, 1] - ends[:, 0] == step, high - low, across)
    return (-gradient / np.linalg.norm(gradient, axis=1, keepdims=True)).astype(np.float32)


def surface_normals(
    logits: Logits, vertices: Float[np.ndarray, "v 3"], *, step: float = 1 / 128, progress: Progress | None = None
) -> Float[np.ndarray, "v 3"]:
    """Outward unit normals at any points: against the field's gradient, by central differences over `step` each way."""
    offsets = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32) * np.float32(step)
    gradient = np.empty((len(vertices), 3), dtype=np.float32)
    size = CHUNK // len(offsets)
    for start in range(0, len(vertices), size):
        report(progress, start / len(vertices), "normals")
        around = vertices[start : start + size, None].astype(np.float32) + offsets
        answers = logits(torch.from_numpy(around.reshape(-1, 3))).detach().cpu().numpy().reshape(-1, 2, 3)
        gradient[start : start + size] = answers[:, 0] - answers[:, 1]
    return -gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def clean(mesh: trimesh.Trimesh, min_volume_fraction: float = 0.01) -> trimesh.Trimesh:
    """Drop connected components below a fraction of the whole volume; wind the rest so that the volume is positive.

    A closed cavity inside a solid is a component of negative volume and is judged by its size like any other. Vertex
    normals are kept. A mesh without faces is returned as it is.
    """
    if not len(mesh.faces):
        return mesh
    label, volumes = components(mesh)
    keep = np.abs(volumes) >= min_volume_fraction * abs(volumes.sum())
    faces = np.asarray(mesh.faces)[keep[label]]
    if volumes[keep].sum() < 0:
        faces = faces[:, ::-1]
    used, index = np.unique(faces, return_inverse=True)
    return trimesh.Trimesh(
        np.asarray(mesh.vertices)[used],
        index.reshape(-1, 3),
        vertex_normals=np.asarray(mesh.vertex_normals)[used],
        process=False,
    )


def components(mesh: trimesh.Trimesh) -> tuple[Int[np.ndarray, " f"], Float[np.ndarray, " c"]]:
    """Return for each face the number of its connected component, and the signed volume of each component."""
    vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces)
    sides = np.concatenate([faces[:, :2], faces[:, 1:]])
    links = coo_array((np.ones(len(sides), dtype=bool), sides.T), shape=(len(vertices),) * 2)
    count, label = connected_components(links, directed=False)
    corners = vertices[faces]
    signed = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    of_faces = label[faces[:, 0]]
    return of_faces, np.bincount(of_faces, weights=signed, minlength=count)


def simplify(mesh: trimesh.Trimesh, faces: int, *, progress: Progress | None = None) -> trimesh.Trimesh:
    """Reduce a closed mesh to `faces` triangles by quadric edge collapse; it stays closed.

    More triangles stay where no edge can go without tearing the surface. Vertex normals are those of the triangles.

    Raises:
        DDMIError: fewer than 4 faces asked for, a mesh that is not closed, or the simplifier failed.
    """
    if faces < 4:
        raise DDMIError(f"A solid needs at least 4 faces; {faces} were asked for.")
    if len(mesh.faces) <= faces:
        return mesh
    if not mesh.is_watertight:
        raise DDMIError("Only a closed surface can be simplified; this mesh has edges that are not those of two faces.")
    vertices, triangles = decimate(np.asarray(mesh.vertices), np.asarray(mesh.faces), faces, progress=progress)
    return trimesh.Trimesh(vertices, triangles, process=False)


def extract_mesh(
    logits: Logits,
    resolution: int,
    *,
    on_lattice: LatticeLogits | None = None,
    faces: int | None = None,
    progress: Progress | None = None,
) -> trimesh.Trimesh:
    """Extract a mesh that is ready to show or export: cleaned, if asked simplified, with normals from the field.

    `on_lattice` is as in `extract_surface`.
    `mesh.metadata["evaluations"]` says how many points the search of the surface asked the field for.

    Raises:
        DDMIError: the field has no surface, or one of the reasons of `extract_surface` and `simplify`.
    """
    surface = extract_surface(logits, resolution, on_lattice=on_lattice, progress=sub_progress(progress, 0.0, 0.9))
    if not len(surface.faces):
        raise DDMIError("This shape is empty: the field is outside everywhere. Try another seed or prompt.")
    mesh = clean(trimesh.Trimesh(surface.vertices, surface.faces, vertex_normals=surface.normals, process=False))
    if faces is not None and faces < len(mesh.faces):
        mesh = simplify(mesh, faces, progress=sub_progress(progress, 0.9, 0.95))
        normals = surface_normals(
            logits, mesh.vertices, step=1 / resolution, progress=sub_progress(progress, 0.95, 1.0)
        )
        mesh = trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_normals=normals, process=False)
    mesh.metadata["evaluations"] = surface.evaluations
    return mesh
