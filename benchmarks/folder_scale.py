"""What folders of many files cost: to open, to hold and to draw from, and where the time goes.

    python -m benchmarks.folder_scale [--pictures 20000] [--meshes 2000] [--drawn 32]

Makes a folder of pictures and one of meshes and opens each as a training does, twice: the first time every file is
hashed, the second time that is remembered. Then draws from it: what is trained on is made the first time. Prints one
JSON object for each folder; `extrapolated` says what a folder of 100,000 would take. All times are of a processor, so
other work on the machine does not count, and neither does waiting for a disk.
"""

import io
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import trimesh
import tyro
from PIL import Image

from ddmi_core.data import image_folders, shape_folders
from ddmi_core.data.file_hashes import digests
from ddmi_core.data.image_sources import open_pictures
from ddmi_core.data.items import ItemSource
from ddmi_core.data.labels import pack, solid_grid, surface_normals, surface_points
from ddmi_core.data.shape_sources import open_shapes
from ddmi_core.data.user_folder import files_of
from ddmi_core.support.file_kinds import PICTURES, SURFACES

_LARGE = 100_000
_DIFFERENT = 64  # pictures that are really drawn


def main(pictures: int = 20_000, meshes: int = 2_000, drawn: int = 32) -> None:
    """Measure.

    Args:
        pictures: how many to make, of 256 x 256 pixels; 0 leaves them out.
        meshes: how many to make, of some boxes each; 0 leaves them out.
        drawn: how many files to prepare and draw.
    """
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ["DDMI_HOME"] = str(root / "home")
        for name, count, write, opened, suffixes, parts in (
            (
                "pictures",
                pictures,
                _write_picture,
                lambda folder: open_pictures(folder, "train", encoded_side=128, queries=1280, footprints=(-10.0, -5.0)),
                PICTURES,
                _picture_parts,
            ),
            (
                "meshes",
                meshes,
                _write_mesh,
                lambda folder: open_shapes(folder, "train", seed=0, queries=1280),
                SURFACES,
                _mesh_parts,
            ),
        ):
            if not count:
                continue
            folder = root / name
            folder.mkdir()
            rng = np.random.default_rng(0)
            _, making = _timed(lambda: [write(folder, number, rng) for number in range(count)])  # noqa: B023
            figures = _measured(folder, count, drawn, opened, suffixes)
            figures["where_the_time_goes_ms"] = _average_parts(files_of(folder, suffixes)[:drawn], parts)
            print(json.dumps({"measurement": name, "files": count, "made_seconds": making, **figures}), flush=True)


def _measured(
    folder: Path,
    count: int,
    drawn: int,
    opened: Callable[[str], ItemSource],
    suffixes: tuple[str, ...],
) -> dict[str, Any]:
    before = _memory()
    source, first = _timed(lambda: opened(str(folder)))
    held = _memory() - before
    again, second = _timed(lambda: opened(str(folder)))
    _, listing = _timed(lambda: files_of(folder, suffixes))
    files = files_of(folder, suffixes)
    _, looked_up = _timed(lambda: digests(files))
    some = np.random.default_rng(1).permutation(len(source))[:drawn].tolist()
    rng = np.random.default_rng(2)
    _, new = _timed(lambda: [source.sample(index, rng, augment="full") for index in some])
    _, known = _timed(lambda: [again.sample(index, rng, augment="full") for index in some])
    _, recent = _timed(lambda: [again.sample(some[-1], rng, augment="full") for _ in some])
    each = held / count
    return {
        "opened_seconds": first,
        "opened_again_seconds": second,
        "of_that_listing": listing,
        "of_that_sizes_and_times": looked_up,
        "held_bytes_a_file": round(each),
        "drawn_first_ms": round(1000 * new / drawn, 1),
        "drawn_from_the_disk_ms": round(1000 * known / drawn, 1),
        "drawn_from_memory_ms": round(1000 * recent / drawn, 1),
        "extrapolated": {
            "files": _LARGE,
            "opened_seconds": round(first / count * _LARGE, 1),
            "opened_again_seconds": round(second / count * _LARGE, 1),
            "prepared_hours_one_process": round((new - known) / drawn * _LARGE / 3600, 1),
            "index_mb": round(each * _LARGE / 1e6),
            "process_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + each * _LARGE) / 1e6),
        },
    }


def _picture_parts(file: Path) -> dict[str, float]:
    decoded, decoding = _timed(lambda: image_folders._decoded(file))
    squared, scaling = _timed(lambda: image_folders._squared(decoded))
    with tempfile.NamedTemporaryFile(suffix=".webp") as target:
        _, storing = _timed(lambda: squared.save(target, "WEBP", quality=image_folders._STORED_QUALITY))
        _, reading = _timed(lambda: image_folders.read_picture(Path(target.name)))
    return {"decode": decoding, "scale": scaling, "store": storing, "read the copy": reading}


def _mesh_parts(file: Path) -> dict[str, float]:
    (mesh, _), reading = _timed(lambda: shape_folders._load(file))
    assert isinstance(mesh, trimesh.Trimesh)
    grid, filling = _timed(lambda: solid_grid(mesh))
    points, drawing = _timed(lambda: surface_points(grid, 8192, np.random.default_rng(0)))
    packed = pack(grid)
    normals, leaning = _timed(lambda: surface_normals(packed, points))
    with tempfile.TemporaryFile() as target:
        _, storing = _timed(
            lambda: np.savez_compressed(target, grid=packed, points=points, normals=normals.astype(np.float16))
        )
        target.seek(0)
        _, loading = _timed(lambda: [value for value in np.load(target).values()])
    return {
        "read": reading,
        "solid grid": filling,
        "points": drawing,
        "normals": leaning,
        "store": storing,
        "read the labels": loading,
    }


def _average_parts(files: list[Path], parts: Callable[[Path], dict[str, float]]) -> dict[str, float]:
    found = [parts(file) for file in files]
    return {name: round(1000 * sum(one[name] for one in found) / len(found), 1) for name in found[0]}


def _write_picture(folder: Path, number: int, rng: np.random.Generator) -> None:
    content = _drawn_picture(number % _DIFFERENT)
    # What is behind a picture's end makes another file of it
    (folder / f"{number:06}.jpg").write_bytes(content + rng.bytes(16))


@cache
def _drawn_picture(seed: int) -> bytes:
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(small).resize((256, 256), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _write_mesh(folder: Path, number: int, rng: np.random.Generator) -> None:
    boxes = []
    for _ in range(4):
        box = trimesh.creation.box(rng.uniform(0.2, 1.0, 3))
        box.apply_translation(rng.uniform(-0.6, 0.6, 3))
        boxes.append(box)
    trimesh.util.concatenate(boxes).export(folder / f"{number:06}.ply")


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    result = work()
    return result, round(time.process_time() - began, 4)


def _memory() -> int:
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    tyro.cli(main)
