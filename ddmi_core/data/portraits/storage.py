"""The portraits starter set on disk: vector pictures that share most of their elements, in one small file.

A line of JSON lists all elements (`<path …>`, `</g>`, …) that occur; each further line is a portrait: its drawing
style, the parts that it was put together from, and which elements, in order, are its picture.
"""

import json
import lzma
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ddmi_core.data.portraits.facts import Parts
from ddmi_core.support.cached import cached
from ddmi_core.support.errors import DataError
from ddmi_core.support.files import atomic_write
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.paths import assets

PORTRAITS_FILE = "portraits.jsonl.xz"
CREDITS_FILE = "ATTRIBUTION.md"
HELD_OUT = 1000
"""How many portraits, those of the smallest seeds, are held out."""

_ELEMENT = re.compile(r"<[^>]*>|[^<]+")


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


def read_portraits(folder: Path) -> StoredPortraits:
    """Read the set that `save_portraits` has written.

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
