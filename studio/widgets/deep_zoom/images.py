"""Pixels as images that Qt paints, and the checkerboard that shows through them."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from studio.theme.theme import Theme
from studio.theme.tokens import Colours

CHECK = 8
"""Points along the side of a square of the checkerboard."""


def to_image(pixels: UInt8[np.ndarray, "h w 4"]) -> QImage:
    """Pixels with straight alpha as an image that is quick to paint; it owns its memory."""
    height, width, _ = pixels.shape
    image = QImage(np.ascontiguousarray(pixels).data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def to_opaque_image(pixels: UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w"]) -> QImage:
    """Pixels without transparency, in colour or grey, as an image that owns its memory."""
    rows = np.ascontiguousarray(pixels)
    form = QImage.Format.Format_RGB888 if rows.ndim == 3 else QImage.Format.Format_Grayscale8
    return QImage(rows.data, rows.shape[1], rows.shape[0], rows.strides[0], form).convertToFormat(
        QImage.Format.Format_RGB32
    )


def checks(colours: Colours, side: int) -> QBrush:
    """A checkerboard with squares of so many pixels."""
    pattern = QPixmap(2 * side, 2 * side)
    pattern.fill(QColor(colours.check_light))
    painter = QPainter(pattern)
    painter.fillRect(0, 0, side, side, QColor(colours.check_dark))
    painter.fillRect(side, side, side, side, QColor(colours.check_dark))
    painter.end()
    return QBrush(pattern)


class PictureBox(QWidget):
    """A square that shows a picture in its middle, and checks through it."""

    def __init__(self, theme: Theme, side: int) -> None:
        super().__init__()
        self._theme = theme
        self._image: QImage | None = None
        self.setFixedSize(QSize(side, side))
        theme.changed.connect(self.update)

    def show_image(self, image: QImage) -> None:
        """Show a picture, enlarged or reduced to fit the square; small ones as squares of their pixels."""
        self._image = image
        self.update()

    def has_image(self) -> bool:
        """Whether a picture has come."""
        return self._image is not None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), checks(self._theme.colours, CHECK))
        if self._image is not None:
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(1, 1))
            place = QRect(QPoint(), size)
            place.moveCenter(self.rect().center())
            shrinks = self._image.width() > size.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
            painter.drawImage(place, self._image)
