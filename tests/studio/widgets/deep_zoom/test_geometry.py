from __future__ import annotations

import math

import pytest

from studio.widgets.deep_zoom.geometry import BASE, CAP, LARGEST_SIDE, SMALLEST_SIDE, WHOLE, Look, fitted, one_to_one


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0, 3.0])
def test_a_fitted_picture_is_all_in_view_and_in_the_middle(ratio: float) -> None:
    look = fitted(round(900 * ratio), round(560 * ratio))
    assert look.shows_all and look.region == WHOLE
    assert look.side == round(0.94 * 560 * ratio)  # as many pixels as the screen has there
    x, y = look.place(0.0, 0.0)
    assert abs(x - look.width / 2) <= 1 and abs(y - look.height / 2) <= 1


def test_part_of_the_canvas_fits_too() -> None:
    look = fitted(1000, 600, (-1.0, -0.25, 1.0, 0.25))
    assert look.place(-1.0, 0.0)[0] >= 0 and look.place(1.0, 0.0)[0] <= 1000
    assert look.side == 940


@pytest.mark.parametrize("factor", [1.25, 0.8, 2.9])
def test_what_is_under_the_cursor_stays_there(factor: float) -> None:
    look = Look(1280, 800, 5000, 1200, 900)
    before = look.coordinates(333, 222)
    after = look.zoomed(factor, 333, 222)
    x, y = after.place(*before)
    assert abs(x - 333) <= 1 and abs(y - 222) <= 1
    assert after.side == round(5000 * factor)


def test_coordinates_and_places_are_opposites_and_right_is_down_too() -> None:
    look = Look(640, 480, 1024, 100, -20)
    assert look.place(*look.coordinates(77.5, 31.25)) == pytest.approx((77.5, 31.25))
    assert look.coordinates(0, 20) == (2 * 100 / 1024 - 1, -1.0)
    assert look.coordinates(10, 30) > look.coordinates(0, 20)


def test_zoom_ends_at_the_cap_which_can_be_lifted_and_at_what_the_coordinates_can_tell_apart() -> None:
    look = fitted(1280, 800)
    for _ in range(60):
        look = look.zoomed(1.5, 640, 400)
    assert look.zoom == CAP
    for _ in range(60):
        look = look.zoomed(1.5, 640, 400, math.inf)
    assert look.side == LARGEST_SIDE
    for _ in range(80):
        look = look.zoomed(0.5, 640, 400)
    assert look.side == SMALLEST_SIDE


def test_every_step_changes_the_zoom_and_zooming_back_comes_back() -> None:
    look = Look(800, 600, 33, 0, 0)
    assert look.zoomed(1.001, 400, 300).side == 34
    assert fitted(800, 600).zoomed(1.25, 100, 100).zoomed(0.8, 100, 100).side == fitted(800, 600).side


def test_the_picture_cannot_be_lost() -> None:
    look = fitted(800, 600)
    for right, down in ((1e6, 0), (-1e6, 0), (0, 1e6), (0, -1e6)):
        _, _, width, height = look.panned(right, down).window
        assert width > 0 and height > 0


def test_one_to_one_is_a_device_pixel_for_each_pixel_of_the_base() -> None:
    look = one_to_one(Look(800, 600, 9000, 4000, 4000))
    assert look.side == BASE and look.zoom == 1.0


def test_zoom_counts_from_the_picture_that_the_function_stands_for() -> None:
    look = fitted(1280, 800, base=1800)
    assert one_to_one(look).side == 1800 and one_to_one(look).zoom == 1.0
    assert look.rescaled(2560, 1600, 2.0).base == look.panned(3, 3).base == 1800
    for _ in range(60):
        look = look.zoomed(1.5, 640, 400)
    assert look.zoom == CAP and look.side == 64 * 1800
    tiny = fitted(1280, 800, base=3)
    assert tiny.side == fitted(1280, 800).side and tiny.zoomed(1000, 0, 0).side == CAP * BASE


def test_resizing_keeps_the_middle_and_another_screen_keeps_the_sight() -> None:
    look = Look(800, 600, 4096, 1000, 700)
    middle = look.coordinates(400, 300)
    resized = look.resized(1200, 500)
    assert resized.coordinates(600, 250) == pytest.approx(middle, abs=2 / 4096)
    dense = look.rescaled(1600, 1200, 2.0)
    assert dense.side == 8192
    assert dense.region == pytest.approx(look.region, abs=2 / 4096)
