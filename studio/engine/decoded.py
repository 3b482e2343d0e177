"""What is decoded, in memory, so that looking at an item again, or at another part of it, decodes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from studio.state.byte_cache import ByteCache

_Key = tuple[str, Hashable]
_F = TypeVar("_F")


class FieldCache:
    """The fields of the items and sequences used last. Fields are pure, so all lanes may share them."""

    def __init__(self, budget: int) -> None:
        """`budget`: bytes that the fields may take."""
        self._lock = threading.Lock()
        self._fields: ByteCache[_Key, Any] = ByteCache(budget, lambda field: field.nbytes)

    def get(self, model_hash: str, name: Hashable, decode: Callable[[], _F]) -> _F:
        """The field of an item, named by its id, or what else goes by a name; decoded if need be."""
        with self._lock:
            kept: _F | None = self._fields.get((model_hash, name))
        if kept is not None:
            return kept
        field = decode()
        self.put(model_hash, name, field)
        return field

    def put(self, model_hash: str, name: Hashable, field: object) -> None:
        """Keep a field, instead of those that were not used for longest."""
        with self._lock:
            self._fields.put((model_hash, name), field)

    def set_budget(self, budget: int) -> None:
        """Keep so many bytes from now on."""
        with self._lock:
            self._fields.budget = budget

    def forget(self, model_hash: str | None = None) -> None:
        """Drop the fields of a model, which would keep its weights in memory, or all."""
        with self._lock:
            for key in list(self._fields):
                if model_hash in (None, key[0]):
                    self._fields.remove(key)
