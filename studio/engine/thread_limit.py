"""How many threads torch may compute with in the lanes."""

from __future__ import annotations

import threading


class ThreadLimit:
    """A number of threads that may change while the lanes work; `apply` takes it over.

    torch keeps the number for each thread that calls it, so every lane has to take it over by itself.
    """

    def __init__(self) -> None:
        self.count = 0
        """0: as many as torch chooses by itself."""
        self._usual = 0
        self._lock = threading.Lock()
        self._here = threading.local()

    def apply(self) -> None:
        """Let torch keep to the number in this thread from now on."""
        before: int = getattr(self._here, "count", 0)
        if self.count == before:
            return
        import torch  # here, because the window must not wait for it

        with self._lock:
            self._usual = self._usual or torch.get_num_threads()  # before the first change of it
        self._here.count = self.count
        torch.set_num_threads(self.count or self._usual)
