"""What the frames of a film are exposed to."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddmi_core.export.exposure import DISSOLVED, Loop, Take, developed
from ddmi_core.export.options import VideoExport
from ddmi_core.export.videos import export_video
from tests.core.domains.test_video import Dot

FPS = Fraction(10)


def seconds(take: Take, number: int, shutter: float = 0) -> list[float]:
    return [one.second for one in take.exposures(number, FPS, shutter)]


def test_frames_are_taken_in_the_middle_of_their_time() -> None:
    take = Take(0.5, 2.5)
    assert take.count(FPS) == 20
    assert [seconds(take, n) for n in (0, 19)] == [[pytest.approx(0.55)], [pytest.approx(2.45)]]
    late = take.exposures(2, Fraction(30000, 1001), 0)[0]
    assert late.second == pytest.approx(0.5 + 2.5 * 1001 / 30000)


def test_an_open_shutter_sees_as_much_of_a_frames_time_as_it_is_open() -> None:
    take = Take(0, 2)
    half, whole = seconds(take, 7, 180), seconds(take, 7, 360)
    assert np.mean(half) == pytest.approx(0.75) == np.mean(whole)
    step = whole[1] - whole[0]
    assert len(whole) * step == pytest.approx(0.1)  # as if the next frame went on where this one ended
    assert len(half) * (half[1] - half[0]) == pytest.approx(0.05)
    assert all(0 <= second <= 2 for number in (0, 19) for second in seconds(take, number, 360))


@pytest.mark.parametrize("shutter", [0, 90, 360])
@pytest.mark.parametrize("loop", ["none", "back", "dissolve"])
def test_shares_are_all_of_the_light(loop: Loop, shutter: float) -> None:
    take = Take(1, 3, loop)
    for number in range(take.count(FPS)):
        exposed = take.exposures(number, FPS, shutter)
        assert sum(one.share for one in exposed) == pytest.approx(1)
        assert all(1 <= one.second <= 3 for one in exposed)


def _seen(take: Take, number: int) -> float:
    """What a clip that is as bright as it is late shows."""
    return sum(one.share * one.second for one in take.exposures(number, Fraction(100), 0))


@pytest.mark.parametrize("loop", ["back", "dissolve"])
def test_a_loop_goes_on_where_it_ends(loop: Loop) -> None:
    take = Take(1, 3, loop)
    count = take.count(Fraction(100))
    assert count == {"back": 400, "dissolve": round(200 * (1 - DISSOLVED))}[loop]
    shown = [_seen(take, number) for number in (*range(count), 0)]
    assert max(abs(after - before) for before, after in pairwise(shown)) < 0.06
    assert abs(_seen(Take(1, 3), 0) - _seen(Take(1, 3), 199)) > 1.9


def test_light_is_added_as_light() -> None:
    black = np.array([[[0, 0, 0, 255]]], np.uint8)
    white, nothing = np.full((1, 1, 4), 255, np.uint8), np.zeros((1, 1, 4), np.uint8)
    grey = developed([(0.5, black), (0.5, white)])[0, 0]
    assert list(grey) == [186, 186, 186, 255]  # half of the light
    assert list(developed([(0.5, nothing), (0.5, white)])[0, 0]) == [255, 255, 255, 128]
    assert developed([(1.0, white)]) is white


def test_what_moves_is_blurred_and_what_stands_is_not(tmp_path: Path) -> None:
    def widths(shutter: float) -> list[int]:
        options = VideoExport(resolution=64, fps=Fraction(5), seconds=2, shutter=shutter)
        facts = export_video(Dot(), tmp_path / f"{shutter}.png", options)
        assert facts["evaluations"] == (10 * (16 if shutter else 1)) * 64 * 64
        frames = [np.asarray(Image.open(file)) for file in sorted(Path(facts["path"]).iterdir())]
        return [np.count_nonzero((frame[..., 3] > 0).any(axis=0)) for frame in frames[2:8]]

    sharp, blurred = widths(0), widths(360)
    # The dot goes on by 0.2 of the 2 that are 64 pixels while the shutter is open
    assert all(4 <= after - before <= 8 for before, after in zip(sharp, blurred, strict=True))
