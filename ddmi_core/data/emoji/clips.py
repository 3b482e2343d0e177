"""The animated emoji starter set: short clips with transparency and captions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ddmi_core.coordinates import cell_centres
from ddmi_core.data.clip_storage import expand
from ddmi_core.data.clips import Clip
from ddmi_core.data.emoji.archive import EmojiEntry, read_archive
from ddmi_core.support.cached import cached
from ddmi_core.support.paths import assets

CLIPS_FILE = "clips.zip"
CREDITS_FILE = "ATTRIBUTION.md"

_OPEN_CLIPS = 800  # decoded clips that are kept, of about 1.3 MB each: the whole set, since training opens all in turn


@dataclass(frozen=True)
class MotionEntry(EmojiEntry):
    """What the index says of one animated emoji."""

    seconds: float


class EmojiMotion:
    """A part of the set.

    Args:
        entries: what the index says.
        files: the clips as `clip_storage` keeps them, frames at even distances.
    """

    def __init__(self, entries: Sequence[MotionEntry], files: Sequence[bytes]) -> None:
        self.entries = entries
        self._files = files
        self._opened = lru_cache(maxsize=_OPEN_CLIPS)(self._decoded)

    def __len__(self) -> int:
        return len(self.entries)

    def captions(self, index: int) -> list[str]:
        """Return the captions of an emoji, its name first."""
        return self.entries[index].captions

    def open(self, index: int) -> Clip:
        """Return an animated emoji."""
        return self._opened(index)

    def _decoded(self, index: int) -> Clip:
        frames = expand(self._files[index])
        return Clip(frames, cell_centres(len(frames)).numpy(), self.entries[index].seconds)


@cached()
def _load(folder: Path) -> tuple[list[MotionEntry], list[bytes]]:
    def broken(error: Exception) -> str:
        return f"The animated emoji in {folder} cannot be read ({error}). Rebuild them: scripts/build_emoji_motion.py."

    return read_archive(folder / CLIPS_FILE, ".webm", MotionEntry, broken)


@cached(2)
def _part(folder: Path, split: str) -> EmojiMotion:
    entries, files = _load(folder)
    chosen = [i for i, entry in enumerate(entries) if entry.split == split]
    return EmojiMotion([entries[i] for i in chosen], [files[i] for i in chosen])


def emoji_motion(split: str) -> EmojiMotion:
    """Return the `train` or the `held_out` part (10 %, fixed, the same emoji as in the still set).

    Raises:
        DataError: the set is missing or damaged.
    """
    return _part(assets() / "datasets" / "emoji-motion", split)
