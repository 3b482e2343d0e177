"""The theme in use: applies colours to the whole application and hands out tinted icons."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QAction, QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QAbstractButton, QApplication, QStyleFactory
from shiboken6 import isValid

from studio.theme.icons import svg_source, tinted_icon
from studio.theme.stylesheet import image_colours, stylesheet
from studio.theme.tokens import FONT_BODY, FONT_FAMILIES, THEMES, Colours

ThemeChoice = Literal["system", "dark", "light"]
IconRole = Literal["icon", "muted", "on_accent", "accent", "error", "success", "star"]
HasIcon = QAbstractButton | QAction


class Theme(QObject):
    """Owns the application's look. Widgets that paint themselves follow `changed`."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: ThemeChoice = "system") -> None:
        super().__init__(app)
        self._app = app
        self._images = QTemporaryDir()
        self._choice: ThemeChoice = choice
        self._bound: WeakKeyDictionary[HasIcon, tuple[str, IconRole]] = WeakKeyDictionary()
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setFont(_font())
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_change)
        self._apply()

    @property
    def choice(self) -> ThemeChoice:
        """What the person chose."""
        return self._choice

    @choice.setter
    def choice(self, choice: ThemeChoice) -> None:
        if choice != self._choice:
            self._choice = choice
            self._apply()

    @property
    def name(self) -> str:
        """`dark` or `light`: the choice, or the system's (dark where the system does not say)."""
        if self._choice != "system":
            return self._choice
        return "light" if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light else "dark"

    @property
    def colours(self) -> Colours:
        """The colours in use."""
        return THEMES[self.name]

    def icon(self, name: str, role: IconRole = "icon") -> QIcon:
        """An icon in the theme's colours, as they are now. `icon` turns to the accent colour while checked."""
        c = self.colours
        normal: str = getattr(c, role)
        return tinted_icon(name, normal, c.accent if role == "icon" else normal, c.disabled)

    def bind_icon(self, target: HasIcon, name: str, role: IconRole = "icon") -> None:
        """Give a button or an action an icon that follows the theme; naming another one later replaces it."""
        self._bound[target] = (name, role)
        target.setIcon(self.icon(name, role))

    def _on_system_change(self) -> None:
        if self._choice == "system":
            self._apply()

    def _apply(self) -> None:
        folder = Path(self._images.path()) / self.name
        folder.mkdir(exist_ok=True)
        for file, (icon, colour) in image_colours(self.colours).items():
            (folder / file).write_bytes(svg_source(icon, colour))
        for target, (name, role) in list(self._bound.items()):
            if isValid(target):
                target.setIcon(self.icon(name, role))
        self._app.setPalette(_palette(self.colours))
        self._app.setStyleSheet(stylesheet(self.colours, folder))
        self.changed.emit()


def _font() -> QFont:
    """The first of the theme's families that is installed, with figures of equal width."""
    installed = set(QFontDatabase.families())
    font = QFont(QApplication.font())
    family = next((name for name in FONT_FAMILIES if name in installed), None)
    if family is not None:
        font.setFamily(family)
    font.setPixelSize(FONT_BODY)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(c: Colours) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: c.panel,
        QPalette.ColorRole.WindowText: c.text,
        QPalette.ColorRole.Base: c.control,
        QPalette.ColorRole.AlternateBase: c.raised,
        QPalette.ColorRole.Text: c.text,
        QPalette.ColorRole.Button: c.control,
        QPalette.ColorRole.ButtonText: c.text,
        QPalette.ColorRole.BrightText: c.error,
        QPalette.ColorRole.Highlight: c.accent,
        QPalette.ColorRole.HighlightedText: c.on_accent,
        QPalette.ColorRole.ToolTipBase: c.raised,
        QPalette.ColorRole.ToolTipText: c.text,
        QPalette.ColorRole.Link: c.accent,
        QPalette.ColorRole.PlaceholderText: c.muted,
        QPalette.ColorRole.Mid: c.line,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(c.disabled))
    return palette
