"""How both emoji sets lie in their folders: an index as JSON, and the files as they are in one uncompressed zip."""

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from ddmi_core.support.errors import DataError
from ddmi_core.support.files import atomic_write, write_json

INDEX_FILE = "index.json"


@dataclass(frozen=True)
class EmojiEntry:
    """What the index says of one emoji; its id is its code points in hexadecimal, joined by hyphens."""

    id: str
    captions: list[str]
    split: str


_E = TypeVar("_E", bound=EmojiEntry)


def write_archive(path: Path, suffix: str, entries: Sequence[EmojiEntry], files: Sequence[bytes]) -> None:
    """Write a set: the zip, whose files have the suffix, and the index beside it."""
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for entry, content in zip(entries, files, strict=True):
            # A fixed date, so that the same files give the same bytes.
            archive.writestr(zipfile.ZipInfo(f"{entry.id}{suffix}"), content)
    write_json(path.parent / INDEX_FILE, [asdict(entry) for entry in entries])


def read_archive(
    path: Path, suffix: str, kind: type[_E], broken: Callable[[Exception], str]
) -> tuple[list[_E], list[bytes]]:
    """Read what `write_archive` wrote.

    Raises:
        DataError: it is missing or damaged; `broken` words it.
    """
    try:
        entries = [kind(**entry) for entry in json.loads((path.parent / INDEX_FILE).read_text(encoding="utf-8"))]
        # All in memory, since worker processes cannot share an open archive.
        with zipfile.ZipFile(path) as archive:
            return entries, [archive.read(f"{entry.id}{suffix}") for entry in entries]
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(broken(error)) from error
