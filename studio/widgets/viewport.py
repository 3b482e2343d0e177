"""The 3D viewport: one lit surface on a floor, to orbit, pan and zoom."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QColor, QHideEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ddmi_core.rendering.mesh_pieces import MeshPiece
from ddmi_core.rendering.sections import Section, first_met
from studio.theme.tokens import Colours
from studio.widgets.camera_widget import Box, CameraWidget
from studio.widgets.focus_ring import paint_ring
from studio.widgets.matcaps import Matcap
from studio.widgets.offscreen import NoOpenGL
from studio.widgets.orbit_camera import View, fitted
from studio.widgets.shape_scene import ShapeScene, box_around

_LEAST = QSize(2, 2)
_RESTED_MS = 60
_TURN_SECONDS = 0.008  # how long the window's thread draws before others get their turn
_AT_ONCE_SECONDS = 0.012  # a frame that takes no longer is drawn as a whole


class _Frames(QObject):
    """The picture that a widget shows of a scene: when what is drawn. Knows the view, not where it came from.

    Graphics cards draw every frame as it should be. Software takes too long for that, so what moves is drawn in its
    light form and without smoothing of edges, and what rests in its fine form. Both are drawn beside what is shown, a
    few milliseconds at a time, and shown when they are complete. A light frame is completed although the camera has
    moved on meanwhile: else one would see nothing of a camera that keeps moving.
    """

    def __init__(self, widget: QWidget, colours: Colours) -> None:
        super().__init__(widget)
        self._widget = widget
        self.scene = ShapeScene(widget, colours)
        self._view = View()
        self._picture: QImage | None = None
        self._is_current = False  # it shows what is there, from where the camera is
        self._is_fine = False  # and all that there is to be seen of it
        self._is_quick = False
        self._work: Iterator[QImage | None] | None = None
        self._work_is_fine = False
        self._changes = 0  # of what is to be seen, so far
        self._changes_of_work = 0
        self._worked = 0.0  # seconds
        self._rested = QTimer(self, singleShot=True, interval=_RESTED_MS)
        self._rested.timeout.connect(lambda: self._begin(fine=True))
        self._turns = QTimer(self, singleShot=True, interval=0)  # one that repeats would come before what waited for it
        self._turns.timeout.connect(self._go_on)

    @property
    def view(self) -> View:
        """What the camera sees."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        if view != self._view:
            self._view = view
            self.redraw()

    def redraw(self) -> None:
        """Something else is to be seen: first in its light form."""
        self._rested.stop()
        self._is_current = self._is_fine = False
        self._changes += 1
        if self._is_quick or self._work_is_fine:
            self._stop()
        self._widget.update()

    def refresh(self) -> None:
        """The same is to be seen, but finer: what is shown stays until then."""
        self._is_fine = False
        if self._is_current and not self._rested.isActive():
            self._begin(fine=True)

    def rest(self) -> None:
        """Draw no more until the picture is asked for."""
        self._rested.stop()
        self._stop()

    def picture(self) -> QImage:
        """The picture as it can be had at once; a later one follows by itself.

        Raises:
            NoOpenGL: it cannot be drawn.
        """
        fits = self._picture is not None and self._picture.size() == self._size()
        if self._is_quick and not (fits and self._is_current):
            return self.fine_picture()
        if not fits:
            self.rest()
            self._work_begins(fine=False)
            self._finish()
        if self._work is None:
            if not self._is_current:
                self._begin(fine=False)
            elif not self._is_fine and not self._rested.isActive():
                self._rested.start()
        assert self._picture is not None
        return self._with_ratio(self._picture)

    def fine_picture(self) -> QImage:
        """The picture as it should be, drawn now, however long it takes.

        Raises:
            NoOpenGL: it cannot be drawn.
        """
        fits = self._picture is not None and self._picture.size() == self._size()
        if not (fits and self._is_fine):
            if not fits or not self._work_is_fine:
                self.rest()
                self._work_begins(fine=True)
            self._finish()
        assert self._picture is not None
        return self._with_ratio(self._picture)

    def picture_of(self, size: QSize, *, transparent: bool) -> QImage:
        """A picture of any size, drawn now.

        Raises:
            NoOpenGL: it cannot be drawn.
        """
        self.rest()
        picture = self.scene.picture(self._view, size, transparent=transparent)
        self.redraw()
        return picture

    def _size(self) -> QSize:
        return (self._widget.size() * self._widget.devicePixelRatioF()).expandedTo(_LEAST)

    def _with_ratio(self, picture: QImage) -> QImage:
        picture.setDevicePixelRatio(self._widget.devicePixelRatioF())
        return picture

    def _begin(self, *, fine: bool) -> None:
        """Begin with another frame in turns, if somebody sees it."""
        self._stop()
        if self._widget.isVisible():
            self._work_begins(fine=fine)
            self._turns.start()

    def _work_begins(self, *, fine: bool) -> None:
        self._work = self.scene.drawing(self._view, self._size(), light=not fine)
        self._work_is_fine, self._worked, self._changes_of_work = fine, 0.0, self._changes

    def _stop(self) -> None:
        self._work, self._work_is_fine = None, False
        self._turns.stop()

    def _finish(self) -> None:
        """Draw all that is left of a frame."""
        while self._work is not None:
            self._step()

    def _go_on(self) -> None:
        """Draw for one turn."""
        until = time.perf_counter() + _TURN_SECONDS
        try:
            while self._work is not None and time.perf_counter() < until:
                self._step()
        except NoOpenGL:  # any more; painting says so
            self._picture = None
        if self._work is None:
            self._widget.update()
        else:
            self._turns.start()

    def _step(self) -> None:
        """Draw the next part of a frame."""
        assert self._work is not None
        began = time.perf_counter()
        try:
            picture = next(self._work)
        except NoOpenGL:
            self._stop()
            raise
        self._worked += time.perf_counter() - began
        if picture is None:
            return
        self._picture, self._is_fine = picture, self._work_is_fine
        self._is_current = self._changes_of_work == self._changes
        if self._is_fine:
            self._is_quick = self._worked <= _AT_ONCE_SECONDS
        self._stop()


class Viewport(CameraWidget):
    """Shows the surface of a shape."""

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(colours, parent=parent)
        self.setAccessibleName("Shape")
        self._frames = _Frames(self, colours)
        self.reset()

    # What is shown

    def show_mesh(self, pieces: Sequence[MeshPiece], *, keep_view: bool = False) -> None:
        """Show a mesh, or nothing; the camera moves so that all of it is seen, from where it looks now.

        `keep_view`: the camera stays, because the mesh is the one that was there, seen better.
        """
        self._frames.scene.set_surface(pieces)
        self._frames.redraw()
        self._box = box_around(pieces)
        if not keep_view:
            self.set_view(fitted(self.view, *self._box))

    def show_detail(self, pieces: Sequence[MeshPiece], *, light: bool) -> None:
        """Show the same surface as finely as it is seen; `light`: as it is drawn while the camera moves."""
        self._frames.scene.set_detail(pieces, light=light)
        self._frames.refresh()

    def show_other(self, pieces: Sequence[MeshPiece]) -> None:
        """Let another surface shine through where it lies outside of the one that is shown, or none."""
        self._frames.scene.set_other(pieces)
        self._frames.redraw()

    @property
    def box(self) -> Box:
        """The box around the surface, as it was first shown."""
        return self._box

    @property
    def section(self) -> Section | None:
        """Where what is seen is cut, if it is."""
        return self._frames.scene.section

    @section.setter
    def section(self, section: Section | None) -> None:
        if section != self.section:
            self._frames.scene.section = section
            self._frames.redraw()

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        super().set_colours(colours)
        self._frames.scene.set_colours(colours)
        self._frames.redraw()

    @property
    def matcap(self) -> Matcap | None:
        """What the surface seems to be made of; None: it is plain."""
        return self._frames.scene.matcap

    @matcap.setter
    def matcap(self, name: Matcap | None) -> None:
        if name != self.matcap:
            self._frames.scene.matcap = name
            self._frames.redraw()

    @property
    def wireframe(self) -> bool:
        """Whether the mesh's edges are drawn over it."""
        return self._frames.scene.wireframe

    @wireframe.setter
    def wireframe(self, on: bool) -> None:
        self._frames.scene.wireframe = on
        self._frames.redraw()

    @property
    def grid(self) -> bool:
        """Whether the floor has lines."""
        return self._frames.scene.grid

    @grid.setter
    def grid(self, on: bool) -> None:
        self._frames.scene.grid = on
        self._frames.redraw()

    @property
    def axes(self) -> bool:
        """Whether the small axes in the corner are shown."""
        return not self.gizmo.isHidden()

    @axes.setter
    def axes(self, on: bool) -> None:
        self.gizmo.setVisible(on)

    def screenshot(self) -> QImage:
        """The picture as it should be, at the screen's resolution, without the axes."""
        picture = self._frames.fine_picture()
        self.update()
        return picture

    def picture(self, width: int, *, transparent: bool) -> QImage:
        """The view as it stands, so many pixels wide, without the axes; drawn now, which takes its time where large.

        `transparent`: without the background and the grid, to be laid over something else.

        Raises:
            NoOpenGL: it cannot be drawn.
        """
        picture = self._frames.picture_of(QSize(width, self.height_of(width)), transparent=transparent)
        picture.setDevicePixelRatio(width / max(self.width(), 1))
        return picture

    def height_of(self, width: int) -> int:
        """How many pixels high a picture of the view is."""
        return max(round(width * self.height() / max(self.width(), 1)), 1)

    def point_at(self, place: QPointF) -> tuple[float, ...] | None:
        """Where what is seen of the surface is seen at a place of the widget; None beside it."""
        width, height = max(self.width(), 1), max(self.height(), 1)
        ray = self.view.ray(2 * place.x() / width - 1, 1 - 2 * place.y() / height, width / height)
        found = first_met(self._frames.scene.surface, *ray, self._frames.scene.plane)
        return tuple(found.tolist()) if found is not None else None

    def _apply(self, view: View) -> None:
        self._frames.view = view
        super()._apply(view)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, and the ring around it."""
        painter = QPainter(self)
        try:
            painter.drawImage(0, 0, self._frames.picture())
        except NoOpenGL as error:
            painter.fillRect(self.rect(), QColor(self._colours.stage))
            painter.setPen(QColor(self._colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, str(error))
        paint_ring(self, painter, self._colours.accent)

    def hideEvent(self, event: QHideEvent) -> None:
        """Draw no more than is seen."""
        super().hideEvent(event)
        self._frames.rest()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Release what OpenGL holds."""
        super().closeEvent(event)
        self._frames.rest()
        self._frames.scene.close()
