import numpy as np
import pytest

from ddmi_core.data.items import Augment, SurfacePoints
from ddmi_core.data.shape_sources import open_shapes
from ddmi_core.data.shapes import place_queries


def test_a_quarter_of_the_queries_asks_where_two_projections_cross() -> None:
    """Between two legs, at the corners that a side view and the view from the front leave open."""
    rng = np.random.default_rng(0)
    legs = np.array([[-0.5, 0.0, -0.5], [0.5, 0.0, 0.5]])[rng.integers(2, size=4000)]
    legs[:, 1] = rng.uniform(-0.9, 0.9, len(legs))
    coords = place_queries(legs, rng)
    assert coords.shape == legs.shape and coords.dtype == np.float32
    near = 0.3
    crossings = (np.abs(coords[:, 0] + coords[:, 2]) < near) & (np.abs(np.abs(coords[:, 0]) - 0.5) < near / 2)
    at_legs = (np.abs(coords[:, 0] - coords[:, 2]) < near) & (np.abs(np.abs(coords[:, 0]) - 0.5) < near / 2)
    # Of a quarter, those that exchange at equal heights with the other leg: half of them along one axis, and another
    # half of two thirds; uniform places add about as much as they do for the legs
    assert 0.06 < crossings.mean() < 0.2
    assert at_legs.mean() > 0.5


def test_queries_reach_all_of_space() -> None:
    coords = place_queries(np.zeros((4000, 3)), np.random.default_rng(1))
    assert (np.abs(coords) > 0.5).any(axis=1).mean() > 0.2
    assert coords.min() > -1.1 and coords.max() < 1.1


@pytest.mark.parametrize(("augment", "expected"), [("captioned", 0.02), ("none", 0.0)])
def test_noise_is_on_the_points_that_the_encoder_gets_of_augmented_examples(augment: Augment, expected: float) -> None:
    """As many points as asked for; the queries and what is true of them stay exact."""
    clean, noisy = (
        open_shapes("procedural", "train", seed=0, queries=64, surface=SurfacePoints(3000, noise)).sample(
            5, np.random.default_rng(3), augment=augment
        )
        for noise in (0.0, 0.02)
    )
    assert clean["points"].shape == noisy["points"].shape == (3000, 3)
    assert noisy["points"].dtype == np.float32
    assert np.std(noisy["points"] - clean["points"]) == pytest.approx(expected, rel=0.05)
    assert np.array_equal(clean["coords"], noisy["coords"])
    assert np.array_equal(clean["targets"], noisy["targets"])
