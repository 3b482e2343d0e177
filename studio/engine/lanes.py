"""Lane: one worker thread with a queue of its own."""

from __future__ import annotations

import heapq
import itertools
import os
import sys
import threading
from collections.abc import Callable

# Mild on purpose: a lane that is starved of CPU while it holds the interpreter lock would hold up the window as well.
_NICENESS = 5


class Lane:
    """A thread that runs tasks one after the other, the lower ``priority`` number first, then in the order they came.

    On Linux the thread, and the compute threads it starts, run at a lower scheduling priority than the window's thread.
    A task must not raise; what it raises anyway goes to ``threading.excepthook`` and the next task still runs.
    """

    def __init__(self, name: str) -> None:
        self._tasks: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, task: Callable[[], None], *, priority: int = 0) -> None:
        """Queue a task, from any thread. Ignored once the lane is stopping."""
        with self._wake:
            if not self._stopping:
                heapq.heappush(self._tasks, (priority, next(self._numbers), task))
                self._wake.notify()

    def stop(self) -> None:
        """Forget the queued tasks and end after the one that is running."""
        with self._wake:
            self._stopping = True
            self._tasks.clear()
            self._wake.notify()

    def join(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the thread to end; whether it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        if sys.platform == "linux":
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)
        while True:
            with self._wake:
                while not self._tasks and not self._stopping:
                    self._wake.wait()
                if self._stopping:
                    return
                task = heapq.heappop(self._tasks)[2]
            try:
                task()
            except BaseException:
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))
            del task  # or it would keep its arrays alive until the next one comes
