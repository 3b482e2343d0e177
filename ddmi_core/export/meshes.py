"""Meshes to files: OBJ, GLB, PLY, STL and 3MF."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import trimesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ddmi_core.export.recipe_files import RECIPE_KEY
from ddmi_core.export.targets import format_of, written_whole
from ddmi_core.placement import Placement, Up
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Progress, report

_FARTHEST = 500  # times its size from the origin, numbers of 32 bits hold an object to a hundredth of a sample of 256
_DUST = 0.005  # of the faces
_LINES = 8192  # lines of text made in one go, some milliseconds
_UPRIGHT: dict[str, Up] = {".glb": "y", ".3mf": "z"}
"""Which axis is up in formats whose standards, or programs, say so: printers stand on z."""
_MODEL_3MF = "3D/3dmodel.model"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_BESIDE_3MF = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="model" Target="/{_MODEL_3MF}" '
        'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
    ),
}
"""What a 3MF file has beside its model."""
_CORE_3MF = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"


def export_mesh(
    mesh: trimesh.Trimesh, path: Path, *, recipe: Recipe | None = None, progress: Progress | None = None
) -> None:
    """Write a mesh in the format that the suffix names: one of `ShapeExport.formats`, in any case.

    Vertex normals, and colours of vertices if there are any, go along where the format has them (not STL and 3MF); GLB
    carries the recipe, and OBJ has an object for each part. Missing folders are made. The file appears under its name
    only when it is whole, so a failure, a cancel or a kill leaves an earlier file of that name as it was.

    Raises:
        ExportError: unknown suffix, a mesh without faces, or a place that cannot be written to (and why).
    """
    path = Path(path)
    suffix = format_of(path, _WRITERS, "mesh")
    if not len(mesh.faces):
        raise ExportError(f"There is nothing to write to {path.name}: the mesh has no faces.")
    with written_whole(path) as temporary, temporary.open("wb") as file:
        _WRITERS[suffix](mesh, file, "-".join(path.stem.split()), recipe, progress)
    report(progress, 1.0, f"wrote {path.name}")


def mesh_facts(mesh: trimesh.Trimesh) -> dict[str, Any]:
    """Return what is told of a mesh that was written."""
    return {
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "size": mesh.extents.tolist(),
        "watertight": bool(mesh.is_watertight),
    }


def placed(mesh: trimesh.Trimesh, placement: Placement, path: Path) -> trimesh.Trimesh:
    """Return a mesh of [-1, 1]^3 in the units, at the place and with the up axis of the file that it was made from.

    GLB has y up whatever the file had, as its standard has it, and programs with z up turn it back; 3MF has z up.

    Raises:
        ExportError: so far from the origin that the format, whose numbers have seven digits, would tear it.
    """
    suffix = path.suffix.lower()
    farthest = float(np.abs(placement.centre).max()) + placement.longest
    if suffix != ".obj" and farthest > _FARTHEST * placement.longest:
        raise ExportError(
            f"The file that this was made from lies so far from the origin that {suffix[1:].upper()} cannot hold it "
            "exactly. Use OBJ, or the unit cube."
        )
    way = placement.back(_UPRIGHT.get(suffix))
    moved = trimesh.Trimesh(
        np.asarray(mesh.vertices, dtype=np.float64) @ way[:3, :3].T + way[:3, 3],
        mesh.faces,
        vertex_normals=np.asarray(mesh.vertex_normals) @ (way[:3, :3] / placement.unit).T,
        process=False,
    )
    if (colours := _colours(mesh)) is not None:
        moved.visual.vertex_colors = colours
    return moved


def _write_obj(
    mesh: trimesh.Trimesh, file: BinaryIO, name: str, recipe: Recipe | None, progress: Progress | None
) -> None:
    """Write text in small parts: trimesh formats a mesh in one call, which stops every other thread for seconds.

    Parts that do not hang together are objects of their own.
    """
    places, normals, colours = np.asarray(mesh.vertices), np.asarray(mesh.vertex_normals), _colours(mesh)
    place = " ".join(3 * [_number(places)])
    if colours is None:
        vertex, vertices = f"v {place}\n", places
    else:  # red, green and blue behind the place: no standard, but what most programs read
        vertex = f"v {place} %.4f %.4f %.4f\n"
        vertices = np.concatenate([places, colours[:, :3] / 255], axis=1)
    parts = mesh_parts(np.asarray(mesh.faces), len(places))
    total, done, first = 2 * len(places) + len(mesh.faces), 0, 1
    for number, (chosen, faces) in enumerate(parts, start=1):
        file.write(f"o {f'part-{number}' if len(parts) > 1 else name}\n".encode())
        corners = np.repeat(faces + first, 2, axis=1)  # vertex and normal of each corner have the same number
        first += len(chosen)
        for line, rows in (
            (vertex, vertices[chosen]),
            ("vn %.4f %.4f %.4f\n", normals[chosen]),
            ("f %d//%d %d//%d %d//%d\n", corners),
        ):
            for text, count in _texts(line, rows):
                file.write(text)
                done += count
                report(progress, done / total, "writing")


def mesh_parts(faces: np.ndarray, vertices: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the vertices and, in terms of these, the faces of each part that hangs together, largest first.

    Parts below 0.5 % of the faces are dust, which is the last one, all of it together.

    Args:
        faces: (f, 3), one at least.
        vertices: how many there are.
    """
    ends = np.concatenate([faces[:, :2], faces[:, 1:]])
    links = coo_matrix((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(vertices, vertices))
    component = connected_components(links, directed=False)[1]
    sizes = np.bincount(component[faces[:, 0]], minlength=component.max() + 1)
    ranked = np.argsort(-sizes, kind="stable")
    large = int((sizes >= _DUST * len(faces)).sum())
    part = np.where(sizes > 0, large, 0)  # a vertex without a face is no part
    part[ranked[:large]] = np.arange(large)
    of_vertex = part[component]
    of_face = of_vertex[faces[:, 0]]
    place = np.empty(vertices, dtype=np.int64)
    found = []
    for number in range(of_face.max() + 1):
        chosen = np.flatnonzero(of_vertex == number)
        if len(chosen):
            place[chosen] = np.arange(len(chosen))
            found.append((chosen, place[faces[of_face == number]]))
    return found


def _number(places: np.ndarray) -> str:
    """How a coordinate is written: to a millionth of the mesh's size."""
    return f"%.{int(np.clip(6 - np.floor(np.log10(np.ptp(places, axis=0).max())), 0, 15))}f"


def _texts(line: str, rows: np.ndarray) -> Iterator[tuple[bytes, int]]:
    """Write rows of numbers as lines of text, some at a time, and say how many."""
    for start in range(0, len(rows), _LINES):
        chunk = rows[start : start + _LINES]
        yield (line * len(chunk) % tuple(chunk.reshape(-1).tolist())).encode(), len(chunk)


def _write_3mf(
    mesh: trimesh.Trimesh, file: BinaryIO, name: str, recipe: Recipe | None, progress: Progress | None
) -> None:
    """Write the core of the 3D Manufacturing Format, in millimetres, in small parts for the same reason."""
    places = np.asarray(mesh.vertices)
    number = _number(places)
    vertex = f'<vertex x="{number}" y="{number}" z="{number}"/>\n'
    triangle = '<triangle v1="%d" v2="%d" v3="%d"/>\n'
    total, done = len(places) + len(mesh.faces), 0
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as package:
        for name, text in _BESIDE_3MF.items():
            package.writestr(name, _XML + text)
        with package.open(_MODEL_3MF, "w", force_zip64=True) as model:
            model.write(f'{_XML}<model unit="millimeter" xmlns="{_CORE_3MF}">'.encode())
            model.write(b'<resources><object id="1" type="model"><mesh><vertices>\n')
            for line, rows, after in (
                (vertex, places, b"</vertices><triangles>\n"),
                (triangle, np.asarray(mesh.faces), b"</triangles></mesh></object></resources>"),
            ):
                for part, count in _texts(line, rows):
                    model.write(part)
                    done += count
                    report(progress, done / total, "writing")
                model.write(after)
            model.write(b'<build><item objectid="1"/></build></model>')


def _write_glb(
    mesh: trimesh.Trimesh, file: BinaryIO, name: str, recipe: Recipe | None, progress: Progress | None
) -> None:
    def with_recipe(tree: dict[str, Any]) -> None:
        if recipe is not None:
            tree["asset"]["extras"] = {RECIPE_KEY: recipe.model_dump(mode="json")}

    file.write(_bare(mesh).export(file_type="glb", include_normals=True, tree_postprocessor=with_recipe))


def _write_ply(
    mesh: trimesh.Trimesh, file: BinaryIO, name: str, recipe: Recipe | None, progress: Progress | None
) -> None:
    file.write(_bare(mesh).export(file_type="ply", vertex_normal=True))


def _write_stl(
    mesh: trimesh.Trimesh, file: BinaryIO, name: str, recipe: Recipe | None, progress: Progress | None
) -> None:
    file.write(_bare(mesh).export(file_type="stl"))


_WRITERS = {".obj": _write_obj, ".glb": _write_glb, ".ply": _write_ply, ".stl": _write_stl, ".3mf": _write_3mf}


def _bare(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Return the mesh without metadata, which some writers would put into the file."""
    return trimesh.Trimesh(
        mesh.vertices,
        mesh.faces,
        vertex_normals=np.asarray(mesh.vertex_normals),
        vertex_colors=_colours(mesh),
        process=False,
    )


def _colours(mesh: trimesh.Trimesh) -> np.ndarray | None:
    """The colours of the vertices, uint8 (v, 4), if the mesh has any."""
    return np.asarray(mesh.visual.vertex_colors) if mesh.visual.kind == "vertex" else None
