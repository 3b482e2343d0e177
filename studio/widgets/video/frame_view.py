"""The deep-zoom viewer for pictures that move: while they do, one drawing of all that is seen; tiles once they rest."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import UInt8
from PySide6.QtCore import QPoint, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from studio.theme.tokens import Colours
from studio.widgets.deep_zoom.geometry import BASE, SMALLEST_SIDE, WHOLE, Look, Region, Window
from studio.widgets.deep_zoom.images import to_image
from studio.widgets.deep_zoom.split import Split
from studio.widgets.deep_zoom.viewer import DeepZoom


class FrameView(DeepZoom):
    """Shows a moment of a clip at any zoom. `tiles_wanted` speaks of the moment that was shown last."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours)
        self._frame: tuple[int, Window, QImage] | None = None
        self._moving = False
        self.setAccessibleName("Clip")

    def show_frame(self, side: int, window: Window, pixels: UInt8[np.ndarray, "h w 4"], *, moving: bool) -> None:
        """Show a moment, given a window of a drawing of it. Where it rests, tiles of it are asked for."""
        self.cache.clear()
        self._coarse = None
        self._forget_wishes()
        self._frame = side, window, to_image(pixels)
        self._moving = moving
        if not moving:
            self._ask_soon.start()
        self.update()

    def show_picture(
        self,
        pixels: UInt8[np.ndarray, "h w 4"] | None,
        extent: Region = WHOLE,
        *,
        base: int = BASE,
        beside_file: bool = False,
    ) -> None:
        """Show another clip, given one frame of it, or nothing."""
        self._frame, self._moving = None, False
        super().show_picture(pixels, extent, base=base, beside_file=beside_file)

    def _set_split(self, split: Split) -> None:
        super()._set_split(split)
        self.look_changed.emit()  # what is drawn ahead has the bar elsewhere

    def _ask(self) -> None:
        if not self._moving:
            super()._ask()

    def _paint_picture(self, painter: QPainter, look: Look, *, smooth: bool) -> None:
        if self._frame is None:
            super()._paint_picture(painter, look, smooth=smooth)
            return
        side, window, image = self._frame
        scale = look.side / side
        left, top, width, height = window
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(
            QRectF(left * scale - look.left, top * scale - look.top, width * scale, height * scale), image
        )

    def _colour_at(self, look: Look, x: int, y: int) -> QColor | None:
        if self._frame is None or not self._moving:
            return super()._colour_at(look, x, y)
        side, (left, top, _, _), image = self._frame
        place = QPoint(int((look.left + x) * side / look.side) - left, int((look.top + y) * side / look.side) - top)
        return image.pixelColor(place) if image.rect().contains(place) else None


def seen_window(look: Look, side: int) -> tuple[int, Window]:
    """Return the side of a drawing of about `side` pixels, and the window of it that a look shows, rounded outwards."""
    side = max(SMALLEST_SIDE, side)
    scale = side / look.side
    left, top, width, height = look.window
    x0, y0 = math.floor(left * scale), math.floor(top * scale)
    x1, y1 = min(side, math.ceil((left + width) * scale)), min(side, math.ceil((top + height) * scale))
    return side, (x0, y0, max(1, x1 - x0), max(1, y1 - y0))


def visible_share(look: Look) -> float:
    """Return the share of the whole drawing that a look shows."""
    _, _, width, height = look.window
    return width * height / look.side**2
