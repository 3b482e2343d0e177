from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from studio.state.runs import Curve, duration, smoothed
from studio.theme.theme import Theme
from studio.widgets.curve_plot import CurvePlot, Line


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


def test_lines_come_and_go_and_gaps_are_left_out(qtbot, qapp: QApplication) -> None:
    plot = CurvePlot(Theme(qapp, "dark"))
    qtbot.addWidget(plot)
    curve = Curve(np.arange(1.0, 5.0), np.array([1.0, np.nan, 0.0, 0.01]))
    plot.show_lines([Line("loss", curve, 0, 0), Line("kl", curve, 1, 0)])
    assert [len(item.xData) for item in plot.plot.listDataItems()] == [3, 3]
    plot.set_log(True)  # which zero has no place on
    assert [len(item.xData) for item in plot.plot.listDataItems()] == [2, 2]
    plot.show_lines([Line("loss", curve, 0, 0)])
    assert len(plot.plot.listDataItems()) == 1 and len(plot.legend.items) == 1
