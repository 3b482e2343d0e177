"""What is decoded, in memory, so that looking at an item again, or at another part of it, decodes nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_KEPT = 3
_Key = tuple[str, Hashable]
_F = TypeVar("_F")


class FieldCache:
    """The fields of the items and sequences used last. Fields are pure, so all lanes may share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fields: OrderedDict[_Key, Any] = OrderedDict()

    def get(self, model_hash: str, name: Hashable, decode: Callable[[], _F]) -> _F:
        """The field of an item, named by its id, or what else goes by a name; decoded if need be."""
        key = (model_hash, name)
        with self._lock:
            kept: _F | None = self._fields.get(key)
            if kept is not None:
                self._fields.move_to_end(key)
                return kept
        field = decode()
        self.put(model_hash, name, field)
        return field

    def put(self, model_hash: str, name: Hashable, field: object) -> None:
        """Keep a field, instead of the one that was not used for longest."""
        with self._lock:
            self._fields[(model_hash, name)] = field
            self._fields.move_to_end((model_hash, name))
            while len(self._fields) > _KEPT:
                self._fields.popitem(last=False)
