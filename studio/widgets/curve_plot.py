"""Curves over training steps: a small plot for each figure, as their scales have nothing to do with each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pyqtgraph as pg
from jaxtyping import Float64
from numpy import ndarray
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.state.runs import Curve, smoothed
from studio.theme.theme import Theme
from studio.theme.tokens import GRID, Colours
from studio.widgets.basics import label

_LEAST_HEIGHT, _LEAST_WIDTH = 168, 320  # px, of a plot
_AXIS_WIDTH = 56  # px
_LINE_WIDTH = 2.0  # px
_MARGIN = 0.02  # of the steps, left and right of the curves


@dataclass(frozen=True, eq=False)
class Line:
    """A curve to draw. `name` says whose it is, `hue` chooses its colour."""

    name: str
    curve: Curve
    hue: int


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure and its course in each of several runs."""

    name: str
    lines: Sequence[Line]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A line as it is on the plot."""

    colour: str
    steps: Float64[ndarray, " n"]
    values: Float64[ndarray, " n"]

    def value_at(self, step: float | None) -> float | None:
        """The value at the step that is nearest, None being the last one; None where there is no value."""
        if not len(self.steps):
            return None
        return float(self.values[-1 if step is None else np.abs(self.steps - step).argmin()])


class _Canvas(pg.PlotWidget):
    """A plot that leaves the wheel to the page, unless Ctrl is held. `pointed` carries the step there, or None."""

    pointed = Signal(object)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.hideButtons()
        menu = self.getPlotItem().ctrlMenu  # made even if not enabled, and nobody's: it would outlive the plot
        menu.setParent(self, menu.windowFlags())
        self.setDownsampling(auto=True, mode="peak")
        self.setClipToView(True)
        self.setMouseEnabled(x=True, y=False)
        self.setAutoVisible(y=True)  # what is in view fills the height
        self.enableAutoRange(x=False, y=True)
        self.showGrid(x=True, y=True, alpha=0.12)
        self.getAxis("left").setWidth(_AXIS_WIDTH)
        self.scene().sigMouseMoved.connect(self._on_move)

    def sizeHint(self) -> QSize:
        """Small, so that several fit on a page; pyqtgraph's own would be a window's."""
        return QSize(_LEAST_WIDTH, _LEAST_HEIGHT)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom along the steps with Ctrl."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        """Point nowhere."""
        super().leaveEvent(event)
        self.pointed.emit(None)

    def _on_move(self, place: QPointF) -> None:
        view = self.getViewBox()
        inside = view.sceneBoundingRect().contains(place)
        self.pointed.emit(view.mapSceneToView(place).x() if inside else None)


class CurvePlot(QWidget):
    """A figure over the steps, its values above: those under the pointer, else the newest."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._figure = Figure("", ())
        self._smoothing, self._log = 0.0, False
        self._drawn: list[_Drawn] = []
        self._step: float | None = None
        self.name = label("", "heading")
        self.values = QLabel()
        self.values.setTextFormat(Qt.TextFormat.RichText)
        self.canvas = _Canvas()
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self.canvas.addItem(self._cursor, ignoreBounds=True)
        heading = QHBoxLayout()
        heading.setSpacing(GRID)
        heading.addWidget(self.name)
        heading.addStretch(1)
        heading.addWidget(self.values)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(heading)
        layout.addWidget(self.canvas)
        self.canvas.setMinimumSize(self.canvas.sizeHint())
        theme.changed.connect(self._dress)
        self._dress()

    def show_figure(self, figure: Figure) -> None:
        """Draw another figure, or the same one grown longer."""
        self._figure = figure
        self.name.setText(figure.name)
        self.canvas.setAccessibleName(f"{figure.name} over the training steps")
        self._draw()

    def set_smoothing(self, weight: float) -> None:
        """Give what came before this weight, from 0 to below 1."""
        self._smoothing = weight
        self._draw()

    def set_log(self, on: bool) -> None:
        """Make the vertical axis logarithmic."""
        self._log = on
        self.canvas.setLogMode(y=on)
        self._draw()

    def point_at(self, step: float | None) -> None:
        """Tell the values at a step, or the newest."""
        self._step = step
        self._cursor.setVisible(step is not None)
        if step is not None:
            self._cursor.setPos(step)
        self._tell()

    def _draw(self) -> None:
        items = self.canvas.listDataItems()
        self._drawn = [self._drawn_line(line) for line in self._figure.lines]
        for place, drawn in enumerate(self._drawn):
            item = items[place] if place < len(items) else self.canvas.plot()
            item.setData(drawn.steps, drawn.values)
            # Where hues are hard to tell apart, dashes are not
            style = Qt.PenStyle.DashLine if place else Qt.PenStyle.SolidLine
            item.setPen(pg.mkPen(drawn.colour, width=_LINE_WIDTH, style=style))
            item.setZValue(-place)  # the run that is looked at stays on top
            # A single point makes no line
            item.setSymbol("o" if len(drawn.steps) == 1 else None)
        for item in items[len(self._drawn) :]:
            self.canvas.removeItem(item)
        self._tell()

    def _drawn_line(self, line: Line) -> _Drawn:
        known = np.isfinite(line.curve.values)
        steps, values = line.curve.steps[known], smoothed(line.curve.values[known], self._smoothing)
        if self._log:
            steps, values = steps[values > 0], values[values > 0]
        return _Drawn(_colour(self._theme.colours, line.hue), steps, values)

    def _tell(self) -> None:
        texts = [
            f"<span style='color: {drawn.colour}'>{value:.4g}</span>"
            for drawn in self._drawn
            if (value := drawn.value_at(self._step)) is not None
        ]
        if self._step is not None and texts:
            texts.insert(
                0, f"<span style='color: {self._theme.colours.muted}'>step {max(0, round(self._step)):,}</span>"
            )
        self.values.setText("&nbsp; ".join(texts))

    def _dress(self) -> None:
        c = self._theme.colours
        self.canvas.setBackground(QColor(c.stage))
        self._cursor.setPen(QColor(c.muted))
        for side in ("left", "bottom"):
            axis = self.canvas.getAxis(side)
            axis.setPen(QColor(c.line))
            axis.setTextPen(QColor(c.muted))
        self._draw()


class CurvePlots(QWidget):
    """A plot for each figure, all over the same steps. Ctrl + wheel zooms, a drag pans, a double click shows all.

    `alone_asked`: no other runs are to be seen any more.
    """

    alone_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._figures: Sequence[Figure] = ()
        self._absent: Sequence[str] = ()
        self._smoothing, self._log = 0.0, False
        self._zoomed = False
        self._columns = 0
        self.plots: list[CurvePlot] = []
        """Those that are shown, and then some that were needed before."""
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.alone = QPushButton("Show this run alone")
        self.alone.setProperty("look", "link")
        self.alone.clicked.connect(self.alone_asked)
        self._above = QWidget()
        above = QHBoxLayout(self._above)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(GRID)
        above.addWidget(self.legend, 1)
        above.addWidget(self.alone, 0, Qt.AlignmentFlag.AlignTop)
        self._grid = QGridLayout()
        self._grid.setSpacing(2 * GRID)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._above)
        layout.addLayout(self._grid, 1)
        theme.changed.connect(self._tell_runs)

    def show_figures(self, figures: Sequence[Figure], absent: Sequence[str] = ()) -> None:
        """Draw other figures, or the same ones grown longer; `absent` says which runs have none to draw, and why."""
        self._figures, self._absent = figures, absent
        while len(self.plots) < len(figures):
            self._add_plot()
        for plot, figure in zip(self.plots, figures, strict=False):
            plot.show_figure(figure)
        for place, plot in enumerate(self.plots):
            plot.setVisible(place < len(figures))
        self._arrange()
        self._tell_runs()
        if not self._zoomed:
            self.show_all()

    def set_smoothing(self, weight: float) -> None:
        """Give what came before this weight, from 0 to below 1."""
        self._smoothing = weight
        for plot in self.plots:
            plot.set_smoothing(weight)

    def set_log(self, on: bool) -> None:
        """Make the vertical axes logarithmic."""
        self._log = on
        for plot in self.plots:
            plot.set_log(on)

    def show_all(self) -> None:
        """Zoom out to the whole of the curves."""
        self._zoomed = False
        steps = [line.curve.steps for figure in self._figures for line in figure.lines if len(line.curve.steps)]
        if steps:
            low, high = min(float(one[0]) for one in steps), max(float(one[-1]) for one in steps)
            # Rounded up, so that a run that goes on does not have everything laid out anew with each of its steps
            unit = 10.0 ** math.floor(math.log10(max(1.0, high))) / 20
            self.plots[0].canvas.setXRange(low, max(math.ceil(high / unit) * unit, low + 1), padding=_MARGIN)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put as many plots beside each other as there is room for."""
        super().resizeEvent(event)
        self._arrange()

    def _add_plot(self) -> None:
        plot = CurvePlot(self._theme)
        plot.set_smoothing(self._smoothing)
        plot.set_log(self._log)
        if self.plots:
            plot.canvas.setXLink(self.plots[0].canvas)
        plot.canvas.pointed.connect(self._point_at)
        plot.canvas.getViewBox().sigRangeChangedManually.connect(self._on_zoom)
        plot.canvas.scene().sigMouseClicked.connect(self._on_click)
        self.plots.append(plot)
        self._columns = 0  # it has no place yet

    def _arrange(self) -> None:
        columns = max(1, min(self.width() // _LEAST_WIDTH, len(self._figures)))
        if columns == self._columns:
            return
        for column in range(max(columns, self._columns)):
            self._grid.setColumnStretch(column, int(column < columns))
        self._columns = columns
        for place, plot in enumerate(self.plots):
            self._grid.addWidget(plot, place // columns, place % columns)

    def _point_at(self, step: float | None) -> None:
        for plot in self.plots:
            plot.point_at(step)

    def _tell_runs(self) -> None:
        """Say which colour is whose, where there are several runs."""
        runs = {line.name: line.hue for figure in self._figures for line in figure.lines}
        c = self._theme.colours
        texts = [
            f"<span style='color: {_colour(c, hue)}'>&#9632;</span> {escape(name)}" for name, hue in runs.items()
        ] + [f"<span style='color: {c.muted}'>{escape(text)}</span>" for text in self._absent]
        are_compared = len(runs) > 1 or bool(self._absent)
        self._above.setVisible(are_compared)
        self.legend.setText("&nbsp;&nbsp; ".join(texts) if are_compared else "")

    def _on_zoom(self, _axes: object) -> None:
        self._zoomed = True

    def _on_click(self, event: object) -> None:
        if event.double():  # type: ignore[attr-defined]
            self.show_all()


def _colour(colours: Colours, hue: int) -> str:
    """The colour of a run; they are taken in turn."""
    c = colours
    of_runs = (c.accent, c.star, c.success, c.axis_x, c.muted, c.text)
    return of_runs[hue % len(of_runs)]
