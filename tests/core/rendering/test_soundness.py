"""Torn solids are told from sound ones."""

import numpy as np
import pytest

from ddmi_core.coordinates import grid
from ddmi_core.rendering.soundness import RESOLUTION, flaws, loose_share

_PLACES = grid(RESOLUTION, RESOLUTION, RESOLUTION).numpy()
_STEEP = 40.0


def _ball(x: float, radius: float) -> np.ndarray:
    return _STEEP * (radius - np.linalg.norm(_PLACES - (x, 0.0, 0.0), axis=-1))


def test_a_sound_solid_has_no_flaws_whatever_holes_belong_to_it() -> None:
    x, y, z = np.moveaxis(_PLACES, -1, 0)
    ring = _STEEP * (0.2 - np.hypot(np.hypot(x, y) - 0.6, z))
    assert flaws(_ball(0.0, 0.5)) == flaws(ring) == 0


def test_what_touches_the_walls_ends_there() -> None:
    assert flaws(np.full((RESOLUTION,) * 3, 5.0)) == 0


def test_next_to_nothing_is_no_sound_solid() -> None:
    assert flaws(np.full((RESOLUTION,) * 3, -5.0)) == flaws(_ball(0.0, 0.1)) == 100


def test_a_part_that_is_not_sure_of_itself_counts() -> None:
    unsure = np.where(np.abs(_PLACES[..., 2]) < 0.1, np.minimum(_ball(0.0, 0.5), 0.5), _ball(0.0, 0.5))
    rng = np.random.default_rng(0)
    torn = unsure + np.where(np.abs(_PLACES[..., 2]) < 0.1, 2 * rng.standard_normal(unsure.shape), 0.0)
    assert flaws(unsure) < 10 < flaws(torn)


def test_parts_that_hang_together_with_nothing_count_ten_each_but_dust_does_not() -> None:
    two, speck = np.maximum(_ball(-0.5, 0.3), _ball(0.5, 0.3)), np.maximum(_ball(-0.4, 0.5), _ball(0.8, 0.05))
    assert flaws(two) == 10
    assert flaws(speck) < 10


def test_opacity_that_hangs_together_with_nothing_is_a_share() -> None:
    opacity = np.zeros((8, 8, 8))
    assert loose_share(opacity) == 1.0
    opacity[4, 4, 4] = 0.9  # next to nothing
    assert loose_share(opacity) == 1.0
    opacity[4, 4, 4] = 0.0
    opacity[1:3] = 0.5
    assert loose_share(opacity) == pytest.approx(0.0)
    opacity[5, 5, 5], opacity[7, 0, 0] = 0.5, 0.01
    assert loose_share(opacity) == pytest.approx(1 / 129)
