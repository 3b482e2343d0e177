"""Rebuild assets/datasets/furniture from Debian's package sweethome3d-furniture (1.8-1).

    python scripts/build_furniture.py [--unpacked FOLDER]

Every catalogue mesh is turned upright (y up, front towards +z), normalised, labelled on a 128^3 grid (see
ddmi_core.data.labels), thickened if it is of a kind that prompts name, and stored as the grid's bits and points of its
visible surface. Meshes that cannot be labelled are left out and listed. Without --unpacked the package is fetched with
apt-get and unpacked in a temporary folder.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import trimesh
from set_writers import save_furniture

from ddmi_core.data.furniture.captions import captions_of, kind_of
from ddmi_core.data.furniture.catalogue import CREDITS_FILE, NAMED_KINDS, FurnitureEntry
from ddmi_core.data.furniture.geometry import measure
from ddmi_core.data.labels import normalise, pack, solid_grid, surface_points, thickened
from ddmi_core.support.errors import DataError
from ddmi_core.support.files import write_text
from ddmi_core.support.paths import assets

PACKAGE = "sweethome3d-furniture"
CATALOGUE = "PluginFurnitureCatalog.properties"
POINTS = 3072
MOST_FILLED = 0.08  # of a solid, in its openings; see labels.thickened
LICENCES = {
    "Scopia": "CC-BY-3.0, Scopia (www.scopia.es)",
    "BlendSwap-CC-BY": "CC-BY-3.0, the named artists of Blend Swap",
    "BlendSwap-CC-0": "CC0-1.0, the named artists of Blend Swap",
    "KatorLegaz": "CC-BY-3.0, Kator Legaz (www.katorlegaz.com)",
    "Reallusion": "CC-BY-3.0, Reallusion (www.reallusion.com)",
}


class Piece(NamedTuple):
    """One entry of a catalogue: `model` is the mesh file, `path` its place under the unpacked catalogues."""

    catalogue: str
    id: str
    name: str
    category: str
    tags: str
    creator: str
    model: bytes
    path: Path
    rotation: str
    size: tuple[float, float, float]


def pieces(unpacked: Path) -> Iterator[Piece]:
    """Yield all entries of all catalogues."""
    for archive in sorted(unpacked.rglob("*.sh3f")):
        with zipfile.ZipFile(archive) as file:
            lines = file.read(CATALOGUE).decode("latin-1").splitlines()
            table = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
            for key, name in table.items():
                if not key.startswith("name#"):
                    continue
                number = key.removeprefix("name#")

                def entry(field: str, number: str = number, table: dict[str, str] = table) -> str:
                    return table.get(f"{field}#{number}", "").encode("latin-1").decode("unicode_escape").strip()

                yield Piece(
                    archive.stem,
                    entry("id") or f"{archive.stem}#{number}",
                    name.encode("latin-1").decode("unicode_escape").strip(),
                    entry("category"),
                    entry("tags"),
                    entry("creator"),
                    file.read(entry("model").lstrip("/")),
                    Path(archive.stem, entry("model").lstrip("/")),
                    entry("modelRotation"),
                    (float(entry("width")), float(entry("height")), float(entry("depth"))),
                )


def upright(piece: Piece, vertices: np.ndarray) -> np.ndarray:
    """Return the linear map that turns a mesh upright and stretches it to the catalogue's size in centimetres."""
    turn = np.array([float(part) for part in piece.rotation.split()]).reshape(3, 3) if piece.rotation else np.eye(3)
    extent = np.ptp(vertices @ turn.T, axis=0)
    return np.divide(piece.size, extent, out=np.ones(3), where=extent > 0)[:, None] * turn


def label(piece: Piece) -> tuple[FurnitureEntry, np.ndarray, np.ndarray] | str:
    """Return the entry, its packed grid and its points (int16), or the reason why there are none."""
    try:
        mesh = trimesh.load(io.BytesIO(piece.model), file_type="obj", skip_materials=True, force="mesh", process=False)
        vertices = np.asarray(mesh.vertices)
        vertices = vertices @ upright(piece, vertices).T
        mesh = trimesh.Trimesh(normalise(vertices), mesh.faces, process=False)
        return labelled(piece, solid_grid(mesh))
    except (DataError, ValueError, IndexError, KeyError) as error:
        return str(error)


def labelled(piece: Piece, solid: np.ndarray) -> tuple[FurnitureEntry, np.ndarray, np.ndarray] | str:
    """Return what `label` does, of the solid grid of a mesh."""
    if solid.sum() < 64:
        return "too small on the grid"
    kind = kind_of(piece.name, piece.category, piece.tags)
    grid, filled = thickened(solid) if kind in NAMED_KINDS else (solid, 0.0)
    seed = int.from_bytes(hashlib.sha256(piece.id.encode()).digest()[:4], "big")
    points = surface_points(grid, POINTS, np.random.default_rng(seed))
    entry = FurnitureEntry(
        id=piece.id,
        name=piece.name,
        kind=kind,
        captions=captions_of(piece.name, piece.tags, kind, measure(grid), piece.size),
        split="held_out" if _group(solid) % 10 == 0 else "train",
        catalogue=piece.catalogue,
        creator=piece.creator,
        licence=LICENCES[piece.catalogue].split(",")[0],
        crowded=filled > MOST_FILLED,
    )
    return entry, pack(grid), np.round(points * 32767).astype(np.int16)


def _group(grid: np.ndarray) -> int:
    """Hash the shape coarsely, so that copies of one mesh under several names fall on the same side of the split."""
    low, high = (np.argwhere(grid).min(0), np.argwhere(grid).max(0) + 1)
    part = grid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    coarse = [np.array_split(np.arange(size), 4) for size in part.shape]
    filled = np.array([[[part[np.ix_(x, y, z)].mean() for z in coarse[2]] for y in coarse[1]] for x in coarse[0]])
    filled = np.nan_to_num(filled)  # a side thinner than four cells leaves empty blocks
    return int.from_bytes(hashlib.sha256(np.round(filled * 5).astype(np.uint8).tobytes()).digest()[:8], "big")


def credits(entries: list[FurnitureEntry]) -> str:
    """Return the attribution file."""
    lines = [
        "# Furniture starter set: where the shapes come from",
        "",
        f"The shapes are made from the meshes of Debian's package `{PACKAGE}`, the furniture libraries of Sweet",
        "Home 3D (www.sweethome3d.com). Changed: turned, normalised, labelled on a voxel grid, thin parts of furniture",
        "thickened; only grids and points are kept.",
        "",
        "| library | shapes | licence |",
        "|---|---|---|",
    ]
    counts = Counter(entry.catalogue for entry in entries)
    lines += [f"| {name} | {counts[name]} | {text} |" for name, text in LICENCES.items()]
    lines += [
        "",
        "CC-BY-3.0: creativecommons.org/licenses/by/3.0. CC0-1.0: creativecommons.org/publicdomain/zero/1.0.",
        "",
    ]
    for name in LICENCES:
        creators: dict[str, list[str]] = {}
        for entry in entries:
            if entry.catalogue == name:
                creators.setdefault(entry.creator or "unnamed", []).append(entry.name)
        lines += [f"## {name}", ""]
        lines += [f"- {creator}: {', '.join(sorted(set(names)))}" for creator, names in sorted(creators.items())]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Rebuild the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unpacked", type=Path, help="folder in which the package is already unpacked")
    parser.add_argument("--out", type=Path, default=assets() / "datasets" / "furniture")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        unpacked = arguments.unpacked or fetch(Path(temporary))
        with ProcessPoolExecutor(arguments.processes) as pool:
            found = list(pieces(unpacked))
            results = []
            for i, result in enumerate(pool.map(label, found, chunksize=4), start=1):
                results.append(result)
                if i % 50 == 0:
                    print(f"{i} of {len(found)}", file=sys.stderr, flush=True)
    for piece, result in zip(found, results, strict=True):
        if isinstance(result, str):
            print(f"left out: {piece.id} ({piece.name}): {result}")
    kept = [result for result in results if not isinstance(result, str)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_furniture(arguments.out, *(list(column) for column in zip(*kept, strict=True)))
    write_text(arguments.out / CREDITS_FILE, credits([entry for entry, _, _ in kept]))
    print(f"{len(kept)} of {len(found)} shapes; kinds: {Counter(entry.kind for entry, _, _ in kept).most_common()}")


def fetch(folder: Path) -> Path:
    """Download and unpack the package in a folder; return where it is unpacked."""
    subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)
    package = next(folder.glob(f"{PACKAGE}_*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, folder / "unpacked"], check=True)
    return folder / "unpacked"


if __name__ == "__main__":
    main()
