from __future__ import annotations

from tests.windows import collections_elsewhere, no_collection_elsewhere, no_leaked_windows

__all__ = ["collections_elsewhere", "no_collection_elsewhere", "no_leaked_windows"]
