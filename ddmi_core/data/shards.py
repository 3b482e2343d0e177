"""WebDataset shards: tar files of examples that share a name, in a folder or on the web, larger than memory and disk.

An example is what has the same path up to the first dot, such as `0017.png` and `0017.txt` (webdataset's convention).
Each can be read by itself, so draws stay numbered. Shards on the web are fetched when a draw needs them; `shard_order`
sees to it that few are needed at a time, and the least recent make room for others.
"""

import logging
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from typing_extensions import override

from ddmi_core.data.drawn import DrawnSet, from_copy
from ddmi_core.data.listing import Unusable
from ddmi_core.data.shard_contents import Example, Member, contents_of
from ddmi_core.data.shard_order import LANES, Place, ShardOrder
from ddmi_core.data.shard_places import INDEX, fetched, is_remote, listed, name_of
from ddmi_core.data.user_folder import known
from ddmi_core.support.errors import DataError
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.progress import Progress, report

_HELD_OUT = 0.1
_MANY = 10  # shards, of which whole ones are held out
_AGAIN_SECONDS = 600.0  # after which a shard that could not be had is tried again
_RECENT = 2 * LANES  # shards of which it is kept in memory what is in them
_Content = TypeVar("_Content")
_log = logging.getLogger(__name__)


class Shards:
    """The examples of shards, as the `train` or `held_out` part.

    Of ten shards and more one in ten is held out by a hash of its name, so that no part needs the other's; of fewer,
    one in ten examples. At least one is, and a lone example serves both parts. What cannot be used is listed in
    `unusable`, and the rest is used.

    Args:
        source: a folder of `*.tar` or with an `index.json`, or what `are_shards` takes.
        split: the part.
        suffixes: of the files that are learned from, in lower case.
        progress: called before each shard that has to be looked through.

    Raises:
        DataError: there is no shard, or no example with such a file.
    """

    def __init__(
        self, source: str | Path, split: str, suffixes: Sequence[str], progress: Progress | None = None
    ) -> None:
        self._suffixes = tuple(suffixes)
        self.unusable: list[Unusable] = []
        self._gone: dict[str, tuple[float, str]] = {}  # when that was found out, and why
        self._indexes: dict[str, list[Example]] = {}
        found = listed(source, self.unusable)
        counts: dict[str, int] = {}
        for number, (url, count) in enumerate(found.items()):
            report(progress, number / len(found), f"{name_of(url)}, {number + 1:,} of {len(found):,}")
            if count is not None and is_remote(url):
                counts[url] = count  # it is fetched when it is needed
                continue
            try:
                examples = self._index(url)
            except DataError as error:
                self.unusable.append(Unusable(Path(name_of(url)), str(error)))
                continue
            if count not in (None, len(examples)):
                self._note(
                    url,
                    f"{INDEX} says that {name_of(url)} has {count:,} examples, and it has {len(examples):,}: these are "
                    "used. Make the index anew.",
                )
            counts[url] = len(examples)
        if not sum(counts.values()):
            first = f" The first problem: {self.unusable[0].reason}" if self.unusable else ""
            raise DataError(
                f"The shards of {source} hold no example with a {known(suffixes)} file. Name the files of an example "
                f"alike, such as 0017.png and 0017.txt.{first}"
            )
        self._urls, self._positions = _part(counts, split)
        self._order = ShardOrder([len(positions) for positions in self._positions])
        self._begins = np.concatenate([[0], np.cumsum([len(positions) for positions in self._positions])])

    def __len__(self) -> int:
        return int(self._begins[-1])

    @property
    def names(self) -> Sequence[str]:
        """The names of all examples, read as they are asked for."""
        return _Names(self)

    def order(self, number: int, seed: int) -> int:
        """Return of which example draw `number` of a run is; see `shard_order`."""
        shard, position = self._order(number, seed)
        return int(self._begins[shard]) + position

    def name(self, index: int) -> str:
        """Return the name of an example: its shard's and its own.

        Raises:
            DataError: the shard cannot be had.
        """
        url, example = self._example(index)
        return f"{Path(name_of(url)).stem}/{example.key}"

    def captions(self, index: int) -> list[str]:
        """Return the captions of an example: the lines of its text, or `caption` in its JSON.

        Raises:
            DataError: the shard cannot be had.
        """
        url, example = self._example(index)
        member = example.caption
        if member is None:
            return []
        text = self._read(url, member).decode("utf-8", errors="replace")
        if member.suffix != ".json":
            return [line.strip() for line in text.splitlines() if line.strip()]
        try:
            value = parse_json(text)
        except ValueError:
            return []
        found = value.get("caption") if isinstance(value, dict) else None
        return [str(one) for one in (found if isinstance(found, list) else [found]) if one]

    def load(self, index: int, read: Callable[[Path], _Content]) -> _Content:
        """Read an example from a copy of its file.

        Raises:
            DataError: it is damaged, or its shard cannot be had.
        """
        url, example = self._example(index)
        name = f"{Path(example.key).name}{example.content.suffix}"
        return from_copy(self._read(url, example.content), name, read)

    def _example(self, index: int) -> tuple[str, Example]:
        """Return the shard of an example and where it lies there; of a shard that cannot be had, one of the next."""
        shard, place = self._place(index)
        problem = DataError("There are no shards.")
        for step in range(len(self._urls)):
            which = (shard + step) % len(self._urls)
            url, positions = self._urls[which], self._positions[which]
            if not positions:
                continue
            try:
                examples = self._index(url)
            except DataError as error:
                problem = error
                continue
            position = positions[place % len(positions)]
            if position >= len(examples):
                self._note(
                    url,
                    f"{INDEX} promises more examples of {name_of(url)} than the {len(examples):,} that it has: these "
                    "are used. Make the index anew.",
                )
            return url, examples[position % len(examples)]
        raise problem

    def _place(self, index: int) -> Place:
        shard = int(np.searchsorted(self._begins, index, side="right")) - 1
        return Place(shard, index - int(self._begins[shard]))

    def _index(self, url: str) -> list[Example]:
        """Return what a shard holds.

        Raises:
            DataError: it cannot be had, or nothing in it can be used.
        """
        path = self._local(url)
        if url not in self._indexes:
            try:
                examples, problem = contents_of(path, url, self._suffixes)
            except DataError as error:
                if is_remote(url):
                    path.unlink(missing_ok=True)  # so that it is fetched again
                raise self._is_gone(url, str(error)) from error
            if problem is not None:
                self._note(url, problem)
            while len(self._indexes) >= _RECENT:
                del self._indexes[next(iter(self._indexes))]
            self._indexes[url] = examples
        return self._indexes[url]

    def _read(self, url: str, member: Member) -> bytes:
        problem = ""
        for _ in range(2):  # another process may just have made room
            try:
                with self._local(url).open("rb") as stream:
                    stream.seek(member.start)
                    content = stream.read(member.size)
                if len(content) == member.size:
                    return content
                problem = "it has become shorter"
            except OSError as error:
                problem = str(error)
        raise self._is_gone(url, f"The shard {url} cannot be read any more ({problem}). Bring it back.")

    def _local(self, url: str) -> Path:
        """Return where a shard lies on this machine, fetched if need be.

        Raises:
            DataError: it cannot be had.
        """
        tried, problem = self._gone.get(url, (-_AGAIN_SECONDS, ""))
        if time.monotonic() - tried < _AGAIN_SECONDS:
            raise DataError(problem)
        if not is_remote(url):
            if not Path(url).is_file():
                raise self._is_gone(url, f"There is no shard {url}. Bring it back; until then the others are used.")
            return Path(url)
        try:
            return fetched(url)
        except Exception as error:  # libraries and servers fail in every way
            raise self._is_gone(
                url,
                f"The shard {url} cannot be fetched ({error}). Look at the address and the network; until it can, the "
                "other shards are used.",
            ) from error

    def _note(self, url: str, problem: str) -> None:
        """Say once what is wrong with a shard that can be used all the same."""
        if (one := Unusable(Path(name_of(url)), problem)) not in self.unusable:
            self.unusable.append(one)
            _log.warning("%s", problem)

    def _is_gone(self, url: str, problem: str) -> DataError:
        """Leave a shard alone for a while."""
        _log.warning("%s", problem)
        self._gone[url] = (time.monotonic(), problem)
        return DataError(problem)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_indexes": {}, "_gone": {}}


class ShardSet(DrawnSet[_Content]):
    """The examples of shards.

    Args:
        shards: hold the examples.
        read: makes of a file what is trained on, or raises `DataError`.
        recent: how many are kept in memory.
    """

    def __init__(self, shards: Shards, read: Callable[[Path], _Content], recent: int) -> None:
        self._shards, self._read = shards, read
        super().__init__(shards.names, shards.unusable, recent)
        self.order = shards.order

    @override
    def _load(self, index: int) -> _Content:
        return self._shards.load(index, self._read)

    @override
    def _captions(self, index: int) -> list[str]:
        return self._shards.captions(index)


class _Names(Sequence[str]):
    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    @override
    def __len__(self) -> int:
        return len(self._shards)

    @override
    def __getitem__(self, index: Any) -> Any:
        places = range(len(self))[index]
        return self._shards.name(places) if isinstance(places, int) else [self._shards.name(one) for one in places]


def _part(counts: dict[str, int], split: str) -> tuple[list[str], list[Sequence[int]]]:
    """Return the shards of a part, and which of the examples of each belong to it."""
    urls = [url for url, count in counts.items() if count]
    if len(urls) >= _MANY:
        hashes = {url: zlib.crc32(name_of(url).encode()) for url in urls}
        held = {url for url in urls if hashes[url] < _HELD_OUT * 2**32} or {min(urls, key=hashes.__getitem__)}
        chosen = [url for url in urls if (url in held) == (split == "held_out")]
        return chosen, [range(counts[url]) for url in chosen]
    places = [(url, place) for url in urls for place in range(counts[url])]
    drawn = {one: zlib.crc32(f"{name_of(one[0])}/{one[1]}".encode()) for one in places}
    held_out = {one for one in places if drawn[one] < _HELD_OUT * 2**32} or {min(places, key=drawn.__getitem__)}
    alone = len(held_out) == len(places)
    part = [one for one in places if alone or (one in held_out) == (split == "held_out")]
    return urls, [[place for of, place in part if of == url] for url in urls]
