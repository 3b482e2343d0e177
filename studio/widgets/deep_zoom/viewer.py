"""The viewer: paints the tiles there are, asks for those that are missing, and follows mouse and keyboard.

It evaluates nothing. `tiles_wanted` and `enlarged_wanted` say what it lacks, and `add_tile` takes what comes. Until a
tile is there, the best stand-in is painted: tiles of the zoom before, a coarse frame, the picture of 256 pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)

from studio.state.memory import MemoryBudget
from studio.theme.tokens import GRID, Colours
from studio.widgets.canvas import Canvas
from studio.widgets.deep_zoom.bar import paint_bar
from studio.widgets.deep_zoom.geometry import (
    BASE,
    CAP,
    WHOLE,
    Look,
    Region,
    Window,
    fitted,
    largest_side,
    one_to_one,
)
from studio.widgets.deep_zoom.images import CHECK, checks, to_image
from studio.widgets.deep_zoom.navigator import Navigator
from studio.widgets.deep_zoom.split import Compare, Split
from studio.widgets.deep_zoom.tiles import (
    Source,
    Tile,
    TileCache,
    coarse_window,
    nearest_first,
    tile_of,
    visible_tiles,
)
from studio.widgets.focus_ring import paint_ring

WHEEL_FACTOR = 1.25
_GRID_FROM = 32  # px of the screen that a pixel takes from which on a grid parts it from the others
_GRID_ALPHA = 0.5
_SMOOTH = QPainter.RenderHint.SmoothPixmapTransform


@dataclass(frozen=True)
class MissingTiles:
    """Windows of drawings that the viewer lacks: one coarse frame, then tiles, the most wanted first."""

    side: int
    windows: tuple[Window, ...]
    coarse_side: int
    coarse: Window


@dataclass(frozen=True)
class Pointed:
    """What is under the pointer: canvas coordinates, and the colour with its opacity if it is on the canvas."""

    x: float
    y: float
    colour: QColor | None


class DeepZoom(Canvas):
    """Shows one continuous picture at any zoom."""

    seen_axes = 2
    tiles_wanted = Signal(object)
    """MissingTiles: what is missing of the function, instead of everything asked for before."""
    enlarged_wanted = Signal(str, int, object)
    """How the picture is enlarged that the function is compared with (a Source), the side, and the windows of it that
    are missing, instead of those asked for before."""
    look_changed = Signal()
    pointed = Signal(object)
    """Pointed, or None once the pointer has left."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours)
        self.cache: TileCache[QImage] = TileCache(MemoryBudget().tiles)
        self.split = Split()
        self.cap: float = CAP
        self._pixels: UInt8[np.ndarray, "h w 4"] | None = None
        self._picture: QImage | None = None
        self._coarse: tuple[int, Window, QImage] | None = None
        self._extent = WHOLE
        self._base = BASE
        self._beside_file = False
        self._look: Look | None = None
        self._fitted = True
        self._wished: tuple[int, frozenset[Window]] = (0, frozenset())
        self._enlargement_wished: tuple[str, int, frozenset[Window]] = ("", 0, frozenset())
        self._pointer: QPointF | None = None
        self._drag: QPointF | None = None
        self._drags_bar = False
        self._navigator_on = True
        self.navigator = Navigator(colours, self)
        self.navigator.chosen.connect(self.centre)
        self.navigator.hide()
        self._ask_soon = QTimer(self, singleShot=True, interval=0)  # one question for all changes of one moment
        self._ask_soon.timeout.connect(self._ask)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("canvas", True)  # messages may lie over it
        self.setAccessibleName("Picture")
        self.setMinimumSize(160, 120)

    # What is shown

    @property
    def look(self) -> Look | None:
        """Where the viewer looks; None without a picture."""
        return self._look

    @property
    def pixels(self) -> UInt8[np.ndarray, "h w 4"] | None:
        """The picture of the base resolution that the function is compared with."""
        return self._pixels

    @property
    def beside_file(self) -> bool:
        """Whether the function is compared with the file that it stands for."""
        return self._beside_file

    def show_picture(
        self,
        pixels: UInt8[np.ndarray, "h w 4"] | None,
        extent: Region = WHOLE,
        *,
        base: int = BASE,
        beside_file: bool = False,
    ) -> None:
        """Show another picture, given how it looks at the base resolution, or nothing.

        Args:
            pixels: the whole canvas.
            extent: the part of the canvas that it covers.
            base: side of the drawing that counts as zoom 1: that of the file that it stands for, if there is one.
            beside_file: whether it is compared with that file, of which tiles are then wanted, instead of `pixels`.
        """
        self.cache.clear()
        self._coarse = None
        self._forget_wishes()
        self._pixels, self._extent, self._base, self._beside_file = pixels, extent, base, beside_file
        self._picture = to_image(pixels) if pixels is not None else None
        self.navigator.show_picture(self._picture)
        self._look = None  # or the look of the last picture would pass for one that was asked for already
        if pixels is None:
            self.navigator.hide()
            self.look_changed.emit()
            self.update()
        else:
            self.fit()

    def add_tile(self, source: Source, side: int, window: Window, pixels: UInt8[np.ndarray, "h w 4"]) -> None:
        """Take a tile that was asked for."""
        self.cache.put(tile_of(source, side, window), to_image(pixels))
        self.update()
        if self._pointer is not None:
            self._point()

    def set_coarse(self, side: int, window: Window, pixels: UInt8[np.ndarray, "h w 4"]) -> None:
        """Take the coarse frame that was asked for."""
        self._coarse = (side, window, to_image(pixels))
        self.update()

    def is_sharp(self) -> bool:
        """Whether all that is visible of the function is drawn at the screen's own pixels."""
        return self._look is not None and all(
            tile in self.cache for tile in visible_tiles(self.split.parts(self._look)[0])
        )

    def screenshot(self) -> QImage:
        """The view as it stands, without the navigator."""
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        self._paint(painter, self.rect())
        painter.end()
        return image

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        self._colours = colours
        self.navigator.set_colours(colours)
        self.update()

    # Where one looks

    def fit(self) -> None:
        """Show all of the picture."""
        if self._pixels is not None:
            width, height = self._device_size()
            self._fitted = True
            self._set(fitted(width, height, self._extent, self.cap, self._base))

    def one_to_one(self) -> None:
        """Show one device pixel for each pixel of the file, or of a picture of the base resolution."""
        if self._look is not None:
            self._go(one_to_one(self._look))

    def zoom(self, factor: float) -> None:
        """Zoom in or out around the pointer, or around the middle."""
        if self._look is not None:
            self._go(self._look.zoomed(factor, *self._anchor(), self.cap))

    def pan(self, right: float, down: float) -> None:
        """Move by shares of the viewport's smaller side."""
        if self._look is not None:
            step = min(self._look.width, self._look.height)
            self._go(self._look.panned(right * step, down * step))

    def centre(self, x: float, y: float) -> None:
        """Bring canvas coordinates to the middle."""
        if self._look is not None:
            self._go(self._look.centred(x, y))

    def lift_cap(self, lifted: bool) -> None:
        """Allow every zoom that the coordinates can tell apart, or no more than the cap."""
        self.cap = math.inf if lifted else CAP
        if self._look is not None:
            self._go(self._look.sized(self._look.side, *self._anchor(), self.cap))

    @property
    def is_capped(self) -> bool:
        """Whether one is as near as the cap allows."""
        return self._look is not None and self._look.side >= largest_side(self.cap, self._base)

    def show_navigator(self, on: bool) -> None:
        """Show the navigator whenever not all of the picture is seen, or never."""
        self._navigator_on = on
        self._place_navigator()

    def compare(self, compare: Compare) -> None:
        """Choose what the right side of the bar shows."""
        self._set_split(Split(compare, self.split.share))

    def move_bar(self, by: float) -> None:
        """Move the bar by a share of the viewport's width."""
        if self.split.is_on:
            self._set_split(self.split.moved(by))

    def look_at(self, look: Look) -> None:
        """Look where one has looked before."""
        self._go(look.resized(*self._device_size()))

    def _go(self, look: Look) -> None:
        self._fitted = False
        self._set(look)

    def _set(self, look: Look) -> None:
        if look != self._look:
            self._look = look
            self._place_navigator()
            self._ask_soon.start()
            self.look_changed.emit()
            if self._pointer is not None:
                self._point()
        self.update()

    def _set_split(self, split: Split) -> None:
        self.split = split
        self._ask_soon.start()
        self.update()

    def _anchor(self) -> tuple[float, float]:
        """Where to zoom around, in device pixels."""
        place = self._pointer if self._pointer is not None else QPointF(self.rect().center())
        return place.x() * self.devicePixelRatioF(), place.y() * self.devicePixelRatioF()

    def _device_size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))

    def _place_navigator(self) -> None:
        look = self._look
        self.navigator.setVisible(self._navigator_on and look is not None and not look.shows_all)
        self.navigator.move(2 * GRID, self.height() - self.navigator.height() - 2 * GRID)
        if look is not None:
            self.navigator.show_look(look)

    # What is missing

    def _ask(self) -> None:
        """Ask for what is visible and not there, unless it has been asked for already."""
        if self._look is None or not self.isVisible():
            return
        look = self._look
        function, pixels = self.split.parts(look)
        missing = self._missing("function", function)
        if not (missing and self._wished[0] == look.side and self._wished[1].issuperset(missing)):
            self._wished = (look.side, frozenset(missing))
            coarse_side, coarse = coarse_window(look)
            self.tiles_wanted.emit(MissingTiles(look.side, tuple(missing), coarse_side, coarse))
        if (source := self._compared()) is not None:
            missing = self._missing(source, pixels)
            *wished, windows = self._enlargement_wished
            if not (wished == [source, look.side] and windows.issuperset(missing)):
                self._enlargement_wished = (source, look.side, frozenset(missing))
                self.enlarged_wanted.emit(source, look.side, tuple(missing))

    def _compared(self) -> Source | None:
        """What comes as tiles to the right of the bar; None where there is no bar, or just squares of the picture."""
        match self.split.compare:
            case "bicubic":
                return "bicubic"
            case "nearest" if self._beside_file:
                return "nearest"
        return None

    def _missing(self, source: Source, part: Look) -> list[Window]:
        x, y = self._anchor()
        tiles = [tile for tile in visible_tiles(part, source) if tile not in self.cache]
        return [tile.window for tile in nearest_first(tiles, part, x, y)]

    def _forget_wishes(self) -> None:
        self._wished = (0, frozenset())
        self._enlargement_wished = ("", 0, frozenset())

    def on_screen(self, points: Float[np.ndarray, "n d"]) -> list[QPointF | None]:
        """Where points of the canvas are seen, whenever they are; None without a picture."""
        if self._look is None:
            return super().on_screen(points)
        ratio = self.devicePixelRatioF()
        places = (self._look.place(float(x), float(y)) for x, y, *_ in points)
        return [QPointF(right / ratio, down / ratio) for right, down in places]

    def point_at(self, place: QPointF) -> tuple[float, ...] | None:
        """Which point of the canvas is seen at a place of the widget; None beside the picture."""
        if self._look is None:
            return None
        ratio = self.devicePixelRatioF()
        x, y = self._look.coordinates(place.x() * ratio, place.y() * ratio)
        left, top, right, bottom = self._extent
        return (x, y) if left <= x <= right and top <= y <= bottom else None

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the view, and a ring where the keys go."""
        painter = QPainter(self)
        self._paint(painter, event.rect())
        paint_ring(self, painter, self._colours.accent)

    def _paint(self, painter: QPainter, place: QRect) -> None:
        """Paint in device pixels, so that nothing is resampled."""
        look = self._look
        painter.fillRect(place, QColor(self._colours.stage))
        if look is None or self._picture is None:
            return
        ratio = self.devicePixelRatioF()
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        corner = painter.deviceTransform()  # may lie between pixels where the ratio is no whole number
        painter.translate(round(corner.dx()) - corner.dx(), round(corner.dy()) - corner.dy())
        self._paint_checks(painter, look, ratio)
        bar = round(self.split.bar(look.width))
        painter.setClipRect(QRect(0, 0, bar, look.height))
        self._paint_source(painter, "function", self.split.parts(look)[0], look)
        if self.split.is_on:
            painter.setClipRect(QRect(bar, 0, look.width - bar, look.height))
            if (source := self._compared()) is None:
                self._paint_picture(painter, look, smooth=False)
            else:
                self._paint_source(painter, source, self.split.parts(look)[1], look)
            if self.split.compare == "nearest":
                self._paint_grid(painter, look, QRect(bar, 0, look.width - bar, look.height), ratio)
        painter.restore()
        if self.split.is_on:
            self._paint_bar(painter, bar / ratio)

    def _paint_grid(self, painter: QPainter, look: Look, part: QRect, ratio: float) -> None:
        """Lines between the pixels that the function is compared with, once these are large."""
        pixel = look.side / self._base
        if pixel < _GRID_FROM * ratio:
            return
        (left, top), (right, bottom) = look.place(*self._extent[:2]), look.place(*self._extent[2:])
        seen = QRectF(left, top, right - left, bottom - top) & QRectF(part)
        colour = QColor(self._colours.muted)
        colour.setAlphaF(_GRID_ALPHA)
        painter.setPen(QPen(colour, 0))
        for x in _borders(left, pixel, seen.left(), seen.right()):
            painter.drawLine(QLineF(x, seen.top(), x, seen.bottom()))
        for y in _borders(top, pixel, seen.top(), seen.bottom()):
            painter.drawLine(QLineF(seen.left(), y, seen.right(), y))

    def _paint_checks(self, painter: QPainter, look: Look, ratio: float) -> None:
        """The checkerboard that shows through where the picture is transparent."""
        left, top, width, height = look.window
        place = QRect(left - look.left, top - look.top, width, height)
        painter.fillRect(place, checks(self._colours, round(CHECK * ratio)))

    def _paint_source(self, painter: QPainter, source: Source, part: Look, look: Look) -> None:
        found = [(tile, self.cache.get(tile)) for tile in visible_tiles(part, source)]
        if all(image is not None for _, image in found):
            self._paint_tiles(painter, look, found)
            return
        # Each layer replaces what is below it, rather than being blended with it where it is transparent.
        layer = QImage(look.width, look.height, QImage.Format.Format_ARGB32_Premultiplied)
        layer.fill(Qt.GlobalColor.transparent)
        inner = QPainter(layer)
        inner.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        inner.setClipRect(QRect(part.left - look.left, 0, part.width, look.height))
        self._paint_picture(inner, look, smooth=True)
        inner.setRenderHint(_SMOOTH)
        if source == "function" and self._coarse is not None:
            side, window, image = self._coarse
            if side > BASE:
                inner.drawImage(_place(look, side, window), image)
        for tile, image in self.cache.around(look, source):
            inner.drawImage(_place(look, tile.side, tile.window), image)
        self._paint_tiles(inner, look, found)
        inner.end()
        painter.drawImage(0, 0, layer)

    def _paint_tiles(self, painter: QPainter, look: Look, found: list[tuple[Tile, QImage | None]]) -> None:
        for tile, image in found:
            if image is not None:
                painter.drawImage(QPoint(tile.window[0] - look.left, tile.window[1] - look.top), image)

    def _paint_picture(self, painter: QPainter, look: Look, *, smooth: bool) -> None:
        """The picture of the base resolution, as squares or smoothly; only as much of it as is seen."""
        assert self._picture is not None
        picture = QRect(QPoint(), self._picture.size())
        scale = picture.width() / look.side
        left, top, width, height = look.window
        seen = QRectF(left * scale, top * scale, width * scale, height * scale)
        part = seen.toAlignedRect().adjusted(-1, -1, 1, 1).intersected(picture)
        if not part.isEmpty():
            painter.setRenderHint(_SMOOTH, smooth)
            window = (part.x(), part.y(), part.width(), part.height())
            painter.drawImage(_place(look, picture.width(), window), self._picture, QRectF(part))

    def _paint_bar(self, painter: QPainter, x: float) -> None:
        """The bar, its grip, and what is on its right."""
        beside = "The file" if self._beside_file else f"{BASE} px"
        paint_bar(painter, self._colours, x, self.height(), "Function", f"{beside}, {self.split.compare}")

    # Under the pointer

    def _point(self) -> None:
        look, place = self._look, self._pointer
        if look is None or place is None:
            self.pointed.emit(None)
            return
        ratio = self.devicePixelRatioF()
        x, y = place.x() * ratio, place.y() * ratio
        self.pointed.emit(Pointed(*look.coordinates(x, y), self._colour_at(look, int(x), int(y))))

    def _colour_at(self, look: Look, x: int, y: int) -> QColor | None:
        """The colour that is shown at a device pixel, from the sharpest there is; None beside the canvas."""
        column, row = look.left + x, look.top + y
        if self._picture is None or not (0 <= column < look.side and 0 <= row < look.side):
            return None
        source = self._compared() if x >= self.split.bar(look.width) else "function"
        if source is not None:
            tile = tile_of(source, look.side, (column, row, 0, 0))
            image = self.cache.get(tile)
            if image is not None:
                return image.pixelColor(column - tile.window[0], row - tile.window[1])
        scale = self._picture.width() / look.side
        return self._picture.pixelColor(int((column + 0.5) * scale), int((row + 0.5) * scale))

    # Qt

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer."""
        self._pointer = event.position()
        turns = event.angleDelta().y() / 120
        if turns:
            self.zoom(WHEEL_FACTOR**turns)
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Zoom by pinching; follow the window to a screen with another pixel ratio."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._pointer = event.position()
            self.zoom(max(0.2, 1 + event.value()))
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange and self._look is not None:
            width, height = self._device_size()
            self._set(self._look.rescaled(width, height, width / self._look.width))
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the bar, or of the picture."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._drag = event.position()
        self._drags_bar = self.split.holds(event.position().x(), self.width())
        self._show_cursor()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the bar or the picture; say what is under the pointer."""
        self._pointer = event.position()
        if self._drag is not None and self._look is not None:
            if self._drags_bar:
                self._set_split(self.split.at(event.position().x() / max(1, self.width())))
            else:
                moved = (event.position() - self._drag) * self.devicePixelRatioF()
                self._go(self._look.panned(-moved.x(), -moved.y()))
            self._drag = event.position()
        self._show_cursor()
        self._point()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._drag = None
        self._show_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all of the picture."""
        self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._pointer = None
        self._point()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle, or all of the picture in view."""
        super().resizeEvent(event)
        if self._look is not None:
            if self._fitted:
                self.fit()
            else:
                self._set(self._look.resized(*self._device_size()))
        self._place_navigator()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what was not asked for while nobody looked."""
        super().showEvent(event)
        self._forget_wishes()
        self._ask_soon.start()

    def _show_cursor(self) -> None:
        over_bar = self._pointer is not None and self.split.holds(self._pointer.x(), self.width())
        if (self._drags_bar and self._drag is not None) or (self._drag is None and over_bar):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        elif self._drag is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            self.setCursor(self.resting_cursor)


def _borders(first: float, step: float, low: float, high: float) -> list[float]:
    """The places from `first` on, so far from each other, that lie between two."""
    return [first + step * n for n in range(math.ceil((low - first) / step), math.floor((high - first) / step) + 1)]


def _place(look: Look, side: int, window: Window) -> QRectF:
    """Where a window of a drawing with another side lies in the viewport."""
    scale = look.side / side
    left, top, width, height = window
    return QRectF(left * scale - look.left, top * scale - look.top, width * scale, height * scale)
