from __future__ import annotations

import re

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtWidgets import QApplication

from studio.state.runs import Curve, duration, smoothed
from studio.theme.theme import Theme
from studio.widgets.curve_plot import CurvePlot, CurvePlots, Figure, Line
from tests.studio.pointing import point_at


def test_smoothing_keeps_a_constant_and_calms_noise() -> None:
    assert smoothed(np.full(5, 3.0), 0.9) == pytest.approx(3.0)
    noise = np.random.default_rng(0).normal(size=500)
    assert smoothed(noise, 0.95)[100:].std() < 0.3 * noise.std()
    assert smoothed(noise, 0.0) is noise


def test_times_are_told_in_two_units_at_most() -> None:
    assert [duration(seconds) for seconds in (0, 59.6, 3599, 7260, 90000)] == [
        "0 s",
        "1 min 0 s",
        "59 min 59 s",
        "2 h 1 min",
        "1 d 1 h",
    ]


def test_figures_come_and_go_and_gaps_are_left_out(qtbot, theme: Theme) -> None:
    plots = CurvePlots(theme)
    qtbot.addWidget(plots)
    curve = Curve(np.arange(1.0, 5.0), np.array([1.0, np.nan, 0.0, 0.01]))
    plots.show_figures([Figure("loss", [Line("mine", curve, 0)]), Figure("kl", [Line("mine", curve, 0)])])
    assert [points(plot) for plot in plots.plots] == [[3], [3]]
    plots.set_log(True)  # which zero has no place on
    assert [points(plot) for plot in plots.plots] == [[2], [2]]
    plots.show_figures([Figure("loss", [Line("mine", curve, 0), Line("other", curve, 1)])])
    assert points(plots.plots[0]) == [2, 2] and [not plot.isHidden() for plot in plots.plots] == [True, False]
    assert "mine" in plots.legend.text() and "other" in plots.legend.text()


def test_plots_share_the_width_that_there_is(qtbot, theme: Theme) -> None:
    plots = CurvePlots(theme)
    qtbot.addWidget(plots)
    plots.resize(1500, 600)
    plots.show()
    curve = Curve(np.arange(1.0, 5.0), np.arange(4.0))
    names = ["loss", "kl", "PSNR", "IoU", "rate", "memory"]
    for count, columns in ((1, 1), (2, 2), (6, 4), (1, 1)):
        plots.show_figures([Figure(name, [Line("mine", curve, 0)]) for name in names[:count]])
        qtbot.waitUntil(lambda columns=columns: 1300 / columns < plots.plots[0].width() < 1501 / columns, timeout=5000)


def test_each_figure_fills_its_own_plot(qtbot, theme: Theme) -> None:
    plots = CurvePlots(theme)
    qtbot.addWidget(plots)
    plots.resize(800, 400)
    plots.show()
    steps = np.arange(1.0, 5.0)
    loss, psnr = Curve(steps, np.array([0.4, 0.3, 0.2, 0.1])), Curve(steps, np.array([10.0, 20.0, 30.0, 31.0]))
    plots.show_figures([Figure("loss", [Line("mine", loss, 0)]), Figure("PSNR", [Line("mine", psnr, 0)])])
    qtbot.waitUntil(lambda: plots.plots[0].canvas.viewRange()[1][1] < 1, timeout=5000)
    qtbot.waitUntil(lambda: plots.plots[1].canvas.viewRange()[1][0] > 5, timeout=5000)


def test_the_values_under_the_pointer_are_told_in_all_plots(qtbot, theme: Theme) -> None:
    plots = CurvePlots(theme)
    qtbot.addWidget(plots)
    plots.resize(800, 400)
    plots.show()
    qtbot.waitExposed(plots)
    steps = np.arange(1.0, 1002.0)
    plots.show_figures(
        [Figure("loss", [Line("mine", Curve(steps, steps), 0)]), Figure("kl", [Line("mine", Curve(steps, -steps), 0)])]
    )
    loss, kl = plots.plots
    assert told(loss) == ["1001"] and told(kl) == ["-1001"]  # the newest
    view = loss.canvas.getViewBox()
    qtbot.waitUntil(
        lambda: view.sceneBoundingRect().width() > 200 and loss.canvas.viewRange()[1][1] > 900, timeout=5000
    )
    point_at(loss.canvas.viewport(), loss.canvas.mapFromScene(view.mapViewToScene(QPointF(501.0, 501.0))))
    for plot, sign in ((loss, 1), (kl, -1)):
        step, value = told(plot)
        assert int(step.removeprefix("step ")) == pytest.approx(501, abs=5)  # a pixel is some steps wide
        assert sign * float(value) == pytest.approx(501, abs=5)
    QApplication.sendEvent(loss.canvas, QEvent(QEvent.Type.Leave))
    assert told(loss) == ["1001"]


def points(plot: CurvePlot) -> list[int]:
    return [len(item.xData) for item in plot.canvas.listDataItems()]


def told(plot: CurvePlot) -> list[str]:
    return re.findall(r">([^<]+)</span>", plot.values.text())
