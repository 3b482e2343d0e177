"""What training needs of the files of a folder is made in parallel processes, once for each content, and kept.

A file that ends the process it is prepared in, for want of memory say, is left out like any other that cannot be used.
"""

import json
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from ddmi_core.support.child_process import run_module
from ddmi_core.support.errors import DataError, DDMIError
from ddmi_core.support.progress import Cancelled, Progress, report

MANY = 32
"""Fewer files than this are prepared here: to start processes would take longer."""

_LOOK_SECONDS = 0.1
_KILLED = "The process in which it was prepared ended, perhaps for want of memory. Make it simpler, or leave it out."
_log = logging.getLogger(__name__)


class Preparation(NamedTuple):
    """How a file becomes what is trained on.

    Attributes:
        make: of a file and the hash of its content makes what is kept, unless it is there; raises `DataError` where
            the file cannot be used. Of many files it is called in other processes, so it must be found by its name.
        stored: says where that is kept.
    """

    make: Callable[[Path, str], object]
    stored: Callable[[str], Path]


class Content(NamedTuple):
    """A file and the hash of its content."""

    path: Path
    digest: str


def prepare(files: Sequence[Content], preparation: Preparation, progress: Progress | None = None) -> dict[Path, str]:
    """Make what is missing, and return why that is not possible for some files.

    Args:
        files: to look at.
        preparation: what to make of them.
        progress: called before each file, or now and then; what it raises ends the work, and what was made is kept.
    """
    first = {file.digest: file for file in reversed(files)}  # copies are prepared once
    missing = [file for file in first.values() if not preparation.stored(file.digest).exists()]
    processes = min(_processes(), len(missing) // (MANY // 2))
    if len(missing) < MANY or processes < 2:
        found = _prepared_here(missing, preparation, progress)
    else:
        found = _prepared_in_children(missing, preparation, processes, progress)
    reasons = {file.digest: found[file.path] for file in missing if file.path in found}
    return {file.path: reasons[file.digest] for file in files if file.digest in reasons}


def _processes() -> int:
    """Return how many processors there are for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepared_here(files: Sequence[Content], preparation: Preparation, progress: Progress | None) -> dict[Path, str]:
    reasons = {}
    for number, file in enumerate(files):
        report(progress, number / len(files), f"{file.path.name}, {number + 1:,} of {len(files):,}")
        if (reason := reason_against(file, preparation.make)) is not None:
            reasons[file.path] = reason
    return reasons


def reason_against(file: Content, make: Callable[[Path, str], object]) -> str | None:
    """Make what is kept of a file; return why that is not possible, None if it is."""
    try:
        make(*file)
    except DataError as error:
        return str(error)
    return None


def _prepared_in_children(
    files: Sequence[Content], preparation: Preparation, processes: int, progress: Progress | None
) -> dict[Path, str]:
    stopped = threading.Event()
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(processes) as pool:
        shares = [_Share(files[i::processes], preparation, Path(place) / str(i), stopped) for i in range(processes)]
        running: list[Future[None]] = [pool.submit(share.run) for share in shares]
        try:
            while wait(running, _LOOK_SECONDS).not_done:
                done = sum(share.done for share in shares)
                report(progress, done / len(files), f"Preparing {done:,} of {len(files):,} in {processes} processes")
            for future in running:
                future.result()
        finally:
            stopped.set()
    return {path: reason for share in shares for path, reason in share.reasons.items()}


class _Share:
    """The files that one process after another prepares: a new one goes on behind the file that ended the last."""

    def __init__(
        self, files: Sequence[Content], preparation: Preparation, place: Path, stopped: threading.Event
    ) -> None:
        self._files, self._stopped = files, stopped
        self._make = f"{preparation.make.__module__}:{preparation.make.__qualname__}"
        self._list, self._verdicts = place.with_suffix(".list"), place.with_suffix(".verdicts")
        self.reasons: dict[Path, str] = {}
        self.done = 0

    def run(self) -> None:
        """Prepare all.

        Raises:
            DDMIError: a process cannot even begin.
            Cancelled: another share failed, or the work was stopped.
        """
        while self.done < len(self._files):
            left = self._files[self.done :]
            begun = self.done
            self._list.write_text("".join(json.dumps([str(path), digest]) + "\n" for path, digest in left))
            self._verdicts.write_text("")
            try:
                run_module(
                    "ddmi_core.data.preparing_child",
                    [self._make, str(self._list), str(self._verdicts)],
                    doing="",
                    failed=_KILLED,
                    background=True,
                    progress=self._look,
                )
            except DDMIError:
                self._read(begun)
                if self.done == begun and not self._verdicts.read_text():
                    raise
                path = self._files[self.done].path
                _log.warning("left out %s: %s", path, _KILLED)
                self.reasons[path] = _KILLED
                self.done += 1
            else:
                self._read(begun)

    def _look(self, fraction: float, text: str) -> None:
        if self._stopped.is_set():
            raise Cancelled
        if text.isdigit():
            self.done = max(self.done, len(self._files) - int(text))

    def _read(self, begun: int) -> None:
        """Take in what the last process has said of its files."""
        written = self._verdicts.read_text().splitlines(keepends=True)
        lines = [json.loads(line) for line in written if line.endswith("\n")]  # the last one may be cut off
        finished = [line for line in lines if len(line) == 2]
        for place, reason in finished:
            if reason is not None:
                self.reasons[self._files[begun + place].path] = reason
        self.done = begun + len(finished)
