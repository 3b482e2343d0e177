"""Starts the studio: one application, one window, one engine."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from studio.engine.work.machine import ModelsRequest

if sys.platform == "win32":
    import torch  # noqa: F401  (before Qt, or its libraries do not load)

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox

from ddmi_core import __version__
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.paths import user_data
from studio.engine.diary import Diary, UncaughtErrors
from studio.engine.engine import Engine
from studio.engine.reports import ModelLoaded
from studio.engine.training import Training
from studio.garbage import WindowCollector
from studio.launcher import open_folder
from studio.library_folder import open_library
from studio.opening import Application
from studio.self_test import self_test
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.notifications import Action, Notification
from studio.state.session import read_session, session_file
from studio.text_size import apply_text_size
from studio.theme.icons import icon_pixmap
from studio.theme.theme import Theme
from studio.theme.tokens import DARK
from studio.window import MainWindow

_SETTLE_MS = 900
_TIDY_AFTER_MS = 10_000  # once the start is over


def main(argv: Sequence[str] | None = None, *, on_open: Callable[[MainWindow], QObject] | None = None) -> int:
    """Run the studio; returns the exit code.

    `on_open` gets the opened window instead of what the command line asks for; what it returns lives as long as that.
    """
    options = _parse(argv)
    if options.self_test:
        return self_test()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings()
    apply_text_size(settings.text_size)
    app = Application(sys.argv[:1])
    app.setApplicationName("ddmi-studio")
    app.setApplicationDisplayName("DDMI Studio")
    app.setDesktopFileName("ddmi-studio")
    app.setWindowIcon(_app_icon())
    garbage = WindowCollector()
    theme = Theme(app, options.theme or settings.theme)
    diary = Diary(user_data() / "logs")
    try:
        library, elsewhere = open_library(settings.library)
    except DDMIError as error:
        diary.close()
        return _refuse(str(error), quiet=options.screenshot is not None)
    state = AppState(library, forms=read_session(session_file()).forms)
    errors = UncaughtErrors(state.notifications)
    if diary.crashed:
        state.notifications.warning(
            "The studio did not end as it should last time. What was made is in the history.",
            action=Action("Show the log", lambda: open_folder(diary.folder, state.notifications)),
        )
    if elsewhere:
        state.notifications.error(elsewhere)
    if library.damaged:
        state.notifications.warning(
            f"{len(library.damaged)} items of the library could not be read; "
            f"their files were put aside in {library.damaged[0].parent}."
        )
    engine = Engine(state)
    training = Training()
    window = MainWindow(state, engine, training, theme, settings)
    if options.room is not None:
        window.show_room_of(options.room)
    if options.size is not None:
        window.resize(*options.size)
    engine.answers(ModelLoaded).connect(lambda loaded: window.status.set_device(loaded.device))
    engine.answers(ModelLoaded).connect(lambda _device: garbage.spare_what_stays())
    window.show()
    app.file_asked.connect(window.own_files.bring_in)
    QTimer.singleShot(0, lambda: engine.ask(ModelsRequest()))
    QTimer.singleShot(_TIDY_AFTER_MS, lambda: window.trash.empty_older_than(settings.trash_days))
    guest = on_open(window) if on_open is not None else _begin(window, options)
    code = app.exec()
    garbage.stop()
    training.shutdown()
    engine.shutdown()
    library.close()
    errors.remove()
    diary.close()
    return guest.code if isinstance(guest, Photographer) else code


def _begin(window: MainWindow, options: argparse.Namespace) -> Photographer | None:
    """Do what the command line asks for; offer the tour unless a picture is to be taken."""
    if options.files:
        window.own_files.bring_in(*(file.absolute() for file in options.files))
    if options.screenshot is not None:
        return Photographer(window, options.screenshot, options.prompt)
    if options.prompt is not None:
        window.state.update_form(prompt=options.prompt)
    window.tour.offer()
    return None


class Photographer(QObject):
    """Waits for what comes of a prompt, or for the empty window; saves a picture of the window; ends the studio."""

    def __init__(self, window: MainWindow, path: Path, prompt: str | None) -> None:
        super().__init__(window)
        self.code = 1
        self._window, self._path, self._prompt = window, path, prompt
        self._asked = False
        self._timer = QTimer(self, interval=100)
        self._timer.timeout.connect(self._look)
        self._calm = 0
        window.state.notifications.added.connect(self._on_notification)
        self._timer.start()

    def _look(self) -> None:
        """Act once nothing has been going on for a while."""
        state = self._window.state
        if self._prompt is not None and not self._asked:
            if state.models:
                self._asked = True
                if not state.usable_models():
                    self._window.show_room_of(state.models[0].domain)
                state.update_form(prompt=self._prompt)
                self._window.generation.generate()
            elif self._calm > 50:
                self._end("No model is installed, so there is nothing to show.")
        handle = self._window.windowHandle()
        working = bool(state.jobs.active(quiet=True)) or (self._asked and state.shown is None)
        self._calm = 0 if working or handle is None or not handle.isExposed() else self._calm + 1
        if self._calm * self._timer.interval() >= _SETTLE_MS and (self._asked or self._prompt is None):
            self._shoot()

    def _shoot(self) -> None:
        saved = self._window.grab().save(str(self._path))
        self.code = 0 if saved else 1
        self._end("" if saved else f"The picture could not be written to {self._path}.")

    def _on_notification(self, notification: Notification) -> None:
        if notification.level == "error":
            self._end(notification.text)

    def _end(self, problem: str) -> None:
        self._timer.stop()
        if problem:
            print(problem, file=sys.stderr)
        QCoreApplication.exit(self.code)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ddmi-studio", description="Generate continuous signals from prompts.")
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="bring these in, as if they were dropped on the window"
    )
    parser.add_argument("--version", action="version", version=f"DDMI Studio {__version__}")
    parser.add_argument(
        "--self-test", action="store_true", help="generate and export with every model, without a window, and quit"
    )
    parser.add_argument("--prompt", help="put this prompt into the form")
    parser.add_argument(
        "--screenshot",
        type=Path,
        metavar="FILE",
        help="generate the prompt, if any, save a picture of the window, and quit",
    )
    parser.add_argument("--room", help="begin in the room of this domain, such as image")
    parser.add_argument("--theme", choices=("system", "dark", "light"), help="instead of the remembered one")
    parser.add_argument("--size", type=_size, metavar="WIDTHxHEIGHT", help="of the window, in pixels")
    return parser.parse_args(argv)


def _size(text: str) -> tuple[int, int]:
    width, height = (int(part) for part in text.lower().split("x"))
    return width, height


def _app_icon() -> QIcon:
    icon = QIcon()
    for side in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(icon_pixmap("app", DARK.accent, side))
    return icon


def _refuse(message: str, *, quiet: bool) -> int:
    """Say why the studio cannot start."""
    print(f"ddmi-studio: {message}", file=sys.stderr)
    if not quiet:
        box = QMessageBox(QMessageBox.Icon.Critical, "DDMI Studio cannot start", message)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.exec()
    return 1
