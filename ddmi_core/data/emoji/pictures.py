"""The emoji starter set: three-dimensionally rendered emoji with transparency and captions."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from ddmi_core.data.pictures import Raster, premultiplied
from ddmi_core.support.errors import DataError
from ddmi_core.support.files import atomic_write, write_json
from ddmi_core.support.kept import kept
from ddmi_core.support.paths import assets

INDEX_FILE = "index.json"
PICTURES_FILE = "pictures.zip"
CREDITS_FILE = "ATTRIBUTION.md"


@dataclass(frozen=True)
class EmojiEntry:
    """What the index says of one emoji; its id is its code points in hexadecimal, joined by hyphens."""

    id: str
    captions: list[str]
    split: str


class EmojiPictures:
    """A part of the set.

    Args:
        entries: what the index says.
        files: the pictures as WebP files, 256 x 256 with alpha.
    """

    def __init__(self, entries: Sequence[EmojiEntry], files: Sequence[bytes]) -> None:
        self.entries = entries
        self._files = files

    def __len__(self) -> int:
        return len(self.entries)

    def captions(self, index: int) -> list[str]:
        """Return the captions of an emoji, its name first."""
        return self.entries[index].captions

    def open(self, index: int) -> Raster:
        """Return an emoji."""
        with Image.open(BytesIO(self._files[index]), formats=["WEBP"]) as picture:
            return Raster(premultiplied(picture))


def save_emoji(folder: Path, entries: Sequence[EmojiEntry], files: Sequence[bytes]) -> None:
    """Write the set: the index as JSON, the WebP files as they are in one uncompressed zip."""
    with atomic_write(folder / PICTURES_FILE) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for entry, content in zip(entries, files, strict=True):
            # A fixed date, so that the same pictures give the same bytes.
            archive.writestr(zipfile.ZipInfo(f"{entry.id}.webp"), content)
    write_json(folder / INDEX_FILE, [asdict(entry) for entry in entries])


@kept()
def _load(folder: Path) -> tuple[list[EmojiEntry], list[bytes]]:
    try:
        entries = [EmojiEntry(**entry) for entry in json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))]
        # All in memory, since worker processes cannot share an open archive.
        with zipfile.ZipFile(folder / PICTURES_FILE) as archive:
            return entries, [archive.read(f"{entry.id}.webp") for entry in entries]
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"The emoji set in {folder} cannot be read ({error}). Rebuild it: scripts/build_emoji.py."
        ) from error


def emoji(split: str) -> EmojiPictures:
    """Return the `train` or the `held_out` part (10 %, fixed).

    Raises:
        DataError: the set is missing or damaged.
    """
    entries, files = _load(assets() / "datasets" / "emoji")
    chosen = [i for i, entry in enumerate(entries) if entry.split == split]
    return EmojiPictures([entries[i] for i in chosen], [files[i] for i in chosen])
