from __future__ import annotations

import errno
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
import trimesh

from ddmi_core.export import meshes, targets
from ddmi_core.export.meshes import export_mesh, placed
from ddmi_core.export.options import RadianceExport, ShapeExport, VideoExport
from ddmi_core.export.recipe_files import read_recipe
from ddmi_core.export.targets import in_the_way
from ddmi_core.placement import Placement, turned_up
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Cancelled


@pytest.fixture
def mesh() -> trimesh.Trimesh:
    solid = trimesh.creation.box(extents=(1, 0.5, 0.25)).subdivide()
    bent = solid.vertex_normals + np.array([0.3, 0.0, 0.0])  # told from those that a reader would compute
    normals = bent / np.linalg.norm(bent, axis=1, keepdims=True)
    return trimesh.Trimesh(solid.vertices, solid.faces, vertex_normals=normals, process=False)


def opened(path: Path) -> trimesh.Trimesh:
    """Read a mesh; trimesh reads 3MF only with a library that nothing else here needs."""
    if path.suffix != ".3mf":
        return trimesh.load_mesh(path)
    with ZipFile(path) as package:
        assert package.testzip() is None and {"[Content_Types].xml", "_rels/.rels"} < set(package.namelist())
        relation = ElementTree.fromstring(package.read("_rels/.rels"))[0]
        model = ElementTree.fromstring(package.read(relation.attrib["Target"].removeprefix("/")))
    assert model.attrib["unit"] == "millimeter"
    core = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
    assert [item.attrib["objectid"] for item in model.iter(f"{core}item")] == ["1"]
    vertices = [[float(one.attrib[axis]) for axis in "xyz"] for one in model.iter(f"{core}vertex")]
    faces = [[int(one.attrib[corner]) for corner in ("v1", "v2", "v3")] for one in model.iter(f"{core}triangle")]
    return trimesh.Trimesh(vertices, faces, process=False)


@pytest.mark.parametrize("suffix", [*ShapeExport.formats, ".OBJ"])
def test_every_format_opens_again(mesh: trimesh.Trimesh, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"solid{suffix}"
    export_mesh(mesh, path)
    again = opened(path)
    assert len(again.faces) == len(mesh.faces)
    assert again.volume == pytest.approx(0.125, rel=1e-4)
    assert again.is_watertight
    np.testing.assert_allclose(again.bounds, mesh.bounds, atol=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("unit", [1e-5, 1.0, 2.3e4])
@pytest.mark.parametrize("suffix", ShapeExport.formats)
def test_a_mesh_goes_back_to_where_its_file_lay(
    mesh: trimesh.Trimesh, tmp_path: Path, suffix: str, unit: float
) -> None:
    placement = Placement(centre=(3 * unit, -2 * unit, 5 * unit), unit=unit, up="z")
    there = placed(mesh, placement, Path(f"solid{suffix}"))
    export_mesh(there, tmp_path / f"solid{suffix}")
    again = opened(tmp_path / f"solid{suffix}")
    if suffix != ".glb":  # which has y up
        again.vertices = turned_up(again.vertices, "z")
    np.testing.assert_allclose(placement.brought_in(again.bounds), mesh.bounds, atol=1e-5)
    assert again.volume == pytest.approx(0.125 * unit**3, rel=1e-3)
    np.testing.assert_allclose(np.linalg.norm(there.vertex_normals, axis=1), 1, atol=1e-6)
    turned = np.asarray(there.vertex_normals) if suffix == ".glb" else turned_up(there.vertex_normals, "z")
    np.testing.assert_allclose(turned, mesh.vertex_normals, atol=1e-6)


def test_a_glb_carries_its_recipe_and_other_meshes_none(mesh: trimesh.Trimesh, tmp_path: Path) -> None:
    recipe = Recipe(domain="shape", model="m", model_hash="00", prompt='a "round" täble', seed=7)
    for suffix in ShapeExport.formats:
        export_mesh(mesh, tmp_path / f"solid{suffix}", recipe=recipe)
    assert read_recipe(tmp_path / "solid.glb") == recipe
    export_mesh(mesh, tmp_path / "bare.glb")
    assert read_recipe(tmp_path / "bare.glb") is None
    content = (tmp_path / "solid.glb").read_bytes()
    for broken in (content[:30], b"glTF", content[:12] + b"\xff" * 8, content.replace(b"round", b"ro\xffnd")):
        (tmp_path / "broken.glb").write_bytes(broken)
        found = read_recipe(tmp_path / "broken.glb")
        assert found is None or "ro\ufffdnd" in found.prompt


def test_what_lies_too_far_away_for_a_format_is_refused(mesh: trimesh.Trimesh, tmp_path: Path) -> None:
    surveyed = Placement(centre=(4.5e5, 200.0, -5.4e6), unit=1.5)
    for suffix in (".glb", ".ply", ".stl"):
        with pytest.raises(ExportError, match="so far from the origin"):
            placed(mesh, surveyed, Path(f"x{suffix}"))
    export_mesh(placed(mesh, surveyed, Path("x.obj")), tmp_path / "x.obj")
    again = trimesh.load_mesh(tmp_path / "x.obj")
    np.testing.assert_allclose(surveyed.brought_in(again.bounds), mesh.bounds, atol=1e-5)


def test_files_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a.obj").touch()
    (tmp_path / "walk").mkdir()
    clip, views = VideoExport(), RadianceExport(views=8)
    assert in_the_way(ShapeExport().targets(tmp_path / "a.obj"), replace=False) == tmp_path / "a.obj"
    assert in_the_way(ShapeExport().targets(tmp_path / "a.obj"), replace=True) is None
    for options in (clip, views):
        assert in_the_way(options.targets(tmp_path / "walk.png"), replace=True) == tmp_path / "walk"
    assert in_the_way(RadianceExport().targets(tmp_path / "walk.png"), replace=False) is None
    (tmp_path / "scene-views").mkdir()
    assert in_the_way(views.targets(tmp_path / "scene.json"), replace=True) == tmp_path / "scene-views"


def test_normals_are_kept(mesh: trimesh.Trimesh, tmp_path: Path) -> None:
    for suffix in (".obj", ".glb", ".ply"):
        path = tmp_path / f"solid{suffix}"
        export_mesh(mesh, path)
        loaded = trimesh.load(path, process=False)
        (again,) = loaded.geometry.values() if isinstance(loaded, trimesh.Scene) else [loaded]
        np.testing.assert_allclose(again.vertex_normals, mesh.vertex_normals, atol=1e-3)


def test_a_large_obj_is_written_in_parts(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(subdivisions=5)
    fractions: list[float] = []
    export_mesh(ball, tmp_path / "ball.obj", progress=lambda fraction, text: fractions.append(fraction))
    assert len(fractions) > 4 and fractions == sorted(fractions) and fractions[-1] == 1
    assert trimesh.load_mesh(tmp_path / "ball.obj").volume == pytest.approx(ball.volume, rel=1e-4)


def test_folders_are_made(mesh: trimesh.Trimesh, tmp_path: Path) -> None:
    export_mesh(mesh, tmp_path / "new" / "deep" / "solid.stl")
    assert (tmp_path / "new" / "deep" / "solid.stl").stat().st_size > 0


@pytest.mark.parametrize(("name", "message"), [("solid.xyz", '".xyz" is not'), ("solid", "no suffix")])
def test_unknown_formats_name_the_known_ones(mesh: trimesh.Trimesh, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ExportError, match=f"{message}.*\\.obj, \\.glb, \\.ply, \\.stl"):
        export_mesh(mesh, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_mesh_without_faces_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no faces"):
        export_mesh(trimesh.Trimesh(), tmp_path / "nothing.obj")
    assert not list(tmp_path.iterdir())


def test_a_folder_or_a_path_through_a_file_is_refused(mesh: trimesh.Trimesh, tmp_path: Path) -> None:
    (tmp_path / "folder.obj").mkdir()
    with pytest.raises(ExportError, match="that is a folder"):
        export_mesh(mesh, tmp_path / "folder.obj")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportError, match="not a folder"):
        export_mesh(mesh, tmp_path / "file" / "solid.obj")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "nothing can be written"), (errno.EIO, "Input/output")],
)
@pytest.mark.parametrize("suffix", ShapeExport.formats)
def test_a_failed_write_leaves_what_was_there(
    mesh: trimesh.Trimesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, code: int, message: str
) -> None:
    path = tmp_path / f"solid{suffix}"
    path.write_text("from before")
    writer = meshes._WRITERS[suffix]

    def fail(*arguments: object) -> None:
        writer(*arguments)
        raise OSError(code, "Input/output error" if code == errno.EIO else "no")

    monkeypatch.setitem(meshes._WRITERS, suffix, fail)
    with pytest.raises(ExportError, match=message):
        export_mesh(mesh, path)
    assert path.read_text() == "from before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_says_so(mesh: trimesh.Trimesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "atomic_write", lambda path: nullcontext(Path("/dev/full")))
    with pytest.raises(ExportError, match="disk is full"):
        export_mesh(mesh, tmp_path / "solid.stl")


def test_cancel_leaves_no_file(mesh: trimesh.Trimesh, tmp_path: Path) -> None:
    def progress(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        export_mesh(mesh, tmp_path / "solid.obj", progress=progress)
    assert not list(tmp_path.iterdir())


def objects_in(path: Path) -> dict[str, int]:
    """How many faces each object of an OBJ file has, in the file's order."""
    found: dict[str, int] = {}
    for line in path.read_text().splitlines():
        if line.startswith("o "):
            found[name := line[2:]] = 0
        elif line.startswith("f "):
            found[name] += 1
    return found


def test_an_obj_has_an_object_for_each_part(tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(4)  # 5,120 faces
    box = trimesh.creation.box().apply_translation([3, 0, 0]).subdivide().subdivide()  # 192
    crumbs = [trimesh.creation.box(extents=[0.01] * 3).apply_translation([x, 2, 0]) for x in (0, 1)]  # 12 each
    whole = trimesh.util.concatenate([crumbs[0], box, ball, crumbs[1]])
    bent = whole.vertex_normals + np.array([0.3, 0.0, 0.0])
    whole = trimesh.Trimesh(
        whole.vertices, whole.faces, vertex_normals=bent / np.linalg.norm(bent, axis=1)[:, None], process=False
    )
    export_mesh(whole, tmp_path / "all.obj")
    assert objects_in(tmp_path / "all.obj") == {"part-1": 5120, "part-2": 192, "part-3": 24}
    again = trimesh.load(tmp_path / "all.obj", process=False)
    assert again.volume == pytest.approx(whole.volume, rel=1e-4) and len(again.vertices) == len(whole.vertices)
    order = np.lexsort(whole.vertices.round(4).T), np.lexsort(again.vertices.round(4).T)
    np.testing.assert_allclose(again.vertex_normals[order[1]], whole.vertex_normals[order[0]], atol=1e-3)
    export_mesh(ball, tmp_path / "a  round table.obj")
    assert objects_in(tmp_path / "a  round table.obj") == {"a-round-table": 5120}


def test_an_obj_of_nothing_but_crumbs_and_loose_points_is_one_object(tmp_path: Path) -> None:
    soup = trimesh.creation.icosphere(3)  # 1,280 faces, none of which shares a vertex with another
    points = np.concatenate([soup.triangles.reshape(-1, 3), [[5.0, 5.0, 5.0]]])
    loose = trimesh.Trimesh(points, np.arange(3 * len(soup.faces)).reshape(-1, 3), process=False)
    export_mesh(loose, tmp_path / "soup.obj")
    assert objects_in(tmp_path / "soup.obj") == {"soup": 1280}
