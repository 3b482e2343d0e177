"""Drawing with OpenGL into a picture.

A widget then paints the picture like any other. With an OpenGL widget among them, Qt composes all of a window through
OpenGL whenever anything in it changes, 10 ms and more where OpenGL is software; with a native window of its own around
it, what other windows have covered is not painted again on an X11 display without compositor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QOffscreenSurface, QOpenGLContext, QSurfaceFormat
from PySide6.QtOpenGL import QOpenGLFramebufferObject, QOpenGLFramebufferObjectFormat
from PySide6.QtWidgets import QWidget
from vispy.gloo import gl
from vispy.gloo.context import FakeCanvas, set_current_canvas

from ddmi_core.support.errors import DDMIError

_GL_RGB8, _GL_RGBA8 = 0x8051, 0x8058


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
    """Something drawn by vispy's gloo, in an OpenGL context that no window knows of; in parts, if that takes long.

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
        self._targets: dict[tuple[int, bool], QOpenGLFramebufferObject] = {}  # by samples a pixel, and transparency

    def use(self) -> None:
        """Let gloo's objects and commands be this scene's from now on."""
        set_current_canvas(self._canvas)

    def in_parts(
        self, steps: Iterator[None], size: QSize, *, samples: int, transparent: bool = False
    ) -> Iterator[QImage | None]:
        """Draw a picture of a size in pixels, with so many samples a pixel: each step gives gloo commands.

        Yields None after every step, and the picture at the end. Other pictures with other samples may be drawn
        between the steps. `transparent`: what is drawn is premultiplied and has an alpha channel, as the picture then.

        Raises:
            NoOpenGL: there is no OpenGL.
        """
        picture = None
        while picture is None:
            with self._drawing_on(size, samples, transparent) as target:
                self.context.set_viewport(0, 0, size.width(), size.height())
                is_done = next(steps, True) is not None
                self._canvas.flush()
                if is_done:
                    picture = target.toImage()
                else:
                    gl.glFinish()  # so that the time that a step takes is seen
            yield picture

    @contextmanager
    def _drawing_on(self, size: QSize, samples: int, transparent: bool) -> Iterator[QOpenGLFramebufferObject]:
        if not self._is_usable or not self._gl.makeCurrent(self._surface):
            raise NoOpenGL("OpenGL is not available, so shapes cannot be drawn. They can still be made and exported.")
        try:
            target = self._targets.get((samples, transparent))
            if target is None or target.size() != size:
                form = QOpenGLFramebufferObjectFormat()
                form.setSamples(samples)
                form.setInternalTextureFormat(_GL_RGBA8 if transparent else _GL_RGB8)
                form.setAttachment(QOpenGLFramebufferObject.Attachment.CombinedDepthStencil)
                target = self._targets[samples, transparent] = QOpenGLFramebufferObject(size, form)
            self._canvas.framebuffer = target.handle()
            self.use()
            yield target
        finally:
            self._gl.doneCurrent()

    def close(self) -> None:
        """Release what OpenGL holds."""
        if self._targets and self._gl.makeCurrent(self._surface):
            self._targets.clear()
            self._gl.doneCurrent()
