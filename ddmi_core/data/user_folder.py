"""A user's folder of files to train on, of whatever kind: what is usable, captions, and which part is held out."""

import csv
import hashlib
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ddmi_core.errors import DataError
from ddmi_core.progress import Progress, report

CAPTIONS_FILE = "captions.csv"

_HELD_OUT = 0.1
_log = logging.getLogger(__name__)
_Content = TypeVar("_Content")


@dataclass(frozen=True)
class Unusable:
    """A file that cannot be trained on, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Entry(Generic[_Content]):
    """A usable file: its name relative to the folder (POSIX), its captions, and what was made of it."""

    name: str
    captions: list[str]
    content: _Content


class UserFolder(Protocol):
    """A part of a user's folder, read: what can be trained on, and what cannot."""

    names: Sequence[str]
    unusable: list[Unusable]

    def captions(self, index: int) -> list[str]:
        """Return the captions of a file."""


@dataclass(frozen=True)
class FolderScan:
    """What a folder holds. `names` are those of all usable files, relative to it; `captioned` of them have captions."""

    names: tuple[str, ...]
    held_out: int
    captioned: int
    unusable: tuple[Unusable, ...]


def scan_folder(read: Callable[[str, Progress | None], UserFolder], progress: Progress | None = None) -> FolderScan:
    """Look through a folder; what is made of its files on the way is cached for the training.

    Args:
        read: reads the part called `train` or `held_out`, such as a domain's `folder` does.
        progress: called before each file.

    Raises:
        DataError: as `read_folder` does.
    """
    train, held_out = read("train", progress), read("held_out", None)
    captions = {
        name: bool(part.captions(i)) for part in (train, held_out) for i, name in enumerate(part.names)
    }  # a lone file is in both
    return FolderScan(tuple(sorted(captions)), len(held_out.names), sum(captions.values()), tuple(train.unusable))


def read_folder(
    path: Path,
    split: str,
    load: Callable[[Path], _Content],
    *,
    suffixes: Sequence[str],
    noun: str,
    plural: str,
    names: Collection[str] = (),
    identity: Callable[[Path], str] | None = None,
    progress: Progress | None = None,
) -> tuple[list[Entry[_Content]], list[Unusable]]:
    """Read the files of a folder, subfolders included, as the `train` or `held_out` part.

    The optional captions.csv has the columns file (relative to the folder) and caption; a file may have several rows,
    and files without any are trained on without words. One in ten is held out by a hash of the file's bytes, so copies
    stay on one side; at least one is held out, and a lone file serves both parts.

    Args:
        path: the folder.
        split: the part.
        load: makes of a file what is to be trained on, or raises `DataError`.
        suffixes: of the files to look at, in lower case.
        noun: what such a file is called in messages.
        plural: and several.
        names: of further files to look at, whatever their suffix.
        identity: returns the hash of what a file stands for, where that is not its own bytes.
        progress: called before each file.

    Returns:
        The usable files of the part, and all files that cannot be used.

    Raises:
        DataError: no such folder, a malformed captions.csv, or no usable file at all.
    """
    if not path.is_dir():
        raise DataError(f"There is no folder {path}. Give a folder of {known(suffixes)} {plural}.")
    captions = _read_captions(path / CAPTIONS_FILE)
    files = sorted(file for file in path.rglob("*") if _wanted(file, suffixes, names))
    usable: list[tuple[str, Entry[_Content]]] = []
    unusable: list[Unusable] = []
    for i, file in enumerate(files):
        report(progress, i / len(files), f"{file.name}, {i + 1} of {len(files)}")
        name = file.relative_to(path).as_posix()
        try:
            usable.append(((identity or digest)(file), Entry(name, captions.get(name, []), load(file))))
        except DataError as error:
            unusable.append(Unusable(file, str(error)))
            _log.warning("left out %s: %s", file, error)
    if not usable:
        reasons = f" The first problem: {unusable[0].reason}" if unusable else ""
        raise DataError(
            f"{path} holds no usable {noun} ({known(suffixes)}); {len(files)} files were looked at.{reasons}"
        )
    digests = {found for found, _ in usable}
    held_out = {found for found in digests if int(found[:8], 16) < _HELD_OUT * 2**32} or {min(digests)}
    alone = len(digests) == 1
    return [entry for found, entry in usable if alone or (found in held_out) == (split == "held_out")], unusable


def _wanted(file: Path, suffixes: Sequence[str], names: Collection[str]) -> bool:
    return (file.suffix.lower() in suffixes or file.name in names) and file.is_file()


def digest(file: Path) -> str:
    """Return the SHA-256 of a file's bytes.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{file.name} cannot be read ({error}).") from error


def known(suffixes: Sequence[str]) -> str:
    """Return suffixes as a message names them."""
    return ", ".join(suffix[1:].upper() for suffix in suffixes)


def _read_captions(file: Path) -> dict[str, list[str]]:
    """Return the captions by file name, POSIX and relative; none if there is no such file."""
    if not file.exists():
        return {}
    captions: dict[str, list[str]] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if not {"file", "caption"} <= set(reader.fieldnames or ()):
                raise DataError(f"{file} must start with the line file,caption.")
            for row in reader:
                name, caption = (row["file"] or "").strip(), (row["caption"] or "").strip()
                if name and caption:
                    captions.setdefault(Path(name).as_posix(), []).append(caption)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read as UTF-8 CSV ({error}).") from error
    return captions
