"""A widget seen through a camera: mouse, standard views, gliding from one to the next, and the small axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32
from PySide6.QtCore import QEasingCurve, QEvent, QPointF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QCloseEvent, QMouseEvent, QNativeGestureEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from studio.theme.tokens import GRID, Colours
from studio.widgets.axis_gizmo import AxisGizmo
from studio.widgets.canvas import Canvas
from studio.widgets.orbit_camera import STANDARD_VIEWS, View, fitted

_DEGREES_PER_HEIGHT = 220.0
_WHEEL_FACTOR = 0.88
_ANIMATION_MS = 220

Box = tuple[Float32[np.ndarray, " 3"], Float32[np.ndarray, " 3"]]
"""Lowest and highest corner."""
EMPTY_BOX: Box = (np.full(3, -0.7, dtype=np.float32), np.full(3, 0.7, dtype=np.float32))


class CameraWidget(Canvas):
    """Left drag orbits, right or middle drag pans, the wheel zooms toward the pointer, a double click resets.

    While `flying`, the left button looks around from where the camera is, and the wheel goes on or back.
    """

    view_changed = Signal()

    def __init__(self, colours: Colours, view: View | None = None, parent: QWidget | None = None) -> None:
        """`view`: where the camera begins, and the side that `reset` brings it back to."""
        super().__init__(colours, parent)
        self.flying = False
        self._view = self._first = view = view or View()
        self._box = EMPTY_BOX
        self._drag_from: QPointF | None = None
        self._animation = QVariantAnimation(self, startValue=0.0, endValue=1.0, duration=_ANIMATION_MS)
        self._animation.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._animation.valueChanged.connect(self._on_animation)
        self._animation_ends = (view, view)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("canvas", True)  # messages may lie over it
        self.setMinimumSize(160, 120)
        self.gizmo = AxisGizmo(colours, self)
        self.gizmo.chosen.connect(self.turn_to)
        self.gizmo.set_rotation(view.rotation())

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        self._colours = colours
        self.gizmo.set_colours(colours)
        self.update()

    def on_screen(self, points: Float[np.ndarray, "n d"]) -> list[QPointF | None]:
        """Where points are seen; None behind the camera."""
        width, height = self.width(), self.height()
        to_screen = self.view.projection(width / max(1, height)) @ self.view.world_to_camera()
        x, y, _, depth = to_screen @ np.vstack([points.T, np.ones(len(points))])
        return [
            QPointF((right / far + 1) * width / 2, (1 - up / far) * height / 2) if far > 0 else None
            for right, up, far in zip(x, y, depth, strict=True)
        ]

    # Where it is seen from

    @property
    def view(self) -> View:
        """Where the camera is."""
        return self._view

    def set_view(self, view: View) -> None:
        """Put the camera there at once."""
        self._animation.stop()
        self._apply(view)

    def orbit(self, azimuth: float, elevation: float) -> None:
        """Turn the camera by angles in degrees: around what it looks at, or, flying, around itself."""
        self.set_view(self.view.turned(azimuth, elevation) if self.flying else self.view.orbited(azimuth, elevation))

    def pan(self, right: float, up: float) -> None:
        """Move the camera sideways, in fractions of the visible height."""
        self.set_view(self.view.panned(right, up))

    def zoom(self, factor: float) -> None:
        """Change the camera's distance by a factor; flying, go on as far as that."""
        self._zoom_toward(QPointF(self.width() / 2, self.height() / 2), factor)

    def turn_to(self, name: str) -> None:
        """Turn to one of `STANDARD_VIEWS`, keeping distance and centre."""
        azimuth, elevation = STANDARD_VIEWS[name]
        self.glide(replace(self.view, azimuth=azimuth, elevation=elevation))

    def fit(self) -> None:
        """Move the camera so that all of the object is seen, from the same direction."""
        self.glide(fitted(self.view, *self._box))

    def reset(self) -> None:
        """Go back to the first view of the object."""
        self.glide(fitted(self._first.projected(parallel=self.view.is_parallel), *self._box))

    def set_parallel(self, on: bool) -> None:
        """See without perspective, or with it again."""
        self.set_view(self.view.projected(parallel=on))

    def glide(self, view: View) -> None:
        """Move the camera there smoothly."""
        if not self.isVisible():
            self.set_view(view)
            return
        self._animation.stop()
        self._animation_ends = (self.view, view)
        self._animation.start()

    def _on_animation(self, amount: float) -> None:
        start, end = self._animation_ends
        self._apply(end if amount >= 1.0 else start.blended(end, amount))

    def _apply(self, view: View) -> None:
        self._view = view
        self.gizmo.set_rotation(view.rotation())
        self.view_changed.emit()

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._drag_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Orbit, look around or pan."""
        if self._drag_from is None:
            return
        moved = (event.position() - self._drag_from) / max(self.height(), 1)
        self._drag_from = event.position()
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.buttons() & Qt.MouseButton.LeftButton and not shift:
            self.orbit(-moved.x() * _DEGREES_PER_HEIGHT, moved.y() * _DEGREES_PER_HEIGHT)
        else:
            self.pan(-moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._drag_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Reset the view."""
        self.reset()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom, or go on."""
        self._zoom_toward(event.position(), _WHEEL_FACTOR ** (event.angleDelta().y() / 120))

    def event(self, event: QEvent) -> bool:
        """Zoom with two fingers on a touch pad."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._zoom_toward(event.position(), 1 / max(0.2, 1 + event.value()))
            return True
        return super().event(event)

    def _zoom_toward(self, place: QPointF, factor: float) -> None:
        if self.flying:
            self.set_view(self.view.moved(0.0, 0.0, (1 - factor) * self.view.distance))
            return
        height = max(self.height(), 1)
        toward = ((place.x() - self.width() / 2) / height, (self.height() / 2 - place.y()) / height)
        self.set_view(self.view.zoomed(factor, toward))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the axes in their corner."""
        super().resizeEvent(event)
        self.gizmo.move(GRID, self.height() - self.gizmo.height() - GRID)
        self.gizmo.raise_()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stand still."""
        self._animation.stop()
        super().closeEvent(event)
