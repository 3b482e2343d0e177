"""How long the studio takes from its launch to a window that can be used, and what it computes while nobody uses it.

    python -m benchmarks.startup [--rounds 3] [--idle 60]

Launches the studio in a process of its own (on a virtual display where there is none), waits until the window is on the
screen and Generate can be pressed, and prints one JSON object: seconds from the start of the process, of the first
launch and of the slowest later (warm) one, and of how many of those it computed, which other work on the machine
changes little. Then launches it once more, leaves it alone in each of its rooms until nothing is being loaded and for a
minute more, and prints how much of a core it used in that minute, in percent.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack

import tyro

_SETTLE = 8.0  # seconds without work before a studio counts as idle


def main(rounds: int = 3, idle: float = 60.0) -> None:
    """Measure the launch.

    Args:
        rounds: launches, at least two.
        idle: seconds to watch the idle studio in each room; 0 leaves that out.
    """
    from studio.headless import virtual_display

    with ExitStack() as stack:
        environment = os.environ | {"DDMI_HOME": stack.enter_context(tempfile.TemporaryDirectory())}
        if sys.platform.startswith("linux") and "DISPLAY" not in os.environ:
            environment |= stack.enter_context(virtual_display())
        launches = [tuple(map(float, _launch(environment)[0].split())) for _ in range(max(2, rounds))]
        seconds, computing = zip(*launches, strict=True)
        figures = {
            "launches": len(launches),
            "seconds_first": seconds[0],
            "seconds_warm": max(seconds[1:]),
            "computing_warm": max(computing[1:]),
        }
        print(json.dumps({"benchmark": "startup", **figures}), flush=True)
        for line in _launch(environment, idle)[1:] if idle else ():
            room, percent = line.split()
            found = {"room": room, "seconds": idle, "percent_of_a_core": float(percent)}
            print(json.dumps({"benchmark": "startup", "phase": "idle", **found}), flush=True)


def _launch(environment: dict[str, str], idle: float = 0.0) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"from benchmarks.startup import launched; launched({idle})"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def launched(idle: float) -> None:
    """Run the studio until it can be used, and print how long this process has lived and how long it has computed.

    Then watch it idle for so many seconds in each room, unless that is 0, print the room and how much of a core it
    used, in percent, and end.
    """
    import time

    import psutil
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QAbstractButton

    from studio import app, window

    class Window(window.MainWindow):
        def showEvent(self, event: object) -> None:
            super().showEvent(event)  # type: ignore[arg-type]
            self._looking = QTimer(self, interval=5)
            self._looking.timeout.connect(self._look)
            self._looking.start()

        def _look(self) -> None:
            handle = self.windowHandle()
            if (
                handle is not None
                and handle.isExposed()
                and self.actions_["generate"].isEnabled()
                and self.state.models
            ):
                self._looking.stop()
                print(round(time.time() - psutil.Process().create_time(), 2), round(_computed(), 2), flush=True)
                self._left = list(range(self.rooms.count())) if idle else []
                self._next_room()

        def _next_room(self) -> None:
            if not self._left:
                os._exit(0)  # what is being preloaded shall not be waited for
            self.show_room(self._left.pop(0))
            self._calm_since = time.monotonic()
            self._settling = QTimer(self, interval=200)
            self._settling.timeout.connect(self._settle)
            self._settling.start()

        def _settle(self) -> None:
            if self.state.jobs.active(quiet=True):
                self._calm_since = time.monotonic()
            elif time.monotonic() - self._calm_since > _SETTLE:
                self._settling.stop()
                self._settling.deleteLater()
                before = _computed()
                QTimer.singleShot(round(1000 * idle), lambda: self._say(before))

        def _say(self, before: float) -> None:
            room = self.rail.findChildren(QAbstractButton)[self.rooms.currentIndex()].text()
            print(room, round(100 * (_computed() - before) / idle, 2), flush=True)
            self._next_room()

    app.MainWindow = Window  # type: ignore[misc]
    app.main([])


def _computed() -> float:
    """Seconds that this process has computed, in all its threads."""
    import psutil

    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    tyro.cli(main)
