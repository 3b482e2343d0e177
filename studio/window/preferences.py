"""The settings take effect."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt

from studio.panels.settings_dialog import SettingsDialog
from studio.theme.theme import ThemeChoice
from studio.window.help import Help
from studio.window.items import Items
from studio.window.models import Models
from studio.window.shell import Shell


class Preferences:
    """What a person has set, and how it is changed."""

    def __init__(self, shell: Shell, models: Models, items: Items, help_: Help) -> None:
        self._shell, self._state, self._engine, self._settings = shell, shell.state, shell.engine, shell.settings
        self._theme, self._models, self._items, self._help = shell.theme, models, items, help_
        shell.actions_.on("settings", self.open)
        for choice in ("system", "dark", "light"):
            shell.actions_.on(f"theme_{choice}", partial(self.set_theme, choice))
        shell.actions_[f"theme_{shell.theme.choice}"].setChecked(True)

    def take_all(self) -> None:
        """Let everything take effect that does not by itself."""
        for setting in ("device", "threads", "memory"):
            self.take(setting)

    def set_theme(self, choice: ThemeChoice) -> None:
        """Choose dark, light, or the system's."""
        self._theme.choice = self._settings.theme = choice
        self._shell.actions_[f"theme_{choice}"].setChecked(True)

    def open(self) -> None:
        """Let the person change the settings."""
        rooms = [stage.room for stage in self._shell.stages]
        dialog = SettingsDialog(
            self._settings,
            self._state.library.folder,
            self._engine,
            self._shell.trash,
            self._shell.actions_,
            self._theme,
            rooms,
            self._shell.stage.room.words,
            self._shell,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.changed.connect(self.take)
        dialog.empty_trash_asked.connect(self._items.empty_trash)
        dialog.open()

    def take(self, name: str) -> None:
        """Let a setting take effect: theme, device, threads, memory or shortcuts."""
        settings = self._settings
        match name:
            case "theme":
                self.set_theme(settings.theme)
            case "device":
                self._engine.set_device(settings.device)
                self._models.warm_up_again()
            case "threads":
                self._engine.set_threads(settings.threads)
            case "memory":
                self._engine.set_memory(settings.memory)
                self._shell.history.model.set_memory(settings.memory.thumbnails)
                for stage in self._shell.stages:
                    stage.limit_tiles(settings.memory.tiles)
            case "shortcuts":
                self._help.forget_sheet()
