"""The whole path on a CUDA device: train, sample, decode, look, export. Skipped where there is none."""

from pathlib import Path

import pytest
import torch

from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings
from ddmi_core.training.config import RunConfig
from ddmi_core.training.run import train

pytestmark = [pytest.mark.gpu, pytest.mark.slow, pytest.mark.timeout(1200)]

SHORT = [
    "stage1.steps=12",
    "stage1.sample_every=100",
    "stage2.steps=12",
    "stage2.sample_every=100",
    "stage2.cached_latents=16",
]
EXPORTS = {"shape": None, "image": "picture.png", "nerf": "views.png", "video": "clip.mp4"}


@pytest.mark.parametrize("precision", ["auto", "float16"])
@pytest.mark.parametrize("domain", list(EXPORTS))
def test_a_model_is_trained_and_used_on_a_gpu(domain: str, precision: str, tmp_path: Path) -> None:
    config = RunConfig.from_preset(f"{domain}-tiny").with_overrides([*SHORT, f"precision={precision}"])
    folder = train(config, tmp_path / "run", device="cuda")
    on_gpu = Pipeline.from_pretrained(folder, device="cuda")
    on_cpu = Pipeline.from_pretrained(folder, device="cpu")
    (latent,) = on_gpu.sample(SamplingSettings(prompt="a chair", steps=4), seeds=[3])
    assert torch.isfinite(latent).all()
    coords = torch.rand(2000, 2 if domain == "image" else 3) * 2 - 1
    # The same latent means the same signal, up to what half precision rounds
    exact, found = on_cpu.decode(latent)(coords), on_gpu.decode(latent)(coords)
    assert (found - exact).abs().mean() < 0.02 * exact.std() + 1e-3
    field = on_gpu.decode(latent)
    assert field.preview(size=64).shape[:2] == (64, 64)
    if domain != "shape":  # twelve steps need not have made a surface
        field.export(tmp_path / EXPORTS[domain])
        assert (tmp_path / EXPORTS[domain]).stat().st_size > 0
