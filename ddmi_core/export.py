"""Meshes to files: OBJ, GLB, PLY and STL, written in full or not at all."""

import errno
from pathlib import Path

import numpy as np
import trimesh

from ddmi_core.errors import ExportError
from ddmi_core.files import atomic_write

MESH_FORMATS = (".obj", ".glb", ".ply", ".stl")


def export_mesh(mesh: trimesh.Trimesh, path: Path) -> None:
    """Write a mesh in the format that the suffix names: one of `MESH_FORMATS`, in any case.

    Vertex normals go along where the format has them (not STL). Missing folders are made. The file appears under its name
    only when it is whole, so a failure or a kill leaves an earlier file of that name as it was.

    Raises:
        ExportError: unknown suffix, a mesh without faces, or a place that cannot be written to (and why).
    """
    path = Path(path)
    suffix = check_mesh_suffix(path)
    if not len(mesh.faces):
        raise ExportError(f"There is nothing to write to {path.name}: the mesh has no faces.")
    options = {} if suffix == ".stl" else {"include_normals": True}
    if suffix == ".ply":
        options = {"vertex_normal": True}
    content = _bare(mesh).export(file_type=suffix[1:], **options)
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        with atomic_write(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise ExportError(f"Could not write {path}: {_reason(error)}") from error


def check_mesh_suffix(path: Path) -> str:
    """The format suffix of a path, in lower case; raises ExportError where no mesh format has it."""
    suffix = Path(path).suffix.lower()
    if suffix not in MESH_FORMATS:
        known = ", ".join(MESH_FORMATS)
        problem = f'"{suffix}" is not a mesh format' if suffix else "the name has no suffix"
        raise ExportError(f"Cannot export to {path}: {problem}. Use one of {known}.")
    return suffix


def _bare(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh without metadata, which some writers would put into the file."""
    return trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_normals=np.asarray(mesh.vertex_normals), process=False)


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full. Free some space or choose another place."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "no permission to write there. Choose another folder."
        case errno.EISDIR:
            return "that is a folder. Give a file name."
        case errno.ENOTDIR | errno.EEXIST:
            return "a part of its path is a file, not a folder."
        case errno.ENAMETOOLONG:
            return "the name is too long."
    return f"{error.strerror or error}."
