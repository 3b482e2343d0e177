"""Lane: one worker thread with a queue of its own."""

from __future__ import annotations

import bisect
import itertools
import os
import sys
import threading
from collections.abc import Callable
from typing import NamedTuple

# Mild on purpose: a lane that is starved of CPU while it holds the interpreter lock would hold up the window as well.
_NICENESS = 5


class _Task(NamedTuple):
    """What is to be run; the first two say when. ``waits``: not while the lane is held."""

    priority: int
    number: int
    name: str
    waits: bool
    run: Callable[[], None]


class Lane:
    """A thread that runs tasks one after the other, the lower ``priority`` number first, then in the order they came.

    On Linux the thread, and the compute threads it starts, run at a lower scheduling priority than the window's thread.
    A task must not raise; what it raises anyway goes to ``threading.excepthook`` and the next task still runs.
    """

    def __init__(self, name: str) -> None:
        self._tasks: list[_Task] = []
        self._numbers, self._earlier = itertools.count(), itertools.count(-1, -1)
        self._wake = threading.Condition()
        self._held = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, task: Callable[[], None], *, priority: int = 0, name: str = "", waits: bool = False) -> None:
        """Queue a task, from any thread. Ignored once the lane is stopping."""
        with self._wake:
            if not self._stopping:
                self._insert(_Task(priority, next(self._numbers), name, waits, task))

    def hurry(self, name: str) -> None:
        """Let the task of that name be the next of its priority; one that runs already, or has run, is left alone."""
        with self._wake:
            found = next((task for task in self._tasks if task.name == name), None)
            if found is not None:
                self._tasks.remove(found)
                self._insert(found._replace(number=next(self._earlier)))

    def hold(self, on: bool) -> None:
        """Begin none of the tasks that wait for it, or begin them again; the one that is running goes on."""
        with self._wake:
            self._held = on
            self._wake.notify()

    def _insert(self, task: _Task) -> None:
        bisect.insort(self._tasks, task, key=lambda one: one[:2])
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
                while (place := self._next()) is None and not self._stopping:
                    self._wake.wait()
                if place is None or self._stopping:
                    return
                task = self._tasks.pop(place)
            try:
                task.run()
            except BaseException:
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))
            del task  # or it would keep its arrays alive until the next one comes

    def _next(self) -> int | None:
        """The place of the task that may begin, if one may."""
        return next((place for place, task in enumerate(self._tasks) if not (self._held and task.waits)), None)
