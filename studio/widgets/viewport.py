"""The 3D viewport: one lit mesh on a floor, to orbit, pan and zoom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from vispy import gloo

from studio.theme.tokens import Colours
from studio.widgets import shaders
from studio.widgets.camera_widget import EMPTY_BOX, CameraWidget
from studio.widgets.focus_ring import paint_ring
from studio.widgets.offscreen import NoOpenGL, OffscreenScene
from studio.widgets.orbit_camera import View, fitted

_SHADOW_SIZE = 256
_LEAST = QSize(2, 2)
_QUAD = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], dtype=np.float32)


@dataclass(frozen=True)
class MeshData:
    """What is drawn: vertices and unit normals in scene space, triangles as indices."""

    vertices: Float32[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    normals: Float32[np.ndarray, "v 3"]


def edges(faces: Int[np.ndarray, "f 3"]) -> Int[np.ndarray, "e 2"]:
    """The edges of a closed, oriented surface, each once: its two faces run through it in opposite directions."""
    pairs = np.stack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]], axis=1).reshape(-1, 2)
    return np.ascontiguousarray(pairs[pairs[:, 0] < pairs[:, 1]], dtype=np.uint32)


def _rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


class _Scene(OffscreenScene):
    """The OpenGL side: what is drawn and how. Knows the view, not where it came from."""

    def __init__(self, owner: QWidget, colours: Colours) -> None:
        super().__init__(owner)
        self.use()
        self.view = View()
        self.wireframe = False
        self.grid = True
        self._triangles: gloo.IndexBuffer | None = None
        self._edges: gloo.IndexBuffer | None = None
        self._faces: Int[np.ndarray, "f 3"] | None = None
        self._shadow_is_stale = False
        self._origin = (0.0, float(EMPTY_BOX[0][1]), 0.0)
        self._extent = 2.0
        quad = gloo.VertexBuffer(_QUAD)
        self._background = gloo.Program(shaders.BACKGROUND_VERTEX, shaders.BACKGROUND_FRAGMENT)
        self._background["position"] = quad
        self._floor = gloo.Program(shaders.FLOOR_VERTEX, shaders.FLOOR_FRAGMENT)
        self._floor["position"] = quad
        self._floor["reach"] = 3.6
        self._mesh = gloo.Program(shaders.MESH_VERTEX, shaders.MESH_FRAGMENT)
        self._lines = gloo.Program(shaders.LINE_VERTEX, shaders.LINE_FRAGMENT)
        self._drop = gloo.Program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT)
        self._blur = gloo.Program(shaders.BACKGROUND_VERTEX, shaders.BLUR_FRAGMENT)
        self._blur["position"] = quad
        shape = (_SHADOW_SIZE, _SHADOW_SIZE, 4)
        self._pictures = [gloo.Texture2D(shape, interpolation="linear", wrapping="clamp_to_edge") for _ in range(2)]
        depth = gloo.RenderBuffer(shape[:2], "depth")
        self._targets = [gloo.FrameBuffer(self._pictures[0], depth), gloo.FrameBuffer(self._pictures[1])]
        self._floor["shadow"] = self._pictures[0]
        self.set_colours(colours)

    def set_colours(self, colours: Colours) -> None:
        self._background["edge"] = _rgb(colours.stage)
        self._background["glow"] = _rgb(colours.stage_glow)
        self._mesh["clay"] = _rgb(colours.clay)
        self._floor["line_colour"] = _rgb(colours.grid)
        self._floor["shadow_colour"] = _rgb(colours.shadow)
        self._shade = colours.shadow_strength
        self._lines["colour"] = (*_rgb(colours.wire), 0.55)

    def set_mesh(self, mesh: MeshData | None, *, finer: bool = False) -> None:
        self.use()
        self._edges = None
        self._faces = mesh.faces if mesh is not None else None
        if mesh is None or len(mesh.faces) == 0:
            self._triangles = None
        else:
            position = gloo.VertexBuffer(np.ascontiguousarray(mesh.vertices, dtype=np.float32))
            for program in (self._mesh, self._lines, self._drop):
                program["position"] = position
            self._mesh["normal"] = gloo.VertexBuffer(np.ascontiguousarray(mesh.normals, dtype=np.float32))
            self._triangles = gloo.IndexBuffer(np.ascontiguousarray(mesh.faces, dtype=np.uint32))
            if not finer:  # the coarser mesh's shadow is just as good, and a large mesh takes software OpenGL a while
                low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
                self._origin = (float(low[0] + high[0]) / 2, float(low[1]), float(low[2] + high[2]) / 2)
                self._extent = max(0.9 * float(max(high[0] - low[0], high[2] - low[2])), 0.2)
                self._shadow_is_stale = True

    def draw(self, width: int, height: int) -> None:
        """Draw the ground, the mesh and the floor under it."""
        if self._triangles is not None and self._shadow_is_stale:
            self._draw_shadow()
        self.context.set_viewport(0, 0, width, height)
        camera = self.view.world_to_camera().T.astype(np.float32)
        projection = self.view.projection(width / height).T.astype(np.float32)

        gloo.clear(color=(0, 0, 0, 1), depth=True)
        gloo.set_state(depth_test=False, blend=False, cull_face=False)
        self._background["aspect"] = width / height
        self._background.draw("triangle_strip")
        if self._triangles is not None:
            self._draw_mesh(camera, projection)
        self._draw_floor(camera, projection)

    def _draw_mesh(self, camera: np.ndarray, projection: np.ndarray) -> None:
        gloo.set_state(depth_test=True, blend=False, polygon_offset_fill=self.wireframe)
        gloo.set_polygon_offset(1.0, 1.0)
        self._mesh["camera"], self._mesh["projection"] = camera, projection
        self._mesh["floor_height"] = self._origin[1]
        self._mesh.draw("triangles", self._triangles)
        gloo.set_state(polygon_offset_fill=False)
        if self.wireframe and self._faces is not None:
            if self._edges is None:
                self._edges = gloo.IndexBuffer(edges(self._faces))
            gloo.set_state(blend=True, blend_func=("src_alpha", "one_minus_src_alpha"))
            self._lines["camera"], self._lines["projection"] = camera, projection
            self._lines.draw("lines", self._edges)

    def _draw_floor(self, camera: np.ndarray, projection: np.ndarray) -> None:
        gloo.set_state(depth_test=True, blend=True, blend_func=("src_alpha", "one_minus_src_alpha"))
        gloo.set_depth_mask(False)
        self._floor["camera"], self._floor["projection"] = camera, projection
        self._floor["origin"], self._floor["extent"] = self._origin, self._extent
        self._floor["lines"] = float(self.grid)
        above = float(
            np.clip(self.view.elevation / 4.0, 0.0, 1.0)
        )  # from under the floor, its shadow would hide the object
        self._floor["shade"] = self._shade * above if self._triangles is not None else 0.0
        self._floor.draw("triangle_strip")
        gloo.set_depth_mask(True)

    def _draw_shadow(self) -> None:
        """Draw the soft shadow on the floor into a texture; once per mesh."""
        self._shadow_is_stale = False
        self._drop["origin"], self._drop["extent"] = self._origin, self._extent
        with self._targets[0]:
            self.context.set_viewport(0, 0, _SHADOW_SIZE, _SHADOW_SIZE)
            gloo.clear(color=(0, 0, 0, 1), depth=True)
            gloo.set_state(depth_test=True, blend=False, cull_face=False)
            self._drop.draw("triangles", self._triangles)
        gloo.set_state(depth_test=False, blend=False)
        for source, target, step in ((0, 1, (1, 0)), (1, 0, (0, 1)), (0, 1, (1.5, 0)), (1, 0, (0, 1.5))):
            self._blur["picture"] = self._pictures[source]
            self._blur["step"] = (step[0] / _SHADOW_SIZE, step[1] / _SHADOW_SIZE)
            with self._targets[target]:
                self._blur.draw("triangle_strip")


class Viewport(CameraWidget):
    """Shows a mesh."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(colours, parent=parent)
        self.setAccessibleName("Shape")
        self._scene = _Scene(self, colours)
        self._picture: QImage | None = None
        self.reset()

    # What is shown

    def show_mesh(self, mesh: MeshData | None, *, finer: bool = False) -> None:
        """Show a mesh, or nothing; the camera moves so that all of it is seen, from where it looks now.

        `finer`: it is the mesh shown so far at a higher resolution, so the camera stays where it is.
        """
        self._scene.set_mesh(mesh, finer=finer)
        has_shape = mesh is not None and len(mesh.faces) > 0
        self._box = (mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)) if mesh and has_shape else EMPTY_BOX
        self._draw_anew()
        if not finer:
            self.set_view(fitted(self.view, *self._box))

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        super().set_colours(colours)
        self._scene.set_colours(colours)
        self._draw_anew()

    @property
    def wireframe(self) -> bool:
        """Whether the mesh's edges are drawn over it."""
        return self._scene.wireframe

    @wireframe.setter
    def wireframe(self, on: bool) -> None:
        self._scene.wireframe = on
        self._draw_anew()

    @property
    def grid(self) -> bool:
        """Whether the floor has lines."""
        return self._scene.grid

    @grid.setter
    def grid(self, on: bool) -> None:
        self._scene.grid = on
        self._draw_anew()

    @property
    def axes(self) -> bool:
        """Whether the small axes in the corner are shown."""
        return not self.gizmo.isHidden()

    @axes.setter
    def axes(self, on: bool) -> None:
        self.gizmo.setVisible(on)

    def screenshot(self) -> QImage:
        """The picture as it stands, at the screen's resolution, without the axes."""
        return self._drawn()

    def _apply(self, view: View) -> None:
        self._scene.view = view
        self._draw_anew()
        super()._apply(view)

    def _draw_anew(self) -> None:
        """Let the picture be drawn again before it is seen."""
        self._picture = None
        self.update()

    def _drawn(self) -> QImage:
        """The picture as it stands, drawn now if need be.

        Raises:
            NoOpenGL: it cannot be drawn.
        """
        ratio = self.devicePixelRatioF()
        size = (self.size() * ratio).expandedTo(_LEAST)
        if self._picture is None or self._picture.size() != size:
            self._picture = self._scene.picture(size)
            self._picture.setDevicePixelRatio(ratio)
        return self._picture

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, and the ring around it."""
        painter = QPainter(self)
        try:
            painter.drawImage(0, 0, self._drawn())
        except NoOpenGL as error:
            painter.fillRect(self.rect(), QColor(self._colours.stage))
            painter.setPen(QColor(self._colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, str(error))
        paint_ring(self, painter, self._colours.accent)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Release what OpenGL holds."""
        super().closeEvent(event)
        self._scene.close()
