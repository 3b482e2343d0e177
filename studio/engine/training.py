"""Training as the window sees it: runs are processes of their own, watched and commanded through their folders."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QFile, QObject, Signal
from PySide6.QtGui import QImage

from ddmi_core.support.child_process import give_way
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.known_runs import forget, known_runs, register
from ddmi_core.support.parsing import parse_yaml
from ddmi_core.training.history import History
from ddmi_core.training.ownership import last_lines, status_of
from ddmi_core.training.run_folder import Command, RunFolder
from studio.engine.lanes import Lane
from studio.state.runs import RunSummary, RunView

LOOK_SECONDS = 1.0
"""Between two looks at the run folders."""

_LOG_LINES = 200


class Training(QObject):
    """Lists runs, follows those that are watched, and passes on what a person wants of them, from :meth:`start` on.

    All reading is done in a thread; the signals arrive in the thread that the object lives in. Call :meth:`shutdown`
    before the application ends: the runs themselves go on.
    """

    runs_changed = Signal(object)
    """list[RunSummary], the one written to last first."""
    view_changed = Signal(object)
    """RunView of a run that is watched."""
    picture_ready = Signal(object, object)
    """Path and QImage of a picture that was asked for."""
    finished = Signal(object)
    """RunSummary of a run that is done; its model is ready to be used."""
    noted = Signal(object, str, str)
    """Path of a run, the notes that were to be kept, and why they could not be; empty if they are kept."""
    failed = Signal(str)
    """What was asked for and could not be done."""

    def __init__(self) -> None:
        super().__init__()
        self._lane = Lane("training-files")
        self._started: dict[Path, subprocess.Popen[bytes]] = {}
        self._watched: tuple[Path, ...] = ()
        self._histories: dict[Path, History] = {}
        self._seen: dict[Path, object] = {}
        self._names: dict[Path, tuple[str, str]] = {}
        self._runs: list[RunSummary] | None = None
        self._discarded: set[Path] = set()
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="training-clock", daemon=True)

    def start(self) -> None:
        """Begin to look, once everyone who wants to hear of it is connected."""
        self._clock.start()

    # Asking

    def watch(self, folders: Sequence[Path]) -> None:
        """Follow these runs; what there is to see of each comes at once."""
        wanted = tuple(folders)

        def change() -> None:
            for folder in set(wanted) - set(self._watched):
                self._seen.pop(folder, None)
            self._watched = wanted
            if self._clock.ident is not None:  # before the start nobody would hear of the first list
                self._look()

        self._lane.submit(change)

    def command(self, folder: Path, command: Command) -> None:
        """Tell a run to pause, resume, sample, checkpoint or stop; it obeys within a step."""
        self._try(lambda: RunFolder(folder).command(command))

    def go_on(self, folder: Path) -> None:
        """Start the training of a run folder from its newest checkpoint, in a process that outlives the window."""

        def start() -> None:
            child = self._started.get(folder)
            if child is None or child.poll() is not None:  # else it was asked for twice
                self._started[folder] = start_process(RunFolder(folder))
            self._look()

        self._try(start)

    def add(self, folder: Path) -> None:
        """List a run that was started elsewhere."""
        self._try(lambda: register(folder))

    def note(self, folder: Path, text: str) -> None:
        """Keep notes on a run in its folder, in place of those before."""

        def keep() -> None:
            try:
                self.note_at_once(folder, text)
            except DDMIError as error:
                self.noted.emit(folder, text, str(error))
            else:
                self.noted.emit(folder, text, "")
                self._look()

        self._lane.submit(keep)

    def note_at_once(self, folder: Path, text: str) -> None:
        """Keep notes on a run before anything else happens: for when the window closes.

        Raises:
            DDMIError: the notes cannot be kept.
        """
        RunFolder(folder).write_notes(text)

    def stop(self, folders: Sequence[Path]) -> None:
        """Tell runs to stop, at once: for when the window closes.

        Raises:
            DDMIError: a run folder cannot be written.
        """
        for folder in folders:
            try:
                RunFolder(folder).command("stop")
            except OSError as error:
                raise DDMIError(f"{folder} cannot be written, so the run there cannot be stopped: {error}.") from error

    def discard(self, folder: Path) -> None:
        """Stop a run if it is alive, and move its folder to the trash."""

        def ask() -> None:
            self._discarded.add(folder)
            if status_of(RunFolder(folder)).is_alive:
                RunFolder(folder).command("stop")

        self._try(ask)

    def picture(self, path: Path) -> None:
        """Read a picture of a run's samples."""
        self._lane.submit(lambda: self.picture_ready.emit(path, QImage(str(path))), priority=-1)

    def shutdown(self, timeout: float = 2.0) -> bool:
        """End the threads within ``timeout`` seconds; whether they have. What trains goes on."""
        self._ended.set()
        self._lane.stop()
        if self._clock.ident is not None:
            self._clock.join(timeout)
        return self._lane.join(timeout) and not self._clock.is_alive()

    # Looking, in the lane's thread

    def _tick(self) -> None:
        while not self._ended.is_set():
            looked = threading.Event()

            def look(done: threading.Event = looked) -> None:
                try:
                    self._look()
                finally:
                    done.set()

            self._lane.submit(look, priority=1)
            # The next look waits for this one, however slow the disk is
            while not looked.wait(LOOK_SECONDS) and not self._ended.is_set():
                pass
            self._ended.wait(LOOK_SECONDS)

    def _look(self) -> None:
        self._discard_ended()
        known = sorted(map(RunFolder, known_runs()), key=RunFolder.last_written, reverse=True)
        runs = [self._summary(run) for run in known]
        before = {run.folder: run for run in self._runs or ()}
        if runs != self._runs:
            self._runs = runs
            self.runs_changed.emit(runs)
        for run in runs:
            if run.state == "done" and run.folder in before and before[run.folder].is_alive:
                self.finished.emit(run)
        for folder in self._watched:
            self._show(folder)

    def _show(self, folder: Path) -> None:
        run = RunFolder(folder)
        history = self._histories.setdefault(folder, History(run.events_file))
        grown = history.refresh()
        samples = tuple(sorted(run.samples.glob("*.png")))
        log = last_lines(run.log_file, _LOG_LINES) or last_lines(run.console_file, _LOG_LINES)
        seen = (samples, log)
        if grown or self._seen.get(folder) != seen:
            self._seen[folder] = seen
            curves = {name: history.curve(name) for name in history.names()}
            self.view_changed.emit(RunView(folder, curves, dict(history.latest), history.message, samples, log))

    def _summary(self, run: RunFolder) -> RunSummary:
        if run.path not in self._names:
            self._names[run.path] = _name_and_domain(run)
        name, domain = self._names[run.path]
        status, notes = status_of(run), run.notes()
        summary = RunSummary(
            run.path,
            name,
            domain,
            status.state,
            status.message,
            notes or "",
            takes_notes=notes is not None and os.access(run.path, os.W_OK),
        )
        child = self._started.get(run.path)
        if child is not None and (status.is_alive or child.poll() is not None):
            child.poll()  # or a child that ended stays a zombie
            if not status.is_alive:
                del self._started[run.path]
        elif child is not None:
            return replace(summary, state="starting", message="")
        return summary

    def _discard_ended(self) -> None:
        for folder in list(self._discarded):
            if status_of(RunFolder(folder)).is_alive:
                continue
            self._discarded.discard(folder)
            moved = QFile(str(folder)).moveToTrash()
            if not moved and folder.exists():
                self.failed.emit(f"{folder} could not be moved to the trash. Delete the folder by hand.")
                continue
            forget(folder)
            self._histories.pop(folder, None)
            self._watched = tuple(one for one in self._watched if one != folder)

    def _try(self, work: Callable[[], object]) -> None:
        """Do it in the lane and look again; what fails is told."""

        def attempt() -> None:
            try:
                work()
                self._look()
            except DDMIError as error:
                self.failed.emit(str(error))
            except OSError as error:
                self.failed.emit(f"That could not be done: {error}. Check the folder and the space left.")

        self._lane.submit(attempt)


def start_process(run: RunFolder) -> subprocess.Popen[bytes]:
    """Start `ddmi train` in a run folder that was created, detached, with lower priority than this process.

    Raises:
        OSError: the process cannot be started, or the folder cannot be written.
    """
    command = [sys.executable, "-m", "ddmi_core.cli", "train", "--out", str(run.path), "--resume"]
    with run.console_file.open("ab") as console:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True
        )
    give_way(child.pid)  # training must not make the window stutter
    return child


def _name_and_domain(run: RunFolder) -> tuple[str, str]:
    """Read what a run is called and what it trains, from a configuration that may be of another version."""
    try:
        values = parse_yaml(run.config_file.read_text(encoding="utf-8"))
        return str(values["name"]), str(values["domain"])
    except (OSError, ValueError, KeyError, TypeError):
        return run.path.name, ""
