"""Radiance fields to files: views, depth maps, turntables and camera paths, coloured meshes, posed pictures."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import tifffile
import trimesh
from jaxtyping import Float, UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ddmi_core.export import transforms_json
from ddmi_core.export.frames import write_frames
from ddmi_core.export.meshes import export_mesh, mesh_facts, placed
from ddmi_core.export.options import RadianceExport
from ddmi_core.export.recipe_files import RECIPE_KEY
from ddmi_core.export.targets import format_of, written_whole
from ddmi_core.frame_size import frame_size
from ddmi_core.placement import Placement
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.camera_path import Leg, along
from ddmi_core.rendering.cameras import Camera, orbit_camera, ring_of_cameras, sphere_of_cameras, standing_back
from ddmi_core.rendering.view_settings import Crop, ViewSettings
from ddmi_core.rendering.views import View
from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Progress, report, sub_progress

_LARGEST_MESH = 1024
_FITTING = 0.02  # of the progress of a film


@runtime_checkable
class Seen(Protocol):
    """What can be exported: a field that cameras look at, and that has a surface."""

    def render(
        self, camera: Camera, width: int, height: int, settings: ViewSettings, *, progress: Progress | None = ...
    ) -> View:
        """Look at the field."""

    def mesh(
        self, resolution: int, *, faces: int | None = ..., crop: Crop = ..., progress: Progress | None = ...
    ) -> trimesh.Trimesh:
        """Return its surface, with colours at the vertices."""

    def extent(self, crop: Crop = ..., *, progress: Progress | None = ...) -> Float[np.ndarray, "n 3"]:
        """Return points whose convex hull holds the object."""


def export_radiance(
    field: Seen,
    path: Path,
    options: RadianceExport,
    *,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a radiance field in the format that the suffix names, and return facts about what was written.

    Raises:
        ExportError: unknown suffix, something that the format cannot hold, or a place that cannot be written to.
        Cancelled: from inside `progress`; nothing stays.
    """
    suffix = format_of(path, options.formats, "radiance field")
    if suffix in options.MESHES:
        return _export_mesh(field, path, options, recipe, progress)
    placement = None if recipe is None or options.unit_cube else recipe.placement
    width, height = frame_size(*options.pixels(), suffix)
    count = options.count(suffix)
    cameras = cameras_of(options, count)
    if options.frame_object and count > 1:
        points = field.extent(options.view.crop, progress=sub_progress(progress, 0.0, _FITTING))
        cameras = standing_back(cameras, points, width, height, nearer=not options.path)
        progress = sub_progress(progress, _FITTING, 1.0)
    facts: dict[str, Any] = {"width": width, "height": height, "views": count}
    if suffix == ".tif":
        depth = field.render(cameras[0], width, height, options.view, progress=progress).depth
        if placement is not None:
            depth = depth * np.float32(placement.unit)
        with written_whole(path) as temporary:
            tifffile.imwrite(temporary, depth, photometric="minisblack", compression="zlib")
        seen = depth[np.isfinite(depth)]
        facts |= {"nearest": float(seen.min()), "farthest": float(seen.max())} if len(seen) else {}
        report(progress, 1.0, f"wrote {path.name}")
        return facts
    frames = _frames(field, cameras, width, height, options, progress)
    note = recipe if options.embed_recipe else None
    if suffix == ".png" and count == 1:
        with written_whole(path) as temporary:
            _write_png(temporary, next(frames), note)
    elif suffix == ".json":
        if placement is not None:
            cameras = [_placed(camera, placement) for camera in cameras]
        facts["held_out"] = _write_posed(path, options, cameras, frames, width, height)
    else:
        facts["path"] = str(write_frames(frames, path, rate=options.fps, recipe=note))
    report(progress, 1.0, f"wrote {path.name}")
    return facts


def cameras_of(options: RadianceExport, count: int) -> list[Camera]:
    """Return the cameras of an export: along its path, or around the object."""
    if options.path:
        legs = [Leg(key.seconds, key.easing) for key in options.path]
        return along([Camera(np.array(key.pose), key.fov) for key in options.path], count, legs)
    if count == 1:
        return [orbit_camera(options.azimuth, options.elevation, options.distance, options.fov)]
    if options.around != "ring":
        lowest = 0.0 if options.around == "hemisphere" else -90.0
        return sphere_of_cameras(count, last=lowest, distance=options.distance, fov=options.fov, start=options.azimuth)
    return ring_of_cameras(
        count, elevation=options.elevation, distance=options.distance, fov=options.fov, start=options.azimuth
    )


def _frames(
    field: Seen,
    cameras: list[Camera],
    width: int,
    height: int,
    options: RadianceExport,
    progress: Progress | None,
) -> Iterator[UInt8[np.ndarray, "h w 4"]]:
    for number, camera in enumerate(cameras):
        share = sub_progress(progress, number / len(cameras), (number + 1) / len(cameras))
        yield field.render(camera, width, height, options.view, progress=share).picture(options.view)


def _export_mesh(
    field: Seen,
    path: Path,
    options: RadianceExport,
    recipe: Recipe | None,
    progress: Progress | None,
) -> dict[str, Any]:
    if options.resolution > _LARGEST_MESH:
        raise ExportError(f"A mesh has at most {_LARGEST_MESH} samples along each axis, not {options.resolution}.")
    mesh = field.mesh(
        options.resolution, faces=options.faces, crop=options.view.crop, progress=sub_progress(progress, 0.0, 0.95)
    )
    if recipe is not None and recipe.placement is not None and not options.unit_cube:
        mesh = placed(mesh, recipe.placement, path)
    kept = recipe if options.embed_recipe else None
    export_mesh(mesh, path, recipe=kept, progress=sub_progress(progress, 0.95, 1.0))
    return mesh_facts(mesh)


def _placed(camera: Camera, placement: Placement) -> Camera:
    """Return a camera as it stands in the file's space, with y up."""
    pose = camera.pose.copy()
    pose[:3, 3] = (placement.back("y") @ camera.pose)[:3, 3]
    return replace(camera, pose=pose)


def _write_png(path: Path, picture: UInt8[np.ndarray, "h w 4"], recipe: Recipe | None) -> None:
    notes = PngInfo()
    if recipe is not None:
        notes.add_itxt(RECIPE_KEY, json.dumps(recipe.model_dump(mode="json")))
    Image.fromarray(picture).save(path, "png", pnginfo=notes)


def _write_posed(
    path: Path,
    options: RadianceExport,
    cameras: list[Camera],
    frames: Iterator[UInt8[np.ndarray, "h w 4"]],
    width: int,
    height: int,
) -> int:
    """Write the pictures into a folder beside the file, and the file last; return how many are held out.

    With views held out there are the files of Mildenhall et al.'s synthetic scenes, in which names have no suffix:
    instant-ngp opens the one to train with, nerfstudio all three as `blender-data`. The views to validate with are
    those to test with.
    """
    *files, folder = options.targets(path)
    if folder.exists():
        raise ExportError(f"{folder} is there already. Choose another name.")
    held_out = min(options.held_out, len(cameras) - 1)
    apart = {round((number + 0.5) * len(cameras) / held_out - 0.5) for number in range(held_out)}
    suffix = "" if options.held_out else ".png"
    with ExitStack() as stack:
        written = [stack.enter_context(written_whole(file)) for file in files]
        pictures = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=path.parent))
        names = []
        try:
            for number, frame in enumerate(frames):
                names.append(f"{folder.name}/{number:04d}{suffix}")
                _write_png(pictures / f"{number:04d}.png", frame, None)
            pictures.chmod(0o755)
            pictures.rename(folder)
        except BaseException:
            shutil.rmtree(pictures, ignore_errors=True)
            raise
        for number, file in enumerate(written):
            part = [i for i in range(len(cameras)) if (i in apart) == (number > 0)]
            transforms_json.write(file, [cameras[i] for i in part], [names[i] for i in part], width, height)
    return len(apart)
