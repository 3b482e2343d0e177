"""The main window: the shell and all that is done in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent

from studio.engine.engine import Engine
from studio.engine.training import Training
from studio.rooms import ROOMS, Room
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.theme.theme import Theme
from studio.window.closing import Closing
from studio.window.comparing import Comparing
from studio.window.exports import Exports
from studio.window.generation import Generation
from studio.window.handing_over import HandingOver
from studio.window.help import Help
from studio.window.items import Items
from studio.window.live import Live
from studio.window.models import Models
from studio.window.own_files import OwnFiles
from studio.window.preferences import Preferences
from studio.window.prompt_files import PromptFiles
from studio.window.repeating import Repeating
from studio.window.runs import Runs
from studio.window.sessions import Sessions
from studio.window.shell import Shell
from studio.window.tagging import Tagging
from studio.window.tour import Tour
from studio.window.undoing import Undoing
from studio.window.variations import Variations


class MainWindow(Shell):
    """One window, one stage. Owns no data: `state` does; computes nothing: `engine` does."""

    def __init__(
        self,
        state: AppState,
        engine: Engine,
        training: Training,
        theme: Theme,
        settings: Settings,
        rooms: Sequence[Room] = ROOMS,
    ) -> None:
        super().__init__(state, engine, training, theme, settings, rooms)
        self.undoing, self.tour = Undoing(self), Tour(self)
        self.installed = Models(self)
        self.items = Items(self, self.installed, self.undoing)
        self.tagging = Tagging(self, self.items, self.undoing)
        self.live = Live(self)
        self.generation = Generation(self, self.installed, self.items, self.undoing, self.live)
        self.repeating = Repeating(self, self.installed)
        self.help = Help(self, self.generation)
        self.variations = Variations(self, self.installed, self.generation)
        prompts = PromptFiles(self, self.installed, self.generation, self.undoing)
        self.own_files = OwnFiles(self, self.installed, self.generation, prompts)
        self.exports, self.comparing = Exports(self, self.items), Comparing(self, self.items)
        self.handing_over = HandingOver(self)
        self.trainings = Runs(self, self.installed)
        self.preferences = Preferences(self, self.installed, self.items, self.help)
        self.sessions = Sessions(self, self.installed, self.items, self.undoing)
        self.closing = Closing(self, self.help, self.sessions)
        self.actions_.on("tour", self.tour.start)
        self.actions_.on("quit", self.close)
        self.restore()
        self.sessions.bring_back()
        self.preferences.take_all()
        training.start()

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files, and say what will become of them; not those of the window's own items."""
        if event.source() is None and (paths := _files(event.mimeData())):
            self.own_files.foretell(paths)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They are not dropped here after all."""
        self.drop.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the files that were dropped."""
        self.drop.hide()
        if event.source() is not None:
            event.ignore()
            return
        self.own_files.bring_in(*_files(event.mimeData()))
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when work is going on; remember how things were left."""
        if not self.closing.may_close():
            event.ignore()
            return
        self.closing.remember()
        self.handing_over.end()
        super().closeEvent(event)


def _files(data: QMimeData) -> list[Path]:
    """The files among what is dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
