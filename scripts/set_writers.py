"""How the data sets that come along are written; their readers are in `ddmi_core/data/`."""

import gzip
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from ddmi_core.data.coloured_meshes import ColouredPoints
from ddmi_core.data.emoji import clips, pictures
from ddmi_core.data.emoji.archive import INDEX_FILE, EmojiEntry
from ddmi_core.data.emoji.clips import MotionEntry
from ddmi_core.data.faces import FACES_FILE, Face
from ddmi_core.data.furniture import catalogue, renders
from ddmi_core.data.furniture.catalogue import FurnitureEntry
from ddmi_core.data.furniture.renders import RenderedEntry
from ddmi_core.data.portraits.storage import PORTRAITS_FILE, Portrait
from ddmi_core.support.files import atomic_write, write_json

_ELEMENT = re.compile(r"<[^>]*>|[^<]+")
_QUALITY, _ALPHA_QUALITY = 55, 30  # of WebP
_BLOCK = 16  # steps; points of one block of space follow each other


def _write_archive(path: Path, suffix: str, entries: Sequence[EmojiEntry], files: Sequence[bytes]) -> None:
    """Write a set: the zip, whose files have the suffix, and the index beside it."""
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for entry, content in zip(entries, files, strict=True):
            # A fixed date, so that the same files give the same bytes.
            archive.writestr(zipfile.ZipInfo(f"{entry.id}{suffix}"), content)
    write_json(path.parent / INDEX_FILE, [asdict(entry) for entry in entries])


def save_emoji(folder: Path, entries: Sequence[EmojiEntry], files: Sequence[bytes]) -> None:
    """Write the set: the index as JSON, the WebP files as they are in one uncompressed zip."""
    _write_archive(folder / pictures.PICTURES_FILE, ".webp", entries, files)


def save_emoji_motion(folder: Path, entries: Sequence[MotionEntry], files: Sequence[bytes]) -> None:
    """Write the set: the index as JSON, the clips as they are in one uncompressed zip."""
    _write_archive(folder / clips.CLIPS_FILE, ".webm", entries, files)


def save_faces(folder: Path, faces: Sequence[Face]) -> None:
    """Write the set as one compressed file of JSON lines."""
    lines = "".join(json.dumps(asdict(face)) + "\n" for face in faces)
    with atomic_write(folder / FACES_FILE) as temporary:
        # A fixed date, so that the same faces give the same bytes.
        temporary.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))


def save_portraits(folder: Path, portraits: Iterable[Portrait]) -> None:
    """Write the set, by seed from 0; the same portraits give the same bytes."""
    known: dict[str, int] = {}
    lines = []
    for portrait in portraits:
        used = [known.setdefault(element, len(known)) for element in _ELEMENT.findall(portrait.svg)]
        lines.append(_line({"style": portrait.style, "parts": portrait.parts, "elements": used}))
    with atomic_write(folder / PORTRAITS_FILE) as temporary:
        temporary.write_bytes(lzma.compress(b"".join([_line(list(known)), *lines]), preset=9 | lzma.PRESET_EXTREME))


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def save_furniture(
    folder: Path, entries: Sequence[FurnitureEntry], grids: Sequence[np.ndarray], points: Sequence[np.ndarray]
) -> None:
    """Write the set: the index as JSON, packed grids (zlib, one stream a shape) and int16 points in one npz."""
    streams = [zlib.compress(grid.tobytes(), 9) for grid in grids]
    ends = np.cumsum([len(stream) for stream in streams])
    # Sorted and differenced coordinates compress to two thirds.
    ordered = np.stack([part[np.lexsort(part.T)] for part in points])
    steps = np.diff(ordered, axis=1, prepend=np.int16(0))
    with atomic_write(folder / catalogue.SHAPES_FILE) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, grids=np.frombuffer(b"".join(streams), np.uint8), ends=ends, steps=steps)
    write_json(folder / INDEX_FILE, [asdict(entry) for entry in entries])


def save_furniture_nerf(
    folder: Path,
    entries: Sequence[RenderedEntry],
    sheets: Sequence[bytes],
    points: Sequence[bytes],
) -> None:
    """Write the set: the index as JSON, all sheets and points of `pack_sheet` and `pack_points` in one npz."""
    blobs = {}
    for name, parts in (("sheets", sheets), ("points", points)):
        blobs[name] = np.frombuffer(b"".join(parts), np.uint8)
        blobs[f"{name}_ends"] = np.cumsum([len(part) for part in parts])
    with atomic_write(folder / renders.VIEWS_FILE) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **blobs)
    write_json(folder / INDEX_FILE, [asdict(entry) for entry in entries])


def pack_sheet(pictures: Float[np.ndarray, "views side side 4"]) -> bytes:
    """Compress premultiplied pictures in [0, 1] to one WebP sheet, six in a row."""
    side = pictures.shape[1]
    alpha = pictures[..., 3:]
    straight = np.concatenate([pictures[..., :3] / np.maximum(alpha, 1e-6), alpha], axis=-1)
    grid = straight.reshape(-1, renders.COLUMNS, side, side, 4).transpose(0, 2, 1, 3, 4)
    sheet = np.round(255 * np.clip(grid, 0, 1)).astype(np.uint8).reshape(-1, renders.COLUMNS * side, 4)
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, "webp", quality=_QUALITY, alpha_quality=_ALPHA_QUALITY, method=6)
    return stream.getvalue()


def pack_points(points: ColouredPoints) -> bytes:
    """Quantise and compress points."""
    positions = np.round((points.positions + 1) / 2 * renders.STEPS).astype(np.int16)
    colours = np.round(points.colours * renders.SHADES).astype(np.uint8)
    order = np.lexsort([*positions.T, *(positions.T // _BLOCK)])  # neighbours stay together, so steps are small
    steps = np.diff(positions[order], axis=0, prepend=np.int16(0)).astype(np.int16)
    return lzma.compress(steps.T.tobytes() + colours[order].T.tobytes(), lzma.FORMAT_ALONE, preset=9)
