"""The emoji starter set: three-dimensionally rendered emoji with transparency and captions."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from ddmi_core.data.emoji.archive import EmojiEntry, read_archive
from ddmi_core.data.pictures import Raster, premultiplied
from ddmi_core.support.cached import cached
from ddmi_core.support.paths import assets

PICTURES_FILE = "pictures.zip"
CREDITS_FILE = "ATTRIBUTION.md"


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


@cached()
def _load(folder: Path) -> tuple[list[EmojiEntry], list[bytes]]:
    def broken(error: Exception) -> str:
        return f"The emoji set in {folder} cannot be read ({error}). Rebuild it: scripts/build_emoji.py."

    return read_archive(folder / PICTURES_FILE, ".webp", EmojiEntry, broken)


def emoji(split: str) -> EmojiPictures:
    """Return the `train` or the `held_out` part (10 %, fixed).

    Raises:
        DataError: the set is missing or damaged.
    """
    entries, files = _load(assets() / "datasets" / "emoji")
    chosen = [i for i, entry in enumerate(entries) if entry.split == split]
    return EmojiPictures([entries[i] for i in chosen], [files[i] for i in chosen])
