"""Drawing with OpenGL into a picture.

A widget then paints the picture like any other. With an OpenGL widget among them, Qt composes all of a window through
OpenGL whenever anything in it changes, 10 ms and more where OpenGL is software; with a native window of its own around
it, what other windows have covered is not painted again on an X11 display without compositor.
"""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QOffscreenSurface, QOpenGLContext, QSurfaceFormat
from PySide6.QtOpenGL import QOpenGLFramebufferObject, QOpenGLFramebufferObjectFormat
from PySide6.QtWidgets import QWidget
from vispy.gloo.context import FakeCanvas, set_current_canvas

from ddmi_core.errors import DDMIError

_SAMPLES = 4
_GL_RGB8 = 0x8051


class NoOpenGL(DDMIError):
    """OpenGL cannot be used on this system."""


class _Canvas(FakeCanvas):
    """What gloo draws on: a framebuffer that is told here instead of by one of vispy's own windows."""

    framebuffer = 0

    def __init__(self) -> None:
        super().__init__()
        self._backend = self

    def _vispy_get_fb_bind_location(self) -> int:
        return self.framebuffer


class OffscreenScene:
    """Something drawn by vispy's gloo, in an OpenGL context that no window knows of.

    What is made of gloo (programs, buffers, textures) belongs to the scene that was `use`d last.
    """

    def __init__(self, owner: QWidget) -> None:
        """`owner`: the context goes with it."""
        self._canvas = _Canvas()
        self.context = self._canvas.context
        form = QSurfaceFormat()
        form.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
        self._surface = QOffscreenSurface(None, owner)
        self._surface.setFormat(form)
        self._surface.create()
        self._gl = QOpenGLContext(owner)
        self._gl.setFormat(form)
        self._is_usable = self._gl.create()
        self._target: QOpenGLFramebufferObject | None = None

    def use(self) -> None:
        """Let gloo's objects and commands be this scene's from now on."""
        set_current_canvas(self._canvas)

    def picture(self, size: QSize) -> QImage:
        """Draw at a size in pixels.

        Raises:
            NoOpenGL: there is no OpenGL.
        """
        if not self._is_usable or not self._gl.makeCurrent(self._surface):
            raise NoOpenGL("OpenGL is not available, so shapes cannot be drawn. They can still be made and exported.")
        try:
            if self._target is None or self._target.size() != size:
                form = QOpenGLFramebufferObjectFormat()
                form.setSamples(_SAMPLES)
                form.setInternalTextureFormat(_GL_RGB8)  # blending leaves what it likes in an alpha channel
                form.setAttachment(QOpenGLFramebufferObject.Attachment.CombinedDepthStencil)
                self._target = QOpenGLFramebufferObject(size, form)
            self._canvas.framebuffer = self._target.handle()
            self.use()
            self.draw(size.width(), size.height())
            self._canvas.flush()
            return self._target.toImage()
        finally:
            self._gl.doneCurrent()

    @abstractmethod
    def draw(self, width: int, height: int) -> None:
        """Give gloo the commands."""

    def close(self) -> None:
        """Release what OpenGL holds."""
        if self._target is not None and self._gl.makeCurrent(self._surface):
            self._target = None
            self._gl.doneCurrent()
