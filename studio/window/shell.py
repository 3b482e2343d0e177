"""The shell of the main window: rooms, panels, messages, and which of them are seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMoveEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.paths import user_data
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.models import ModelFolders
from studio.engine.tag_files import TagFiles
from studio.engine.training import Training
from studio.engine.trash import Trash
from studio.engine.work.machine import MODELS_ROOM
from studio.keymap import Keymap
from studio.launcher import open_folder
from studio.panels.history import HistoryPanel
from studio.panels.inspector import Inspector, item_title
from studio.panels.models import ModelsRoom
from studio.panels.palette import Entry
from studio.panels.queue import QueuePanel
from studio.panels.rail import Rail
from studio.panels.room import Stage
from studio.panels.status import StatusBar
from studio.panels.training import TrainingRoom
from studio.rooms import Room, actions_of
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.jobs import Job
from studio.state.library import Item
from studio.state.notifications import Notification
from studio.theme.theme import Theme
from studio.widgets.basics import ANY_SIZE, line
from studio.widgets.drop_overlay import DropOverlay
from studio.widgets.toasts import Toast, ToastArea

_FIRST_SIZE, _LEAST_SIZE = QSize(1280, 800), QSize(960, 600)
_FRAME = 40  # px, that a window's title bar may take
_SMALL = QSize(900, 560)
"""A window with less room than that has no place for every panel at once, as on a small screen with large text."""
_NARROW_INSPECTOR = 288  # px
_PANES = ("look_pane", "slices")  # beside a stage
_BOTTOM_HEIGHT = 166  # px
_STAGE_SHARE, _GRID_SHARE = 2, 3
"""Of the height, where the history is a grid."""
_TITLE = 60
"""Characters of a title in a message."""


class Shell(QMainWindow):
    """The window's rooms and panels, without what is done in them."""

    rearranged = Signal()
    """Something of what :meth:`remember` remembers is another now."""

    def __init__(
        self,
        state: AppState,
        engine: Engine,
        training: Training,
        theme: Theme,
        settings: Settings,
        rooms: Sequence[Room],
    ) -> None:
        super().__init__()
        self.state, self.engine, self.training, self.theme, self.settings = state, engine, training, theme, settings
        self.setWindowTitle("DDMI Studio")
        self.setMinimumSize(_LEAST_SIZE.boundedTo(self.screen().availableSize()))
        self.setAcceptDrops(True)
        self.actions_ = Actions(self, theme, Keymap(actions_of(rooms), settings.shortcuts))
        self._toasts: dict[int, Toast] = {}
        self._build(rooms)
        self._bind_actions()
        self._bind_state()

    def _build(self, rooms: Sequence[Room]) -> None:
        state, actions, theme = self.state, self.actions_, self.theme
        actions.fill_menus()
        self.rail = Rail(theme)
        self.stages = [stage(state, self.engine, actions, theme, self.settings) for stage in rooms]
        self.model_folders = ModelFolders()
        self.trash, self.tag_files = Trash(state.library), TagFiles(state.library)
        self.tag_files.failed.connect(state.notifications.error)
        nouns = {stage.room.words.domain: stage.room.words.noun for stage in self.stages}
        titles = {stage.room.words.domain: stage.room.title for stage in self.stages}
        self.models = ModelsRoom(state, self.model_folders, user_data() / "models", nouns, theme, titles)
        self.rooms = QStackedWidget()
        for stage in self.stages:
            self.rail.add(stage.room.title, stage.room.icon, stage.room.tip)
            self.rooms.addWidget(stage)
            state.add_room(stage.room.words.domain)
        self.runs = TrainingRoom(self.training, theme)
        self.rail.add("Training", "training", "Train models and watch how they fare")
        self.rooms.addWidget(self.runs)
        self.rail.add("Models", "models", "The installed models")
        self.rooms.addWidget(self.models)
        self.rail.chosen.connect(self.show_room)
        self.inspector = Inspector(state, actions, theme)
        self.history = HistoryPanel(state, actions, theme)
        self.queue = QueuePanel(state.jobs, state.paused, theme)
        self.status = StatusBar(state, actions)
        self.setStatusBar(self.status)

        self._inspector_line, self._history_line, self._queue_line = line(vertical=True), line(), line(vertical=True)
        lower = _row(self.history, self._queue_line, self.queue)
        lower.setStretch(0, 1)
        lower.setAlignment(self.queue, Qt.AlignmentFlag.AlignRight)  # in its place where there is no history too
        self._bottom = QWidget()
        self._bottom.setLayout(lower)
        self._bottom.setMinimumHeight(_BOTTOM_HEIGHT)
        self._middle = middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rooms, 1)
        middle.addWidget(self._history_line)
        middle.addWidget(self._bottom)
        whole = _row(self.rail, line(vertical=True))
        whole.addLayout(middle, 1)
        whole.addWidget(self._inspector_line)
        whole.addWidget(self.inspector)
        central = QWidget()
        central.setLayout(whole)
        self.setCentralWidget(central)
        self.toasts = ToastArea(self.rooms)
        self.toasts.crowded_out.connect(self.status.say)
        self.rooms.setMinimumSize(160, 120)  # rooms that need more are shown without the inspector
        self.drop = DropOverlay(self, self.theme)

    def _bind_actions(self) -> None:
        on, on_toggled = self.actions_.on, self.actions_.on_toggled
        on("prompt", self.go_to_prompt)
        on("find", self.go_to_search)
        on("full_screen", lambda: self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen))
        for name in ("inspector", "history", "history_grid"):
            on_toggled(name, lambda _on: self._show_parts())
        for name in ("inspector", *_PANES):
            on_toggled(name, partial(self._make_room_for, name))
        for name in self._switches():
            on_toggled(name, lambda _on: self.rearranged.emit())

    def _bind_state(self) -> None:
        state = self.state
        state.domain_changed.connect(self._on_domain)
        for signal in (state.jobs.added, state.jobs.changed):
            signal.connect(self._on_jobs)
        state.paused.changed.connect(self._show_parts)
        state.notifications.added.connect(self._on_notification)
        state.notifications.removed.connect(self._on_notification_gone)
        for notification in state.notifications.list():
            self._on_notification(notification)

    def restore(self) -> None:
        """Bring size and panels back as they were left."""
        settings = self.settings
        self.resize(first_size(self.screen().availableSize()))
        if (geometry := settings.geometry("window")) is not None:
            self.restoreGeometry(geometry)
        for name, default in self._switches().items():
            self.actions_[name].setChecked(settings.flag(name, default))
        self.models.domain = settings.models_listed
        if self._is_small():
            self.inspector.setFixedWidth(_NARROW_INSPECTOR)
            for name in ("history", *_PANES):
                self.actions_[name].setChecked(False)
        self.show_room(0)
        self._on_jobs()
        self.inspector.focus_prompt()

    def remember(self) -> None:
        """Remember size and panels."""
        self.settings.set_geometry("window", self.saveGeometry())
        self.settings.models_listed = self.models.domain
        for name in self._switches():
            if not (self._is_small() and name in ("history", "inspector", *_PANES)):  # that was for want of room
                self.settings.set_flag(name, self.actions_[name].isChecked())
        self.settings.save()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say that there is something to remember."""
        super().resizeEvent(event)
        self.rearranged.emit()

    def moveEvent(self, event: QMoveEvent) -> None:
        """Say that there is something to remember."""
        super().moveEvent(event)
        self.rearranged.emit()

    # Rooms

    @property
    def stage(self) -> Stage[Any]:
        """The stage of the room that the person is in, or was in before going to the models."""
        return self.stage_of(self.state.domain or "")

    def stage_of(self, domain: str) -> Stage[Any]:
        """The stage of a domain's room."""
        return self.stages[self._domains().index(domain)]

    def _domains(self) -> list[str]:
        return [stage.room.words.domain for stage in self.stages]

    def show_room(self, place: int) -> None:
        """Go to a room of the rail."""
        focused = self.focusWidget()
        if place < len(self.stages):
            self.state.enter(self._domains()[place])
        self.rooms.setCurrentIndex(place)
        self.actions_.go_on_stage(place < len(self.stages))
        self.rail.select(place)
        self._on_jobs()
        if focused is not None and not focused.isVisibleTo(self):  # Qt would choose whatever comes next in the window
            self._focus_room()

    def _focus_room(self) -> None:
        """Put the cursor into the prompt, or, where a room has none, onto the stage or where Tab begins."""
        if not self.inspector.isHidden():
            self.inspector.focus_prompt()
            return
        room = self.rooms.currentWidget()
        assert room is not None
        stops = [
            part
            for part in room.findChildren(QWidget)
            if part.isVisibleTo(room) and part.isEnabled() and part.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        stops.sort(key=lambda part: not part.property("canvas"))
        if stops:
            stops[0].setFocus(Qt.FocusReason.TabFocusReason)

    def room_name(self) -> str:
        """What the jobs call the room that the person is in."""
        shown = self.rooms.currentWidget()
        if isinstance(shown, Stage):
            return shown.room.words.domain
        return MODELS_ROOM if shown is self.models else ""

    def guide_page(self) -> str:
        """The file of the guide's page about the room that the person is in."""
        shown = self.rooms.currentWidget()
        if isinstance(shown, Stage):
            return shown.room.guide
        return self.models.guide if shown is self.models else self.runs.guide

    def show_room_of(self, domain: str) -> None:
        """Go to the room of a domain, if there is one."""
        if domain in self._domains():
            self.show_room(self._domains().index(domain))

    def show_training(self) -> None:
        """Go to the training runs."""
        self.show_room(self.rooms.indexOf(self.runs))

    def show_stage(self) -> None:
        """Go back from the models to the room that the person was in."""
        self.show_room(self.stages.index(self.stage))

    def ways(self) -> list[Entry]:
        """The rooms, for the palette. They are found by their signals too."""
        also = [f"{words.domain} {words.noun} {words.source}" for words in (stage.room.words for stage in self.stages)]
        ways = []
        for place in range(self.rooms.count()):
            button = self.rail.button(place)
            names = " ".join((button.toolTip(), *also[place : place + 1]))
            state = "shown" if place == self.rooms.currentIndex() else ""
            ways.append(Entry(button.text(), "Room", names, do=partial(self.show_room, place), state=state))
        return ways

    def go_to_prompt(self) -> None:
        """Put the cursor into the prompt, wherever the person is."""
        self.show_stage()
        self.actions_["inspector"].setChecked(True)
        self.inspector.focus_prompt()

    def go_to_search(self) -> None:
        """Put the cursor into the search of the history, wherever the person is."""
        self.show_stage()
        self.actions_["history"].setChecked(True)
        self.history.bar.focus_search()

    def _on_domain(self, domain: str) -> None:
        room = self.stage_of(domain).room
        self.actions_.enter(room.words)
        self.inspector.enter(room)
        self.history.enter(room.words)

    def _on_jobs(self, _job: Job | None = None) -> None:
        active = self.state.jobs.active()
        can_cancel = self.state.jobs.newest(self.room_name()) is not None
        self.actions_["cancel"].setEnabled(can_cancel)
        self.inspector.set_working(bool(active), can_cancel)
        self._show_parts()

    def _on_notification(self, notification: Notification) -> None:
        action = notification.action
        toast = Toast(
            self.theme,
            notification.level,
            notification.text,
            details=notification.details,
            action=(action.label, action.run) if action is not None else None,
        )
        toast.dismissed.connect(lambda: self.state.notifications.dismiss(notification))
        self._toasts[notification.id] = toast
        self.toasts.add(toast)

    def _on_notification_gone(self, notification: Notification) -> None:
        toast = self._toasts.pop(notification.id, None)
        if toast is not None:
            self.toasts.remove(toast)

    def attempt(self, work: Callable[[], object]) -> bool:
        """Do it; a failure becomes a message. Whether it went well."""
        try:
            work()
        except DDMIError as error:
            self.state.notifications.error(str(error))
            return False
        return True

    def open_folder(self, folder: Path) -> None:
        """Show a folder in the system's file manager."""
        open_folder(folder, self.state.notifications)

    def _switches(self) -> dict[str, bool]:
        """The actions that are remembered, and whether they begin checked."""
        rooms = [stage.room for stage in self.stages]
        return {"inspector": True, "history": True, "history_grid": False, "live": False} | {
            name: name not in room.switches_off for room in rooms for name in room.switches
        }

    def _is_small(self) -> bool:
        """Whether the screen has no room for all panels."""
        room = self.screen().availableSize()
        return room.width() < _SMALL.width() or room.height() < _SMALL.height()

    def _make_room_for(self, name: str, on: bool) -> None:
        """Let the inspector and a pane beside the stage take turns where there is no room for both."""
        if on and self.width() < _SMALL.width():
            for other in _PANES if name == "inspector" else ("inspector",):
                self.actions_[other].setChecked(False)

    def _show_parts(self) -> None:
        on_stage = isinstance(self.rooms.currentWidget(), Stage)
        inspector = on_stage and self.actions_["inspector"].isChecked()
        history = on_stage and self.actions_["history"].isChecked()
        queue = bool(self.state.jobs.active() or self.state.paused)
        self.inspector.setVisible(inspector)
        self._inspector_line.setVisible(inspector)
        self.history.setVisible(history)
        self._queue_line.setVisible(history and queue)
        self._history_line.setVisible(history or queue)
        self._bottom.setVisible(history or queue)
        grid = history and self.actions_["history_grid"].isChecked()
        self._bottom.setMaximumHeight(ANY_SIZE if grid else _BOTTOM_HEIGHT)
        self._middle.setStretchFactor(self.rooms, _STAGE_SHARE)
        self._middle.setStretchFactor(self._bottom, _GRID_SHARE if grid else 0)


def first_size(room: QSize) -> QSize:
    """How large the window is at first, on a screen with so much room: all of it is seen, with its frame."""
    return _FIRST_SIZE.boundedTo(room - QSize(0, _FRAME))


def quoted(item: Item) -> str:
    """What an item is called, within a sentence."""
    return f"“{shortened(item_title(item))}”"


def shortened(title: str) -> str:
    """A title that fits into a message."""
    return title if len(title) <= _TITLE else title[: _TITLE - 1] + "…"


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    for widget in widgets:
        row.addWidget(widget)
    return row
