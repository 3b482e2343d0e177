"""Rebuild assets/datasets/furniture-nerf from Debian's package sweethome3d-furniture (1.8-1).

    python scripts/build_furniture_renders.py [--unpacked FOLDER]

Every piece of the furniture set is loaded with its materials and textures, turned and stretched as that set has it, and
drawn in soft light from 24 places around it, 64 pixels a side; points of the surface that these pictures show are kept
with their colours. Pieces that cannot be drawn are left out and listed.
"""

import argparse
import hashlib
import sys
import tempfile
import zipfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import trimesh
from build_furniture import PACKAGE, Piece, fetch, pieces, upright
from set_writers import pack_points, pack_sheet, save_furniture_nerf

from ddmi_core.data.coloured_meshes import ColouredMesh
from ddmi_core.data.furniture.catalogue import furniture_entries
from ddmi_core.data.furniture.renders import (
    POINTS,
    SIDE,
    RenderedEntry,
    cameras_of,
)
from ddmi_core.data.shape_folders import load_parts
from ddmi_core.support.errors import DataError
from ddmi_core.support.files import write_text
from ddmi_core.support.paths import assets

CREDITS = f"""# Radiance starter set: where the pictures come from

Pictures and coloured surface points of the meshes of Debian's package `{PACKAGE}`, the libraries of Sweet Home 3D
(www.sweethome3d.com): CC-BY-3.0 and CC0-1.0. Changed: turned, normalised, drawn in soft light; only pictures of 64 x 64
pixels and points are kept. The objects are those of the furniture set beside this one, whose `ATTRIBUTION.md` lists
every library, creator and licence; they hold for the pictures alike.
"""


def draw(piece: Piece, folder: Path) -> tuple[RenderedEntry, bytes, bytes] | str:
    """Return the entry, its sheet and its points, or the reason why there are none."""
    seed = int.from_bytes(hashlib.sha256(piece.id.encode()).digest()[:4], "big")
    entry = RenderedEntry(piece.id, seed % 360)
    try:
        parts = [part for part in load_parts(folder / piece.path, materials=True) if isinstance(part, trimesh.Trimesh)]
        vertices = np.concatenate([part.vertices for part in parts])
        seen = ColouredMesh(parts, upright(piece, vertices)).seen(cameras_of(entry.start), SIDE, SIDE)
        points = seen.points(POINTS, np.random.default_rng(seed))
    except (DataError, ValueError, IndexError, KeyError) as error:
        return str(error)
    return entry, pack_sheet(seen.pictures()), pack_points(points)


def main() -> None:
    """Rebuild the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unpacked", type=Path, help="folder in which the package is already unpacked")
    parser.add_argument("--out", type=Path, default=assets() / "datasets" / "furniture-nerf")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    known = furniture_entries()
    with tempfile.TemporaryDirectory() as temporary:
        unpacked = arguments.unpacked or fetch(Path(temporary))
        # Materials and textures are found beside the mesh, so the catalogues are unpacked too.
        for archive in unpacked.rglob("*.sh3f"):
            with zipfile.ZipFile(archive) as file:
                file.extractall(Path(temporary) / archive.stem)
        found = [piece for piece in pieces(unpacked) if piece.id in known]
        results = []
        with ProcessPoolExecutor(arguments.processes) as pool:
            for i, result in enumerate(pool.map(partial(draw, folder=Path(temporary)), found, chunksize=4), start=1):
                results.append(result)
                if i % 50 == 0:
                    print(f"{i} of {len(found)}", file=sys.stderr, flush=True)
    for piece, result in zip(found, results, strict=True):
        if isinstance(result, str):
            print(f"left out: {piece.id} ({piece.name}): {result}")
    kept = [result for result in results if not isinstance(result, str)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_furniture_nerf(arguments.out, *(list(column) for column in zip(*kept, strict=True)))
    write_text(arguments.out / "ATTRIBUTION.md", CREDITS)
    print(f"{len(kept)} of {len(found)} objects")


if __name__ == "__main__":
    main()
