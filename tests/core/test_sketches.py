"""Something is drawn after a sketch."""

import numpy as np
import pytest
import torch

from benchmarks import sketch_quality
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings, Sketch
from ddmi_core.sketches import Start, start_from
from ddmi_core.support.errors import ModelError
from tests.tiny_model import save_tiny_model


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline.from_pretrained(save_tiny_model(tmp_path_factory.mktemp("models") / "tiny"), device="cpu")


def _sketch(pipeline: Pipeline, closeness: float) -> Sketch:
    rng = np.random.default_rng(4)
    return Sketch.of(rng.standard_normal(pipeline.autoencoder.canvas_shape).astype(np.float32), closeness)


def test_a_sketch_says_its_latent(pipeline: Pipeline) -> None:
    sketch = _sketch(pipeline, 0.3)
    start = start_from(Sketch.model_validate_json(sketch.model_dump_json()), pipeline.autoencoder.canvas_shape)
    assert start.closeness == 0.3
    latent = np.random.default_rng(4).standard_normal(pipeline.autoencoder.canvas_shape)
    np.testing.assert_allclose(start.latent.numpy(), latent, atol=2e-3)


@pytest.mark.parametrize("latent", ["", "no!", "AAA="[:3], "AAAA"])
def test_a_damaged_sketch_is_said(latent: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        Sketch(latent=latent)


def test_some_of_the_way_is_left_out_but_never_all() -> None:
    latent = torch.zeros(1, 1, 1)
    assert [Start(latent, closeness).skipped(20) for closeness in (0.0, 0.3, 1.0)] == [0, 6, 19]
    assert Start(latent, 0.3).skipped(4) == 1 and Start(latent, 1.0).skipped(1) == 0


@pytest.mark.parametrize("sampler", ["sde-dpm++", "dpm++", "ddim", "ddpm"])
def test_the_closer_the_more_alike(pipeline: Pipeline, sampler: str) -> None:
    settings = SamplingSettings(steps=8, sampler=sampler)
    target = start_from(_sketch(pipeline, 0.0), pipeline.autoencoder.canvas_shape).latent

    def drawn(closeness: float) -> torch.Tensor:
        return pipeline.sample(settings.model_copy(update={"sketch": _sketch(pipeline, closeness)}), [5])[0]

    assert torch.equal(drawn(0.0), pipeline.sample(settings, [5])[0])
    far, near, nearest = ((drawn(closeness) - target).norm() for closeness in (0.0, 0.6, 1.0))
    assert nearest < near < far


def test_a_sketch_of_another_model_is_refused(pipeline: Pipeline) -> None:
    other = Sketch.of(np.zeros((3, 5, 5), np.float32), 0.3)
    with pytest.raises(ModelError, match="another model"):
        pipeline.sample(SamplingSettings(steps=1, sketch=other), [1])
    broken = Sketch.of(np.full(pipeline.autoencoder.canvas_shape, np.nan, np.float32), 0.3)
    with pytest.raises(ModelError, match="not numbers"):
        pipeline.sample(SamplingSettings(steps=1, sketch=broken), [1])


def test_patches_of_a_sketch_are_where_it_is_and_as_it_is_coloured() -> None:
    for number in range(4):
        picture, patches = sketch_quality._sketch(number)
        assert len(patches) == 4 and all(there.sum() > 500 for _, there in patches)
        assert all(sketch_quality._distance(picture, colour, there) < 0.01 for colour, there in patches)
        assert all(sketch_quality._distance(255 - picture, colour, there) > 20 for colour, there in patches)
