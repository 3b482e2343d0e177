import numpy as np
import pytest
from scipy.spatial import KDTree

from ddmi_core.data.furniture.catalogue import NAMED_KINDS, furniture
from ddmi_core.data.items import Augment, SurfacePoints
from ddmi_core.data.shape_sources import held_out_catalogue, held_out_procedural, open_shapes
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


@pytest.mark.parametrize("augment", ["captioned", "full"])
@pytest.mark.parametrize("source", ["furniture", "procedural"])
def test_normals_follow_the_map_of_an_augmented_example(source: str, augment: Augment) -> None:
    """A step against the normal leads inside, one along it outside."""
    shapes = open_shapes(source, "train", seed=0, queries=0).shapes
    right = []
    for seed in range(12):
        example = shapes.sample(seed, np.random.default_rng(seed), 2000, 20_000, augment)
        np.testing.assert_allclose(np.linalg.norm(example["normals"], axis=1), 1, atol=1e-5)
        tree = KDTree(example["coords"])
        for step, inside in ((-0.03, 1.0), (0.03, 0.0)):
            distance, nearest = tree.query(example["points"] + step * example["normals"])
            right += (example["targets"][nearest, 0] == inside)[distance < 0.015].tolist()
    assert len(right) > 3000 and np.mean(right) > 0.95


@pytest.mark.parametrize("source", ["furniture", "procedural"])
def test_labels_are_soft_where_examples_are_augmented(source: str) -> None:
    """Held-out figures are taken without augmentation, of exact labels."""
    exact, hard, soft = (
        open_shapes(source, "train", seed=0, queries=4000, label_sigma=sigma).sample(
            3, np.random.default_rng(7), augment=augment
        )
        for augment, sigma in (("none", 0.012), ("captioned", 0.0), ("captioned", 0.012))
    )
    assert set(np.unique(exact["targets"])) == set(np.unique(hard["targets"])) == {0.0, 1.0}
    assert np.array_equal(hard["coords"], soft["coords"])
    between = (soft["targets"] > 0) & (soft["targets"] < 1)
    assert 0.1 < between.mean() < 0.7
    assert soft["targets"].mean() == pytest.approx(hard["targets"].mean(), abs=0.02)
    assert (hard["targets"] == soft["targets"])[~between].mean() > 0.95


def test_what_figures_are_taken_of_is_fixed_and_never_trained_on() -> None:
    made, catalogue = held_out_procedural(), held_out_catalogue()
    assert len(made) == 500 and set(catalogue.kinds) <= NAMED_KINDS
    assert not set(catalogue.names) - set(furniture("held_out").names)
    training = open_shapes("procedural", "train", seed=0, queries=8).shapes
    assert training.seed != made.seed
    assert len(open_shapes("procedural", "held_out", seed=7, queries=8)) == 500


def test_a_source_of_named_kinds_only() -> None:
    source = open_shapes("furniture:named", "train", seed=0, queries=8)
    assert set(source.shapes.kinds) <= NAMED_KINDS and len(source) < len(furniture("train"))


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
