"""Uses a program's windows as a person does, by keys and clicks, from outside (xdotool)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.5
_SETTLE_SECONDS = 2.0  # that a slow machine may take to have drawn what a key opened


class Windows:
    """The windows on the display that an environment names."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def wait_for(self, title: str, patience: float) -> str:
        """Return the outermost window of this title once it is shown, and type into it from now on."""
        (window, *_) = until(lambda: self._tell("search", "--onlyvisible", "--name", title).split(), patience)
        self.focus(window)
        return window

    def focus(self, window: str) -> None:
        """Type into a window, as no window manager sees to it. Qt hears of it only when the focus was elsewhere."""
        root = self._tell("search", "--maxdepth", "0", "--name", "").split()
        for target in (*root[:1], window):
            self._tell("windowfocus", target)
            time.sleep(_LOOK_SECONDS)

    def is_shown(self, title: str) -> bool:
        return bool(self._tell("search", "--onlyvisible", "--name", title).split())

    def press(self, *keys: str) -> None:
        for key in keys:
            self._tell("key", key)
            time.sleep(_SETTLE_SECONDS)

    def write(self, text: str) -> None:
        self._tell("type", "--delay", "30", text)

    def click(self, window: str, x: int, y: int) -> None:
        """Click at a place of a window; negative numbers count from its right and its lower edge."""
        lines = self._tell("getwindowgeometry", "--shell", window).splitlines()
        sizes = dict(line.split("=") for line in lines)
        right, down = (edge + int(sizes[side]) if edge < 0 else edge for edge, side in ((x, "WIDTH"), (y, "HEIGHT")))
        self._tell("mousemove", "--window", window, str(right), str(down))
        self._tell("click", "1")
        time.sleep(_SETTLE_SECONDS)

    def _tell(self, *command: str) -> str:
        done = subprocess.run(["xdotool", *command], env=self._environment, capture_output=True, text=True)
        return done.stdout


def until(found: Callable[[], T], patience: float) -> T:
    """Return what is found once it is something; fail after that many seconds."""
    deadline = time.monotonic() + patience
    while not (something := found()):
        assert time.monotonic() < deadline, f"nothing came of it within {patience:.0f} s"
        time.sleep(_LOOK_SECONDS)
    return something
