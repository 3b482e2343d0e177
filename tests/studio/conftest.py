from __future__ import annotations

from tests.windows import collections_elsewhere, no_collection_elsewhere, no_leaked_windows, theme, usual_look

__all__ = ["collections_elsewhere", "no_collection_elsewhere", "no_leaked_windows", "theme", "usual_look"]
