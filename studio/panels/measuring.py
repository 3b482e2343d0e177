"""Measuring on a canvas: the ruler that lies over it, and the bar that says how long that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QImage, QKeyEvent
from PySide6.QtWidgets import QWidget

from studio.panels.bar import Bar
from studio.state.lengths import Lengths
from studio.state.ruler import Place, Ruler
from studio.theme.theme import Theme
from studio.widgets.basics import ElidedLabel
from studio.widgets.canvas import Canvas
from studio.widgets.ruler import RulerOverlay


class Measuring(QObject):
    """A ruler, there while an action is on. Click two points of the canvas; a third click starts anew, Esc ends it.

    Args:
        stage: where that key counts.
        canvas: what is measured.
        action: begins and ends it.
        lengths: what lengths are told in now: on the ruler in the first ones, in the bar in all.
        noun: what is measured, in a word.
        theme: its colours.
    """

    def __init__(
        self,
        stage: QWidget,
        canvas: Canvas,
        action: QAction,
        lengths: Callable[[], Sequence[Lengths]],
        noun: str,
        theme: Theme,
    ) -> None:
        super().__init__(stage)
        self._canvas, self._action, self._lengths = canvas, action, lengths
        self._asked = (f"Click a point of the {noun}", "Click the other end")
        self.ruler = Ruler()
        self.bar = Bar(theme, action)
        self.said = ElidedLabel()
        self.said.setAccessibleName("Length")
        self.bar.put(self.said, 1)
        self._overlay = RulerOverlay(canvas, theme)
        self._overlay.picked.connect(self._on_end)
        action.toggled.connect(self._turn)
        stage.installEventFilter(self)

    def begin_anew(self) -> None:
        """Take the ends away: they were of something else."""
        self.ruler = Ruler()
        self.refresh()

    def refresh(self) -> None:
        """Draw the ruler, and say how long it is, as things are now."""
        lengths, ruler = self._lengths(), self.ruler
        self._overlay.show_ruler(ruler, lengths[0])
        if (parts := ruler.parts) is None:
            self.said.setText(f"{self._asked[len(ruler.ends)]}  ·  in {lengths[0].told_in}")
            return
        along = ", ".join(
            f"{axis} {lengths[0].said(part, bare=True)}" for axis, part in zip("xyz", parts, strict=False)
        )
        others = [f"{other.said(ruler.length)} in {other.told_in}" for other in lengths[1:]]
        said = (lengths[0].said(ruler.length), along, f"in {lengths[0].told_in}", *others)
        self.said.setText("  ·  ".join(said))

    def painted_on(self, picture: QImage) -> QImage:
        """Return a picture of the canvas with the ruler on it."""
        return self._overlay.painted_on(picture)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """End it by its key, which then means nothing else."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and self._action.isChecked():
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._action.setChecked(False)
                return True
        return super().eventFilter(watched, event)

    def _turn(self, on: bool) -> None:
        self._overlay.picks = on
        self.bar.setVisible(on)
        self.begin_anew()
        if on:
            self._canvas.setFocus()

    def _on_end(self, end: Place) -> None:
        self.ruler = self.ruler.clicked(end)
        self.refresh()
