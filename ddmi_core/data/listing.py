"""What a folder is said to hold, before anything in it is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Unusable:
    """A file that cannot be trained on, and why."""

    path: Path
    reason: str


class Item(NamedTuple):
    """What a data set lists: a file, or a folder that is one signal; its captions, all true; and of which class it is,
    where the set has classes of shapes.
    """

    path: Path
    captions: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class Listing:
    """What a folder in a published layout lists.

    Args:
        layout: its name.
        title: as people call the data set.
        domain: that learns from it.
        splits: what is there, by `train`, `val` and `test`, or as `all` where nothing tells the splits.
        absent: what should be there and is not, and why that is said.
    """

    layout: str
    title: str
    domain: str
    splits: Mapping[str, Sequence[Item]]
    absent: Sequence[Unusable] = field(default=())

    @property
    def items(self) -> list[Item]:
        """All that is listed."""
        return [item for items in self.splits.values() for item in items]

    def part(self, split: str) -> Sequence[Item] | None:
        """Return what is `train`, `held_out` (val, or test where there is no val) or `test`.

        None if that is not published.
        """
        if split == "test":
            return self.splits.get("test") or None
        held_out = self.splits.get("val") or self.splits.get("test")
        train = self.splits.get("train")
        if not train or not held_out:
            return None
        return train if split == "train" else held_out
