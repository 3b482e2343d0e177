"""Sets of which nothing is in memory but what was drawn last."""

import logging
import tempfile
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from typing_extensions import override

from ddmi_core.data.items import Order
from ddmi_core.data.listing import Unusable
from ddmi_core.data.user_folder import Entry
from ddmi_core.support.errors import DataError

_Content = TypeVar("_Content")
_log = logging.getLogger(__name__)


class Drawn(Generic[_Content]):
    """What is made of the items of a set when they are drawn, the latest of it kept in memory.

    For an item that cannot be used the next one stands in.

    Args:
        count: of the items.
        load: loads an item, or raises `DataError`.
        recent: how many are kept.
    """

    def __init__(self, count: int, load: Callable[[int], _Content], recent: int) -> None:
        self._count, self._load, self._most = count, load, recent
        self._recent: OrderedDict[int, _Content] = OrderedDict()
        self._stand_ins: dict[int, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_recent": OrderedDict()}  # another process loads what it needs itself

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> _Content:
        """Return an item, or the one that stands in for it.

        Raises:
            DataError: no item can be used.
        """
        place = self.place(index)
        if place in self._recent:
            self._recent.move_to_end(place)
            return self._recent[place]
        place, content = first_usable(self._count, place, lambda one: (one, self._load(one)))
        if place != index:
            self._stand_ins[index] = place
        self._recent[place] = content
        if len(self._recent) > self._most:
            self._recent.popitem(last=False)
        return content

    def place(self, index: int) -> int:
        """Return which item has been drawn for an index: itself, or what stands in for it."""
        return self._stand_ins.get(index, index)


def first_usable(count: int, index: int, load: Callable[[int], _Content]) -> _Content:
    """Load an example of a set that is too large to be looked through at first; for a damaged one, the next one.

    Args:
        count: of the examples.
        index: of the one that is asked for.
        load: loads one, or raises `DataError`, which is logged.

    Raises:
        DataError: none can be used.
    """
    said = ""
    for step in range(count):
        try:
            return load((index + step) % count)
        except DataError as error:
            if str(error) != said:  # of a shard that has gone, every example says the same
                _log.warning("left out: %s", error)
            said = str(error)
    raise DataError("No example of the data can be used; the log names the reasons.")


def from_copy(content: bytes, name: str, read: Callable[[Path], _Content]) -> _Content:
    """Read what came out of an archive as if it were a file of that name.

    Raises:
        DataError: it cannot be used.
    """
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        path.write_bytes(content)
        return read(path)


class DrawnSet(ABC, Generic[_Content]):
    """Signals that are loaded when they are drawn; for one that cannot be used the next one stands in.

    Attributes:
        names: what each is called.
        unusable: what is known to be of no use, with the reason.
        order: in which they are drawn, where they have one.

    Args:
        names: as above.
        unusable: as above.
        recent: how many are kept in memory.
    """

    order: Order | None = None

    def __init__(self, names: Sequence[str], unusable: list[Unusable], recent: int) -> None:
        self.names, self.unusable = names, unusable
        self._drawn = Drawn(len(names), self._load, recent)

    def __len__(self) -> int:
        return len(self.names)

    def content(self, index: int) -> _Content:
        """Return a signal.

        Raises:
            DataError: none can be used.
        """
        return self._drawn[index]

    def captions(self, index: int) -> list[str]:
        """Return the captions of a signal, or of the one that stands in for it once it has been drawn.

        Raises:
            DataError: they cannot be read.
        """
        return self._captions(self._drawn.place(index))

    @abstractmethod
    def _load(self, index: int) -> _Content:
        """Load a signal, or raise `DataError`."""

    @abstractmethod
    def _captions(self, index: int) -> list[str]:
        """Return the captions of a signal."""


class FolderSet(DrawnSet[_Content]):
    """The files of a folder.

    Args:
        entries: the files.
        unusable: what is known to be of no use.
        make: returns what is made of a file whose content has a hash.
        recent: how many are kept in memory.
        parts: names the files that an entry stands for, as for `read_folder`.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        unusable: list[Unusable],
        make: Callable[[Path, str], _Content],
        recent: int,
        parts: Callable[[Path], list[Path]] | None = None,
    ) -> None:
        self._entries, self._make, self._parts = entries, make, parts
        super().__init__([entry.name for entry in entries], unusable, recent)

    @override
    def _load(self, index: int) -> _Content:
        return self._make(*self._entries[index].content(self._parts))

    @override
    def _captions(self, index: int) -> list[str]:
        return self._entries[index].captions
