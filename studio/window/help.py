"""Help: the guide, the shortcuts, the palette and the messages."""

from __future__ import annotations

from ddmi_core.support.paths import assets
from studio.panels.about import AboutDialog
from studio.panels.guide import GuideWindow
from studio.panels.messages import MessagesDialog
from studio.panels.palette import Palette
from studio.panels.shortcut_sheet import ShortcutSheet
from studio.state.guide import read_guide
from studio.window.shell import Shell


class Help:
    """What explains the window, or finds something in it."""

    def __init__(self, shell: Shell) -> None:
        self._shell, self._state, self._settings, self._theme = shell, shell.state, shell.settings, shell.theme
        self._sheet: ShortcutSheet | None = None
        self.guide: GuideWindow | None = None
        """The guide's window, once it was opened."""
        on = shell.actions_.on
        on("messages", self.show_messages)
        on("palette", self.show_palette)
        on("guide", self.show_guide)
        on("shortcuts", self.show_shortcuts)
        on("about", lambda: AboutDialog(self._theme, shell).exec())
        self._state.domain_changed.connect(lambda _domain: self.forget_sheet())

    def show_palette(self) -> None:
        """Open the palette over the window."""
        shell = self._shell
        Palette(shell.actions_, shell.stage.room.words, shell.ways(), shell).open_over(shell)

    def show_guide(self) -> None:
        """Open the guide beside the work, or bring it to the front."""
        if self.guide is None:
            self.guide = GuideWindow(read_guide(assets() / "guide"), self._theme, self._shell)
            if (geometry := self._settings.geometry("guide")) is not None:
                self.guide.restoreGeometry(geometry)
        self.guide.show()
        self.guide.raise_()
        self.guide.activateWindow()

    def show_messages(self) -> None:
        """Open the list of what was said, or bring it to the front."""
        messages = self._shell.findChild(MessagesDialog) or MessagesDialog(
            self._state.notifications, self._theme, self._shell
        )
        messages.show()
        messages.raise_()
        messages.activateWindow()

    def show_shortcuts(self) -> None:
        """Open the sheet of shortcuts beside the work."""
        if self._sheet is None:
            self._sheet = ShortcutSheet(self._shell.stage.room, self._shell.actions_.keymap, self._shell)
        self._sheet.show()
        self._sheet.raise_()

    def forget_sheet(self) -> None:
        """Make the sheet of shortcuts anew when it is asked for again."""
        if self._sheet is not None:
            self._sheet.deleteLater()
            self._sheet = None
