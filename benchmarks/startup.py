"""How long the studio takes from its launch to a window that can be used.

    python -m benchmarks.startup [--rounds 3]

Launches the studio in a process of its own (on a virtual display where there is none), waits until the window is on the
screen and Generate can be pressed, and prints one JSON object: seconds from the start of the process, of the first
launch and of the slowest later (warm) one.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack

import tyro


def main(rounds: int = 3) -> None:
    """Measure the launch.

    Args:
        rounds: launches, at least two.
    """
    from studio.headless import virtual_display

    with ExitStack() as stack:
        environment = os.environ | {"DDMI_HOME": stack.enter_context(tempfile.TemporaryDirectory())}
        if sys.platform.startswith("linux") and "DISPLAY" not in os.environ:
            environment |= stack.enter_context(virtual_display())
        seconds = [_launch(environment) for _ in range(max(2, rounds))]
    figures = {"launches": len(seconds), "seconds_first": seconds[0], "seconds_warm": max(seconds[1:])}
    print(json.dumps({"benchmark": "startup", **figures}), flush=True)


def _launch(environment: dict[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", "from benchmarks.startup import launched; launched()"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return round(float(done.stdout), 2)


def launched() -> None:
    """Run the studio until it can be used, print how long this process has lived, and end."""
    import time

    import psutil
    from PySide6.QtCore import QTimer

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
                print(time.time() - psutil.Process().create_time(), flush=True)
                os._exit(0)  # what is being preloaded shall not be waited for

    app.MainWindow = Window  # type: ignore[misc]
    app.main([])


if __name__ == "__main__":
    tyro.cli(main)
