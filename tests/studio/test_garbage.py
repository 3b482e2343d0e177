import gc
import weakref
from collections.abc import Iterator

import pytest

from studio.garbage import WindowCollector


class Knot:
    """Garbage that only a search for cycles finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector() -> Iterator[WindowCollector]:
    made = WindowCollector()
    yield made
    made.timer.stop()  # the whole run keeps to one of its own
    gc.unfreeze()


def test_python_does_not_collect_by_itself(collector: WindowCollector) -> None:
    assert not gc.isenabled()


def test_what_stays_is_spared_and_what_comes_later_is_collected(collector: WindowCollector) -> None:
    before = Knot()
    spared = weakref.ref(before)
    collector.spare_what_stays()
    after = Knot()
    collected = weakref.ref(after)
    del before, after
    gc.collect()
    assert spared() is not None
    assert collected() is None


def test_only_the_first_call_spares(collector: WindowCollector) -> None:
    collector.spare_what_stays()
    knot = Knot()
    collected = weakref.ref(knot)
    collector.spare_what_stays()
    del knot
    gc.collect()
    assert collected() is None
