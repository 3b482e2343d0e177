"""What the viewport draws, in OpenGL: a lit surface on a floor, in steps that are short even in software."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget
from vispy import gloo

from ddmi_core.rendering.mesh_pieces import MeshPiece
from ddmi_core.rendering.sections import Plane, Section, beyond
from studio.theme.tokens import Colours
from studio.widgets import shaders
from studio.widgets.camera_widget import EMPTY_BOX, Box
from studio.widgets.matcaps import Matcap, matcap
from studio.widgets.offscreen import OffscreenScene
from studio.widgets.orbit_camera import View

_SAMPLES = 4  # a pixel, in the fine form
_TILE = 2048  # px of a side that are drawn at once of a picture of any size
_WHOLE = (1.0, 1.0, 0.0, 0.0)
_OVER = ("src_alpha", "one_minus_src_alpha", "one", "one_minus_src_alpha")  # alpha becomes what covers the background
_BANDS, _LIGHT_BANDS = 4, 2  # in which what fills a frame is drawn: all of it takes too long at once
_MARGIN = 2  # rows around a piece that its smoothed edges may touch
_GLASS_ALPHA = 0.55
_SHADOW_SIZE = 256
_NO_PLANE: Plane = (0.0, 0.0, 0.0, -1.0)  # cuts nothing away
_CUT_MARGIN = 0.05  # of a box's sides: the surface may become a little larger when it is seen better
_HATCH = 1 / 40  # of the picture's height, about, from a line to the next
_BLURS = ((0, 1, (1, 0)), (1, 0, (0, 1)), (0, 1, (1.5, 0)), (1, 0, (0, 1.5)))  # from, to, step
_QUAD = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], dtype=np.float32)
_POINT = np.dtype([("position", np.float32, 3), ("normal", np.float32, 3)])


class _Buffers:
    """A piece on the graphics card, brought there when it is first drawn."""

    def __init__(self, piece: MeshPiece) -> None:
        self._piece = piece
        self.corners = np.array(np.meshgrid(*zip(piece.low, piece.high, strict=True))).reshape(3, -1)
        self._points: gloo.VertexBuffer | None = None
        self._faces: gloo.IndexBuffer | None = None
        self._edges: gloo.IndexBuffer | None = None
        self._marks: gloo.VertexBuffer | None = None
        self.is_marked = piece.marks is not None

    def is_beyond(self, plane: Plane) -> bool:
        """Whether a plane cuts all of it away."""
        return bool((beyond(self.corners.T, plane) > 0).all())

    @property
    def piece(self) -> MeshPiece:
        return self._piece

    @property
    def points(self) -> gloo.VertexBuffer:
        if self._points is None:
            self._points = gloo.VertexBuffer(self._piece.points.view(_POINT).reshape(-1))
        return self._points

    @property
    def marks(self) -> gloo.VertexBuffer:
        if self._marks is None:
            marks = self._piece.marks
            self._marks = gloo.VertexBuffer(np.zeros(len(self._piece.points), np.float32) if marks is None else marks)
        return self._marks

    @property
    def faces(self) -> gloo.IndexBuffer:
        if self._faces is None:
            self._faces = gloo.IndexBuffer(self._piece.faces)
        return self._faces

    @property
    def edges(self) -> gloo.IndexBuffer:
        if self._edges is None:
            self._edges = gloo.IndexBuffer(self._piece.edges)
        return self._edges


def _rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def mark_colours(colours: Colours) -> tuple[str, str, str]:
    """What points that are marked with 0, 0.5 and 1 are coloured with."""
    return colours.accent, colours.star, colours.error


def box_around(pieces: Sequence[MeshPiece]) -> Box:
    """The box around a surface; where there is none, the one that a camera is given to look at."""
    if not pieces:
        return EMPTY_BOX
    return np.min([piece.low for piece in pieces], axis=0), np.max([piece.high for piece in pieces], axis=0)


class ShapeScene(OffscreenScene):
    """The surface has a light form, to be drawn while the camera moves, and a fine one for when it rests."""

    def __init__(self, owner: QWidget, colours: Colours) -> None:
        super().__init__(owner)
        self.use()
        self.wireframe = False
        self.grid = True
        self._light: list[_Buffers] = []
        self._fine: list[_Buffers] = []
        self._other: list[_Buffers] = []  # that shines through
        self._cast_shadow: list[_Buffers] = []  # what the shadow is still to be drawn of
        self._has_shadow = False
        self._section: Section | None = None
        self._matcap: Matcap | None = None
        self._box = EMPTY_BOX
        self._origin = (0.0, float(EMPTY_BOX[0][1]), 0.0)
        self._extent = 2.0
        quad = gloo.VertexBuffer(_QUAD)
        self._background = gloo.Program(shaders.BACKGROUND_VERTEX, shaders.BACKGROUND_FRAGMENT)
        self._background["position"] = quad
        self._floor = gloo.Program(shaders.FLOOR_VERTEX, shaders.FLOOR_FRAGMENT)
        self._floor["position"] = quad
        self._floor["reach"] = 3.6
        either = (False, True)
        self._bodies = {(cut, of_ball): _body(cut=cut, of_ball=of_ball) for cut in either for of_ball in either}
        """By whether a plane cuts them, and whether a matcap lights them."""
        self._cut = gloo.Program(shaders.CUT_VERTEX, shaders.CUT_FRAGMENT)
        self._lines = gloo.Program(shaders.LINE_VERTEX, shaders.LINE_FRAGMENT)
        self._drop = gloo.Program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT)
        self._blur = gloo.Program(shaders.BACKGROUND_VERTEX, shaders.BLUR_FRAGMENT)
        self._blur["position"], self._blur["window"] = quad, _WHOLE
        shape = (_SHADOW_SIZE, _SHADOW_SIZE, 4)
        self._shadows = [gloo.Texture2D(shape, interpolation="linear", wrapping="clamp_to_edge") for _ in range(2)]
        depth = gloo.RenderBuffer(shape[:2], "depth")
        self._shadow_targets = [
            gloo.FrameBuffer(self._shadows[0], depth),
            gloo.FrameBuffer(self._shadows[1]),
        ]
        self._floor["shadow"] = self._shadows[0]
        self.set_colours(colours)

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        self._background["edge"] = _rgb(colours.stage)
        self._background["glow"] = _rgb(colours.stage_glow)
        self._clay, self._glass = _rgb(colours.clay), _rgb(colours.accent)
        for name, colour in zip(("low", "middle", "high"), mark_colours(colours), strict=True):
            for body in self._bodies.values():
                body[name] = _rgb(colour)
        for program in (self._bodies[True, False], self._bodies[True, True], self._cut):
            program["cut"] = _rgb(colours.cut)
        self._cut["hatch"] = _rgb(colours.cut_hatch)
        self._floor["line_colour"] = _rgb(colours.grid)
        self._floor["shadow_colour"] = _rgb(colours.shadow)
        self.shade = colours.shadow_strength
        self._lines["colour"] = (*_rgb(colours.wire), 0.55)

    def set_surface(self, pieces: Sequence[MeshPiece]) -> None:
        """Another surface, or none, which has a shadow of its own."""
        self._light = self._fine = self._cast_shadow = [_Buffers(piece) for piece in pieces]
        self._has_shadow = False
        low, high = self._box = box_around(pieces)
        self._origin = (float(low[0] + high[0]) / 2, float(low[1]), float(low[2] + high[2]) / 2)
        self._extent = max(0.9 * float(max(high[0] - low[0], high[2] - low[2])), 0.2)

    def set_detail(self, pieces: Sequence[MeshPiece], *, light: bool) -> None:
        """The same surface as finely as it is seen; `light`: its light form, which also stands in for the fine one."""
        self._fine = [_Buffers(piece) for piece in pieces]
        if light:
            self._light = self._fine

    def set_other(self, pieces: Sequence[MeshPiece]) -> None:
        """Another surface that shines through where it lies outside of this one; it shows while the camera rests."""
        self._other = [_Buffers(piece) for piece in pieces]

    @property
    def surface(self) -> list[MeshPiece]:
        """The surface as finely as it is seen."""
        return [buffers.piece for buffers in self._fine]

    @property
    def section(self) -> Section | None:
        """Where what is seen is cut, if it is."""
        return self._section

    @section.setter
    def section(self, section: Section | None) -> None:
        self._section = section
        self._cast_shadow, self._has_shadow = self._light, False

    @property
    def matcap(self) -> Matcap | None:
        """What the surface seems to be made of; None: it is plain."""
        return self._matcap

    @matcap.setter
    def matcap(self, name: Matcap | None) -> None:
        self._matcap = name
        if name is not None:
            self.use()
            ball = gloo.Texture2D(matcap(name), interpolation="linear", wrapping="clamp_to_edge")
            for cut in (False, True):
                self._bodies[cut, True]["ball"] = ball

    @property
    def plane(self) -> Plane | None:
        """What cuts the surface, if something does."""
        return None if self._section is None else self._section.plane(*self._box)

    def drawing(self, view: View, size: QSize, *, light: bool = False) -> Iterator[QImage | None]:
        """Draw a frame of a size in pixels, in parts: None until it is complete.

        `light`: draw the light form, without smoothing of edges, and the shadow only if it is there already.

        Raises:
            NoOpenGL: there is no OpenGL.
        """
        return self.in_parts(self._steps(view, size, light=light), size, samples=0 if light else _SAMPLES)

    def picture(self, view: View, size: QSize, *, transparent: bool) -> QImage:
        """Draw a picture of any size in pixels now, in its fine form; a frame that is under way is spoilt.

        `transparent`: without the background and the grid; shadow and glass are as transparent as they are.

        Raises:
            NoOpenGL: there is no OpenGL.
        """
        kind = QImage.Format.Format_ARGB32_Premultiplied if transparent else QImage.Format.Format_RGB32
        picture = QImage(size, kind)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        try:
            for corner in itertools.product(range(0, size.width(), _TILE), range(0, size.height(), _TILE)):
                tile = QRect(QPoint(*corner), QSize(_TILE, _TILE)) & picture.rect()
                steps = self._steps(view, size, tile, transparent=transparent)
                for part in self.in_parts(steps, tile.size(), samples=_SAMPLES, transparent=transparent):
                    if part is not None:
                        painter.drawImage(tile.topLeft(), part)
        finally:
            painter.end()
        return picture

    def _steps(
        self, view: View, whole: QSize, tile: QRect | None = None, *, light: bool = False, transparent: bool = False
    ) -> Iterator[None]:
        """Give gloo the commands of a frame, or of a tile of it; goes on from wherever it was, on the same target."""
        if not light:
            yield from self._shadow_steps()
        tile = tile or QRect(QPoint(0, 0), whole)
        size, aspect = tile.size(), whole.width() / whole.height()
        window = _window(tile, whole)
        camera = view.world_to_camera().T.astype(np.float32)
        projection = (_zoomed_to(window) @ view.projection(aspect)).T.astype(np.float32)
        for program in (*self._bodies.values(), self._cut, self._lines, self._floor):
            program["camera"], program["projection"] = camera, projection
        section, plane = self._section, self.plane  # what comes while this is drawn is for the next frame
        is_cut, has_matcap = section is not None, self._matcap is not None
        for program in (self._lines, self._bodies[True, False], self._bodies[True, True]):
            program["plane"] = plane or _NO_PLANE
        is_seen_into = plane is not None and bool(beyond(view.position()[None], plane)[0] > 0)
        pieces = [one for one in (self._light if light else self._fine) if plane is None or not one.is_beyond(plane)]
        seen = [(one, extent) for one in pieces if (extent := _extent(one, camera @ projection)) is not None]
        highest = -(-size.height() // (_LIGHT_BANDS if light else _BANDS))

        def in_bands(draw: Callable[[], None], extent: tuple[float, float] = (-1.0, 1.0)) -> Iterator[None]:
            for below, above in _bands(extent, size.height(), highest):
                gloo.set_state(scissor_test=True)
                gloo.set_scissor(0, below, size.width(), above - below)
                self._floor["rows"] = below, above
                draw()
                gloo.set_state(scissor_test=False)
                yield

        if transparent:
            gloo.set_state(blend=False, cull_face=False)
            gloo.clear(color=(0, 0, 0, 0), depth=True, stencil=True)
        else:
            yield from in_bands(partial(self._draw_background, aspect, window))
        for buffers, extent in seen:
            # What is marked tells figures by its colours, and those of the scale beside it are plain
            body = self._bodies[is_cut, has_matcap and not buffers.is_marked]
            yield from in_bands(partial(self._draw_surface, buffers, body, marks_cut=is_seen_into), extent)
        if section is not None and is_seen_into:
            yield from in_bands(partial(self._draw_cut, view, section))
        if not light:
            for buffers in self._other:
                if (extent := _extent(buffers, camera @ projection)) is not None:
                    glass = partial(self._draw_surface, buffers, self._bodies[is_cut, False], glass=True)
                    yield from in_bands(glass, extent)
        if self.wireframe:
            for buffers, _ in seen:
                self._draw_lines(buffers)
                yield
        yield from in_bands(partial(self._draw_floor, view, lines=self.grid and not transparent))

    def _draw_background(self, aspect: float, window: tuple[float, ...]) -> None:
        gloo.clear(color=(0, 0, 0, 1), depth=True, stencil=True)
        gloo.set_state(depth_test=False, blend=False, cull_face=False)
        self._background["aspect"], self._background["window"] = aspect, window
        self._background.draw("triangle_strip")

    def _draw_surface(
        self, buffers: _Buffers, body: gloo.Program, *, glass: bool = False, marks_cut: bool = False
    ) -> None:
        """`marks_cut`: where it is seen from inside, one sees the cut; the stencil tells where that is."""
        gloo.set_state(
            depth_test=True, blend=glass, polygon_offset_fill=self.wireframe or glass, stencil_test=marks_cut
        )
        gloo.set_stencil_func("always", 1, 1)
        gloo.set_stencil_op("keep", "keep", "zero", "front")
        gloo.set_stencil_op("keep", "keep", "replace", "back")
        if glass:
            gloo.set_blend_func(*_OVER)
        gloo.set_polygon_offset(1.0, 1.0)  # lines, and what is the same of two surfaces, win over it
        body.bind(buffers.points)
        body["mark"] = buffers.marks
        body["marked"] = float(buffers.is_marked)
        body["clay"], body["alpha"] = (self._glass, _GLASS_ALPHA) if glass else (self._clay, 1.0)
        body["floor_height"] = self._origin[1]
        body.draw("triangles", buffers.faces)
        gloo.set_state(polygon_offset_fill=False, stencil_test=False)

    def _draw_cut(self, view: View, section: Section) -> None:
        """Draw the plane wherever the inside of the surface is seen through it."""
        low, high = self._box
        margin = _CUT_MARGIN * (high - low)
        corners = section.corners(low, high)
        corners += np.where(corners > (low + high) / 2, margin, -margin) * (np.arange(3) != section.axis)
        gloo.set_state(depth_test=True, blend=False, stencil_test=True)
        gloo.set_depth_func("always")  # nothing of the solid lies before it
        gloo.set_stencil_func("equal", 1, 1)
        gloo.set_stencil_op("keep", "keep", "keep")
        # In steps of the camera's distance that are powers of two, so that the lines stay while it moves a little
        step = 2.0 ** round(math.log2(_HATCH * view.distance * math.tan(math.radians(view.fov / 2)) * 2))
        across = np.ones(3)
        across[section.axis] = 0.0
        self._cut["across"] = (across / np.sqrt(2) / step).astype(np.float32)
        self._cut["position"] = corners.astype(np.float32)
        self._cut.draw("triangle_strip")
        gloo.set_depth_func("less")
        gloo.set_state(stencil_test=False)

    def _draw_lines(self, buffers: _Buffers) -> None:
        gloo.set_state(depth_test=True, blend=True, blend_func=_OVER)
        self._lines["position"] = buffers.points["position"]
        self._lines.draw("lines", buffers.edges)

    def _draw_floor(self, view: View, *, lines: bool) -> None:
        gloo.set_state(depth_test=True, blend=True, blend_func=_OVER)
        gloo.set_depth_mask(False)
        self._floor["origin"], self._floor["extent"] = self._origin, self._extent
        self._floor["lines"] = float(lines)
        above = float(np.clip(view.elevation / 4.0, 0.0, 1.0))  # from under the floor, it would hide the object
        self._floor["shade"] = self.shade * above if self._has_shadow else 0.0
        self._floor.draw("triangle_strip")
        gloo.set_depth_mask(True)

    def _shadow_steps(self) -> Iterator[None]:
        """Draw the soft shadow on the floor into a texture; once a surface."""
        if not self._cast_shadow:
            return
        self._drop["origin"], self._drop["extent"] = self._origin, self._extent
        for number, buffers in enumerate(self._cast_shadow):
            with self._shadow_targets[0]:
                self.context.set_viewport(0, 0, _SHADOW_SIZE, _SHADOW_SIZE)
                if number == 0:
                    gloo.clear(color=(0, 0, 0, 1), depth=True)
                gloo.set_state(depth_test=True, blend=False, cull_face=False)
                self._drop["plane"] = self.plane or _NO_PLANE
                self._drop["position"] = buffers.points["position"]
                self._drop.draw("triangles", buffers.faces)
            yield
        for source, target, step in _BLURS:
            gloo.set_state(depth_test=False, blend=False)
            self._blur["picture"] = self._shadows[source]
            self._blur["step"] = (step[0] / _SHADOW_SIZE, step[1] / _SHADOW_SIZE)
            with self._shadow_targets[target]:
                self.context.set_viewport(0, 0, _SHADOW_SIZE, _SHADOW_SIZE)
                self._blur.draw("triangle_strip")
            yield
        self._cast_shadow, self._has_shadow = [], True


def _body(*, cut: bool, of_ball: bool) -> gloo.Program:
    """What draws a surface."""
    switches = (shaders.CUT if cut else "") + (shaders.MATCAP if of_ball else "")
    return gloo.Program(shaders.MESH_VERTEX, switches + shaders.MESH_FRAGMENT)


def _window(tile: QRect, whole: QSize) -> tuple[float, float, float, float]:
    """How large a tile is in a picture, as shares of its sides, and where its middle is, from -1 to 1 and upward."""
    across, up = tile.width() / whole.width(), tile.height() / whole.height()
    return across, up, 2 * tile.left() / whole.width() + across - 1, 1 - up - 2 * tile.top() / whole.height()


def _zoomed_to(window: tuple[float, float, float, float]) -> np.ndarray:
    """What a projection is followed by, so that a window fills the picture."""
    across, up, x, y = window
    zoom = np.diag([1 / across, 1 / up, 1.0, 1.0])
    zoom[:2, 3] = -x / across, -y / up
    return zoom


def _extent(buffers: _Buffers, matrix: np.ndarray) -> tuple[float, float] | None:
    """Between which heights of the picture a piece's box may be seen, -1 below and 1 above; None: it is out of sight.

    `matrix` takes rows to clip space.
    """
    x, y, z, w = (np.append(buffers.corners, np.ones((1, 8)), axis=0).T @ matrix).T
    beyond = ((x > w), (x < -w), (y > w), (y < -w), (z < -w))
    if any(side.all() for side in beyond):
        return None
    if (w <= 0).any():  # some of it lies behind the camera
        return -1.0, 1.0
    heights = np.clip(y / w, -1, 1)
    return float(heights.min()), float(heights.max())


def _bands(extent: tuple[float, float], height: int, highest: int) -> Iterator[tuple[int, int]]:
    """Cut what lies between two heights of a picture into bands that are not too high; yield the rows between which."""
    low, high = ((end + 1) / 2 * height for end in extent)
    first, last = max(math.floor(low) - _MARGIN, 0), min(math.ceil(high) + _MARGIN, height)
    count = -(-(last - first) // highest)
    edges = np.linspace(first, last, count + 1).round().astype(int).tolist()
    yield from itertools.pairwise(edges)
