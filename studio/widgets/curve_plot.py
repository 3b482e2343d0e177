"""Curves over training steps: several figures, several runs over each other, linear or logarithmic, zoomed by mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.state.runs import Curve, smoothed
from studio.theme.theme import Theme
from studio.theme.tokens import Colours

_LEGEND_OPACITY = 0.7  # curves pass behind it
_WIDTH = 2.0  # px
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


@dataclass(frozen=True, eq=False)
class Line:
    """A curve to draw. `hue` chooses the colour, `dash` the style: 0 is solid."""

    name: str
    curve: Curve
    hue: int
    dash: int


class CurvePlot(QWidget):
    """The plot. The wheel zooms, a drag pans, a double click shows all again."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: Sequence[Line] = ()
        self._smoothing, self._log = 0.0, False
        self.plot = pg.PlotWidget(enableMenu=False)
        self.plot.hideButtons()
        menu = self.plot.getPlotItem().ctrlMenu  # made even if not enabled, and nobody's: it would outlive the plot
        menu.setParent(self, menu.windowFlags())
        self.plot.setDownsampling(auto=True, mode="peak")
        self.plot.setClipToView(True)
        self.plot.showGrid(x=True, y=True, alpha=0.12)
        self.plot.setLabel("bottom", "step")
        self.plot.getAxis("left").setWidth(56)
        self.plot.setAccessibleName("Curves over the training steps")
        self.legend = self.plot.addLegend(offset=(-12, 8), labelTextSize="12px")
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        theme.changed.connect(self._dress)
        self._dress()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Draw other curves, or the same ones grown longer."""
        self._lines = lines
        self._draw()

    def set_smoothing(self, weight: float) -> None:
        """Give what came before this weight, from 0 to below 1."""
        self._smoothing = weight
        self._draw()

    def set_log(self, on: bool) -> None:
        """Make the vertical axis logarithmic."""
        self._log = on
        self.plot.setLogMode(y=on)
        self._draw()
        self.plot.enableAutoRange()

    def show_all(self) -> None:
        """Zoom out to the whole of the curves."""
        self.plot.enableAutoRange()

    def _draw(self) -> None:
        self.legend.clear()
        drawn = self.plot.listDataItems()
        colours = hues(self._theme.colours)
        for place, line in enumerate(self._lines):
            pen = pg.mkPen(colours[line.hue % len(colours)], width=_WIDTH, style=_STYLES[line.dash % len(_STYLES)])
            known = np.isfinite(line.curve.values)
            steps, values = line.curve.steps[known], smoothed(line.curve.values[known], self._smoothing)
            if self._log:
                steps, values = steps[values > 0], values[values > 0]
            item = drawn[place] if place < len(drawn) else self.plot.plot()
            item.setData(steps, values)
            item.setPen(pen)
            item.setZValue(-place)  # the first line, the loss itself, stays on top
            # A single point makes no line
            item.setSymbol("o" if len(steps) == 1 else None)
            self.legend.addItem(item, escape(line.name))  # it takes HTML
        self.legend.setVisible(bool(self._lines))
        for item in drawn[len(self._lines) :]:
            self.plot.removeItem(item)

    def _on_click(self, event: object) -> None:
        if event.double():  # type: ignore[attr-defined]
            self.show_all()

    def _dress(self) -> None:
        c = self._theme.colours
        self.plot.setBackground(QColor(c.stage))
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(QColor(c.line))
            axis.setTextPen(QColor(c.muted))
        self.legend.setLabelTextColor(QColor(c.text))
        ground = QColor(c.panel)
        ground.setAlphaF(_LEGEND_OPACITY)
        self.legend.setBrush(ground)
        self.legend.setPen(QColor(c.line))
        self._draw()


def hues(colours: Colours) -> tuple[str, ...]:
    """The colours that lines take in turn."""
    c = colours
    return (c.accent, c.star, c.success, c.axis_x, c.muted, c.text)
