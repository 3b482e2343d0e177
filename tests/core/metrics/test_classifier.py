"""The classifier tells procedural kinds apart after training on other shapes."""

import numpy as np
import pytest

from ddmi_core.data.furniture.procedural import procedural
from ddmi_core.metrics import classifier
from ddmi_core.metrics.classifier import broad_kind, features, train


def test_kinds_of_the_data_sets_are_merged() -> None:
    assert [broad_kind(k) for k in ("armchair", "desk", "wardrobe", "plant", "sofa")] == [
        "chair", "table", "storage", "other", "sofa",
    ]  # fmt: skip


def test_features_ignore_place_and_scale() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    np.testing.assert_allclose(features(points), features(points * 0.37 + 0.2), atol=0.5)
    assert features(points).shape == (classifier.CELLS,) * 3


@pytest.mark.slow
def test_learns_kinds_it_can_name_on_unseen_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "_STEPS", 70)
    monkeypatch.setattr(classifier, "_BATCH", 48)
    model = train(procedural(90, seed=1), procedural(90, seed=2))
    unseen, rng = procedural(60, seed=3), np.random.default_rng(0)
    guesses = model.predict([unseen.sample(i, rng, 2048, 2)["points"] for i in range(60)])
    assert np.mean([guess == broad_kind(unseen.kind(i)) for i, guess in enumerate(guesses)]) >= 0.8
