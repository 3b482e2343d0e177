"""The small axes in the viewport's corner: which way is up, and a click to look along an axis."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.theme.tokens import FONT_SMALL, Colours

_SIDE = 80
_ARM = 26.0
_TIP = 8.0
_VIEW_OF_AXIS = ("side", "top", "front")


class AxisGizmo(QWidget):
    """Draws x, y and z as the camera sees them; emits `chosen` with a standard view's name when a tip is clicked."""

    chosen = Signal(str)

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = colours
        self._rotation = np.eye(3)
        self.setFixedSize(QSize(_SIDE, _SIDE))
        self.setToolTip("Click an axis to look along it")
        self.setAccessibleName("Axes")

    def set_colours(self, colours: Colours) -> None:
        """Take another theme's colours."""
        self._colours = colours
        self.update()

    def set_rotation(self, rotation: Float[np.ndarray, "3 3"]) -> None:
        """Show the axes for a camera whose right, up and backward axes are the rows."""
        self._rotation = rotation
        self.update()

    def _tip(self, axis: int) -> QPointF:
        return QPointF(_SIDE / 2 + _ARM * self._rotation[0, axis], _SIDE / 2 - _ARM * self._rotation[1, axis])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the axes, the farthest first."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(FONT_SMALL - 2)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        colours = (self._colours.axis_x, self._colours.axis_y, self._colours.axis_z)
        for axis in np.argsort(self._rotation[2]):
            colour, tip = QColor(colours[axis]), self._tip(int(axis))
            painter.setPen(QPen(colour, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(_SIDE / 2, _SIDE / 2), tip)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(tip, _TIP, _TIP)
            painter.setPen(QColor(self._colours.stage))
            box = QRectF(tip.x() - _TIP, tip.y() - _TIP, 2 * _TIP, 2 * _TIP)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "XYZ"[axis])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Look along the axis whose tip was clicked."""
        for axis in np.argsort(-self._rotation[2]):
            offset = event.position() - self._tip(int(axis))
            if offset.x() ** 2 + offset.y() ** 2 <= (_TIP + 2) ** 2:
                self.chosen.emit(_VIEW_OF_AXIS[int(axis)])
                return
        event.ignore()
