from __future__ import annotations

from tests.windows import no_leaked_windows

__all__ = ["no_leaked_windows"]
