"""A user's own clips to train on: a folder of video files, of folders with numbered frames, or of both."""

import json
import logging
import math
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from ddmi_core.data.clip_files import CLIP_SUFFIXES, FRAME_SUFFIXES, LONGEST_SECONDS, clip_facts, read_clip
from ddmi_core.data.clip_storage import compress, expand
from ddmi_core.data.clips import Clip, small_frame
from ddmi_core.data.drawn import DrawnSet
from ddmi_core.data.layouts import listing_of
from ddmi_core.data.listing import Unusable
from ddmi_core.data.pictures import WHOLE_PICTURE
from ddmi_core.data.preparing import Preparation
from ddmi_core.data.shard_places import has_shards
from ddmi_core.data.shards import Shards, ShardSet
from ddmi_core.data.user_folder import files_of, read_folder
from ddmi_core.support.errors import DataError
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache
from ddmi_core.support.progress import Progress

LEAST_FRAMES = 16
"""Shorter clips are left out."""
STORED_SIDE = 128
"""Side of the copies that are trained on: twice the base resolution."""

_PIECE = 48  # frames that are decoded at once
_OPEN_CLIPS = 16  # decoded clips of shards that are kept, of up to 50 MB each
_OPEN_PIECES = 400  # decoded pieces that are kept, of about 3 MB each
_STORED_QUALITY = 24
_CACHE_VERSION = 1  # raise it when stored copies change
_INDEX = "index.json"
_TRAINING_PART = "train"

_log = logging.getLogger(__name__)


class _Piece(NamedTuple):
    """Where the copy of a piece is, and when its frames are."""

    archive: Path
    name: str
    times: list[float]
    seconds: float


class FolderClips:
    """The usable clips of a folder, in pieces; `unusable` lists the other files of the folder with the reason.

    Args:
        pieces: what is trained on.
        captions: of each piece, those of its file.
        names: of each piece, its file relative to the folder.
        unusable: files that were left out.
    """

    def __init__(
        self,
        pieces: Sequence[_Piece],
        captions: Sequence[list[str]],
        names: Sequence[str],
        unusable: list[Unusable],
    ) -> None:
        self._pieces, self._captions = pieces, captions
        self.names = names
        self.unusable = unusable
        self._opened = lru_cache(maxsize=_OPEN_PIECES)(self._decoded)

    def __len__(self) -> int:
        return len(self._pieces)

    def captions(self, index: int) -> list[str]:
        """Return the captions of a piece."""
        return self._captions[index]

    def open(self, index: int) -> Clip:
        """Return a piece.

        Raises:
            DataError: its stored copy has been damaged or removed since the folder was read.
        """
        return self._opened(index)

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return small_frame(self.open(index), size)

    def _decoded(self, index: int) -> Clip:
        piece = self._pieces[index]
        try:
            with zipfile.ZipFile(piece.archive) as archive:
                frames = expand(archive.read(piece.name))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise DataError(f"The stored copy of {self.names[index]} is damaged ({error}). Start again.") from error
        return Clip(frames, np.asarray(piece.times, np.float32), piece.seconds)


class DrawnClips:
    """Clips that are decoded when they are drawn.

    Args:
        drawn: the set that they are of.
    """

    def __init__(self, drawn: DrawnSet[Clip]) -> None:
        self._drawn = drawn
        self.names, self.unusable, self.order = drawn.names, drawn.unusable, drawn.order

    def __len__(self) -> int:
        return len(self._drawn)

    def captions(self, index: int) -> list[str]:
        """Return the captions of a clip."""
        return self._drawn.captions(index)

    def open(self, index: int) -> Clip:
        """Return a clip, or the one after it if it cannot be used.

        Raises:
            DataError: no clip can be used.
        """
        return self._drawn.content(index)

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return small_frame(self.open(index), size)


def clip_shards(source: str | Path, split: str, *, progress: Progress | None = None) -> DrawnClips:
    """Read the clips in WebDataset shards, of up to `LONGEST_SECONDS` each, as the `train` or `held_out` part.

    Args:
        source: of the shards, as `Shards` takes it.
        split: the part.
        progress: called before each shard.

    Raises:
        DataError: there is no shard that can be used, or no clip in any.
    """
    return DrawnClips(ShardSet(Shards(source, split, CLIP_SUFFIXES, progress), _decoded_copy, _OPEN_CLIPS))


def _decoded_copy(file: Path) -> Clip:
    clip = _small(read_clip(file))
    _check_length(file, len(clip.times))
    return clip


def clip_folder(path: Path, split: str, *, progress: Progress | None = None) -> FolderClips | DrawnClips:
    """Read a folder of MP4, WebM, MOV, MKV, AVI, GIF and WebP clips, subfolders included, as one of its two parts.

    A folder that holds pictures and no clips is one clip, its frames in the order of their numbers. Where there is a
    folder `train`, only what is in it is read; SkyTimelapse (sky_train/VIDEO/CLIP/*.jpg) has its published parts.
    Captions and the held-out part are those of `user_folder.read_folder`. Clips that cannot be used, among them those
    of fewer than 16 frames, are left out and listed. What is trained on are small copies, kept in the cache; of a
    folder with WebDataset shards (`*.tar`), the clips in these.

    Raises:
        DataError: no such folder, a malformed captions.csv, or no usable clip at all.
    """
    if has_shards(Path(path)):
        return clip_shards(Path(path), split, progress=progress)
    entries, unusable = read_folder(
        Path(path),
        split,
        Preparation(_stored, _archive),
        suffixes=CLIP_SUFFIXES,
        noun="clip",
        plural="clips or frame folders",
        find=_clips_in,
        listing=listing_of(Path(path), "video"),
        at_once=True,  # how many pieces there are must be known
        progress=progress,
    )
    pieces = [(piece, entry) for entry in entries for piece in _stored(*entry.content())]
    return FolderClips(
        [piece for piece, _ in pieces],
        [entry.captions for _, entry in pieces],
        [entry.name for _, entry in pieces],
        unusable,
    )


def _clips_in(folder: Path) -> list[Path]:
    root = folder / _TRAINING_PART if (folder / _TRAINING_PART).is_dir() else folder
    files = files_of(root, CLIP_SUFFIXES)
    filled = {file.parent for file in files}
    pictures = {file.parent for file in files_of(root, FRAME_SUFFIXES)}
    return sorted([*files, *(pictures - filled)])


def _archive(digest: str) -> Path:
    """Return where the small copies of a clip of that content are kept."""
    return cache() / "clips" / f"{digest}-{_CACHE_VERSION}.zip"


def _stored(file: Path, digest: str) -> list[_Piece]:
    """Return the pieces of a clip with their small copies, made once for each content."""
    archive = _archive(digest)
    try:
        return _known(archive)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):  # absent or damaged, it is made again
        pass
    index = []
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(archive) as temporary, zipfile.ZipFile(temporary, "w") as target:
            for number, piece in enumerate(_pieces(file)):
                name = f"{number:04d}.webm"
                target.writestr(name, compress(piece.frames, quality=_STORED_QUALITY))
                index.append({"name": name, "times": piece.times.tolist(), "seconds": piece.seconds})
            _check_length(file, LEAST_FRAMES if index else 0)
            target.writestr(_INDEX, json.dumps(index))
    except OSError as error:
        raise DataError(f"A small copy of {file.name} cannot be written to {archive.parent} ({error}).") from error
    return _known(archive)


def _check_length(file: Path, frames: int) -> None:
    if frames < LEAST_FRAMES:
        raise DataError(f"{file.name} has fewer than {LEAST_FRAMES} frames, too few to learn from.")


def _known(archive: Path) -> list[_Piece]:
    with zipfile.ZipFile(archive) as stored:
        return [_Piece(archive, **entry) for entry in json.loads(stored.read(_INDEX))]


def _pieces(file: Path) -> Iterator[Clip]:
    """Yield a clip, however long, in pieces of about as many frames as are trained on at once."""
    seconds = clip_facts(file).seconds
    parts = max(1, math.ceil(seconds / LONGEST_SECONDS))
    for part in range(parts):
        span = None if parts == 1 else (part * seconds / parts, (part + 1) * seconds / parts)
        clip = _small(read_clip(file, span))
        count = math.ceil(len(clip.times) / _PIECE)
        bounds = [round(i * len(clip.times) / count) for i in range(count + 1)]
        middles = np.concatenate([[-1], (clip.times[1:] + clip.times[:-1]) / 2, [1]])
        for start, stop in pairwise(bounds):
            if stop - start >= LEAST_FRAMES:
                yield clip.between(float(middles[start]), float(middles[stop]))


def _small(clip: Clip) -> Clip:
    side = clip.frames.shape[1]
    if side <= STORED_SIDE:
        return clip
    frames = [clip.view([i], WHOLE_PICTURE, STORED_SIDE)[0] for i in range(len(clip.times))]
    return Clip((np.stack(frames) * 255 + 0.5).astype(np.uint8), clip.times, clip.seconds)
