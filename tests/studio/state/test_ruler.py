from __future__ import annotations

import pytest

from studio.state.ruler import Ruler, ticks


def test_two_clicks_measure_and_a_third_one_starts_anew() -> None:
    ruler = Ruler()
    assert ruler.parts is None and ruler.length == 0
    ruler = ruler.clicked((0.0, 0.0, 1.0))
    assert ruler.parts is None
    ruler = ruler.clicked((2.0, -1.0, -1.0))
    assert ruler.parts == (2.0, 1.0, 2.0) and ruler.length == 3.0
    assert ruler.clicked((5.0, 5.0, 5.0)).ends == ((5.0, 5.0, 5.0),)


@pytest.mark.parametrize(
    ("length", "most", "step", "between"),
    [(34.2, 4, 10.0, 4), (1.0, 5, 0.2, 3), (0.0042, 10, 0.0005, 4), (1999.0, 1, 2000.0, 3), (7.0, 7, 1.0, 4)],
)
def test_large_ticks_stand_at_round_lengths_and_small_ones_between(length, most, step, between) -> None:
    marks = ticks(length, most)
    large = [mark for mark in marks if mark.length is not None]
    assert [mark.length for mark in large] == pytest.approx([number * step for number in range(len(large))])
    assert len(large) - 1 <= most and (len(large)) * step > length
    assert [mark.share * length for mark in large] == pytest.approx([mark.length for mark in large])
    if len(large) > 1:
        assert sum(mark.share < large[1].share for mark in marks) - 1 == between
    assert all(0 <= mark.share <= 1 + 1e-9 for mark in marks)


def test_a_ruler_too_short_for_numbers_has_no_ticks() -> None:
    assert ticks(3.0, 0) == ticks(0.0, 5) == []
