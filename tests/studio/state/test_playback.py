from __future__ import annotations

import pytest

from studio.state.playback import LEVELS, RATE, SPEEDS, Pace, Playback, moment_between


def test_playing_moves_by_speed_and_direction_and_loops() -> None:
    playback = Playback(seconds=2.0)
    assert playback.after(0.5, 0.25) == pytest.approx(0.75)
    playback.speed = 1 / 16
    assert playback.after(0.5, 0.25) == pytest.approx(0.5 + 0.25 / 16)
    playback.speed, playback.direction = 2.0, -1
    assert playback.after(0.5, 0.125) == pytest.approx(0.25)
    assert playback.after(0.1, 0.1) == pytest.approx(1.9)
    playback.looping = False
    assert playback.after(0.1, 0.1) is None


def test_the_range_is_what_is_played() -> None:
    playback = Playback(seconds=4.0, position=1.0)
    playback.set_in()
    playback.seek(2.0)
    playback.set_out()
    assert playback.range == (1.0, 2.0)
    assert playback.after(1.9, 0.2) == pytest.approx(1.1)
    found = playback.ahead(1.0, 30)
    assert len(found) == 30 and all(1.0 <= second < 2.0 for second in found)
    playback.looping = False
    assert len(playback.ahead(1.0, 60)) == RATE - 1
    playback.seek(0.5)
    playback.set_out()
    assert playback.range == (0.0, 0.5)
    playback.clear_marks()
    assert playback.range == (0.0, 4.0)


def test_j_k_l_double_the_speed_and_turn_round() -> None:
    playback = Playback()
    playback.shuttle(1)
    assert playback.playing and playback.speed == 1
    playback.shuttle(1)
    playback.shuttle(1)
    playback.shuttle(1)
    assert playback.speed == 4 == SPEEDS[-1]
    playback.shuttle(-1)
    assert (playback.direction, playback.speed) == (-1, 1)
    playback.step(1)
    assert not playback.playing and playback.position == pytest.approx(1 / RATE)
    playback.step(-5)
    assert playback.position == 0
    playback.faster(-20)
    assert playback.speed == SPEEDS[0] == 1 / 16


def test_slowing_down_asks_the_function_between_its_frames() -> None:
    marks = [-0.75, -0.25, 0.25, 0.75]
    playback = Playback(seconds=4.0, speed=1 / 16)
    moments = [playback.to_moment(second) for second in playback.ahead(1.0, 24)]
    assert len(set(moments)) == 24
    assert len({moment_between(t, marks, "function") for t in moments}) == 24
    assert len({moment_between(t, marks, "repeated") for t in moments}) <= 2
    assert moment_between(0.0, marks, "blended") == (-0.25, 0.25, 0.5)
    assert moment_between(-1.0, marks, "blended") == (-0.75, -0.75, 0.0)
    assert moment_between(1.0, marks, "repeated")[0] == 0.75
    assert moment_between(0.3, [], "blended") == (0.3, 0.3, 0.0)


def test_the_size_gives_way_before_the_rate() -> None:
    pace = Pace()
    for _ in range(40):
        pace.learn(256 * 256, 0.25)  # four times too slow for 256 pixels
    small = pace.side(512, 1.0)
    assert small in LEVELS and small < 256 and (small * small) / (256 * 256 / 0.25) <= 1 / RATE
    assert pace.side(small - 1, 1.0) == small - 1
    assert pace.side(512, 0.05) > small  # less is seen, so it can be finer
    for _ in range(80):
        pace.learn(256 * 256, 0.001)
    assert pace.side(512, 1.0) == 512
