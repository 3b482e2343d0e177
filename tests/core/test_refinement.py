"""Latents fitted to the signal that they stand for."""

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.pipeline import Pipeline
from ddmi_core.refinement import refine
from ddmi_core.support.progress import Cancelled
from tests.tiny_model import save_tiny_model


@pytest.fixture(scope="module")
def autoencoder() -> D2CVAE:
    torch.manual_seed(0)
    result = D2CVAE(AutoencoderConfig(domain="shape")).eval().requires_grad_(False)
    result.readout.out.weight *= 30  # an untrained read-out hardly heeds the latent
    return result


def ball(number: int) -> dict[str, torch.Tensor]:
    """Which of random points lie in a ball."""
    coords = torch.from_numpy(np.random.default_rng(number).uniform(-1, 1, (1, 1000, 3))).float()
    return {"coords": coords, "targets": (coords.norm(dim=-1, keepdim=True) < 0.6).float()}


def loss(autoencoder: D2CVAE, latent: torch.Tensor) -> float:
    batch = ball(99)
    values = autoencoder.readout.evaluate(autoencoder.decode(latent), batch["coords"])
    return autoencoder.domain.reconstruction_loss(values, batch["targets"])[0].item()


def test_it_comes_nearer_to_the_signal_and_leaves_the_weights(autoencoder: D2CVAE) -> None:
    start = torch.randn(1, *autoencoder.canvas_shape)
    before = {name: weight.clone() for name, weight in autoencoder.state_dict().items()}
    fitted = refine(autoencoder, start, ball, steps=30)
    assert loss(autoencoder, fitted) < 0.99 * loss(autoencoder, start)  # the weights are random
    assert not fitted.requires_grad
    assert all(torch.equal(weight, before[name]) for name, weight in autoencoder.state_dict().items())


def test_no_steps_change_nothing(autoencoder: D2CVAE) -> None:
    start = torch.randn(1, *autoencoder.canvas_shape)
    assert torch.equal(refine(autoencoder, start, ball, steps=0), start)


def test_it_can_be_cancelled_between_steps(autoencoder: D2CVAE) -> None:
    seen = []

    def progress(fraction: float, text: str) -> None:
        seen.append(fraction)
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        refine(autoencoder, torch.randn(1, *autoencoder.canvas_shape), ball, steps=10, progress=progress)
    assert seen == pytest.approx([0.0, 0.1, 0.2])


def test_a_mesh_is_refined_and_a_point_cloud_is_not(tmp_path: Path) -> None:
    pipeline = Pipeline.from_pretrained(save_tiny_model(tmp_path / "tiny"))
    sphere = trimesh.creation.icosphere()
    sphere.export(tmp_path / "mesh.ply")
    trimesh.PointCloud(sphere.vertices).export(tmp_path / "points.ply")
    latents = {
        (name, steps): pipeline.encode(tmp_path / f"{name}.ply", refine_steps=steps)
        for name in ("mesh", "points")
        for steps in (0, 2)
    }
    assert torch.equal(latents["points", 0], latents["points", 2])
    assert not torch.equal(latents["mesh", 0], latents["mesh", 2])
    again = pipeline.encode(tmp_path / "mesh.ply", refine_steps=2)
    assert torch.equal(latents["mesh", 2], again)
