"""The settings: look, computing and files on one page, the keys of every action on another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.support.errors import DDMIError
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.trash import Trash
from studio.engine.work.machine import GpusFound, GpusRequest
from studio.facts import RoomFacts, Words
from studio.library_folder import usual_folder
from studio.panels.fidelity import NAMES, TIPS
from studio.panels.shortcuts_page import ShortcutsPage
from studio.settings import TEXT_SIZES, TRASH_DAYS, Settings
from studio.state.library import TrashContent, check_folder
from studio.state.memory import LEAST, MemoryBudget
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import breakable, decimal_box, figure_box, label, leave_wheel_to_page, line
from studio.widgets.dialog import Dialog

_SIZE = (640, 660)
_PAGE_HEIGHT = 60 * GRID
_GIGABYTE = 2**30
_THEMES = {"system": "Follow the system", "dark": "Dark", "light": "Light"}
_NEXT_START = "From the next start on."


class SettingsDialog(Dialog):
    """Whatever is changed is kept at once.

    `changed` carries the name of a setting that takes effect now: theme, device, threads, memory or shortcuts. The
    others take effect at the next start. `empty_trash_asked`: what was deleted shall go for good.
    """

    changed = Signal(str)
    empty_trash_asked = Signal()

    def __init__(
        self,
        settings: Settings,
        library: Path,
        engine: Engine,
        trash: Trash,
        actions: Actions,
        theme: Theme,
        rooms: Sequence[RoomFacts],
        words: Words,
        parent: QWidget | None = None,
    ) -> None:
        """`library`: the folder of the one that is open. `rooms`, `words`: see `ShortcutsPage`."""
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.resize(*_SIZE)
        self._settings, self._library = settings, library
        self._make_look(theme)
        self._make_computing()
        self._make_files()
        self._make_trash(trash)
        self.shortcuts = ShortcutsPage(actions, theme, rooms, words)
        self.shortcuts.changed.connect(self._keep_keys)
        self._actions = actions
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Settings")
        self.page = _scrolling(self._general())
        self.tabs.addTab(self.page, "General")
        self.tabs.addTab(self.shortcuts, "Shortcuts")
        close = QPushButton("Close")
        close.setAutoDefault(False)  # Enter in a field is no wish to leave
        close.clicked.connect(self.accept)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(line())
        layout.addLayout(bottom)
        engine.answers(GpusFound).connect(self._on_gpus)
        engine.ask(GpusRequest())

    # Look

    def _make_look(self, theme: Theme) -> None:
        self.theme = _choices("Theme", _THEMES)
        self.theme.setCurrentIndex(self.theme.findData(theme.choice))
        self.theme.currentIndexChanged.connect(self._on_theme)
        self.text_size = _choices("Text size", {size: f"{size} %" for size in TEXT_SIZES})
        self.text_size.setCurrentIndex(self.text_size.findData(self._settings.text_size))
        self.text_size.currentIndexChanged.connect(self._on_text_size)

    def _on_theme(self) -> None:
        self._settings.theme = self.theme.currentData()
        self.changed.emit("theme")

    def _on_text_size(self) -> None:
        self._settings.text_size = self.text_size.currentData()

    # Computing

    def _make_computing(self) -> None:
        settings = self._settings
        self.device = _choices("Device", {"auto": "Automatic", "cpu": "CPU"})
        self._show_gpus(())
        self.device.setCurrentIndex(self.device.findData(settings.device))
        self.device.currentIndexChanged.connect(self._on_device)
        self.threads = figure_box("Threads", 0, psutil.cpu_count() or 1, settings.threads)
        self.threads.setSpecialValueText("Automatic")
        self.threads.setKeyboardTracking(False)
        self.threads.valueChanged.connect(self._on_threads)
        most = max(psutil.virtual_memory().total, settings.memory.total)
        self.memory = decimal_box(
            "Memory budget", LEAST / _GIGABYTE, most / _GIGABYTE, settings.memory.total / _GIGABYTE, " GB"
        )
        self.memory.setSingleStep(0.25)
        self.memory.setKeyboardTracking(False)
        self.memory.valueChanged.connect(self._on_memory)

    def _on_gpus(self, found: GpusFound) -> None:
        self._show_gpus(found.names)

    def _show_gpus(self, names: Sequence[str]) -> None:
        """Offer each GPU that there is, and what was chosen before."""
        offered = {f"cuda:{number}" if number else "cuda": f"CUDA: {name}" for number, name in enumerate(names)}
        chosen = self._settings.device
        if chosen not in ("auto", "cpu"):
            offered.setdefault(chosen, f"{chosen.upper()}, which is not there now: the CPU is used")
        for device, text in offered.items():
            if (place := self.device.findData(device)) < 0:
                self.device.addItem(text, device)
            else:
                self.device.setItemText(place, text)

    def _on_device(self) -> None:
        self._settings.device = self.device.currentData()
        self.changed.emit("device")

    def _on_threads(self, count: int) -> None:
        self._settings.threads = count
        self.changed.emit("threads")

    def _on_memory(self, gigabytes: float) -> None:
        self._settings.memory = MemoryBudget(round(gigabytes * _GIGABYTE))
        self.changed.emit("memory")

    # Files

    def _make_files(self) -> None:
        self.fidelity = _choices("Your files", {str(one): name for one, name in NAMES.items()})
        for index, fidelity in enumerate(NAMES):
            self.fidelity.setItemData(index, TIPS[fidelity], Qt.ItemDataRole.ToolTipRole)
        self.fidelity.setCurrentIndex(self.fidelity.findData(self._settings.fidelity))
        self.fidelity.currentIndexChanged.connect(self._on_fidelity)
        self.fidelity_note = label("", "small", wrap=True)
        self._show_fidelity()
        self.library = QLineEdit()
        self.library.setReadOnly(True)
        self.library.setAccessibleName("Library folder")
        self.choose = QPushButton("Choose…")
        self.choose.setAccessibleName("Choose the library folder")
        self.choose.clicked.connect(self._choose_library)
        self.usual = QPushButton("Usual")
        self.usual.setToolTip(str(usual_folder()))
        self.usual.setAccessibleName("Use the usual library folder")
        self.usual.clicked.connect(lambda: self.use_library(None))
        self.library_note = label("", "small", wrap=True)
        self.problem = label("", "error", wrap=True)
        self._show_library()

    def _on_fidelity(self) -> None:
        self._settings.fidelity = self.fidelity.currentData()
        self._show_fidelity()

    def _show_fidelity(self) -> None:
        self.fidelity_note.setText(f"{TIPS[self._settings.fidelity]}. Of files that are dropped or opened.")

    def use_library(self, folder: Path | None) -> None:
        """Open the library of another folder from the next start on, None being the usual one; or say why not."""
        try:
            if folder is not None:
                check_folder(folder)
        except DDMIError as error:
            self._show_library(str(error))
            return
        self._settings.library = None if folder == usual_folder() else folder
        self._show_library()

    def _choose_library(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Library folder", str(self._wanted_library()))
        if chosen:
            self.use_library(Path(chosen))

    def _wanted_library(self) -> Path:
        return self._settings.library or usual_folder()

    def _show_library(self, problem: str = "") -> None:
        wanted = self._wanted_library()
        self.library.setText(str(wanted))
        self.library.setCursorPosition(0)
        self.library.setToolTip(str(wanted))
        self.usual.setEnabled(self._settings.library is not None)
        note = f"{_NEXT_START} The folder that is open now stays as it is."
        if wanted != self._library:
            note += f" Until then {self._library} is open."
        self.library_note.setText(breakable(note))
        self.problem.setText(breakable(problem))
        self.problem.setVisible(bool(problem))

    # Trash

    def _make_trash(self, trash: Trash) -> None:
        self.trash = trash
        self.in_trash = label()
        self.bring_back = QPushButton("Bring all back")
        self.bring_back.setToolTip("Into the history, as it was")
        self.bring_back.clicked.connect(trash.bring_back)
        self.empty_trash = QPushButton("Empty…")
        self.empty_trash.setAccessibleName("Empty the trash")
        self.empty_trash.clicked.connect(self.empty_trash_asked)
        self.deleted = _in_a_row(self.in_trash, self.bring_back, self.empty_trash)
        texts = {days: f"After {days} days" if days else "Only when the trash is emptied" for days in TRASH_DAYS}
        self.trash_days = _choices("Gone for good", texts)
        self.trash_days.setCurrentIndex(self.trash_days.findData(self._settings.trash_days))
        self.trash_days.currentIndexChanged.connect(self._on_trash_days)
        trash.measured.connect(self._show_trash)
        trash.measure()

    def _show_trash(self, content: TrashContent) -> None:
        self.in_trash.setText(str(content) if content.count else "Empty")
        for button in (self.bring_back, self.empty_trash):
            button.setEnabled(content.count > 0)

    def _on_trash_days(self) -> None:
        self._settings.trash_days = self.trash_days.currentData()

    # Shortcuts

    def _keep_keys(self) -> None:
        self._settings.shortcuts = self._actions.keymap.own
        self.changed.emit("shortcuts")

    # All of it

    def _general(self) -> QWidget:
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnMinimumWidth(0, 14 * GRID)
        grid.setColumnStretch(1, 1)
        row = 0
        sections: tuple[tuple[str, tuple[tuple[str, QWidget, str], ...]], ...] = (
            (
                "Look",
                (
                    ("Theme", self.theme, ""),
                    ("Text size", self.text_size, f"{_NEXT_START} Enlarges all controls too."),
                ),
            ),
            (
                "Computing",
                (
                    ("Device", self.device, "Automatic: CUDA where there is a device for it, else the CPU."),
                    ("Threads", self.threads, "How many cores models may use on the CPU."),
                    (
                        "Memory budget",
                        self.memory,
                        "For models, decoded items and tiles that are kept at hand: more is quicker to come back to. "
                        "What is being worked on takes memory besides.",
                    ),
                ),
            ),
            (
                "Trash",
                (
                    ("Deleted", self.deleted, "From the history. It can be brought back until it is gone for good."),
                    ("Gone for good", self.trash_days, ""),
                ),
            ),
        )
        for heading, fields in sections:
            row = _add_heading(grid, row, heading)
            for name, field, note in fields:
                row = _add_field(grid, row, name, field)
                if note:
                    grid.addWidget(label(note, "small", wrap=True), row, 1)
                    row += 1
        row = _add_heading(grid, row, "Files")
        row = _add_field(grid, row, "Your files", self.fidelity)
        grid.addWidget(self.fidelity_note, row, 1)
        row += 1
        row = _add_field(grid, row, "Library folder", _in_a_row(self.library, self.choose, self.usual))
        grid.addWidget(self.library_note, row, 1)
        grid.addWidget(self.problem, row + 1, 1)
        grid.setRowStretch(row + 2, 1)
        grid.setContentsMargins(0, 2 * GRID, GRID, 0)
        page = QWidget()
        page.setLayout(grid)
        leave_wheel_to_page(page)
        return page


def _add_heading(grid: QGridLayout, row: int, text: str) -> int:
    """Put a heading into a row, some room above it; return the next row."""
    if row:
        grid.setRowMinimumHeight(row, GRID)
        row += 1
    grid.addWidget(label(text, "heading"), row, 0, 1, 2)
    return row + 1


def _add_field(grid: QGridLayout, row: int, name: str, field: QWidget) -> int:
    """Put a field and its name into a row; return the next row."""
    named = label(name, "muted")
    named.setBuddy(field)
    grid.addWidget(named, row, 0)
    grid.addWidget(field, row, 1)
    return row + 1


def _in_a_row(first: QWidget, *buttons: QWidget) -> QWidget:
    """A field and what can be done with it, as one; the first takes the room that is left."""
    result = QWidget()
    result.setFocusProxy(first)
    row = QHBoxLayout(result)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID)
    row.addWidget(first, 1)
    for button in buttons:
        row.addWidget(button)
    return result


def _choices(name: str, texts: Mapping[str, str] | Mapping[int, str]) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    for value, text in texts.items():
        box.addItem(text, value)
    return box


def _scrolling(page: QWidget) -> QScrollArea:
    """A page that scrolls where it does not fit."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setMinimumHeight(_PAGE_HEIGHT)
    area.setWidget(page)
    return area
