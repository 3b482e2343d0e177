"""LSUN's databases (Yu et al. 2015): an LMDB for each part of a category, of WebP pictures by their names.

A database is opened for each look and closed again: LMDB wants none to be open twice in a process, or in one that was
forked off, and opening takes a fraction of what decoding a picture does.
"""

import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import lmdb
from typing_extensions import override

from ddmi_core.data.drawn import DrawnSet, from_copy
from ddmi_core.data.listing import Listing, Unusable
from ddmi_core.support.errors import DataError

_HELD_OUT = 0.1
_SUFFIX = ".webp"
_Content = TypeVar("_Content")
_opening = threading.Lock()


class LsunSet(DrawnSet[_Content]):
    """The pictures of some databases, as the `train`, `held_out` or `test` part, read when they are drawn.

    Where no two parts are published, one in ten pictures is held out by a hash of its name.

    Args:
        listing: names the databases.
        split: the part.
        read: makes of a file what is trained on, or raises `DataError`.
        recent: how many are kept in memory.

    Raises:
        DataError: no database can be read, or none has a picture.
    """

    def __init__(self, listing: Listing, split: str, read: Callable[[Path], _Content], recent: int) -> None:
        self._read = read
        part = listing.part(split)
        unusable: list[Unusable] = list(listing.absent)
        self._places: list[tuple[Path, bytes]] = []
        for item in listing.items if part is None else part:
            try:
                keys = names_in(item.path)
            except DataError as error:
                unusable.append(Unusable(item.path, str(error)))
                continue
            self._places += [(item.path, key) for key in keys]
        if part is None and len(self._places) > 1:
            held_out = {place for place in self._places if _drawn(place[1]) < _HELD_OUT * 2**32}
            held_out = held_out or {min(self._places, key=lambda place: _drawn(place[1]))}
            self._places = [place for place in self._places if (place in held_out) == (split == "held_out")]
        if not self._places:
            first = f" The first problem: {unusable[0].reason}" if unusable else ""
            raise DataError(f"The databases of {listing.title} hold no picture for the {split} split.{first}")
        names = [f"{database.name}/{_text(key)}" for database, key in self._places]
        super().__init__(names, unusable, recent)

    @override
    def _load(self, index: int) -> _Content:
        database, key = self._places[index]
        return from_copy(picture_in(database, key), f"{_text(key)}{_SUFFIX}", self._read)

    @override
    def _captions(self, index: int) -> list[str]:
        return []


def names_in(database: Path) -> list[bytes]:
    """Return the names of all pictures in a database, in its order.

    Raises:
        DataError: it cannot be read.
    """
    with _reading(database) as transaction, transaction.cursor() as cursor:
        return [bytes(key) for key in cursor.iternext(keys=True, values=False)]


def picture_in(database: Path, name: bytes) -> bytes:
    """Return a picture of a database, as the file that it is.

    Raises:
        DataError: the database cannot be read, or has no such picture.
    """
    with _reading(database) as transaction:
        content = transaction.get(name)
    if content is None:
        raise DataError(f"{database.name} has no picture {_text(name)} any more. Fetch it again.")
    return bytes(content)


def look_through(database: Path, look: Callable[[Path], _Content]) -> tuple[list[_Content], list[Unusable]]:
    """Return what is seen of each picture of a database, and what cannot be used.

    Raises:
        DataError: the database cannot be read.
    """
    found, unusable = [], []
    for key in names_in(database):
        name = _text(key)
        try:
            found.append(from_copy(picture_in(database, key), f"{name}{_SUFFIX}", look))
        except DataError as error:
            unusable.append(Unusable(database / name, str(error)))
    return found, unusable


@contextmanager
def _reading(database: Path) -> Iterator[lmdb.Transaction]:
    with _opening:
        try:
            # Readers' locks would want to write beside data that may lie on a read-only disk
            with (
                lmdb.open(str(database), readonly=True, create=False, lock=False, readahead=False) as environment,
                environment.begin() as transaction,
            ):
                yield transaction
        except (lmdb.Error, OSError) as error:
            raise DataError(f"The database {database} cannot be read ({error}). Fetch it again.") from error


def _text(key: bytes) -> str:
    """Return a name as one that files can have: as published, 40 hexadecimal digits."""
    text = key.decode("ascii", "replace")
    return text if text.isalnum() and len(text) <= 64 else key.hex()[:64]


def _drawn(key: bytes) -> int:
    return zlib.crc32(key)
