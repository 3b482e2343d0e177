"""Work in a process of its own, which can be ended at any moment and then gives back all the memory it took.

The caller's side is `run_module`; the module that it runs ends with `answer`. What the child reports comes line by line
through its standard output, as JSON.
"""

import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import Progress, report

_LOOK_SECONDS = 0.05
_NICENESS = 10  # added to this process's own
_log = logging.getLogger(__name__)


def run_module(
    module: str,
    arguments: Sequence[str],
    *,
    doing: str,
    failed: str,
    background: bool = False,
    progress: Progress | None = None,
) -> None:
    """Run a module that ends with `answer` in a process of its own, and wait for it.

    Args:
        module: its name.
        arguments: of its command line.
        doing: what is shown until the child reports something itself.
        failed: what the error says if the child dies without a word, for example for want of memory.
        background: give way to whatever else wants the processor.
        progress: called about twenty times a second; what it raises ends the child.

    Raises:
        DDMIError: what the child raised, or `failed`.
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as child,
    ):
        if background:
            give_way(child.pid)
        lines = child.stdout
        assert lines is not None
        state: dict[str, object] = {"fraction": 0.0, "text": doing}

        def listen() -> None:
            for line in lines:
                with suppress(ValueError, TypeError):  # a library may print too
                    state.update(json.loads(line))

        listener = threading.Thread(target=listen, name="child-output", daemon=True)
        listener.start()
        try:
            while child.poll() is None:
                report(progress, float(str(state["fraction"])), str(state["text"]))
                time.sleep(_LOOK_SECONDS)
        except BaseException:
            child.kill()
            raise
        finally:
            listener.join()
        if child.returncode == 0:
            return
        if "error" in state:
            raise DDMIError(str(state["error"]))
        errors.seek(0)
        _log.error("%s ended with code %d: %s", module, child.returncode, errors.read())
        raise DDMIError(failed)


def answer(work: Callable[[Progress], None]) -> None:
    """Do the work of a module that was started by `run_module`, and end the process.

    Args:
        work: gets the progress that the caller sees.
    """

    def progress(fraction: float, text: str) -> None:
        print(json.dumps({"fraction": fraction, "text": text}), flush=True)

    try:
        work(progress)
    except DDMIError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(1)


def give_way(pid: int) -> None:
    """Let a process have the processor only when nothing else wants it."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(min(19, process.nice() + _NICENESS))
