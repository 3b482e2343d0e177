"""The decoded items in memory, so that looking at one again, or at another part of it, decodes nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddmi_core.fields import Field

_KEPT = 3
_Key = tuple[str, str]


class FieldCache:
    """The fields of the items used last. Fields are pure, so all lanes may share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fields: OrderedDict[_Key, Field] = OrderedDict()

    def get(self, model_hash: str, item_id: str, decode: Callable[[], Field]) -> Field:
        """The field of an item, decoded if need be."""
        key = (model_hash, item_id)
        with self._lock:
            field = self._fields.get(key)
            if field is not None:
                self._fields.move_to_end(key)
                return field
        field = decode()
        self.put(model_hash, item_id, field)
        return field

    def put(self, model_hash: str, item_id: str, field: Field) -> None:
        """Keep a field, instead of the one that was not used for longest."""
        with self._lock:
            self._fields[(model_hash, item_id)] = field
            self._fields.move_to_end((model_hash, item_id))
            while len(self._fields) > _KEPT:
                self._fields.popitem(last=False)
