"""Where clips to train on come from, by name: a starter set or a user's folder; and one clip as a set of its parts."""

from pathlib import Path
from typing import TYPE_CHECKING

from ddmi_core.coordinates import overlapping_spans
from ddmi_core.data.clips import Clip, ClipSet, ClipSource, Encoded
from ddmi_core.data.shape_sources import HELD_OUT_COUNT, HELD_OUT_SEED
from ddmi_core.data.shard_places import are_shards
from ddmi_core.support.errors import DataError

if TYPE_CHECKING:
    from ddmi_core.data.skies import Skies

_SKIES = 8_000


def open_clips(
    source: str, split: str, *, seed: int, encoded: Encoded, queries: int, footprints: tuple[float, float]
) -> ClipSource:
    """Open `emoji-motion`, `skies`, a folder of clips, or shards of some.

    Raises:
        DataError: there is no such set or folder, or nothing usable in it.
    """
    if source == "skies":
        from ddmi_core.data.skies import SkySource

        return SkySource(sky_set(split, seed=seed), encoded=encoded, queries=queries, footprints=footprints)
    if source == "emoji-motion":
        from ddmi_core.data.emoji.clips import emoji_motion

        clips: ClipSet = emoji_motion(split)
    elif are_shards(source):
        from ddmi_core.data.clip_folders import clip_shards

        clips = clip_shards(source, split)
    elif Path(source).is_dir():
        from ddmi_core.data.clip_folders import clip_folder

        clips = clip_folder(Path(source), split)
    else:
        raise DataError(f"There are no clips called {source!r}: give emoji-motion, skies or a folder of clips.")
    if len(clips) == 0:
        raise DataError(f"{source} holds no usable clip for the {split} split.")
    return ClipSource(clips, encoded=encoded, queries=queries, footprints=footprints)


def sky_set(split: str, *, seed: int) -> "Skies":
    """Return the skies to train on, those of a seed, or the ones that are held out, always the same."""
    from ddmi_core.data.skies import Skies

    return Skies(_SKIES, seed) if split == "train" else Skies(HELD_OUT_COUNT, HELD_OUT_SEED)


class ClipParts:
    """A clip as a set of its overlapping parts, in order, without captions.

    Args:
        clip: the clip.
        count: how many parts.
        overlap: share of its length that a part has in common with the next.
    """

    def __init__(self, clip: Clip, count: int, overlap: float) -> None:
        self._clip = clip
        self._spans = overlapping_spans(count, overlap)

    def __len__(self) -> int:
        return len(self._spans)

    def captions(self, index: int) -> list[str]:
        """Return none."""
        return []

    def open(self, index: int) -> Clip:
        """Return a part."""
        return self._clip.between(*self._spans[index])
