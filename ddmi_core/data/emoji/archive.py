"""How both emoji sets lie in their folders: an index as JSON, and the files as they are in one uncompressed zip."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ddmi_core.support.errors import DataError

INDEX_FILE = "index.json"


@dataclass(frozen=True)
class EmojiEntry:
    """What the index says of one emoji; its id is its code points in hexadecimal, joined by hyphens."""

    id: str
    captions: list[str]
    split: str


_E = TypeVar("_E", bound=EmojiEntry)


def read_archive(
    path: Path, suffix: str, kind: type[_E], broken: Callable[[Exception], str]
) -> tuple[list[_E], list[bytes]]:
    """Read a set: the zip, whose files have the suffix, and the index beside it.

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
