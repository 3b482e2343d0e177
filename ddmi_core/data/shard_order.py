"""In which order the examples of shards are drawn: shard by shard, so that each is fetched and read once an epoch.

It is what webdataset's streams do: shards in a new order each epoch, divided between nodes, examples shuffled in a
buffer. But it is a function of the draw's number and not the state of a stream, so any draw can be asked for again and
a resumed run goes on exactly.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

LANES = 8
"""Parts that are read side by side. Draw k belongs to lane k mod 8 and to process k mod N: of 2, 4 or 8 processes each
reads its own lanes alone, of any other number all read all. What is drawn does not depend on how many there are."""

BUFFER = 1000
"""Neighbours in a lane that are shuffled."""


class Place(NamedTuple):
    """An example: which shard it is in, and which of the shard's it is."""

    shard: int
    position: int


class ShardOrder:
    """Says of which example each draw is.

    In an epoch no example comes twice, and at most `LANES` - 1 are left out; the next epoch leaves out others.

    Args:
        counts: how many examples each shard has, one at least in all.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self._counts = np.asarray(counts, dtype=np.int64)
        self._lanes = min(LANES, int(self._counts.sum()))
        self._lane = int(self._counts.sum()) // self._lanes  # examples of a lane in an epoch

    def __call__(self, number: int, seed: int) -> Place:
        """Return the example of a draw."""
        epoch, rest = divmod(number, self._lanes * self._lane)
        along, lane = divmod(rest, self._lanes)
        block, place = divmod(along, BUFFER)
        size = min(BUFFER, self._lane - block * BUFFER)
        inside = int(_shuffled((seed, 0, epoch, lane, block), size)[place])
        shards = _shuffled((seed, 1, epoch), len(self._counts))
        ends = self._ends(seed, epoch)
        position = lane * self._lane + block * BUFFER + inside
        which = int(np.searchsorted(ends, position, side="right"))
        begin = int(ends[which - 1]) if which else 0
        return Place(int(shards[which]), position - begin)

    def _ends(self, seed: int, epoch: int) -> np.ndarray:
        """Return how many examples an epoch has up to each of its shards."""
        return np.cumsum(self._counts[_shuffled((seed, 1, epoch), len(self._counts))])


@lru_cache(4 * LANES)
def _shuffled(seed: tuple[int, ...], count: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(count)
