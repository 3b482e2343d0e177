"""The portraits starter set on disk: vector pictures that share most of their elements, in one small file.

A line of JSON lists all elements (`<path …>`, `</g>`, …) that occur; each further line is a portrait: its drawing
style, the parts that it was put together from, and which elements, in order, are its picture.
"""

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ddmi_core.data.portraits.facts import Parts
from ddmi_core.support.cached import cached
from ddmi_core.support.errors import DataError
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.paths import assets

PORTRAITS_FILE = "portraits.jsonl.xz"
CREDITS_FILE = "ATTRIBUTION.md"
HELD_OUT = 1000
"""How many portraits, those of the smallest seeds, are held out."""


@dataclass(frozen=True)
class Portrait:
    """A portrait: its drawing style, the parts it was put together from, as DiceBear calls them, its picture (SVG)."""

    style: str
    parts: Parts
    svg: str


class StoredPortraits:
    """Portraits by their seed, put together when they are asked for.

    Args:
        elements: all elements.
        lines: the portraits' lines.
    """

    def __init__(self, elements: Sequence[str], lines: Sequence[bytes]) -> None:
        self._elements = elements
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, seed: int) -> Portrait:
        said = json.loads(self._lines[seed])
        return Portrait(said["style"], said["parts"], "".join(self._elements[i] for i in said["elements"]))


def read_portraits(folder: Path) -> StoredPortraits:
    """Read the set.

    Raises:
        DataError: it is missing or damaged.
    """
    try:
        first, *lines = lzma.decompress((folder / PORTRAITS_FILE).read_bytes()).splitlines()
        return StoredPortraits(parse_json(first.decode()), lines)
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise DataError(
            f"The portraits in {folder} cannot be read ({error}). Rebuild them: scripts/build_portraits.py."
        ) from error


@cached()
def shipped_portraits() -> StoredPortraits:
    """Return the set that comes along.

    Raises:
        DataError: it is missing or damaged.
    """
    return read_portraits(assets() / "datasets" / "portraits")
