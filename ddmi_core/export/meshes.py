"""Meshes to files: OBJ, GLB, PLY, STL and 3MF."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import trimesh

from ddmi_core.export.recipe_files import RECIPE_KEY
from ddmi_core.export.targets import format_of, written_whole
from ddmi_core.placement import Placement, Up
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Progress, report

_FARTHEST = 500  # times its size from the origin, numbers of 32 bits hold an object to a hundredth of a sample of 256
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
    carries the recipe. Missing folders are made. The file appears under its name only when it is whole, so a failure, a
    cancel or a kill leaves an earlier file of that name as it was.

    Raises:
        ExportError: unknown suffix, a mesh without faces, or a place that cannot be written to (and why).
    """
    path = Path(path)
    suffix = format_of(path, _WRITERS, "mesh")
    if not len(mesh.faces):
        raise ExportError(f"There is nothing to write to {path.name}: the mesh has no faces.")
    with written_whole(path) as temporary, temporary.open("wb") as file:
        _WRITERS[suffix](mesh, file, recipe, progress)
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


def _write_obj(mesh: trimesh.Trimesh, file: BinaryIO, recipe: Recipe | None, progress: Progress | None) -> None:
    """Write text in small parts: trimesh formats a mesh in one call, which stops every other thread for seconds."""
    corners = np.repeat(np.asarray(mesh.faces) + 1, 2, axis=1)  # vertex and normal of each corner have the same number
    places = np.asarray(mesh.vertices)
    colours = _colours(mesh)
    place = " ".join(3 * [_number(places)])
    if colours is None:
        vertices = (f"v {place}\n", places)
    else:  # red, green and blue behind the place: no standard, but what most programs read
        vertices = (f"v {place} %.4f %.4f %.4f\n", np.concatenate([places, colours[:, :3] / 255], axis=1))
    parts = (
        vertices,
        ("vn %.4f %.4f %.4f\n", np.asarray(mesh.vertex_normals)),
        ("f %d//%d %d//%d %d//%d\n", corners),
    )
    total, done = sum(len(rows) for _, rows in parts), 0
    for line, rows in parts:
        for text, count in _texts(line, rows):
            file.write(text)
            done += count
            report(progress, done / total, "writing")


def _number(places: np.ndarray) -> str:
    """How a coordinate is written: to a millionth of the mesh's size."""
    return f"%.{int(np.clip(6 - np.floor(np.log10(np.ptp(places, axis=0).max())), 0, 15))}f"


def _texts(line: str, rows: np.ndarray) -> Iterator[tuple[bytes, int]]:
    """Write rows of numbers as lines of text, some at a time, and say how many."""
    for start in range(0, len(rows), _LINES):
        chunk = rows[start : start + _LINES]
        yield (line * len(chunk) % tuple(chunk.reshape(-1).tolist())).encode(), len(chunk)


def _write_3mf(mesh: trimesh.Trimesh, file: BinaryIO, recipe: Recipe | None, progress: Progress | None) -> None:
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


def _write_glb(mesh: trimesh.Trimesh, file: BinaryIO, recipe: Recipe | None, progress: Progress | None) -> None:
    def with_recipe(tree: dict[str, Any]) -> None:
        if recipe is not None:
            tree["asset"]["extras"] = {RECIPE_KEY: recipe.model_dump(mode="json")}

    file.write(_bare(mesh).export(file_type="glb", include_normals=True, tree_postprocessor=with_recipe))


def _write_ply(mesh: trimesh.Trimesh, file: BinaryIO, recipe: Recipe | None, progress: Progress | None) -> None:
    file.write(_bare(mesh).export(file_type="ply", vertex_normal=True))


def _write_stl(mesh: trimesh.Trimesh, file: BinaryIO, recipe: Recipe | None, progress: Progress | None) -> None:
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
