"""The diary: a log file, a note of how the last session ended, and errors that nobody caught."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TextIO

import psutil
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal

from studio.state.notifications import Notifications

_LOG_BYTES, _LOG_FILES = 1_000_000, 3

log = logging.getLogger(__name__)


class Diary:
    """Writes ``studio.log`` (rotating) and, if a fault kills the process, ``crash.txt`` into ``folder``.

    ``crashed`` says whether the session before this one ended without :meth:`close`. A folder that cannot be written
    only means that there is no log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.crashed = False
        self._marker = folder / f"running-{os.getpid()}"
        self._handler: logging.Handler | None = None
        self._crash_file: TextIO | None = None
        self._owns_faults = False
        self._levels: dict[str, int] = {}  # of the loggers, as they were
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for marker in folder.glob("running-*"):
                owner = marker.name.removeprefix("running-")
                if not owner.isdigit() or int(owner) == os.getpid() or not psutil.pid_exists(int(owner)):
                    self.crashed = True
                    marker.unlink()
            self._marker.touch()
            self._handler = RotatingFileHandler(
                folder / "studio.log", maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8"
            )
            self._crash_file = (folder / "crash.txt").open("a", encoding="utf-8")
        except OSError as error:
            log.warning("no log can be written to %s: %s", folder, error)
            return
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(self._handler)
        for name in ("studio", "ddmi_core"):
            self._levels[name] = logging.getLogger(name).level
            logging.getLogger(name).setLevel(logging.INFO)
        if not faulthandler.is_enabled():  # somebody else (a debugger, a test run) may want the traces
            faulthandler.enable(self._crash_file)
            self._owns_faults = True

    def close(self) -> None:
        """The session ends as it should."""
        with contextlib.suppress(OSError):
            self._marker.unlink()
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
        if self._crash_file is not None:
            if self._owns_faults:
                faulthandler.disable()
            self._crash_file.close()


class UncaughtErrors(QObject):
    """Lets an error that nobody caught, in whichever thread, reach the log and the person, while the studio goes on.

    Lives in the window's thread; :meth:`remove` gives Python its own handling back.
    """

    _caught = Signal(str, str)

    def __init__(self, notifications: Notifications) -> None:
        super().__init__()
        self._notifications = notifications
        self._caught.connect(self._show, Qt.ConnectionType.QueuedConnection)
        self._before = sys.excepthook, threading.excepthook
        sys.excepthook = self._on_error
        threading.excepthook = self._on_thread_error

    def remove(self) -> None:
        """Handle errors no longer."""
        sys.excepthook, threading.excepthook = self._before

    def _on_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        log.error("uncaught\n%s", details)
        self._caught.emit(f"Something went wrong in the studio: {error or kind.__name__}", details)

    def _on_thread_error(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            self._on_error(args.exc_type, args.exc_value, args.exc_traceback)

    def _show(self, text: str, details: str) -> None:
        self._notifications.error(text, details=details)
