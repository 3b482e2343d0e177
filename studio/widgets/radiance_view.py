"""Shows what a camera sees of a radiance field, scaled until a finer picture comes; says when the camera moves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QWidget

from ddmi_core.rendering.view_settings import Crop, ViewSettings
from studio.theme.tokens import GRID, Colours
from studio.widgets.camera_widget import CameraWidget
from studio.widgets.deep_zoom.bar import paint_bar
from studio.widgets.deep_zoom.images import to_image
from studio.widgets.deep_zoom.split import Split
from studio.widgets.focus_ring import paint_ring
from studio.widgets.orbit_camera import View
from studio.widgets.part_frame import paint_box

FIRST_VIEW = View(azimuth=35.0, elevation=20.0, distance=4.4, fov=35.0)
"""That of `ddmi_core.rendering.cameras.orbit_camera`, so of thumbnails and of the first picture."""

_WHOLE = ViewSettings().crop
_SPEED = 1.2  # units a second, flying
_STEP_MS = 33
_NEAREST = 0.5  # units before the camera, from where on lines are drawn
_DIRECTIONS: dict[int, tuple[int, int, int]] = {
    Qt.Key.Key_W: (0, 0, 1),
    Qt.Key.Key_S: (0, 0, -1),
    Qt.Key.Key_A: (-1, 0, 0),
    Qt.Key.Key_D: (1, 0, 0),
    Qt.Key.Key_E: (0, 1, 0),
    Qt.Key.Key_Q: (0, -1, 0),
}


class RadianceView(CameraWidget):
    """The picture, the edges of a crop box, and a camera path over it. Flying, W A S D move and Q E sink and rise."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(colours, FIRST_VIEW, parent)
        self.setAccessibleName("Radiance field")
        self._image: QImage | None = None
        self._photograph: QImage | None = None
        self._words = ("", "")
        self._split = Split("bicubic")
        self._drags_bar = False
        self._crop = _WHOLE
        self._path: tuple[tuple[float, float, float], ...] = ()
        self._keys_down: set[int] = set()
        self.setMouseTracking(True)  # the pointer tells where the bar can be taken hold of
        self._flight = QTimer(self, interval=_STEP_MS)
        self._flight.timeout.connect(self._fly)
        self._flown_at = 0.0
        self._box = np.full(3, -0.9, dtype=np.float32), np.full(3, 0.9, dtype=np.float32)

    # What is shown

    def show_picture(self, pixels: UInt8[np.ndarray, "h w 4"] | None) -> None:
        """Show a picture seen from where the camera is, or nothing. It fills the height, in the middle."""
        self._image = None if pixels is None else to_image(pixels)
        self._photograph = None
        self.unsetCursor()
        self.update()

    def show_beside(
        self,
        pixels: UInt8[np.ndarray, "h w 4"],
        photograph: UInt8[np.ndarray, "h w 4"],
        words: tuple[str, str],
    ) -> None:
        """Show a picture left of a bar that can be moved, a photograph of the same size right of it, each in words."""
        self._image, self._photograph, self._words = to_image(pixels), to_image(photograph), words
        self.update()

    @property
    def is_parted(self) -> bool:
        """Whether a bar parts the picture from a photograph."""
        return self._photograph is not None

    def move_bar(self, by: float) -> None:
        """Move the bar by a share of the width."""
        self._split = self._split.moved(by)
        self.update()

    def show_crop(self, crop: Crop) -> None:
        """Draw the edges of a crop box, unless it is all of space."""
        self._crop = crop
        self.update()

    def show_path(self, places: Sequence[tuple[float, float, float]]) -> None:
        """Draw the way of a camera."""
        self._path = tuple(places)
        self.update()

    def screenshot(self) -> QImage:
        """The picture as it stands, at the screen's resolution, without what is drawn over it."""
        ratio = self.devicePixelRatioF()
        image = QImage((QSize(self.width(), self.height()) * ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        self._paint_picture(painter)
        painter.end()
        return image

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        super().set_colours(colours)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture and what lies over it."""
        painter = QPainter(self)
        self._paint_picture(painter)
        paint_ring(self, painter, self._colours.accent)
        if self._image is None:
            return
        if self.is_parted:
            bar = self._split.bar(self.width())
            paint_bar(painter, self._colours, bar, self.height(), *self._words)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._crop != _WHOLE:
            paint_box(painter, self, list(zip(self._crop[:3], self._crop[3:], strict=True)), self._colours.accent)
        if len(self._path) > 1:
            painter.setPen(QPen(QColor(self._colours.star), 1.5))
            places = self.on_screen(np.array(self._path))
            for _, run in itertools.groupby(places, key=lambda place: place is None):  # each stretch that is seen
                painter.drawPolyline(QPolygonF([place for place in run if place is not None]))

    def _paint_picture(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor(self._colours.stage))
        if self._image is None:
            return
        width = self._image.width() * self.height() / self._image.height()
        place = QRectF((self.width() - width) / 2, 0.0, width, self.height())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._photograph is None:
            painter.drawImage(place, self._image)
            return
        bar = self._split.bar(self.width())
        for image, left, right in ((self._image, 0.0, bar), (self._photograph, bar, float(self.width()))):
            painter.setClipRect(QRectF(left, 0.0, right - left, self.height()))
            painter.drawImage(place, image)
        painter.setClipping(False)

    def on_screen(self, points: Float[np.ndarray, "n d"]) -> list[QPointF | None]:
        """Where points are seen; None behind the camera, or so near to it that a line would cross all of the view."""
        from ddmi_core.rendering.cameras import Camera, project  # here, because trimesh must not delay the window

        camera = Camera(self.view.camera_to_world(), self.view.fov)
        pixels, distances = project(camera, points, self.width(), self.height())
        return [
            QPointF(x + 0.5, y + 0.5) if distance > _NEAREST else None
            for (x, y), distance in zip(pixels, distances, strict=True)
        ]

    # The bar

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the bar, or of what is seen."""
        self._drags_bar = self.is_parted and self._split.holds(event.position().x(), self.width())
        if not self._drags_bar:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the bar, or the camera."""
        x = event.position().x()
        if self._drags_bar:
            self._split = self._split.at(x / max(1, self.width()))
            self.update()
            return
        if self.is_parted and self._split.holds(x, self.width()):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.unsetCursor()
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._drags_bar = False
        super().mouseReleaseEvent(event)

    # Flying

    def event(self, event: QEvent) -> bool:
        """Keep the keys that fly from being taken for shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._flies(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Set off."""
        if not self._flies(event):
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self._keys_down.add(event.key())
            if not self._flight.isActive():
                self._flown_at = time.monotonic()
                self._flight.start()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Stop."""
        if not event.isAutoRepeat():
            self._keys_down.discard(event.key())
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Stop: nobody tells when a key is let go of now."""
        self._keys_down.clear()
        super().focusOutEvent(event)

    def _flies(self, event: QKeyEvent) -> bool:
        unmodified = not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        return self.flying and unmodified and event.key() in _DIRECTIONS

    def _fly(self) -> None:
        if not self._keys_down:
            self._flight.stop()
            return
        now = time.monotonic()
        way = _SPEED * min(now - self._flown_at, 0.2) * np.sum([_DIRECTIONS[key] for key in self._keys_down], axis=0)
        self._flown_at = now
        self.set_view(self.view.moved(float(way[0]), float(way[1]), float(way[2])))

    def minimumSizeHint(self) -> QSize:
        """Small enough for every window."""
        return QSize(30 * GRID, 25 * GRID)
