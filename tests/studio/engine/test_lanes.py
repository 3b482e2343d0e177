"""Lanes: in which order tasks are run."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from studio.engine.lanes import Lane


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane("test")
    yield lane
    lane.stop()
    assert lane.join(5.0)


def test_tasks_run_by_priority_then_as_they_came_but_for_one_that_is_hurried(lane: Lane) -> None:
    gate, done, order = threading.Event(), threading.Event(), list[str]()
    lane.submit(lambda: gate.wait(5.0))
    for name in ("one", "two", "three"):
        lane.submit(lambda name=name: order.append(name), name=name)  # type: ignore[misc]
    lane.submit(lambda: order.append("urgent"), priority=-1)
    lane.submit(done.set, priority=9)
    lane.hurry("three")
    lane.hurry("two")
    lane.hurry("nobody")
    gate.set()
    assert done.wait(5.0) and order == ["urgent", "two", "three", "one"]


def test_a_held_lane_runs_only_what_does_not_wait(lane: Lane) -> None:
    quiet, loud = threading.Event(), threading.Event()
    lane.hold(True)
    lane.submit(loud.set, waits=True)
    lane.submit(quiet.set)
    assert quiet.wait(5.0) and not loud.wait(0.05)
    lane.hold(False)
    assert loud.wait(5.0)


def test_a_held_lane_can_be_stopped() -> None:
    lane = Lane("held")
    lane.hold(True)
    lane.submit(lambda: None, waits=True)
    lane.stop()
    assert lane.join(5.0)
