"""Help: the guide, the shortcuts, the palette and the messages."""

from __future__ import annotations

from ddmi_core.recipe import Recipe
from ddmi_core.support.paths import assets
from studio.engine.gallery import Exhibition
from studio.launcher import open_outside
from studio.panels.about import AboutDialog
from studio.panels.gallery_page import GalleryPage
from studio.panels.guide import GuideWindow
from studio.panels.messages import MessagesDialog
from studio.panels.palette import Palette
from studio.panels.shortcut_sheet import ShortcutSheet
from studio.state.guide import read_guide
from studio.window.generation import Generation
from studio.window.shell import Shell, shortened


class Help:
    """What explains the window, or finds something in it."""

    def __init__(self, shell: Shell, generation: Generation) -> None:
        self._shell, self._state, self._settings, self._theme = shell, shell.state, shell.settings, shell.theme
        self._generation = generation
        self._guide_is_of = ""
        """The page about the room in which the guide was opened last; none if it was opened at the gallery."""
        self._sheet: ShortcutSheet | None = None
        self.guide: GuideWindow | None = None
        """The guide's window, once it was opened."""
        on = shell.actions_.on
        on("messages", self.show_messages)
        on("palette", self.show_palette)
        on("guide", self.show_guide)
        on("gallery", self.show_gallery)
        on("shortcuts", self.show_shortcuts)
        on("about", lambda: AboutDialog(self._theme, shell).exec())
        self._state.domain_changed.connect(lambda _domain: self.forget_sheet())
        self._state.models_changed.connect(lambda _models: self._look_for_pictures())
        shell.model_folders.gallery_ready.connect(self._on_gallery)

    def show_palette(self) -> None:
        """Open the palette over the window."""
        shell = self._shell
        Palette(shell.actions_, shell.stage.room.words, shell.ways(), shell).open_over(shell)

    def show_guide(self) -> None:
        """Open the guide beside the work, at the page of the room.

        In the room in which it was opened before, it is still at the page that was read.
        """
        guide, page = self._the_guide(), self._shell.guide_page()
        if page != self._guide_is_of:
            guide.open_at(page)
            self._guide_is_of = page
        self._bring_to_front(guide)

    def show_gallery(self) -> None:
        """Open the guide at what the models make."""
        guide = self._the_guide()
        guide.show_gallery()
        self._guide_is_of = ""
        self._bring_to_front(guide)

    def _the_guide(self) -> GuideWindow:
        if self.guide is None:
            folder, shell = assets() / "guide", self._shell
            nouns = {stage.room.words.domain: stage.room.words.noun for stage in shell.stages}
            self.guide = GuideWindow(read_guide(folder), GalleryPage(folder, nouns, self._theme), self._theme, shell)
            self.guide.recipe_asked.connect(self._use)
            self.guide.link_asked.connect(lambda link: open_outside(link, self._state.notifications))
            if (geometry := self._settings.geometry("guide")) is not None:
                self.guide.restoreGeometry(geometry)
        self._look_for_pictures()
        return self.guide

    def _bring_to_front(self, guide: GuideWindow) -> None:
        guide.show()
        guide.raise_()
        guide.activateWindow()

    def _look_for_pictures(self) -> None:
        """Have the gallery filled, if there is one yet and the models are known."""
        if self.guide is not None and self._state.models_known:
            self._shell.model_folders.gallery(self._state.models)

    def _on_gallery(self, exhibitions: list[Exhibition]) -> None:
        if self.guide is not None:
            self.guide.fill_gallery(exhibitions)

    def _use(self, recipe: Recipe) -> None:
        """Bring the recipe of a picture in the gallery into the form, and show that."""
        what = f"“{shortened(recipe.prompt)}”" if recipe.prompt else "a picture without a prompt"
        self._generation.bring_back(recipe, what)
        self._shell.status.say(f"The form holds {what}, seed {recipe.seed}. Generate makes it.")
        self._shell.activateWindow()

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
