"""Who trains in a run folder, and how the run fares: one process at a time, with a heartbeat that others can see."""

import logging
import os
import platform
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import psutil
from filelock import FileLock, Timeout

from ddmi_core.model_folder import INDEX
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import write_json, write_text
from ddmi_core.support.parsing import parse_json
from ddmi_core.training.run_folder import RunFolder, Stopped

RunState = Literal["running", "paused", "interrupted", "stopped", "failed", "done"]

HEARTBEAT_SECONDS = 2.0
SILENCE_SECONDS = 30.0
"""An owner on another machine that was silent for so long counts as gone; a file server's clock may be off a little."""

_LOG_LINES = 40
_LOG_BYTES = 64 * 1024  # read from a log's end to find its last lines
_START_TOLERANCE = 2.0  # seconds by which the start of a process may be told differently


@dataclass(frozen=True)
class Owner:
    """A process that trains. `started` is when it began, in seconds since 1970: process numbers are used again."""

    pid: int
    host: str
    started: float

    @classmethod
    def this_process(cls) -> "Owner":
        """Return the process that asks."""
        return cls(os.getpid(), platform.node(), psutil.Process().create_time())

    def is_alive(self, silent_for: float) -> bool:
        """Whether the process is there; one on another machine is judged by the seconds since its heartbeat."""
        if self.host != platform.node():
            return silent_for < SILENCE_SECONDS
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _START_TOLERANCE
            return same and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError, OverflowError):  # the last two: that is no number of a process
            return False


@dataclass(frozen=True)
class RunStatus:
    """How a run fares. `message` says why it ended, `log` holds its last lines where that helps."""

    state: RunState
    owner: Owner | None = None
    message: str = ""
    log: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether a process trains, or waits to go on."""
        return self.state in ("running", "paused")


def status_of(run: RunFolder) -> RunStatus:
    """Return the state of a run; one whose process is gone without a word was interrupted."""
    try:
        note = parse_json(run.status_file.read_text(encoding="utf-8"))
        state, message, who = note["state"], str(note["message"]), note["owner"]
        owner = Owner(int(who["pid"]), str(who["host"]), float(who["started"]))
        silent_for = time.time() - run.status_file.stat().st_mtime
    # Not started yet, or made before runs kept a status
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return RunStatus("done" if (run.model / INDEX).exists() else "interrupted")
    if state not in get_args(RunState):
        return RunStatus("interrupted", owner, message)
    if state in ("running", "paused") and not owner.is_alive(silent_for):
        state, message = "interrupted", "The training ended without a word: it was killed, or the machine went off."
    troubled = state in ("failed", "interrupted")
    return RunStatus(state, owner, message, last_lines(run.log_file) if troubled else "")


def set_state(run: RunFolder, state: RunState, message: str = "") -> None:
    """Write down how the run of this process fares."""
    write_json(run.status_file, {"state": state, "message": message, "owner": asdict(Owner.this_process())})


@contextmanager
def owned(run: RunFolder) -> Iterator[None]:
    """Train in a run folder as its only owner, and leave behind how it ended.

    The log of the library goes to the folder's log file as well. What fails is described in the crash report.

    Raises:
        DDMIError: another process trains there, or the folder cannot be written.
    """
    lock = FileLock(run.lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DDMIError(_already(run)) from None
    except OSError as error:
        raise DDMIError(
            f"{run.path} cannot be written ({error.strerror}). Allow it, or choose another folder."
        ) from error
    try:
        if status_of(run).is_alive:  # a lock may not reach over a shared folder
            raise DDMIError(_already(run))
        with _logged(run.log_file), _heartbeat(run):
            yield from _described(run)
    finally:
        lock.release()


def last_lines(path: Path, count: int = _LOG_LINES) -> str:
    """Return the last lines of a text file; nothing if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
            return "\n".join(file.read().decode("utf-8", errors="replace").splitlines()[-count:])
    except OSError:
        return ""


def _described(run: RunFolder) -> Iterator[None]:
    """Keep the status while the training goes on, and describe its end."""
    run.prepare()
    set_state(run, "running")
    try:
        yield
    except Stopped:
        set_state(run, "stopped", "Stopped as asked; a checkpoint is written.")
        raise
    except KeyboardInterrupt:
        set_state(run, "interrupted", "Interrupted at the keyboard.")
        raise
    except BaseException as error:
        with suppress(OSError):  # a full disk must not hide the reason
            _report(run, error)
            set_state(run, "failed", _reason(error))
        raise
    set_state(run, "done")


def _report(run: RunFolder, error: BaseException) -> None:
    """Write the crash report."""
    write_text(
        run.crash_file,
        f"{_reason(error)}\n\n{time.strftime('%Y-%m-%d %H:%M:%S')} on {platform.node()}, {platform.platform()}, "
        f"Python {platform.python_version()}\n\n"
        f"{''.join(traceback.format_exception(error))}\nThe last lines of the log:\n\n{last_lines(run.log_file)}\n",
    )


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, DDMIError) else f"{type(error).__name__}: {error}"


def _already(run: RunFolder) -> str:
    owner = status_of(run).owner
    who = f"Process {owner.pid} on {owner.host}" if owner is not None else "Another process"
    return f"{who} is training in {run.path}. Watch it, or stop it before you go on there."


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Write what the library logs to a file as well."""
    logger = logging.getLogger("ddmi_core")
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%m-%d %H:%M:%S"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()


@contextmanager
def _heartbeat(run: RunFolder) -> Iterator[None]:
    """Touch the status file every few seconds."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            with suppress(OSError):
                os.utime(run.status_file)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
