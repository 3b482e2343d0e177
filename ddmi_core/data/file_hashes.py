"""Hashes of files, each read for it once: remembered by place, size and time of change."""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ddmi_core.support.errors import DataError
from ddmi_core.support.paths import cache
from ddmi_core.support.progress import Progress, report

_NAME = "hashes.sqlite"
_TABLE = "CREATE TABLE IF NOT EXISTS hashes (path TEXT PRIMARY KEY, stamp TEXT, digest TEXT) WITHOUT ROWID"
_AT_ONCE = 256  # files between two looks at whether to go on, and two writes
_PATIENCE = 30.0  # seconds that another process may take to write
_MOST_THREADS = 8

_log = logging.getLogger(__name__)


class _Known(NamedTuple):
    stamp: str
    digest: str


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of those of all files in a folder.

    Raises:
        DataError: it cannot be read.
    """
    with _remembered() as connection:
        found = _known_or_read(connection, [path], map)[0]
    if isinstance(found, DataError):
        raise found
    return found


def digests(paths: Sequence[Path], progress: Progress | None = None) -> list[str | DataError]:
    """Return the SHA-256 of each file or folder, or why it cannot be read; threads read what is new or has changed.

    Args:
        paths: of the files, and of folders that stand for all files in them.
        progress: called every now and then; what it raises ends the reading, and what was read is remembered.
    """
    found: list[str | DataError] = []
    # Threads: reading and hashing let each other run
    with _remembered() as connection, ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        for start in range(0, len(paths), _AT_ONCE):
            report(progress, start / len(paths), f"{paths[start].name}, {start + 1:,} of {len(paths):,}")
            found += _known_or_read(connection, paths[start : start + _AT_ONCE], pool.map)
    return found


def _known_or_read(
    connection: sqlite3.Connection | None, paths: Sequence[Path], mapped: Callable[..., Iterable[Any]]
) -> list[str | DataError]:
    known = _look_up(connection, paths)
    stamps = dict(zip(paths, mapped(_stamp, paths), strict=True))
    new = [path for path in paths if path not in known or known[path].stamp != stamps[path]]
    read: dict[Path, str | DataError] = dict(zip(new, mapped(_read, new), strict=True))
    _remember(connection, [(path, stamps[path], found) for path, found in read.items() if isinstance(found, str)])
    return [read[path] if path in read else known[path].digest for path in paths]


def combined(parts: Iterable[str]) -> str:
    """Return the hash of several files together."""
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _read(path: Path) -> str | DataError:
    try:
        if path.is_dir():
            return combined(file_digest(part) for part in _files_in(path))
        return file_digest(path)
    except OSError as error:
        return DataError(f"{path.name} cannot be read ({error}).")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, which is not remembered.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stamp(path: Path) -> str | None:
    """Return what changes whenever the content does; None if there is nothing."""
    try:
        if path.is_dir():
            return combined(f"{part.name}:{_file_stamp(part)}/" for part in _files_in(path))
        return _file_stamp(path)
    except OSError:
        return None


def _file_stamp(path: Path) -> str:
    about = path.stat()
    return f"{about.st_size}:{about.st_mtime_ns}"


def _files_in(folder: Path) -> list[Path]:
    return sorted(part for part in folder.iterdir() if part.is_file())


@contextmanager
def _remembered() -> Iterator[sqlite3.Connection | None]:
    """Yield the table of what is known; None where there cannot be one, and all is read again then."""
    try:
        cache().mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(cache() / _NAME, timeout=_PATIENCE)
    except (OSError, sqlite3.Error) as error:
        _log.warning("hashes of files are not remembered: %s", error)
        yield None
        return
    with closing(connection):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(_TABLE)
        except sqlite3.Error as error:  # damaged, or in a place where nothing can be written
            _log.warning("hashes of files are not remembered: %s", error)
            yield None
            return
        yield connection


def _look_up(connection: sqlite3.Connection | None, paths: Sequence[Path]) -> dict[Path, _Known]:
    if connection is None:
        return {}
    places = ",".join("?" * len(paths))
    names = {os.path.abspath(path): path for path in paths}
    try:
        rows = connection.execute(f"SELECT * FROM hashes WHERE path IN ({places})", list(names)).fetchall()
    except sqlite3.Error as error:
        _log.warning("hashes of files are not remembered: %s", error)
        return {}
    return {names[name]: _Known(stamp, found) for name, stamp, found in rows}


def _remember(connection: sqlite3.Connection | None, rows: Sequence[tuple[Path, str | None, str]]) -> None:
    if connection is None or not rows:
        return
    absolute = [(os.path.abspath(path), stamp, found) for path, stamp, found in rows if stamp is not None]
    try:
        with connection:
            connection.executemany("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?)", absolute)
    except sqlite3.Error as error:  # a full disk, say
        _log.warning("hashes of files are not remembered: %s", error)
