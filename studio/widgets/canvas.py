"""What a stage shows its signals on."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from studio.theme.tokens import Colours


class Canvas(QWidget):
    """A widget that draws a signal in a theme's colours."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours

    @abstractmethod
    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""

    @abstractmethod
    def screenshot(self) -> QImage:
        """The view as it stands.

        Raises:
            DDMIError: it cannot be drawn on this system.
        """
