"""A user's folder of files to train on, of whatever kind: what is usable, captions, and which part is held out."""

import csv
import logging
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import UInt8

from ddmi_core.data.file_hashes import combined, digests
from ddmi_core.data.listing import Listing, Unusable
from ddmi_core.data.preparing import Content, Preparation, prepare
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, report, sub_progress

CAPTIONS_FILE = "captions.csv"

FEW = 8
"""Fewer files than this are learned by heart rather than learned from."""

LOOKED_THROUGH = 1000
"""Of more files than this what is trained on is made when they are drawn, where a set can do so: training begins at
once, and files that cannot be used are found out on the way."""

_HASHING = 0.3  # share of the progress of a folder that is looked through
_HELD_OUT = 0.1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A file: its name relative to the folder (POSIX), its captions, and the hash of its content.

    Where parts are published there is no need to know the hash, and of a large set it is left open.
    """

    name: str
    captions: list[str]
    path: Path
    digest: str | None

    def content(self, parts: Callable[[Path], list[Path]] | None = None) -> Content:
        """Return the file with its hash; `parts` as for `read_folder`.

        Raises:
            DataError: it cannot be read any more.
        """
        if self.digest is not None:
            return Content(self.path, self.digest)
        hashes, unusable = _hashed([self.path], parts, None)
        if unusable:
            raise DataError(unusable[0].reason)
        return Content(self.path, hashes[self.path])


class UserFolder(Protocol):
    """A part of a user's folder, read: what can be trained on, and what cannot."""

    names: Sequence[str]
    unusable: list[Unusable]

    def captions(self, index: int) -> list[str]:
        """Return the captions of a file."""

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture of a file: premultiplied RGBA."""


@dataclass(frozen=True)
class FolderScan:
    """What a folder holds. `names` are those of all usable files, relative to it; `captioned` of them have captions.

    `thumbnails` are small pictures of some of them, by name.
    """

    names: tuple[str, ...]
    held_out: int
    captioned: int
    unusable: tuple[Unusable, ...]
    thumbnails: dict[str, np.ndarray]


def scan_folder(
    read: Callable[[str, Progress | None], UserFolder],
    progress: Progress | None = None,
    *,
    thumbnails: int = 0,
    size: int = 96,
) -> FolderScan:
    """Look through a folder; what is made of its files on the way is cached for the training.

    Args:
        read: reads the part called `train` or `held_out`, such as a domain's `folder` does.
        progress: called before each file.
        thumbnails: how many files to draw.
        size: side of such a picture in pixels.

    Raises:
        DataError: as `read_folder` does.
    """
    train, held_out = read("train", progress), read("held_out", None)
    captions = {
        name: bool(part.captions(i)) for part in (train, held_out) for i, name in enumerate(part.names)
    }  # a lone file is in both
    drawn: dict[str, np.ndarray] = {}
    for index, name in enumerate(train.names[:thumbnails]):
        report(progress, 1.0, f"Drawing {name}")
        drawn[name] = train.thumbnail(index, size)
    unusable = tuple(dict.fromkeys([*train.unusable, *held_out.unusable]))
    return FolderScan(tuple(sorted(captions)), len(held_out.names), sum(captions.values()), unusable, drawn)


def read_folder(
    path: Path,
    split: str,
    preparation: Preparation,
    *,
    suffixes: Sequence[str],
    noun: str,
    plural: str,
    find: Callable[[Path], list[Path]] | None = None,
    parts: Callable[[Path], list[Path]] | None = None,
    listing: Listing | None = None,
    at_once: bool = False,
    progress: Progress | None = None,
) -> tuple[list[Entry], list[Unusable]]:
    """Look through the files of a folder, subfolders included, as the `train` or `held_out` part.

    The optional captions.csv has the columns file (relative to the folder) and caption; a file may have several rows,
    and files without any are trained on without words. One in ten is held out by a hash of the file's bytes, so copies
    stay on one side; at least one is held out, and a lone file serves both parts.

    What is trained on is prepared now, in parallel, and only usable files are returned. Of more than `LOOKED_THROUGH`
    files it is prepared when they are drawn.

    Args:
        path: the folder.
        split: the part.
        preparation: makes of a file what is to be trained on.
        suffixes: of the files to look at, in lower case.
        noun: what such a file is called in messages.
        plural: and several.
        find: lists what the folder holds, where that is not just its files of the suffixes; a folder in the list counts
            as one item, such as a clip of numbered frames.
        parts: names the files that an item stands for, where that is not just itself.
        listing: of a folder in a published layout: what it lists is read instead of all that is there, and where it
            publishes the parts, these count and only the one asked for is looked at.
        at_once: prepare all files now, however many there are.
        progress: called on the way.

    Returns:
        The files of the part, and all files that are known to be unusable.

    Raises:
        DataError: no such folder, a malformed captions.csv, or no usable file at all.
    """
    check_folder(path, f"Give a folder of {known(suffixes)} {plural}.")
    captions, lines = _read_captions(path / CAPTIONS_FILE)
    published = None if listing is None else listing.part(split)
    if listing is not None:
        listed = listing.items if published is None else published
        files = [item.path for item in listed]
        for item in listed:
            captions.setdefault(item.path.relative_to(path).as_posix(), list(item.captions))
    else:
        files = find(path) if find is not None else files_of(path, suffixes)
    names = [file.relative_to(path).as_posix() for file in files]
    there = set(names)
    unusable = [
        Unusable(path / CAPTIONS_FILE, f"Line {line} names {name}, but there is no such {noun} in the folder.")
        for name, line in lines.items()
        if name not in there and published is None
    ]
    if listing is not None:
        unusable += listing.absent
    for one in unusable:
        _log.warning("%s: %s", one.path, one.reason)
    now = at_once or len(files) <= LOOKED_THROUGH
    hashes: dict[Path, str] = {}
    if now or published is None:
        hashes, unread = _hashed(files, parts, sub_progress(progress, 0.0, _HASHING if now else 1.0))
        unusable += unread
    if now:
        contents = [Content(file, found) for file, found in hashes.items()]
        reasons = prepare(contents, preparation, sub_progress(progress, _HASHING, 1.0))
        for file, reason in reasons.items():
            unusable.append(Unusable(file, reason))
            _log.warning("left out %s: %s", file, reason)
            del hashes[file]
    entries = [
        Entry(name, captions.get(name, []), file, hashes.get(file))
        for name, file in zip(names, files, strict=True)
        if file in hashes or not (now or published is None)
    ]
    others = other_files(path, suffixes) if listing is None else Counter[str]()
    if not entries:
        reason = f" The first problem: {unusable[0].reason}" if unusable else ""
        what = f" It holds other files: {_listed(others)}." if others else ""
        raise DataError(
            f"{path} holds no usable {noun} ({known(suffixes)}); {len(files)} files were looked at.{what}{reason} "
            f"Choose another folder, or put {plural} there."
        )
    different = set(hashes.values())
    count = len(different) or len(entries)
    if split == "train":
        if others:
            _log.warning("%s also holds files that are no %s and are ignored: %s", path, plural, _listed(others))
        if count < FEW:
            _log.warning(
                "%s holds only %d usable %s: they are learned by heart rather than learned from. Give at least %d.",
                path, count, plural if count > 1 else noun, FEW,
            )  # fmt: skip
    if published is not None:
        return entries, unusable
    held_out = {found for found in different if int(found[:8], 16) < _HELD_OUT * 2**32} or {min(different)}
    alone = count == 1
    return [one for one in entries if alone or (one.digest in held_out) == (split == "held_out")], unusable


def _hashed(
    files: Sequence[Path], parts: Callable[[Path], list[Path]] | None, progress: Progress | None
) -> tuple[dict[Path, str], list[Unusable]]:
    """Return the hashes of what files stand for, and which of them cannot be read."""
    standing = [[file] if parts is None else parts(file) for file in files]
    found = iter(digests([part for some in standing for part in some], progress))
    hashes: dict[Path, str] = {}
    unusable = []
    for file, some in zip(files, standing, strict=True):
        own = [next(found) for _ in some]
        read = [one for one in own if isinstance(one, str)]
        if len(read) < len(own):
            problem = next(one for one in own if isinstance(one, DataError))
            unusable.append(Unusable(file, str(problem)))
            _log.warning("left out %s: %s", file, problem)
        else:
            hashes[file] = read[0] if len(read) == 1 else combined(read)
    return hashes, unusable


def files_of(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the files of a folder and its subfolders with one of the suffixes (lower case), sorted."""
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in suffixes and file.is_file())


def known(suffixes: Sequence[str]) -> str:
    """Return suffixes as a message names them."""
    return ", ".join(suffix[1:].upper() for suffix in suffixes)


def check_folder(path: Path, advice: str) -> None:
    """Make sure that there is such a folder, and that it can be read.

    Raises:
        DataError: it is not so; `advice` says what to do.
    """
    if not path.is_dir():
        raise DataError(f"There is no folder {path}. {advice}")
    if not os.access(path, os.R_OK | os.X_OK):
        raise DataError(f"The folder {path} cannot be read. Allow it, or choose another one. {advice}")


def other_files(path: Path, suffixes: Sequence[str]) -> Counter[str]:
    """Count the files of a folder that are of other kinds, by suffix; captions and hidden files do not count."""
    return Counter(
        file.suffix.lower() or "without a suffix"
        for file in path.rglob("*")
        if file.suffix.lower() not in suffixes
        and file.name != CAPTIONS_FILE
        and not file.name.startswith(".")
        and file.is_file()
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(5))


def _read_captions(file: Path) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Return the captions by file name, POSIX and relative, and the line that each name first stands on."""
    captions: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    if not file.exists():
        return captions, lines
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = reader.fieldnames or ()
            if not {"file", "caption"} <= set(columns):
                raise DataError(
                    f"{file} must start with the line file,caption; it starts with {','.join(columns) or 'nothing'}. "
                    "Put that line first, or remove the file to train without captions."
                )
            for row in reader:
                name, caption = (row["file"] or "").strip(), (row["caption"] or "").strip()
                if name and caption:
                    captions.setdefault(Path(name).as_posix(), []).append(caption)
                    lines.setdefault(Path(name).as_posix(), reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read as UTF-8 CSV ({error}). Save it again as such.") from error
    return captions, lines
