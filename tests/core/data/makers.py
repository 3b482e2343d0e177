"""How tests prepare a file, found by its name in whatever process."""

import os
import signal
from pathlib import Path

from ddmi_core.support.errors import DataError


def make(file: Path, digest: str) -> None:
    text = file.read_text()
    if text == "bad":
        raise DataError(f"{file.name} is bad.\nReally]")
    if text == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    place(digest).write_text(f"made of {text} by {os.getpid()}")


def place(digest: str) -> Path:
    return Path(os.environ["MADE"]) / digest
