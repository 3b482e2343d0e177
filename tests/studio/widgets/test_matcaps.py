from __future__ import annotations

import numpy as np
import pytest

from studio.widgets.matcaps import MATCAPS, SIZE, matcap

along = (2 * np.arange(SIZE) + 1) / SIZE - 1
x, y = np.meshgrid(along, along)
ON_BALL = np.hypot(x, y) < 0.98


def brightness(name: str) -> np.ndarray:
    return matcap(name).astype(float).mean(axis=2)


@pytest.mark.parametrize("name", MATCAPS)
def test_a_ball_fills_its_picture_and_beside_it_its_edge_goes_on(name: str) -> None:
    ball = matcap(name)
    assert ball.shape == (SIZE, SIZE, 3) and ball.dtype == np.uint8
    first_beside = np.searchsorted(along, 1.01 / np.sqrt(2))  # on the way to a corner
    np.testing.assert_array_equal(ball[first_beside, first_beside], ball[-1, -1])


@pytest.mark.parametrize("name", ["clay", "porcelain", "metal"])
def test_light_comes_from_above(name: str) -> None:
    light = brightness(name)
    assert light[ON_BALL & (y > 0.3)].mean() > light[ON_BALL & (y < -0.3)].mean() + 30


def test_materials_differ_as_they_should() -> None:
    clay, porcelain = matcap("clay")[ON_BALL].astype(float), matcap("porcelain")[ON_BALL].astype(float)
    assert (clay[:, 0] > clay[:, 2] + 20).all()
    assert np.ptp(porcelain.mean(axis=0)) < 10 and porcelain.mean() > 170
    gentle, sharp = (np.abs(np.diff(brightness(name)[:, SIZE // 2])).max() for name in ("clay", "metal"))
    assert gentle < 4 < sharp  # what mirrors has edges, what is matte has none


def test_stripes_alternate_from_the_floor_to_the_ceiling() -> None:
    light = brightness("stripes")[:, SIZE // 2]
    crossings = np.count_nonzero(np.diff(light > 110))
    assert crossings >= 12 and light.min() < 50 and light.max() > 200
