"""What was used last, as much of it as fits into a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class ByteCache(Generic[_K, _V]):
    """Values by key, the one used last at the end. The last one stays, however large it is. Not thread-safe.

    Args:
        budget: bytes.
        size_of: how many bytes a value takes; asked whenever it is put or got, since it may grow.
        on_dropped: told of a value that had to make room.
    """

    def __init__(
        self, budget: int, size_of: Callable[[_V], int], on_dropped: Callable[[_V], object] | None = None
    ) -> None:
        self._budget = budget
        self._size_of = size_of
        self._on_dropped = on_dropped
        self._values: OrderedDict[_K, _V] = OrderedDict()
        self._sizes: dict[_K, int] = {}
        self._bytes = 0

    @property
    def budget(self) -> int:
        """How many bytes may be kept; what is too much for another one goes at once."""
        return self._budget

    @budget.setter
    def budget(self, budget: int) -> None:
        self._budget = budget
        self._make_room()

    @property
    def size(self) -> int:
        """Bytes that the values take."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: _K) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[_K]:
        """The keys, that of the value used last at the end."""
        return iter(self._values)

    def __reversed__(self) -> Iterator[_K]:
        return reversed(self._values)

    def items(self) -> Iterator[tuple[_K, _V]]:
        """Keys and values, the one used last at the end; none counts as used by that."""
        return iter(self._values.items())

    def get(self, key: _K) -> _V | None:
        """A value; it now counts as used."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
            self._measure(key, value)
        return value

    def put(self, key: _K, value: _V) -> None:
        """Keep a value; those not used for longest make room."""
        self._values[key] = value
        self._values.move_to_end(key)
        self._measure(key, value)

    def remove(self, key: _K) -> None:
        """Forget a value, if it is there."""
        if key in self._values:
            self._take(key)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._sizes.clear()
        self._bytes = 0

    def _measure(self, key: _K, value: _V) -> None:
        size = self._size_of(value)
        self._bytes += size - self._sizes.get(key, 0)
        self._sizes[key] = size
        self._make_room()

    def _make_room(self) -> None:
        while self._bytes > self._budget and len(self._values) > 1:
            dropped = self._take(next(iter(self._values)))
            if self._on_dropped is not None:
                self._on_dropped(dropped)

    def _take(self, key: _K) -> _V:
        self._bytes -= self._sizes.pop(key)
        return self._values.pop(key)
