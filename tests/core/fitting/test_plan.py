"""Pace: how many steps a fit takes when it is given seconds."""

import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest

from ddmi_core.domains import get_domain
from ddmi_core.fitting import plan, shapes
from ddmi_core.fitting.plan import FitPlan, Pace
from tests.core.fitting.test_shapes import mug


def _let_time_pass(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let so many seconds pass between one look at the clock and the next."""
    moments = itertools.count(step=seconds)
    monkeypatch.setattr(plan, "time", SimpleNamespace(monotonic=lambda: next(moments)))


def test_given_seconds_it_goes_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    _let_time_pass(monkeypatch, 0.1)
    shares = list(Pace(10**6, FitPlan("balanced", seconds=10)))
    assert len(shares) == pytest.approx(100, abs=3)
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] < 1


def test_a_machine_that_is_too_slow_for_the_seconds_still_takes_the_fewest_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _let_time_pass(monkeypatch, 60)
    pace = Pace(10**6, FitPlan("balanced", seconds=1))
    assert list(pace) == pytest.approx([step / 30 for step in range(30)]) and pace.share == 1


def test_a_shape_is_seen_however_little_time_there_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shapes._EFFORTS, "balanced", shapes._Effort(24, 6, 16, 10**6))
    mug().export(tmp_path / "mug.stl")
    _let_time_pass(monkeypatch, 60)
    fit = get_domain("shape").fit(tmp_path / "mug.stl", FitPlan("balanced", seconds=1))
    assert fit.figures["iou"] > 0.5
