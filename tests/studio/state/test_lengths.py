from __future__ import annotations

import pytest

from ddmi_core.placement import Placement
from studio.state.lengths import Lengths

SOFA = Placement(centre=(10.0, 0.0, -4.0), unit=2.6 / 1.8)


def test_of_a_file_they_are_those_of_the_file() -> None:
    lengths = Lengths.of(1.8, SOFA)
    assert lengths.said(1.8) == "2.600" and lengths.said(0.9) == "1.300"
    assert "your file" in lengths.told_in


def test_where_nobody_says_how_long_it_is_they_are_shares_of_the_longest_side() -> None:
    lengths = Lengths.of(1.6)
    assert lengths.said(1.6) == "100.0 %" and lengths.said(0.4) == "25.0 %"
    assert lengths.said(0.4, bare=True) == "25.0"


@pytest.mark.parametrize("placement", [None, SOFA])
def test_a_length_of_the_longest_side_counts_before_the_files_as_it_does_in_exports(placement) -> None:
    lengths = Lengths.of(1.6, placement, 2200.0)
    assert lengths.said(1.6) == "2,200 mm" and lengths.said(0.8) == "1,100 mm"
    assert lengths.unit == pytest.approx((placement or SOFA).sized(2200.0, 1.6).unit)


@pytest.mark.parametrize(("longest", "said"), [(0.02, "0.01000 mm"), (5.0, "2.500 mm"), (40.0, "20.00 mm")])
def test_they_are_told_to_a_thousandth_of_the_longest_side(longest, said) -> None:
    assert Lengths.of(2.0, None, longest).said(1.0) == said


def test_a_picture_of_a_file_is_measured_in_its_pixels_and_another_one_in_shares_of_its_width() -> None:
    wide = (-1.0, -0.5, 1.0, 0.5)
    [pixels] = Lengths.of_picture(wide, (4000, 2000), 2048)
    assert pixels.said(2.0) == "4,000 px" and pixels.said(0.001) == "2 px"
    upright = (-0.5, -1.0, 0.5, 1.0)
    shares, exported = Lengths.of_picture(upright, None, 2048)
    assert shares.said(1.0) == "100.0 %" and exported.said(2.0) == "2,048 px"
    assert exported.told_in == "an export of 2,048 px"
